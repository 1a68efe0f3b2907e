"""Replay: invoke again what failed, exactly the set that was decided on, and delete what succeeded."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lambdalog.clock import SYSTEM
from lambdalog.errors import ReplayError
from lambdalog.failures.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lambdalog.clock import Clock
    from lambdalog.cloud import Cloud
    from lambdalog.failures.inbox import Inbox
    from lambdalog.failures.journal import Item, Run, State
    from lambdalog.failures.letter import Explained, Letter

# A leased letter is hidden from others for this long: the longest timeout of a function, and some.
LEASE_SECONDS: Final = 960
RECEIVE_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What a replay would do: the letters, in order of time, each with its failure."""

    queue: str
    target: str
    letters: tuple[Explained, ...]

    def by_fingerprint(self) -> list[tuple[str, str, str, int]]:
        """(fingerprint, type, message, count), the most frequent first."""
        counts = Counter(found.failure.fingerprint for found in self.letters)
        samples = {found.failure.fingerprint: found.failure for found in self.letters}
        return [(key, samples[key].type, samples[key].message, count) for key, count in counts.most_common()]


@dataclass
class Result:
    """How a run ended, by state of its items."""

    run: str
    counts: Counter[str] = field(default_factory=Counter)
    stopped: str = ""


def plan(inbox: Inbox, queue: str, *, fingerprint: str | None = None, target: str = "") -> Plan:
    """The letters of a queue that a replay would take; `fingerprint` (or its beginning) narrows them."""
    letters = [inbox.explain(letter) for letter in inbox.letters(queue)]
    chosen = [
        found for found in letters if fingerprint is None or found.failure.fingerprint.startswith(fingerprint)
    ]
    return Plan(queue, target, tuple(chosen))


class Replay:
    """Runs plans. Each item is leased in the queue, invoked, and deleted or given back; each step is in the journal."""

    def __init__(self, cloud: Cloud, inbox: Inbox, journal_root: Path, *, clock: Clock = SYSTEM) -> None:
        self._sqs: Any = cloud.sqs
        self._lambda: Any = cloud.lambda_
        self._inbox = inbox
        self._clock = clock
        self._journal = Journal(journal_root)

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def begin(self, plan: Plan) -> Run:
        """Freeze the plan's letters as a run."""
        return self._journal.begin(
            plan.queue,
            plan.target,
            [(found.letter, found.failure.fingerprint) for found in plan.letters],
            self._clock.now_ms(),
        )

    def run(
        self,
        run_id: str,
        *,
        rate: float | None = None,
        stop_after: int | None = None,
        progress: Callable[[Item, State, str], None] | None = None,
    ) -> Result:
        """Work on a run's planned items; also takes up a run that was broken off.

        `rate` is items a second; `stop_after` failures end the run, what is left stays planned. ReplayError for a run
        that isn't known.
        """
        run = self._journal.run(run_id)
        if run is None:
            raise ReplayError(f"there is no replay {run_id}")
        now = self._clock.now_ms()
        self._journal.resume(run_id, now)
        url = self._sqs.get_queue_url(QueueName=run.queue)["QueueUrl"]
        planned = [item for item in self._journal.items(run_id) if item.state == "planned"]
        leases = self._lease(url, {item.message_id for item in planned})
        result = Result(run_id)
        failures = 0
        try:
            for item in planned:
                if stop_after is not None and failures >= stop_after:
                    result.stopped = f"stopped after {failures} failures"
                    break
                state, detail = self._one(run, url, item, leases.pop(item.message_id, None))
                failures += state == "failed"
                if progress is not None:
                    progress(item, state, detail)
                if rate is not None:
                    self._clock.sleep(1 / rate)
        finally:
            for message in leases.values():
                self._give_back(url, message)
        if not result.stopped:
            self._journal.finish(run_id, self._clock.now_ms())
        result.counts = Counter(item.state for item in self._journal.items(run_id))
        return result

    def left(self, run_id: str) -> int:
        """How many items of a run are still to be tried."""
        return sum(1 for item in self._journal.items(run_id) if item.state == "planned")

    # --- one item

    def _one(self, run: Run, url: str, item: Item, message: dict[str, Any] | None) -> tuple[State, str]:
        if message is None:
            return self._note(run, item, "gone", "no longer in the queue, or taken by another")
        target = run.target or self._function_of(message, run.queue)
        if not target:
            self._give_back(url, message)
            return self._note(
                run, item, "failed", "whose event it is can't be told; name the function with --to"
            )
        name, _, qualifier = target.partition(":")
        arguments: dict[str, Any] = {"FunctionName": name, "Payload": message["Body"].encode()}
        if qualifier:
            arguments["Qualifier"] = qualifier
        self._note(run, item, "sent", target)
        try:
            answer = self._lambda.invoke(**arguments)
        except self._lambda.exceptions.ClientError as error:
            self._give_back(url, message)
            return self._note(run, item, "failed", str(error))
        if "FunctionError" in answer:
            self._give_back(url, message)
            return self._note(run, item, "failed", _error(answer["Payload"].read()))
        self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return self._note(run, item, "acked", target)

    def _note(self, run: Run, item: Item, state: State, detail: str) -> tuple[State, str]:
        self._journal.note(run.id, item, state, detail, self._clock.now_ms())
        return state, detail

    def _function_of(self, message: dict[str, Any], queue: str) -> str:
        functions = self._inbox.queues().get(queue, ())
        if len(functions) == 1:
            return functions[0]
        letter: Letter | None = next(
            (found for found in self._inbox.letters(queue) if found.message_id == message["MessageId"]), None
        )
        return "" if letter is None else letter.function

    # --- the queue

    def _lease(self, url: str, wanted: set[str]) -> dict[str, dict[str, Any]]:
        """Take the wanted messages out of others' sight; give back at once what else came."""
        leases: dict[str, dict[str, Any]] = {}
        others: list[dict[str, Any]] = []
        empty = 0
        while len(leases) < len(wanted) and empty < RECEIVE_TRIES:
            page = self._sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=LEASE_SECONDS,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            empty = 0 if page else empty + 1
            for message in page:
                if message["MessageId"] in wanted:
                    leases[message["MessageId"]] = message
                else:
                    others.append(message)
        for message in others:
            self._give_back(url, message)
        return leases

    def _give_back(self, url: str, message: dict[str, Any]) -> None:
        self._sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )


def _error(payload: bytes) -> str:
    try:
        found = json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")
    return f"{found.get('errorType')}: {found.get('errorMessage')}" if isinstance(found, dict) else str(found)
