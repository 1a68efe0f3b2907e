"""PutLogEvents' rules, as a pure decision: which events of a batch are taken, and what is said of the rest.

Events are columns here, from the body of a request to the file: ten thousand of them are an object each nowhere for long.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# "The maximum batch size is 1,048,576 bytes. This size is calculated as the sum of all event messages in UTF-8, plus 26
# bytes for each log event." (PutLogEvents)
BATCH_BYTES: Final = 1_048_576
EVENT_OVERHEAD: Final = 26
# PutLogEvents: an event, with its overhead, is at most 1 MB.
EVENT_BYTES: Final = 1_048_576
EVENTS_MAX: Final = 10_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
# "None of the log events in the batch can be more than 2 hours in the future." "... more than 14 days in the past."
TOO_NEW_MS: Final = 2 * HOUR_MS
TOO_OLD_MS: Final = 14 * DAY_MS


class Refused(Exception):
    """The batch is refused whole; the text is AWS's."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Events: their times (epoch ms, none negative) and as many messages, none of them empty."""

    times: list[int]
    messages: list[str]

    def __len__(self) -> int:
        return len(self.times)

    @classmethod
    def of(cls, events: Sequence[Any]) -> Self:
        """Those of input log events. TypeError or KeyError for what is none."""
        times = [event["timestamp"] for event in events]
        messages = [event["message"] for event in events]
        if (
            not set(map(type, times)) <= {int}
            or not set(map(type, messages)) <= {str}
            or not all(messages)
            or min(times, default=0) < 0
            or max(map(len, events), default=0) > 2
        ):
            raise TypeError("not an input log event")
        return cls(times, messages)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The times and messages to write, and the indices that `rejectedLogEventsInfo` names."""

    times: list[int]
    messages: list[str]
    rejected: dict[str, int]


def read(body: bytes) -> dict[str, Any] | None:
    """The parameters in the body of a request, its events as Columns; None for what is to be read, or refused, the usual way."""
    decode = _decoder()
    return None if decode is None else decode(body)


@cache
def _decoder() -> Callable[[bytes], dict[str, Any] | None] | None:
    try:
        import msgspec
    except ImportError:  # the clients without a socket work without it
        return None
    event = msgspec.defstruct(
        "InputLogEvent",
        [
            ("timestamp", Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]),
            ("message", Annotated[str, msgspec.Meta(min_length=1)]),
        ],
        gc=False,
    )
    members: list[Any] = [
        ("logGroupName", str),
        ("logStreamName", str),
        ("logEvents", list[event]),  # type: ignore[valid-type]
        ("sequenceToken", str, ""),
    ]
    # Whatever else there is, as an entity, is held against the model.
    request = msgspec.defstruct("PutLogEventsRequest", members, forbid_unknown_fields=True)
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(request)

    def decode(body: bytes) -> dict[str, Any] | None:
        try:
            found = decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        events = found.logEvents
        columns = Columns([event.timestamp for event in events], [event.message for event in events])
        return {
            "logGroupName": found.logGroupName,
            "logStreamName": found.logStreamName,
            "logEvents": columns,
        }

    return decode


def bytes_of(text: str) -> int:
    """How many bytes a text counts for: those of its UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def judge(events: Columns | Sequence[Any], *, now: int, retention_days: int | None) -> Judgement:
    """Which of a batch's events are taken at `now` (epoch ms). Refused for a batch that breaks a rule of the whole.

    TypeError or KeyError for events of another shape.
    """
    if len(events) > EVENTS_MAX:
        raise Refused(
            "1 validation error detected: Value at 'logEvents' failed to satisfy constraint: "
            f"Member must have length less than or equal to {EVENTS_MAX}"
        )
    columns = events if isinstance(events, Columns) else Columns.of(events)
    times, messages = columns.times, columns.messages
    text = "".join(messages)
    length = bytes_of(text)
    size = EVENT_OVERHEAD * len(events) + length
    if size > BATCH_BYTES:
        longest = max(map(bytes_of, messages)) + EVENT_OVERHEAD
        if longest > EVENT_BYTES:
            raise Refused(f"Log event too large: {longest} bytes exceeds limit of {EVENT_BYTES}")
    if times != sorted(times):
        raise Refused("Log events in a single PutLogEvents request must be in chronological order.")
    if size > BATCH_BYTES:
        raise Refused(f"Upload too large: {size} bytes exceeds limit of {BATCH_BYTES}")

    # Events are in order, so what is refused is a run at either end.
    oldest = now - TOO_OLD_MS
    old_end = bisect_left(times, oldest)
    expired_end = 0
    if retention_days is not None and (expired := now - retention_days * DAY_MS) > oldest:
        expired_end = bisect_left(times, expired)
    new_start = bisect_right(times, now + TOO_NEW_MS)
    accepted = slice(max(old_end, expired_end), new_start)
    taken = times[accepted]
    if taken and taken[-1] - taken[0] > DAY_MS:
        raise Refused(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )

    rejected = {}
    if new_start < len(times):
        rejected["tooNewLogEventStartIndex"] = new_start
    if old_end:
        rejected["tooOldLogEventEndIndex"] = old_end
    if expired_end:
        rejected["expiredLogEventEndIndex"] = expired_end
    return Judgement(taken, messages[accepted], rejected)
