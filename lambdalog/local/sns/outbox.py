"""What is published and not yet delivered, on disk: a publish is acknowledged when it lies here.

Of a FIFO topic's message group, only the oldest delivery to a subscription is ever tried: what failed holds up what is
behind it, as on AWS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lambdalog.local.sns import envelope

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from lambdalog.local.sns.envelope import Message
    from lambdalog.store.tables import Tables

# Longer than any attempt takes: whoever has a delivery in hand and dies, leaves it to others after this.
LEASE_MS: Final = 90_000
# A slow endpoint may use up its time on each message: these are taken one by one.
QUICK_AT_ONCE: Final = 100

_FIRST: Final = """
FROM deliveries d WHERE quick = ?1 AND (grp IS NULL OR NOT EXISTS (
    SELECT 1 FROM deliveries e WHERE e.subscription = d.subscription AND e.grp = d.grp AND e.n < d.n
))
"""
_READY: Final = f"SELECT n {_FIRST} AND due <= ?2 ORDER BY due, n LIMIT ?3"
_CLAIM: Final = f"""
UPDATE deliveries SET due = ?4 WHERE n IN ({_READY}) RETURNING n, subscription, message, attempts, due
"""  # noqa: S608 - constants
_BEHIND: Final = "SELECT 1 FROM deliveries WHERE subscription = ? AND grp = ? LIMIT 1"
_ADD: Final = "INSERT INTO deliveries (subscription, message, grp, quick, attempts, due) VALUES (?, ?, ?, ?, 0, ?) RETURNING n"
_NEXT: Final = f"SELECT due {_FIRST} ORDER BY due LIMIT 1"
_FORGET: Final = (
    "DELETE FROM messages WHERE n = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message = ?1)"
)


class Delivery(NamedTuple):
    """One message on its way to one subscription. `due` tells whose it is: only who holds it settles it."""

    n: int
    subscription: str
    message: int
    attempts: int
    due: int


class Settled(NamedTuple):
    """What became of an attempt: `due` None: it is over, `dropped` says why if the endpoint never got it."""

    delivery: Delivery
    due: int | None = None
    dropped: str | None = None


class Outbox:
    """The deliveries of one database."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    @property
    def _db(self) -> sqlite3.Connection:
        return self._tables.connection

    def add(
        self, message: Message, to: Sequence[tuple[str, bool]], now: int, *, ordered: bool
    ) -> list[Delivery]:
        """Put a message down for subscriptions: (ARN, whether it is quick to deliver). Inside the caller's transaction.

        What is quick, and not behind others of its group, is the caller's to deliver: nobody else gets it meanwhile.
        """
        if not to:
            return []
        row = (message.topic, message.id, message.at, envelope.dump(message))
        found = self._db.execute(
            "INSERT INTO messages (topic, id, at, content) VALUES (?, ?, ?, ?) RETURNING n", row
        ).fetchone()
        group = message.group if ordered else None
        mine = []
        for subscription, quick in to:
            behind = group is not None and self._db.execute(_BEHIND, (subscription, group)).fetchone()
            due = now + LEASE_MS if quick and not behind else now
            (n,) = self._db.execute(_ADD, (subscription, found[0], group, quick, due)).fetchone()
            if due > now:
                mine.append(Delivery(n, subscription, found[0], 0, due))
        return mine

    def claim(self, now: int, *, quick: bool) -> list[Delivery]:
        """Take deliveries that are due, of those that take no time or of the others. Nobody else gets them meanwhile."""
        parameters = (int(quick), now, QUICK_AT_ONCE if quick else 1)
        if self._db.execute(_READY, parameters).fetchone() is None:
            return []  # looking asks for no lock
        rows = self._db.execute(_CLAIM, (*parameters, now + LEASE_MS)).fetchall()
        return sorted(Delivery(*row) for row in rows)

    def release(self, deliveries: Sequence[Delivery], now: int) -> None:
        """Give back what was taken and not tried."""
        self._db.executemany(
            "UPDATE deliveries SET due = ? WHERE n = ? AND due = ?",
            [(now, delivery.n, delivery.due) for delivery in deliveries],
        )

    def message(self, n: int) -> Message | None:
        """A message that is on its way."""
        row = self._db.execute("SELECT topic, id, at, content FROM messages WHERE n = ?", (n,)).fetchone()
        return None if row is None else envelope.load(*row)

    def settle(self, done: Sequence[Settled], now: int) -> None:
        """Note what became of attempts, inside the caller's transaction."""
        db = self._db
        for delivery, due, dropped in done:
            mine = (delivery.n, delivery.due)
            if due is not None:
                db.execute(
                    "UPDATE deliveries SET due = ?, attempts = attempts + 1 WHERE n = ? AND due = ?",
                    (due, *mine),
                )
                continue
            if not db.execute("DELETE FROM deliveries WHERE n = ? AND due = ?", mine).rowcount:
                continue
            db.execute(_FORGET, (delivery.message,))
            if dropped is not None:
                db.execute(
                    "INSERT INTO dropped (subscription, reason, count, last) VALUES (?, ?, 1, ?) "
                    "ON CONFLICT DO UPDATE SET count = count + 1, last = excluded.last",
                    (delivery.subscription, dropped, now),
                )

    def next_due(self, *, quick: bool) -> int | None:
        """When the next attempt is due, epoch ms."""
        row = self._db.execute(_NEXT, (int(quick),)).fetchone()
        return None if row is None else int(row[0])

    def waiting(self, subscription: str) -> int:
        """How many messages are on their way to a subscription."""
        (count,) = self._db.execute(
            "SELECT count(*) FROM deliveries WHERE subscription = ?", (subscription,)
        ).fetchone()
        return int(count)

    def dropped(self, subscription: str) -> dict[str, int]:
        """How many messages an endpoint never got, by the reason."""
        return dict(
            self._db.execute(
                "SELECT reason, count FROM dropped WHERE subscription = ?", (subscription,)
            ).fetchall()
        )
