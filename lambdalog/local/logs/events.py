"""Log events: put, got stream by stream, filtered over a group."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator

from lambdalog.local.halves import half_at
from lambdalog.local.logs import tokens
from lambdalog.local.logs.put import EVENT_OVERHEAD, Refused, bytes_of, judge, read
from lambdalog.local.logs.room import BAD_TOKEN, NO_STREAM, Room
from lambdalog.store import Scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lambdalog.store import Event
    from lambdalog.store.page import Page, StreamPages

PAGE_BYTES: Final = 1_048_576
PAGE_EVENTS: Final = 10_000


class Events(Room):
    """The operations on log events."""

    # Ten thousand events a call: the general validation would cost more than the writing.
    self_checked = frozenset({"PutLogEvents"})
    readers: ClassVar[Mapping[str, Callable[[bytes], dict[str, Any] | None]]] = {"PutLogEvents": read}

    def put_log_events(self, **params: Any) -> dict[str, Any]:
        """PutLogEvents: a batch in order of time; what is too old or too new is named and left out."""
        try:
            group, stream, events = params["logGroupName"], params["logStreamName"], params["logEvents"]
            if half_at({"group": group, "stream": stream}):
                raise self.error("ResourceNotFoundException", NO_STREAM)  # no name has half a surrogate pair
            info = self._group(group)
            judgement = judge(events, now=self.clock.now_ms(), retention_days=info.retention_days)
            if not params.keys() <= {"logGroupName", "logStreamName", "logEvents", "sequenceToken", "entity"}:
                raise TypeError("an unknown parameter")
        except (KeyError, TypeError, AttributeError):
            # Something is of a wrong shape: botocore says what.
            shape = self.meta.service_model.operation_model("PutLogEvents").input_shape
            assert shape is not None
            report = ParamValidator().validate(params, shape)
            if report.has_errors():
                raise ParamValidationError(report=report.generate_report()) from None
            raise
        except Refused as refused:
            raise self._invalid(str(refused)) from None
        try:
            if judgement.times:
                self._try(
                    lambda: self._store.append_columns(group, stream, judgement.times, judgement.messages)
                )
            elif not self._store.catalog.has_stream(group, stream):
                raise KeyError(stream)
        except KeyError:
            raise self.error("ResourceNotFoundException", NO_STREAM) from None
        response: dict[str, Any] = {"nextSequenceToken": tokens.SEQUENCE_TOKEN}
        if judgement.rejected:
            response["rejectedLogEventsInfo"] = judgement.rejected
        return response

    def append_lines(self, group: str, stream: str, times: list[int], messages: list[str]) -> None:
        """No operation: whoever runs functions writes what they say, as it comes: in order, of this moment, in PutLogEvents' batches.

        So none of it is to be judged. KeyError if the stream is not there; StoreError if the disk refuses.
        """
        self._store.append_columns(group, stream, times, messages)

    def end_invocation(self, group: str, stream: str) -> None:
        """No operation: whoever runs functions says that an invocation's lines are all there. StoreError if the disk refuses."""
        self._store.end_invocation(group, stream)

    def get_log_events(
        self,
        *,
        logStreamName: str,
        logGroupName: str | None = None,
        logGroupIdentifier: str | None = None,
        startTime: int | None = None,
        endTime: int | None = None,
        nextToken: str | None = None,
        limit: int = PAGE_EVENTS,
        startFromHead: bool = False,
        unmask: bool = False,
    ) -> dict[str, Any]:
        """GetLogEvents: one stream's events, `endTime` exclusive; at either end the same token comes back."""
        del unmask
        group = self._one_group(logGroupName, logGroupIdentifier)
        info = self._group(group)
        try:
            stream = self._store.stream(info, logStreamName)
        except KeyError:
            raise self.error("ResourceNotFoundException", NO_STREAM) from None
        mark, backward = None, not startFromHead
        if nextToken is not None:
            try:
                mark = tokens.parse_mark(nextToken[2:])
                backward = {"f/": False, "b/": True}[nextToken[:2]]
            except (ValueError, KeyError):
                raise self._invalid(BAD_TOKEN) from None
        scan = Scan(
            group,
            start=startTime,
            end=endTime,
            streams=frozenset({logStreamName}),
            descending=backward,
            after=None if mark is None else tokens.position_of(mark, stream.segments, descending=backward),
        )
        page = _page(stream, scan, min(limit, PAGE_EVENTS))
        here = mark or tokens.Mark(endTime or 0 if backward else startTime or 0, 0, 0, 0)
        found = bool(page.times)
        first = tokens.mark_of(page.position(0)) if found else here
        last = tokens.mark_of(page.position(-1)) if found else here
        return {
            "events": [
                {"timestamp": timestamp, "message": message, "ingestionTime": ingestion}
                for timestamp, message, ingestion in zip(
                    page.times, page.messages, page.ingestions, strict=True
                )
            ],
            "nextForwardToken": f"f/{tokens.digits(last)}",
            "nextBackwardToken": f"b/{tokens.digits(first)}",
        }

    def filter_log_events(
        self,
        *,
        logGroupName: str | None = None,
        logGroupIdentifier: str | None = None,
        logStreamNames: list[str] | None = None,
        logStreamNamePrefix: str | None = None,
        startTime: int | None = None,
        endTime: int | None = None,
        filterPattern: str = "",
        nextToken: str | None = None,
        limit: int = PAGE_EVENTS,
        interleaved: bool = False,
        unmask: bool = False,
        startFromHead: bool = True,
    ) -> dict[str, Any]:
        """FilterLogEvents: a group's events that match, `endTime` inclusive; no token means that was all."""
        del interleaved, unmask
        group = self._one_group(logGroupName, logGroupIdentifier)
        self._group(group)
        if logStreamNames is not None and logStreamNamePrefix is not None:
            raise self._invalid("LogStreamNames and LogStreamNamePrefix are mutually exclusive parameters.")
        pattern = self._pattern(filterPattern)
        purpose = tokens.purpose_of(
            group, logStreamNames, logStreamNamePrefix, startTime, endTime, filterPattern, startFromHead
        )
        after = None
        if nextToken is not None:
            try:
                after = tokens.parse_filter_token(nextToken, purpose)
            except ValueError:
                raise self._invalid(BAD_TOKEN) from None
        events = self._store.scan(
            Scan(
                group,
                start=startTime,
                end=None if endTime is None else endTime + 1,
                streams=None if logStreamNames is None else frozenset(logStreamNames),
                stream_prefix=logStreamNamePrefix,
                descending=not startFromHead,
                after=after,
                match=pattern.matches if filterPattern.strip() else None,
                literals=pattern.literals,
            )
        )
        page, more = _take(events, limit)
        response: dict[str, Any] = {
            "events": [
                {
                    "logStreamName": event.stream,
                    "timestamp": event.timestamp,
                    "message": event.message,
                    "ingestionTime": event.ingestion,
                    "eventId": tokens.event_id(event),
                }
                for event in page
            ],
            "searchedLogStreams": [],
        }
        if more:
            response["nextToken"] = tokens.filter_token(page[-1].position, purpose)
        return response


def _take(events: Iterable[Event], limit: int) -> tuple[list[Event], bool]:
    """A page, and whether there is more: at most `limit` events and 1 MB, but always one event."""
    iterator = iter(events)
    page: list[Event] = []
    size = 0
    for event in islice(iterator, min(limit, PAGE_EVENTS)):
        size += bytes_of(event.message) + EVENT_OVERHEAD
        if page and size > PAGE_BYTES:
            return page, True
        page.append(event)
    return page, next(iterator, None) is not None


def _page(stream: StreamPages, scan: Scan, limit: int) -> Page:
    """The same of one stream, oldest first."""
    # A line is a little longer than its event counts for; of one that has nothing but escapes, and in few events, much.
    for size in (PAGE_BYTES * 5 // 4, PAGE_BYTES * 12):
        page = stream.page(scan, limit, size)
        if bytes_of("".join(page.messages)) + EVENT_OVERHEAD * len(page.messages) > PAGE_BYTES:
            messages = reversed(page.messages) if scan.descending else page.messages
            ends = list(accumulate(bytes_of(message) + EVENT_OVERHEAD for message in messages))
            count = max(bisect_right(ends, PAGE_BYTES), 1)
            return page.part(slice(len(ends) - count, None) if scan.descending else slice(count))
        if not page.cut:
            break
    return page
