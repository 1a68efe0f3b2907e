"""A queue, and the catalog of them: what is known of a queue is kept in memory, with the version it was read at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.sqs import attributes as known
from lambdalog.local.sqs import policies, schema

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from lambdalog.local.sqs.policies import Redrive

# Queues remembered by one client; more are read again.
REMEMBERED_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue as it was at `version`. Times are epoch ms, durations of attributes seconds."""

    id: int
    name: str
    created: int
    modified: int
    attributes: dict[str, str]
    tags: dict[str, str]
    purged: int
    version: int
    # No message is older than this.
    oldest: int
    # A move task takes from it or brings to it.
    moving: bool
    # Some queue's redrive policy names it.
    dead: bool
    fifo: bool
    delay: int
    visibility: int
    wait: int
    message_max: int
    retention_ms: int
    content_based: bool
    dedup_by_group: bool
    redrive: Redrive | None

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Queue:
        """A queue from its row."""
        number, name, created, modified, attributes, tags, purged, version, oldest, moving, dead = row
        given: dict[str, str] = json.loads(attributes)
        fifo = name.endswith(".fifo")
        all_ = known.effective(given, fifo=fifo)
        return cls(
            number,
            name,
            created,
            modified,
            given,
            json.loads(tags),
            purged,
            version,
            oldest,
            bool(moving),
            bool(dead),
            fifo,
            int(all_["DelaySeconds"]),
            int(all_["VisibilityTimeout"]),
            int(all_["ReceiveMessageWaitTimeSeconds"]),
            int(all_["MaximumMessageSize"]),
            int(all_["MessageRetentionPeriod"]) * 1000,
            all_.get("ContentBasedDeduplication") == "true",
            all_.get("DeduplicationScope") == "messageGroup",
            policies.redrive(given.get("RedrivePolicy")),
        )


class Catalog:
    """The queues of a database. One for all threads of a client."""

    def __init__(self, connection: Callable[[], sqlite3.Connection]) -> None:
        self._connection = connection
        self._remembered: dict[str, Queue] = {}

    def known(self, name: str) -> Queue | None:
        """A queue as it was last seen, if it was seen: the database is not asked."""
        return self._remembered.get(name)

    def remembered(self, name: str) -> Queue | None:
        """A queue as it was last seen: for statements that check its version themselves."""
        return self._remembered.get(name) or self.find(name)

    def find(self, name: str) -> Queue | None:
        """A queue as it is now."""
        row = self._connection().execute(schema.QUEUE, (name,)).fetchone()
        if row is None:
            self._remembered.pop(name, None)
            return None
        known = self._remembered.get(name)
        if known is not None and (known.id, known.version, known.oldest) == (row[0], row[7], row[8]):
            return known
        queue = Queue.of(row)
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        self._remembered[name] = queue
        return queue

    def by_prefix(self, prefix: str = "") -> list[Queue]:
        """The queues whose names begin so, by name."""
        rows = self._connection().execute(schema.QUEUES, (prefix, prefix + "\U0010ffff"))
        return [Queue.of(row) for row in rows]
