"""A handler of standard logging that ships. It takes watchtower's arguments: to switch, change the import.

from lambdalog.shipper import CloudWatchLogHandler      # was: from watchtower import CloudWatchLogHandler
"""

from __future__ import annotations

import json
import logging
import os
import platform
import sys
import threading
import warnings
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lambdalog.errors import ConfigError, ShipError
from lambdalog.forked import after_fork
from lambdalog.shipper.aws import aws_client
from lambdalog.shipper.batch import BATCH_BYTES, BATCH_EVENTS, PART_BYTES
from lambdalog.shipper.fleet import FLEET
from lambdalog.shipper.shipper import MEMORY_BYTES, Shipper

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lambdalog.shipper.ledger import Ledger
    from lambdalog.shipper.shipper import Policy
    from lambdalog.shipper.spool import Spool

DEFAULT_LOG_GROUP_NAME: Final = "lambdalog"
DEFAULT_LOG_STREAM_NAME: Final = "{machine_name}/{program_name}/{logger_name}/{process_id}"
# How long flush() may take: logging.shutdown() calls it.
FLUSH_SECONDS: Final = 30.0
STREAM_NAME_MAX: Final = 512


class CloudWatchLogFormatter(logging.Formatter):
    """Texts as logging formats them; a dict that was logged as JSON, so that CloudWatch finds its fields.

    `add_log_record_attrs` names attributes of the record to go with it; a text then becomes {"msg": text, …}.
    """

    add_log_record_attrs: Sequence[str] = ()

    def __init__(
        self,
        *args: Any,
        json_serialize_default: Callable[[Any], Any] | None = None,
        add_log_record_attrs: Sequence[str] | None = None,
        **keys: Any,
    ) -> None:
        super().__init__(*args, **keys)
        self.json_serialize_default = json_serialize_default or _plain
        if add_log_record_attrs is not None:
            self.add_log_record_attrs = tuple(add_log_record_attrs)
        # Whether a record's text is its message and nothing more.
        self._is_plain = not args and not keys and type(self) is CloudWatchLogFormatter

    def format(self, record: logging.LogRecord) -> str:
        """The event's text."""
        said: Any = record.msg
        if (
            self._is_plain
            and type(said) is str
            and not self.add_log_record_attrs
            and not record.exc_info
            and not record.exc_text
            and not record.stack_info
        ):
            # What the longer way would give, at a quarter of its cost.
            return record.getMessage() if record.args else said
        if not self.add_log_record_attrs and not isinstance(said, Mapping):
            return super().format(record)
        found = dict(said) if isinstance(said, Mapping) else {"msg": record.getMessage()}
        for name in self.add_log_record_attrs:
            if name != "msg":
                found[name] = getattr(record, name, None)
        if record.exc_info and "exc_info" not in found:
            found["exc_info"] = self.formatException(record.exc_info)
        return json.dumps(found, default=self.json_serialize_default)


class CloudWatchLogHandler(logging.Handler):
    """Ships each record as an event. The arguments, in their order, are watchtower's.

    What is different: one thread for all streams; a message over `max_message_size` is split, not cut; nothing is
    lost without a count (`ledger`); records go on being taken after close(). `log_group_tags` are set on a group that
    is made, not on one that is there. Tags, group and streams are made when the first event needs them.

    Keywords of its own: `spool`, `policy`, `memory`, `patience`, `exit_seconds` as the Shipper has them, or a whole
    `shipper`, to share one thread among handlers. What its thread logs while it sends is not sent.

    ConfigError for arguments that exclude each other, or if boto3 can't make a client.
    """

    def __init__(
        self,
        log_group_name: str = DEFAULT_LOG_GROUP_NAME,
        log_stream_name: str = DEFAULT_LOG_STREAM_NAME,
        use_queues: bool = True,
        send_interval: float | timedelta = 60,
        max_batch_size: int = BATCH_BYTES,
        max_batch_count: int = BATCH_EVENTS,
        boto3_client: Any = None,
        boto3_profile_name: str | None = None,
        create_log_group: bool = True,
        log_group_tags: Mapping[str, str] | None = None,
        json_serialize_default: Callable[[Any], Any] | None = None,
        log_group_retention_days: int | None = None,
        create_log_stream: bool = True,
        max_message_size: int = PART_BYTES,
        log_group: str | None = None,
        stream_name: str | None = None,
        level: int | str = logging.NOTSET,
        *,
        spool: Spool | Path | str | None = None,
        policy: Policy | None = None,
        memory: int = MEMORY_BYTES,
        patience: float = 30.0,
        exit_seconds: float = 5.0,
        shipper: Shipper | None = None,
    ) -> None:
        if boto3_client is not None and boto3_profile_name is not None:
            raise ConfigError("boto3_client and boto3_profile_name exclude each other")
        self.log_group_name = _older("log_group", log_group, log_group_name, DEFAULT_LOG_GROUP_NAME)
        self.log_stream_name = _older("stream_name", stream_name, log_stream_name, DEFAULT_LOG_STREAM_NAME)
        self.use_queues = use_queues
        self._varies = "{strftime" in self.log_stream_name or "{thread_name" in self.log_stream_name
        self._streams: dict[str, str] = {}
        self._owns = shipper is None
        self.shipper = shipper or Shipper(
            boto3_client if boto3_client is not None else lambda: aws_client(profile=boto3_profile_name),
            spool=spool,
            policy=policy,
            memory=memory,
            interval=send_interval.total_seconds() if isinstance(send_interval, timedelta) else send_interval,
            patience=patience,
            exit_seconds=exit_seconds,
            create_group=create_log_group,
            create_stream=create_log_stream,
            retention_days=log_group_retention_days,
            tags=log_group_tags,
            batch_bytes=max_batch_size,
            batch_events=max_batch_count,
            part_bytes=max_message_size,
        )
        # From here on logging knows it, and flushes it at the exit: not one whose arguments were refused.
        super().__init__(level)
        self.setFormatter(CloudWatchLogFormatter(json_serialize_default=json_serialize_default))
        after_fork(self._forked)

    @property
    def ledger(self) -> Ledger:
        """Where every event is, at this moment."""
        return self.shipper.ledger

    def handle(self, record: logging.LogRecord) -> Any:
        """As logging does it, without the handler's lock: a `put` that waits for room must not hold one."""
        if FLEET.sends_here():
            return False
        if self.filters:
            # From Python 3.12 on a filter may give another record.
            kept: Any = self.filter(record)
            if not kept:
                return kept
            if isinstance(kept, logging.LogRecord):
                record = kept
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Ship a record. What goes wrong is logging's handleError's business, as with every handler.

        A record that its formatter can't format, as where arguments don't fit, is shipped as it is all the same.
        """
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001 - as logging's own handlers do
            self.handleError(record)
            text = _unformatted(record)
        try:
            self.shipper.put(
                text,
                int(record.created * 1000),
                group=self.log_group_name,
                stream=self._streams.get(record.name) or self._stream(record),
            )
            if not self.use_queues:
                self.shipper.flush(FLUSH_SECONDS)
        except Exception:  # noqa: BLE001 - as logging's own handlers do
            self.handleError(record)

    def flush(self) -> None:
        """Send what waits; what can't be sent within 30 seconds waits on, or lies in the spool. Never raises."""
        try:
            self.shipper.flush(FLUSH_SECONDS)
        except ShipError as error:
            with FLEET.sending():
                logging.getLogger(__name__).warning("%s", error)

    def close(self) -> None:
        """Send what waits, and end the thread. A shipper that was handed in is its owner's to close."""
        if self._owns:
            self.shipper.close()
        super().close()

    def _stream(self, record: logging.LogRecord) -> str:
        found = self._named(record)
        if not self._varies:
            self._streams[record.name] = found
        return found

    def _forked(self) -> None:
        # A child has another process id.
        self._streams = {}

    def _named(self, record: logging.LogRecord) -> str:
        name = self.log_stream_name.format(
            machine_name=platform.node(),
            program_name=sys.argv[0],
            process_id=os.getpid(),
            thread_name=threading.current_thread().name,
            logger_name=record.name,
            strftime=datetime.now(UTC),
        )
        # CreateLogStream: "You can't use ':' or '*'". 1 to 512 characters.
        return name.replace(":", "-").replace("*", "-")[:STREAM_NAME_MAX] or "-"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(log_group_name={self.log_group_name!r}, log_stream_name={self.log_stream_name!r})"


def _older(name: str, old: str | None, new: str, default: str) -> str:
    if old is None:
        return new
    if new != default:
        raise ConfigError(f"{name} is the older name of an argument that was given as well")
    warnings.warn(
        f"{name} is an older name; use log_{name.removeprefix('log_').removesuffix('_name')}_name",
        DeprecationWarning,
        stacklevel=3,
    )
    return old


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, (date, datetime)) else repr(value)


def _unformatted(record: logging.LogRecord) -> str:
    try:
        return f"{record.msg} {record.args}"
    except Exception as error:  # noqa: BLE001 - str() of what was logged is anybody's code
        return f"<{type(record.msg).__name__} at {record.pathname}:{record.lineno}: {type(error).__name__}>"
