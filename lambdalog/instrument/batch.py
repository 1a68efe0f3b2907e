"""Records one by one: each has its own failure, and only those that failed come again.

What AWS takes as the answer: `{"batchItemFailures": [{"itemIdentifier": …}]}`, by messageId for SQS and by sequence
number for Kinesis and DynamoDB streams ("Reporting batch item failures", Lambda developer guide).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lambdalog.instrument.invocation import CURRENT
from lambdalog.instrument.loop import Loop
from lambdalog.instrument.report import headline

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from lambdalog.instrument.observe import Observer


@dataclass(frozen=True, slots=True)
class Source:
    """What a batch comes from.

    `ordered`: what stands behind a failure in its lane must wait. `stream`: a failure brings all behind it again.
    """

    name: str
    ordered: bool
    stream: bool


@dataclass(slots=True)
class Lane:
    """Records of one order: a FIFO group, a partition key, or a single record."""

    places: list[int] = field(default_factory=list)


def source_of(records: Sequence[Any]) -> Source:
    """Where a batch's records come from. ValueError if they are of no source that takes partial answers."""
    first = records[0] if records and isinstance(records[0], dict) else {}
    name = str(first.get("eventSource") or first.get("EventSource") or "")
    match name:
        case "aws:sqs":
            return Source(name, ordered=str(first.get("eventSourceARN", "")).endswith(".fifo"), stream=False)
        case "aws:kinesis" | "aws:dynamodb":
            return Source(name, ordered=True, stream=True)
        case _:
            raise ValueError(
                f"@handler.batch takes records of SQS, Kinesis and DynamoDB streams, not of {name or 'an event without any'}"
            )


def identifier(record: Any, source: Source) -> str | None:
    """What the answer names a record by; None if it bears no name."""
    found: Any = None
    try:
        if source.name == "aws:sqs":
            found = record["messageId"]
        elif source.name == "aws:kinesis":
            found = record["kinesis"]["sequenceNumber"]
        else:
            found = record["dynamodb"]["SequenceNumber"]
    except (KeyError, TypeError):
        return None
    return found if isinstance(found, str) and found else None


def lanes(records: Sequence[Any], source: Source) -> list[Lane]:
    """The records' places by the order they must keep, each lane in the batch's order."""
    if not source.ordered:
        return [Lane([place]) for place in range(len(records))]
    found: dict[Hashable, Lane] = {}
    for place, record in enumerate(records):
        found.setdefault(_key(record, source), Lane()).places.append(place)
    return list(found.values())


def answer(failed: Iterable[int], records: Sequence[Any], source: Source) -> dict[str, Any] | None:
    """The partial response; None if a failed record has no name, so that the whole batch must fail.

    Of a stream the lowest is named alone: Lambda goes on from there.
    """
    places = sorted(failed)
    if source.stream:
        places = places[:1]
    names = [identifier(records[place], source) for place in places]
    if None in names:
        return None
    return {"batchItemFailures": [{"itemIdentifier": name} for name in dict.fromkeys(names)]}


class Batch:
    """One batch under way."""

    def __init__(
        self,
        call: Callable[[Any, Any], Any],
        records: Sequence[Any],
        context: Any,
        observer: Observer | None,
        loop: Loop,
    ) -> None:
        self._call = call
        self._records = records
        self._context = context
        self._observer = observer
        self._loop = loop
        self._source = source_of(records)
        self._invocation = CURRENT.mine()
        self._failed: set[int] = set()
        self._first_error: Exception | None = None

    def run(self, workers: int) -> dict[str, Any]:
        """Handle the records; the answer. Raises a record's exception where no answer could name the record."""
        found = lanes(self._records, self._source)
        if self._source.stream and workers == 1:
            # In the shard's order: what stands behind a failure comes again anyway.
            found = [Lane(list(range(len(self._records))))]
        if workers == 1 or len(found) == 1:
            for lane in found:
                self._lane(lane)
        else:
            from concurrent.futures import ThreadPoolExecutor
            from contextvars import copy_context

            with ThreadPoolExecutor(min(workers, len(found)), thread_name_prefix="lambdalog-batch") as pool:
                # Each lane has the invocation's context; what isn't an Exception comes out of result().
                for future in [pool.submit(copy_context().run, self._lane, lane) for lane in found]:
                    future.result()
        told = answer(self._failed, self._records, self._source)
        if told is None:
            assert self._first_error is not None
            raise self._first_error
        return told

    def _lane(self, lane: Lane) -> None:
        for index, place in enumerate(lane.places):
            if self._source.stream and self._failed and place > min(self._failed):
                return
            if self._one(place):
                continue
            if self._source.ordered and not self._source.stream:
                # The rest of the group waits for the one that failed.
                self._failed.update(lane.places[index + 1 :])
            if self._source.ordered:
                return

    def _one(self, place: int) -> bool:
        record = self._records[place]
        name = identifier(record, self._source)
        leave = CURRENT.enter_own({"recordId": name})
        try:
            result = self._call(record, self._context)
            if hasattr(result, "__await__"):
                self._loop.run(_finished(result))
        except Exception as error:  # noqa: BLE001 - one record's failure is its own
            if self._settled(error, record):
                return True
            self._first_error = self._first_error or error
            self._failed.add(place)
            return False
        else:
            return True
        finally:
            leave()

    def _settled(self, error: Exception, record: Any) -> bool:
        """Tell a record's failure; whether it went where permanent ones go, and is done with."""
        observer, invocation = self._observer, self._invocation
        if observer is None or invocation is None:
            return False
        try:
            # The event that would bring this record alone: a replay of the letter is an invocation with one record.
            delivered, keys = observer.report.capture(error, {"Records": [record]}, invocation)
            keys["recordId"] = identifier(record, self._source)
            observer.report.note(headline(keys), keys, invocation)
        except Exception as own:  # noqa: BLE001 - ours: the record counts as failed, and the others go on
            observer.report.own_failure("tell a record's failure", own)
            return False
        return delivered


def batch_handler(
    function: Any, workers: int, observer: Observer | None, *, method: bool = False
) -> Callable[..., dict[str, Any]]:
    """`function(record)` or `function(record, context)` as `handler(event, context)`; a method of an object as one."""
    with_context = _takes_context(function, 3 if method else 2)
    loop = Loop() if observer is None else observer.loop

    def handle(given: tuple[Any, ...], event: Any, context: Any) -> dict[str, Any]:
        def call(record: Any, context: Any) -> Any:
            return function(*given, record, context) if with_context else function(*given, record)

        records = event.get("Records") if isinstance(event, dict) else None
        if isinstance(records, list) and not records:
            return {"batchItemFailures": []}
        found = records if isinstance(records, list) else ()
        return Batch(call, found, context, observer, loop).run(workers)

    if method:
        return lambda self, event, context=None: handle((self,), event, context)
    return lambda event, context=None: handle((), event, context)


def _takes_context(function: Any, arguments: int) -> bool:
    import inspect

    try:
        inspect.signature(function).bind(*[None] * arguments)
    except TypeError:
        return False
    return True


async def _finished(awaitable: Any) -> None:
    """Of anything that can be awaited."""
    await awaitable


def _key(record: Any, source: Source) -> Hashable:
    try:
        if source.name == "aws:sqs":
            return str(record["attributes"]["MessageGroupId"])
        if source.name == "aws:kinesis":
            return str(record["kinesis"]["partitionKey"])
        return repr(sorted(record["dynamodb"]["Keys"].items()))
    except (KeyError, TypeError, AttributeError):
        # Without a group of its own it is in one with all others like it.
        return None
