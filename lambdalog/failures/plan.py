"""What a replay or discard would do: exactly which letters, where they would go, and which it leaves alone, and why."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from lambdalog.errors import ArgumentError
from lambdalog.failures.edit import Refused as NotEdited
from lambdalog.failures.edit import with_settings
from lambdalog.failures.where import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lambdalog.failures.edit import Setting
    from lambdalog.failures.groups import Explained
    from lambdalog.failures.inbox import Inbox
    from lambdalog.failures.journal import Earlier, Journal
    from lambdalog.failures.letter import Letter
    from lambdalog.failures.where import Where

_KINDS: Final = ("function", "queue", "source", "file")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where events go: `own` (where each came from), a `function`, `queue` or `file` by name, or the `source` queue."""

    kind: Literal["own", "function", "queue", "source", "file"] = "own"
    name: str = ""

    def __str__(self) -> str:
        return "" if self.kind == "own" else f"{self.kind}:{self.name}"

    @classmethod
    def parse(cls, text: str) -> Destination:
        """Back from `str()`; a text without a kind is a function's name, `:` and its version or alias behind it."""
        if not text:
            return cls()
        kind, colon, name = text.partition(":")
        for known in _KINDS:
            if colon and kind == known:
                return cls(known, name)
        return cls("function", text)

    @property
    def described(self) -> str:
        """In words, after "to"."""
        match self.kind:
            case "own":
                return "where each came from"
            case "source":
                return "the queue that each came from"
            case _:
                return f"{self.kind} {self.name}"

    def function(self, letter: Letter) -> str:
        """The function, `:` and qualifier that a letter's event would be sent to; empty where it goes to no function."""
        if self.kind == "function":
            return self.name
        if self.kind == "own" and letter.kind != "redrive":
            return f"{letter.function}:{letter.qualifier}" if letter.qualifier else letter.function
        return ""

    def kind_for(self, letter: Letter) -> Literal["function", "queue", "file"]:
        """Which kind of target a letter's event would be sent to."""
        if self.kind == "own":
            return "queue" if letter.kind == "redrive" else "function"
        return "queue" if self.kind == "source" else self.kind


class Left(NamedTuple):
    """A letter that a plan leaves alone, and why."""

    found: Explained
    reason: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many letters of one fingerprint."""

    fingerprint: str
    type: str
    message: str
    count: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The letters, in order of time, that a run would act on: frozen when it begins. `edits` by message id."""

    queue: str
    destination: Destination
    letters: tuple[Explained, ...]
    left: tuple[Left, ...] = ()
    edits: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    # How many the queue held in all.
    total: int = 0

    def by_fingerprint(self) -> list[Count]:
        """How many of each, the most frequent first."""
        counts = Counter(found.fingerprint for found in self.letters)
        samples = {found.fingerprint: found for found in self.letters}
        return [
            Count(key, samples[key].type, samples[key].message, count) for key, count in counts.most_common()
        ]


def plan(
    inbox: Inbox,
    queue: str,
    *,
    where: Where = EVERYTHING,
    destination: Destination | None = None,
    journal: Journal | None = None,
    settings: Sequence[Setting] = (),
    in_doubt: bool = False,
    check: bool = True,
) -> Plan:
    """The letters of a queue that a run would take.

    `journal` knows what earlier runs sent: what is in doubt is left alone unless `in_doubt` says to take it all the same.
    `settings` edit each event. `check` False: for a discard, which asks nothing of a letter.
    """
    destination = destination or Destination()
    all_ = inbox.failures(queue)
    now = inbox.now_ms()
    chosen = [found for found in all_ if where(found, now)]
    earlier = {} if journal is None else journal.earlier([found.letter.message_id for found in chosen])
    letters: list[Explained] = []
    left: list[Left] = []
    edits: dict[str, str] = {}
    for found in chosen:
        letter = found.letter
        reason = ""
        event = letter.event
        if check:
            reason = _sent(earlier.get(letter.message_id), letter, in_doubt=in_doubt)
            if not reason and settings:
                try:
                    event = edits[letter.message_id] = with_settings(event, settings)
                except NotEdited as error:
                    reason = str(error)
            reason = reason or why_not(letter, event, destination)
        if reason:
            edits.pop(letter.message_id, None)
            left.append(Left(found, reason))
        else:
            letters.append(found)
    return Plan(
        queue, destination, tuple(letters), tuple(left), edits, notes=tuple(inbox.notes), total=len(all_)
    )


def edit_plan(planned: Plan, change: Callable[[Explained], str | None]) -> Plan:
    """A plan with each event given to `change`: a new text, or None to leave it. What it refuses is left alone."""
    edits = dict(planned.edits)
    letters: list[Explained] = []
    left = list(planned.left)
    for found in planned.letters:
        try:
            text = change(found)
        except NotEdited as error:
            left.append(Left(found, str(error)))
            continue
        event = text if text is not None else edits.get(found.letter.message_id, found.letter.event)
        reason = why_not(found.letter, event, planned.destination)
        if reason:
            left.append(Left(found, reason))
            continue
        if text is not None:
            edits[found.letter.message_id] = text
        letters.append(found)
    return Plan(
        planned.queue, planned.destination, tuple(letters), tuple(left), edits, planned.notes, planned.total
    )


def why_not(letter: Letter, event: str | None, destination: Destination) -> str:
    """Why a letter can't be sent there; empty if it can."""
    if letter.kind == "success":
        return "it succeeded"
    if event is None:
        if letter.kind == "stream":
            return f"the record holds no event; its records are in {letter.source}"
        return "the message holds no event"
    kind = destination.kind_for(letter)
    if destination.kind == "source" and not letter.source.startswith("arn:"):
        return "the message does not tell which queue it came from"
    if kind == "function":
        if not destination.function(letter):
            return "whose event it is can't be told; name the function with --to"
        if letter.kind != "redrive":
            try:
                json.loads(event)
            except ValueError:
                return "a function takes only JSON, and this is none"
    if letter.in_flight:
        return "it is in flight: somebody else has received it"
    return ""


def _sent(earlier: Earlier | None, letter: Letter, *, in_doubt: bool) -> str:
    if earlier is None:
        return ""
    if earlier.state == "acked":
        return (
            f"it succeeded in run {earlier.run}, and could not be deleted; "
            f"delete it with: lambdalog discard {letter.queue} --where id={letter.message_id} --yes"
        )
    if in_doubt:
        return ""
    return (
        f"it is in doubt since run {earlier.run}: it may have been sent; to send it all the same: --in-doubt"
    )


def function_of(text: str) -> Destination:
    """The destination that `--to FUNCTION[:Q]` means. ArgumentError for what is no function's name."""
    name, _, qualifier = text.partition(":") if not text.startswith("arn:") else (text, "", "")
    if not name or (qualifier and ":" in qualifier):
        raise ArgumentError(f"'{text}' names no function; write FUNCTION, or FUNCTION:VERSION-OR-ALIAS")
    return Destination("function", text)
