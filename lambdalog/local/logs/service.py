"""The operations of CloudWatch Logs."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator

from lambdalog.clock import SYSTEM
from lambdalog.errors import PatternError, StoreError
from lambdalog.local.base import Double
from lambdalog.local.logs import tokens
from lambdalog.local.logs.put import Refused, judge
from lambdalog.query.pattern import parse
from lambdalog.store import Event, GroupInfo, Scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lambdalog.arn import Scope
    from lambdalog.clock import Clock
    from lambdalog.store import LogStore, StreamInfo

RETENTION_DAYS: Final = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
PAGE_BYTES: Final = 1_048_576
PAGE_EVENTS: Final = 10_000
TAGS_MAX: Final = 50
DAY_MS: Final = 24 * 3_600_000
_GROUP_NAME: Final = re.compile(r"[.\-_/#A-Za-z0-9]+")
# A sequence token is no longer looked at, but still returned (PutLogEvents).
_SEQUENCE_TOKEN: Final = "4" * 56

_NO_GROUP: Final = "The specified log group does not exist."
_NO_STREAM: Final = "The specified log stream does not exist."
_BAD_TOKEN: Final = "The specified nextToken is invalid."  # noqa: S105 - a text


class Logs(Double):
    """A boto3-shaped CloudWatch Logs client on a `LogStore`.

    Times are epoch ms. Errors carry AWS's codes and texts; a disk that refuses is ServiceUnavailableException.
    """

    service = "logs"
    constraint_code = "InvalidParameterException"
    # Ten thousand events a call: the general validation would cost more than the writing.
    self_checked = frozenset({"PutLogEvents"})
    notes: ClassVar[dict[str, str]] = {
        "PutLogEvents": "The sequence token is always the same; AWS ignores it as well.",
        "DescribeLogStreams": "`storedBytes` is 0, as AWS has answered since 2019.",
    }

    def __init__(self, store: LogStore, *, scope: Scope, clock: Clock = SYSTEM) -> None:
        super().__init__(scope=scope, clock=clock)
        self._store = store

    # --- groups

    def create_log_group(
        self,
        *,
        logGroupName: str,
        tags: dict[str, str] | None = None,
        logGroupClass: str = "STANDARD",
        kmsKeyId: str | None = None,
        deletionProtectionEnabled: bool = False,
    ) -> dict[str, Any]:
        """CreateLogGroup."""
        self._check_group_name(logGroupName)
        self._check_tag_count(tags or {})
        extra = {
            "class": logGroupClass,
            "deletionProtection": deletionProtectionEnabled,
            **({"kmsKeyId": kmsKeyId} if kmsKeyId else {}),
        }
        if not self._try(lambda: self._store.create_group(logGroupName, tags=tags, extra=extra)):
            raise self.error("ResourceAlreadyExistsException", "The specified log group already exists")
        return {}

    def delete_log_group(self, *, logGroupName: str) -> dict[str, Any]:
        """DeleteLogGroup, with all streams and events."""
        info = self._group(logGroupName)
        if info.extra.get("deletionProtection"):
            raise self.error(
                "ValidationException",
                "Cannot delete log group with deletion protection enabled. "
                "Disable deletion protection before deleting the log group.",
            )
        if not self._try(lambda: self._store.delete_group(logGroupName)):
            raise self._missing_group()
        return {}

    def describe_log_groups(
        self,
        *,
        accountIdentifiers: list[str] | None = None,
        logGroupNamePrefix: str | None = None,
        logGroupNamePattern: str | None = None,
        nextToken: str | None = None,
        limit: int = 50,
        includeLinkedAccounts: bool = False,
        logGroupClass: str | None = None,
        logGroupIdentifiers: list[str] | None = None,
    ) -> dict[str, Any]:
        """DescribeLogGroups: in ASCII order; by prefix or by a part of the name."""
        del accountIdentifiers, includeLinkedAccounts
        if logGroupNamePrefix is not None and logGroupNamePattern is not None:
            raise self._invalid(
                "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
            )
        named = None if logGroupIdentifiers is None else {_group_name(name) for name in logGroupIdentifiers}
        found = [
            info
            for info in self._try(self._store.catalog.groups)
            if info.name.startswith(logGroupNamePrefix or "")
            and (logGroupNamePattern or "") in info.name
            and (logGroupClass is None or info.extra.get("class", "STANDARD") == logGroupClass)
            and (named is None or info.name in named)
        ]
        page, token = self._page(found, [info.name for info in found], limit, nextToken)
        response: dict[str, Any] = {"logGroups": [self._group_record(info) for info in page]}
        return response | ({"nextToken": token} if token else {})

    def put_retention_policy(self, *, logGroupName: str, retentionInDays: int) -> dict[str, Any]:
        """PutRetentionPolicy: older events are no longer returned, and removed in time."""
        if retentionInDays not in RETENTION_DAYS:
            raise self._invalid(
                f"1 validation error detected: Value '{retentionInDays}' at 'retentionInDays' failed to satisfy "
                f"constraint: Member must satisfy enum value set: [{', '.join(map(str, RETENTION_DAYS))}]"
            )
        self._update(logGroupName, lambda info: replace(info, retention_days=retentionInDays))
        return {}

    def delete_retention_policy(self, *, logGroupName: str) -> dict[str, Any]:
        """DeleteRetentionPolicy: events never expire."""
        self._update(logGroupName, lambda info: replace(info, retention_days=None))
        return {}

    def put_log_group_deletion_protection(
        self, *, logGroupIdentifier: str, deletionProtectionEnabled: bool
    ) -> dict[str, Any]:
        """PutLogGroupDeletionProtection."""
        self._update(
            _group_name(logGroupIdentifier),
            lambda info: replace(info, extra=info.extra | {"deletionProtection": deletionProtectionEnabled}),
        )
        return {}

    # --- tags

    def tag_resource(self, *, resourceArn: str, tags: dict[str, str]) -> dict[str, Any]:
        """TagResource, on a group's ARN without `:*`."""
        return self.tag_log_group(logGroupName=self._tagged_group(resourceArn), tags=tags)

    def untag_resource(self, *, resourceArn: str, tagKeys: list[str]) -> dict[str, Any]:
        """UntagResource."""
        return self.untag_log_group(logGroupName=self._tagged_group(resourceArn), tags=tagKeys)

    def list_tags_for_resource(self, *, resourceArn: str) -> dict[str, Any]:
        """ListTagsForResource."""
        return self.list_tags_log_group(logGroupName=self._tagged_group(resourceArn))

    def tag_log_group(self, *, logGroupName: str, tags: dict[str, str]) -> dict[str, Any]:
        """TagLogGroup, the older operation."""
        self._check_tag_count(self._group(logGroupName).tags | tags)
        self._update(logGroupName, lambda info: replace(info, tags=info.tags | tags))
        return {}

    def untag_log_group(self, *, logGroupName: str, tags: list[str]) -> dict[str, Any]:
        """UntagLogGroup, the older operation."""
        self._update(
            logGroupName,
            lambda info: replace(
                info, tags={key: value for key, value in info.tags.items() if key not in tags}
            ),
        )
        return {}

    def list_tags_log_group(self, *, logGroupName: str) -> dict[str, Any]:
        """ListTagsLogGroup, the older operation."""
        return {"tags": dict(self._group(logGroupName).tags)}

    # --- streams

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
            raise self.error("ResourceNotFoundException", _NO_STREAM)
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

    # --- events

    def put_log_events(self, **params: Any) -> dict[str, Any]:
        """PutLogEvents: a batch in order of time; what is too old or too new is named and left out."""
        try:
            group, stream, events = params["logGroupName"], params["logStreamName"], params["logEvents"]
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
            if judgement.accepted:
                self._try(lambda: self._store.append(group, stream, judgement.accepted))
            elif not self._store.catalog.has_stream(group, stream):
                raise KeyError(stream)
        except KeyError:
            raise self.error("ResourceNotFoundException", _NO_STREAM) from None
        response: dict[str, Any] = {"nextSequenceToken": _SEQUENCE_TOKEN}
        if judgement.rejected:
            response["rejectedLogEventsInfo"] = judgement.rejected
        return response

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
        if not self._store.catalog.has_stream(group, logStreamName):
            raise self.error("ResourceNotFoundException", _NO_STREAM)
        mark, backward = None, not startFromHead
        if nextToken is not None:
            try:
                mark = tokens.parse_mark(nextToken[2:])
                backward = {"f/": False, "b/": True}[nextToken[:2]]
            except (ValueError, KeyError):
                raise self._invalid(_BAD_TOKEN) from None
        start, end = self._visible_from(info, startTime), endTime
        if mark is not None:
            if backward:
                end = mark.timestamp + 1 if end is None else min(end, mark.timestamp + 1)
            else:
                start = mark.timestamp if start is None else max(start, mark.timestamp)
        events: Iterable[Event] = self._store.scan(
            Scan(group, start=start, end=end, streams=frozenset({logStreamName}), descending=backward)
        )
        if mark is not None:
            events = _past(events, mark, descending=backward)
        page, _ = _take(events, limit)
        if backward:
            page.reverse()
        here = mark or tokens.Mark(endTime or 0 if backward else startTime or 0, 0, 0, 0)
        first = tokens.mark_of(page[0]) if page else here
        last = tokens.mark_of(page[-1]) if page else here
        return {
            "events": [
                {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingestion}
                for event in page
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
        info = self._group(group)
        if logStreamNames is not None and logStreamNamePrefix is not None:
            raise self._invalid("LogStreamNames and LogStreamNamePrefix are mutually exclusive parameters.")
        try:
            pattern = parse(filterPattern)
        except PatternError as error:
            raise self._invalid(f"Invalid filter pattern: {error}") from None
        purpose = tokens.purpose_of(
            group, logStreamNames, logStreamNamePrefix, startTime, endTime, filterPattern, startFromHead
        )
        after = None
        if nextToken is not None:
            try:
                after = tokens.parse_filter_token(nextToken, purpose)
            except ValueError:
                raise self._invalid(_BAD_TOKEN) from None
        start, end = self._visible_from(info, startTime), None if endTime is None else endTime + 1
        if after is not None:
            if startFromHead:
                start = after[0] if start is None else max(start, after[0])
            else:
                end = after[0] + 1 if end is None else min(end, after[0] + 1)
        events = self._store.scan(
            Scan(
                group,
                start=start,
                end=end,
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

    # --- what operations share

    def _invalid(self, message: str) -> Exception:
        return self.error("InvalidParameterException", message)

    def _missing_group(self) -> Exception:
        return self.error("ResourceNotFoundException", _NO_GROUP)

    def _try(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except StoreError as error:
            raise self.error("ServiceUnavailableException", str(error), status=500) from error

    def _group(self, name: str) -> GroupInfo:
        info: GroupInfo | None = self._try(lambda: self._store.group(name))
        if info is None:
            raise self._missing_group()
        return info

    def _update(self, name: str, change: Any) -> None:
        try:
            self._try(lambda: self._store.update_group(name, change))
        except KeyError:
            raise self._missing_group() from None

    def _one_group(self, name: str | None, identifier: str | None) -> str:
        if name is not None and identifier is not None:
            raise self.error(
                "ValidationException",
                "LogGroup name and LogGroup Identifier are mutually exclusive parameters.",
            )
        if name is None and identifier is None:
            raise self.error(
                "ValidationException", "Exactly one of LogGroup Name and LogGroup Identifier is required."
            )
        return name if name is not None else _group_name(identifier or "")

    def _check_length(self, *names: str) -> None:
        if any(len(name) > 512 for name in names):
            raise self._invalid(
                "Invalid LogGroup or LogStream, both must have length less than or equal to 512."
            )

    def _check_group_name(self, name: str) -> None:
        self._check_length(name)
        if not _GROUP_NAME.fullmatch(name):
            raise self._invalid(
                f"1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy constraint: "
                r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+"
            )
        if name.startswith("aws/"):
            raise self._invalid("Log groups starting with AWS/ are reserved for AWS.")

    def _check_tag_count(self, tags: dict[str, str]) -> None:
        if len(tags) > TAGS_MAX:
            raise self.error("TooManyTagsException", f"A resource can have no more than {TAGS_MAX} tags.")

    def _tagged_group(self, arn: str) -> str:
        if not arn.startswith("arn:") or arn.endswith(":*"):
            raise self._invalid("Invalid resourceArn.")
        return _group_name(arn)

    def _visible_from(self, info: GroupInfo, start: int | None) -> int | None:
        """The start of a search: what retention has let go is not returned, removed or not."""
        if info.retention_days is None:
            return start
        kept = self.clock.now_ms() - info.retention_days * DAY_MS
        return kept if start is None else max(start, kept)

    def _page(
        self, found: list[Any], names: list[str], limit: int, token: str | None
    ) -> tuple[list[Any], str | None]:
        begin = 0
        if token is not None:
            # The token is the name that the last page ended with.
            try:
                name = bytes.fromhex(token).decode("utf-8", "surrogatepass")
            except ValueError:
                raise self._invalid(_BAD_TOKEN) from None
            begin = next((index + 1 for index, other in enumerate(names) if other == name), len(names))
        page = found[begin : begin + limit]
        more = begin + limit < len(found)
        return page, names[begin + limit - 1].encode("utf-8", "surrogatepass").hex() if more else None

    def _group_record(self, info: GroupInfo) -> dict[str, Any]:
        arn = self.scope.log_group(info.name)
        record: dict[str, Any] = {
            "logGroupName": info.name,
            "creationTime": info.created,
            "metricFilterCount": len(info.extra.get("metricFilters", {})),
            "arn": f"{arn}:*",
            "storedBytes": self._store.stored_bytes(info.name),
            "logGroupClass": info.extra.get("class", "STANDARD"),
            "logGroupArn": arn,
            "deletionProtectionEnabled": bool(info.extra.get("deletionProtection")),
        }
        if info.retention_days is not None:
            record["retentionInDays"] = info.retention_days
        if "kmsKeyId" in info.extra:
            record["kmsKeyId"] = info.extra["kmsKeyId"]
        return record

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
                "uploadSequenceToken": _SEQUENCE_TOKEN,
            }
        return record


def _group_name(identifier: str) -> str:
    """The group in an identifier: a name, or an ARN with or without `:*`."""
    if not identifier.startswith("arn:"):
        return identifier
    return identifier.split(":log-group:", 1)[-1].removesuffix(":*")


def _take(events: Iterable[Event], limit: int) -> tuple[list[Event], bool]:
    """A page, and whether there is more: at most `limit` events and 1 MB, but always one event."""
    iterator = iter(events)
    page: list[Event] = []
    size = 0
    for event in islice(iterator, min(limit, PAGE_EVENTS)):
        size += len(event.message) + 26
        if page and size > PAGE_BYTES:
            return page, True
        page.append(event)
    return page, next(iterator, None) is not None


def _past(events: Iterable[Event], mark: tokens.Mark, *, descending: bool) -> Iterator[Event]:
    """The events strictly past a mark.

    A mark knows its segment by a hash alone: among events of its very time it is looked for; if it is gone, all of them
    count as read.
    """
    same: list[Event] = []
    moment = mark[:2]
    iterator = iter(events)
    following: Event | None = None
    for event in iterator:
        here = (event.timestamp, event.ingestion)
        if (here > moment) if descending else (here < moment):
            continue
        if here != moment:
            following = event
            break
        same.append(event)
    for index, event in enumerate(same):
        if tokens.mark_of(event) == mark:
            yield from same[index + 1 :]
            break
    if following is not None:
        yield following
        yield from iterator
