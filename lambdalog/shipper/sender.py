"""One batch to one stream, and what became of each of its events."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lambdalog.shipper.ledger import EXPIRED, TOO_NEW, TOO_OLD
from lambdalog.shipper.retry import code, of_the_batch, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambdalog.shipper.batch import Entry

    Put = Callable[[str, str, list[Entry]], Mapping[str, Any]]

# A refusal that names one of these is about the whole batch, whatever events it has.
_OF_THE_NAME: Final = re.compile(
    r"at 'log(?:Group|Stream)Name'|parameter log(?:Group|Stream)Name|Invalid LogGroup or LogStream|[Ll]og (?:group|stream) name"
)
# So many single events refused and none taken: it isn't one of them that is wrong.
_BAD_MAX: Final = 8


@dataclass(slots=True)
class Sent:
    """What became of a batch: `left` was neither delivered nor refused, because of `error`."""

    delivered: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    left: list[Entry] = field(default_factory=list)
    error: Exception | None = None


class Sender:
    """Sends to a boto3-shaped CloudWatch Logs client; groups and streams that are missing are made.

    PutLogEvents does not tell two deliveries of one event apart: a batch whose answer was lost is sent again, and is
    then there twice.
    """

    def __init__(
        self,
        client: Any,
        *,
        create_group: bool = True,
        create_stream: bool = True,
        retention_days: int | None = None,
        tags: Mapping[str, str] | None = None,
        put: Put | None = None,
    ) -> None:
        self._client = client
        self._create_group = create_group
        self._create_stream = create_stream
        self._retention_days = retention_days
        self._tags = dict(tags or {})
        self._put = put or self._plain
        self._kept_for: set[str] = set()

    def send(self, group: str, stream: str, batch: list[Entry]) -> Sent:
        """Send a batch as `batches` makes it. Never raises an Exception: it stands in the answer."""
        sent = Sent()
        self._into(sent, group, stream, batch)
        return sent

    def _into(self, sent: Sent, group: str, stream: str, batch: list[Entry]) -> None:
        if sent.error is not None:
            sent.left += batch
            return
        try:
            response = self._made(group, stream, batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, the events are kept and it is told
            self._failed(sent, group, stream, batch, error)
            return
        _judge(sent, batch, response.get("rejectedLogEventsInfo") or {})

    def _failed(self, sent: Sent, group: str, stream: str, batch: list[Entry], error: Exception) -> None:
        if code(error) == "DataAlreadyAcceptedException":
            sent.delivered += len(batch)
        elif not of_the_batch(error):
            sent.left += batch
            sent.error = error
        elif len(batch) == 1 or _OF_THE_NAME.search(str(error)) or self._hopeless(sent):
            sent.refused[reason(error)] += len(batch)
        else:
            # One event must not take others along: halves tell which it is.
            middle = len(batch) // 2
            self._into(sent, group, stream, batch[:middle])
            self._into(sent, group, stream, batch[middle:])

    @staticmethod
    def _hopeless(sent: Sent) -> bool:
        return not sent.delivered and sent.refused.total() >= _BAD_MAX

    def _made(self, group: str, stream: str, batch: list[Entry]) -> Mapping[str, Any]:
        if self._retention_days is not None and group not in self._kept_for:
            self._keep(group)
        try:
            return self._put(group, stream, batch)
        except Exception as error:
            if code(error) != "ResourceNotFoundException" or not self._create_stream:
                raise
        self._make(group, stream)
        return self._put(group, stream, batch)

    def _plain(self, group: str, stream: str, batch: list[Entry]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._client.put_log_events(
            logGroupName=group,
            logStreamName=stream,
            logEvents=[{"timestamp": timestamp, "message": message} for timestamp, message, _, _ in batch],
        )
        return answer

    def _make(self, group: str, stream: str) -> None:
        """The stream, and its group first if that is what is missing."""
        try:
            self._stream(group, stream)
        except Exception as error:
            if code(error) != "ResourceNotFoundException" or not self._create_group:
                raise
            self._group(group)
            self._stream(group, stream)

    def _stream(self, group: str, stream: str) -> None:
        try:
            self._client.create_log_stream(logGroupName=group, logStreamName=stream)
        except Exception as error:
            # Another process was first.
            if code(error) != "ResourceAlreadyExistsException":
                raise

    def _group(self, group: str) -> None:
        more = {"tags": self._tags} if self._tags else {}
        try:
            self._client.create_log_group(logGroupName=group, **more)
        except Exception as error:
            if code(error) != "ResourceAlreadyExistsException":
                raise

    def _keep(self, group: str) -> None:
        """The group's retention, once; the group is made for it."""
        for _ in range(2):
            try:
                self._client.put_retention_policy(logGroupName=group, retentionInDays=self._retention_days)
            except Exception as error:
                if code(error) != "ResourceNotFoundException" or not self._create_group:
                    raise
                self._group(group)
            else:
                self._kept_for.add(group)
                return


def _judge(sent: Sent, batch: list[Entry], rejected: Mapping[str, Any]) -> None:
    """What PutLogEvents took of a batch: `rejectedLogEventsInfo` names a run at either end."""
    count = len(batch)
    new = count - min(rejected.get("tooNewLogEventStartIndex", count), count)
    old = min(rejected.get("tooOldLogEventEndIndex", 0), count)
    expired = min(rejected.get("expiredLogEventEndIndex", 0), count)
    for why, number in ((TOO_NEW, new), (TOO_OLD, old), (EXPIRED, max(expired - old, 0))):
        if number > 0:
            sent.refused[why] += number
    sent.delivered += max(count - new - max(old, expired), 0)
