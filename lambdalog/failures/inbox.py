"""The inbox: what lies in all queues that get failures, joined with what the logs tell, grouped by fingerprint."""

from __future__ import annotations

import gc
import json
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from lambdalog.clock import SYSTEM
from lambdalog.denied import denied
from lambdalog.errors import ReplayError
from lambdalog.failure import Failure, fingerprint
from lambdalog.failures.evidence import Evidence, Told, parsed
from lambdalog.failures.groups import Explained, grouped
from lambdalog.failures.look import browse, receive
from lambdalog.failures.places import Places
from lambdalog.failures.where import EVERYTHING
from lambdalog.reported import from_dead_letter, from_lambda_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lambdalog.clock import Clock
    from lambdalog.cloud import Cloud
    from lambdalog.failures.evidence import Attempt
    from lambdalog.failures.groups import Group
    from lambdalog.failures.journal import Touched
    from lambdalog.failures.letter import Letter
    from lambdalog.failures.look import Look
    from lambdalog.failures.marks import Marks
    from lambdalog.failures.where import Where
    from lambdalog.tail import Line

# A log can lag behind the letter: what it doesn't tell yet is asked again for this long.
SETTLED_MS: Final = 300_000


@dataclass(frozen=True, slots=True)
class Detail:
    """All that is known of one failure. `runs`: what replays and discards did with it, in order of time."""

    letter: Letter
    failure: Failure
    version: str
    attempts: tuple[Attempt, ...]
    runs: tuple[Touched, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of all attempts, in order of time."""
        return tuple(line for attempt in self.attempts for line in attempt.lines)


class Inbox:
    """Reads failures without taking them where that can be done (a store), and as lightly as SQS lets it elsewhere.

    `spend_receives`: look on AWS also into queues whose own redrive policy counts each look.
    """

    def __init__(
        self,
        cloud: Cloud,
        clock: Clock = SYSTEM,
        *,
        marks: Marks | None = None,
        spend_receives: bool = False,
    ) -> None:
        self._cloud = cloud
        self._clock = clock
        self._marks = marks
        self._spend = spend_receives
        self.places = Places(cloud)
        self.evidence = Evidence(cloud, self.places)
        # A letter never changes: what its log says is asked for once.
        self._told: dict[str, Told] = {}
        # All failures and notes of the last look, and how the queues were before it.
        self._seen: tuple[object, list[Explained], list[str]] | None = None
        # What could not be seen at the last look.
        self.notes: list[str] = []

    def now_ms(self) -> int:
        """The time by which ages are told, epoch ms."""
        return self._clock.now_ms()

    def queues(self) -> dict[str, tuple[str, ...]]:
        """Queue that gets failures → the functions whose they are."""
        return {name: place.functions for name, place in self.places.all().items()}

    def letters(self, queue: str | None = None) -> list[Letter]:
        """All letters, or one queue's, in order of time. QueueDoesNotExist for a queue that isn't there.

        ReplayError for a queue on AWS that can't be looked into without consequences; among all queues it is passed
        over, with a note; so is one that may not be read.
        """
        places = self.queues()
        self.notes = list(self.places.notes)
        if queue is not None:
            looks = [self._look(queue, places.get(queue, ()))]
        else:
            looks = [look for name, functions in places.items() if (look := self._try(name, functions))]
        self.notes += [look.note for look in looks if look.note]
        found = [letter for look in looks for letter in look.letters]
        found.sort(key=attrgetter("sent_at"))
        return found

    def failures(self, queue: str | None = None, where: Where = EVERYTHING) -> list[Explained]:
        """The letters with what failed, in order of time; those that `where` means."""
        with _uncollected():
            found = self.explained(self.letters(queue))
            if not where:
                return found
            now = self._clock.now_ms()
            return [explained for explained in found if where(explained, now)]

    def groups(self, queue: str | None = None, where: Where = EVERYTHING) -> list[Group]:
        """The failures by fingerprint, the most frequent first."""
        marks = {} if self._marks is None else self._marks.all()
        found = self.failures(queue, where) if queue is not None or where else self._all()
        return grouped(found, marks, self._clock.now_ms())

    def _all(self) -> list[Explained]:
        """All failures; those of the last look where nothing has come, gone, or been received since."""
        state = self._state()
        if self._seen is not None and self._seen[0] == state:
            self.notes = list(self._seen[2])
            return self._seen[1]
        found = self.failures()
        # What left the queues needs no memory.
        there = {explained.letter.message_id for explained in found}
        self._told = {key: told for key, told in self._told.items() if key in there}
        # What a log may still tell is asked for again.
        whole = state is not None and len(self._told) == len(there)
        self._seen = (state, found, list(self.notes)) if whole else None
        return found

    def _state(self) -> object:
        """How the queues of a store are, cheaply; None on AWS, where only a look tells."""
        if self._cloud.root is None:
            return None
        sqs = self._cloud.client("sqs")
        found = []
        for name, functions in self.queues().items():
            try:
                url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
                found.append((name, functions, sqs.browse_state(QueueUrl=url)))
            except sqs.exceptions.QueueDoesNotExist:
                continue  # a target that was deleted, or lies in another account
        return found

    def explained(self, letters: Sequence[Letter]) -> list[Explained]:
        """Letters with what failed: each log is read once, however many there are."""
        missing = [letter for letter in letters if letter.message_id not in self._told]
        if missing:
            self._learn(missing)
        known = self._told
        return [Explained(letter, *(known.get(letter.message_id) or by_text(letter))) for letter in letters]

    def explain(self, letter: Letter) -> Explained:
        """One letter with what failed."""
        return self.explained([letter])[0]

    def detail(self, letter: Letter) -> Detail:
        """Everything about a letter: the failure with its stack, every attempt, every line of them."""
        explained = self.explain(letter)
        attempts = tuple(self.evidence.attempts(letter))
        logged = next(
            (attempt.failure for attempt in reversed(attempts) if attempt.failure is not None), None
        )
        own = _of_response(letter)
        version = explained.version or next((attempt.version for attempt in attempts if attempt.version), "")
        failure = logged or own or Failure(explained.type, explained.message, explained.fingerprint)
        return Detail(letter, failure, version, attempts)

    def lines(self, letter: Letter) -> list[Line]:
        """The log lines of a letter's invocations, in order of time: those of its request, and what stands between."""
        return [line for attempt in self.evidence.attempts(letter) for line in attempt.lines]

    # --- reading

    def _look(self, queue: str, functions: tuple[str, ...]) -> Look:
        function = functions[0] if len(functions) == 1 else ""
        sqs = self._cloud.client("sqs")
        if self._cloud.root is not None:
            return browse(sqs, queue, function, self._clock.now_ms())
        return receive(sqs, queue, function, self._clock, spend=self._spend)

    def _try(self, queue: str, functions: tuple[str, ...]) -> Look | None:
        sqs = self._cloud.client("sqs")
        try:
            return self._look(queue, functions)
        except sqs.exceptions.QueueDoesNotExist:
            return None  # a target that was deleted, or lies in another account
        except ReplayError as error:
            self.notes.append(str(error))
            return None
        except ClientError as error:
            if not denied(error):
                raise
            self.notes.append(f"{queue} can't be looked into: {error.response['Error'].get('Message')}")
            return None

    def _learn(self, letters: Iterable[Letter]) -> None:
        asked: list[Letter] = []
        for letter in letters:
            told = by_itself(letter)
            if told is None:
                asked.append(letter)
            else:
                self._told[letter.message_id] = told
        logged = self.evidence.told(asked)
        self.notes += [note for note in self.evidence.notes if note not in self.notes]
        settled = self._clock.now_ms() - SETTLED_MS
        for letter in asked:
            told = logged.get(letter.request_id)
            if told is not None or letter.sent_at < settled:
                self._told[letter.message_id] = told or by_text(letter)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: what a look makes stays, and would be gone through again and again as it grows."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def by_itself(letter: Letter) -> Told | None:
    """Which failure a letter tells of itself; None if its log has to be asked."""
    match letter.kind:
        case "dead-letter":
            if not letter.fingerprint:
                return None
            # Made by our decorator, which knew what failed: "Type: message".
            type_, _, message = letter.error_message.partition(": ")
            return Told(type_, message, letter.fingerprint, letter.version)
        case "destination":
            failure = _of_response(letter)
            if failure is None:
                return None
            return Told(failure.type, failure.message, failure.fingerprint, letter.version)
        case "success":
            return _plain("Success", f"{letter.function} succeeded", letter)
        case "redrive":
            source = letter.source.rpartition(":")[2]
            return _plain("MaxReceivesExceeded", f"received too often in {source}", letter)
        case "message":
            return _plain("Unknown", "a message that tells of no failure", letter)
        case _:
            return None


def by_text(letter: Letter) -> Told:
    """Which failure a letter tells of where no log says more: judged from its text."""
    if letter.kind in {"destination", "stream"}:
        return _plain(letter.condition, f"{letter.function} was given up", letter)
    failure = from_dead_letter(letter.error_code, letter.error_message)
    return Told(failure.type, failure.message, failure.fingerprint, letter.version)


def _plain(type_: str, message: str, letter: Letter) -> Told:
    place = letter.source or letter.function or letter.queue
    return Told(type_, message, fingerprint(type_, place, ()), letter.version)


def _of_response(letter: Letter) -> Failure | None:
    """The failure in a destination record's response, and where it is no error, its whole text."""
    if letter.response is None or letter.kind == "success":
        return None
    record = parsed(letter.response)
    if record is not None and ("errorType" in record or "errorMessage" in record):
        return from_lambda_error(record)
    text = letter.response if record is None else json.dumps(record)
    return Failure("Unknown", text[:1000], fingerprint("Unknown", text[:1000], ()))
