"""Log streams: made, described, deleted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from lambdalog.local.logs.room import NO_STREAM, Room
from lambdalog.local.logs.tokens import SEQUENCE_TOKEN

if TYPE_CHECKING:
    from lambdalog.store import StreamInfo


class Streams(Room):
    """The operations on log streams."""

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> dict[str, Any]:
        """CreateLogStream."""
        self._check_length(logGroupName, logStreamName)
        if not re.fullmatch(r"[^:*]*", logStreamName):
            raise self._invalid(
                f"1 validation error detected: Value '{logStreamName}' at 'logStreamName' failed to satisfy "
                "constraint: Member must satisfy regular expression pattern: [^:*]*"
            )
        try:
            made = self._try(lambda: self._store.create_stream(logGroupName, logStreamName))
        except KeyError:
            raise self._missing_group() from None
        if not made:
            raise self.error("ResourceAlreadyExistsException", "The specified log stream already exists")
        return {}

    def delete_log_stream(self, *, logGroupName: str, logStreamName: str) -> dict[str, Any]:
        """DeleteLogStream, with its events."""
        try:
            gone = self._try(lambda: self._store.delete_stream(logGroupName, logStreamName))
        except KeyError:
            raise self._missing_group() from None
        if not gone:
            raise self.error("ResourceNotFoundException", NO_STREAM)
        return {}

    def describe_log_streams(
        self,
        *,
        logGroupName: str | None = None,
        logGroupIdentifier: str | None = None,
        logStreamNamePrefix: str | None = None,
        orderBy: Literal["LogStreamName", "LastEventTime"] = "LogStreamName",
        descending: bool = False,
        nextToken: str | None = None,
        limit: int = 50,
    ) -> dict[str, Any]:
        """DescribeLogStreams, by name or by the time of the last event."""
        group = self._one_group(logGroupName, logGroupIdentifier)
        if orderBy == "LastEventTime" and logStreamNamePrefix is not None:
            raise self._invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
        try:
            found = self._try(lambda: self._store.streams(group))
        except KeyError:
            raise self._missing_group() from None
        found = [info for info in found if info.name.startswith(logStreamNamePrefix or "")]
        if orderBy == "LastEventTime":
            found.sort(key=lambda info: (info.last_event or 0, info.name))
        if descending:
            found.reverse()
        page, token = self._page(found, [info.name for info in found], limit, nextToken)
        response: dict[str, Any] = {"logStreams": [self._stream_record(group, info) for info in page]}
        return response | ({"nextToken": token} if token else {})

    def _stream_record(self, group: str, info: StreamInfo) -> dict[str, Any]:
        record: dict[str, Any] = {
            "logStreamName": info.name,
            "creationTime": info.created,
            "arn": self.scope.log_stream(group, info.name),
            "storedBytes": 0,
        }
        if info.first_event is not None:
            record |= {
                "firstEventTimestamp": info.first_event,
                "lastEventTimestamp": info.last_event,
                "lastIngestionTime": info.last_ingestion,
                "uploadSequenceToken": SEQUENCE_TOKEN,
            }
        return record
