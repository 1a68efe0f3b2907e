"""Topics and subscriptions on disk. Everything is read as it is now: other processes change them, too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.sns.subscription import Subscription
from lambdalog.local.sns.topic import Topic

if TYPE_CHECKING:
    import sqlite3

    from lambdalog.store.tables import Tables

_TOPIC: Final = "SELECT arn, attributes, tags, protection FROM topics"
_SUBSCRIPTION: Final = (
    "SELECT arn, topic, protocol, endpoint, attributes, token, asked, authenticated FROM subscriptions"
)


class Catalog:
    """The topics and subscriptions of one database. What changes them runs inside a transaction of the caller's."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    @property
    def db(self) -> sqlite3.Connection:
        """This thread's connection."""
        return self._tables.connection

    # --- topics

    def topic(self, arn: str) -> Topic | None:
        """A topic."""
        row = self.db.execute(f"{_TOPIC} WHERE arn = ?", (arn,)).fetchone()
        return None if row is None else _topic(row)

    def topics(self, after: str, count: int) -> list[Topic]:
        """Topics by ARN, past one."""
        rows = self.db.execute(f"{_TOPIC} WHERE arn > ? ORDER BY arn LIMIT ?", (after, count))
        return [_topic(row) for row in rows]

    def add_topic(self, topic: Topic) -> None:
        """A new topic."""
        self.db.execute(
            "INSERT INTO topics (arn, attributes, tags, protection) VALUES (?, ?, ?, ?)",
            (topic.arn, json.dumps(topic.attributes), json.dumps(topic.tags), topic.protection),
        )

    def set_topic(self, topic: Topic) -> None:
        """A topic as it shall be."""
        self.db.execute(
            "UPDATE topics SET attributes = ?, tags = ?, protection = ? WHERE arn = ?",
            (json.dumps(topic.attributes), json.dumps(topic.tags), topic.protection, topic.arn),
        )

    def remove_topic(self, arn: str) -> None:
        """Remove a topic, its subscriptions, and what is on its way to them."""
        for (subscription,) in self.db.execute(
            "SELECT arn FROM subscriptions WHERE topic = ?", (arn,)
        ).fetchall():
            self.remove(subscription)
        self.db.execute("DELETE FROM topics WHERE arn = ?", (arn,))
        self.db.execute("DELETE FROM dedup WHERE topic = ?", (arn,))

    # --- subscriptions

    def find(self, arn: str) -> Subscription | None:
        """A subscription."""
        row = self.db.execute(f"{_SUBSCRIPTION} WHERE arn = ?", (arn,)).fetchone()
        return None if row is None else _subscription(row)

    def same(self, topic: str, protocol: str, endpoint: str) -> Subscription | None:
        """The subscription of an endpoint to a topic."""
        row = self.db.execute(
            f"{_SUBSCRIPTION} WHERE topic = ? AND protocol = ? AND endpoint = ?", (topic, protocol, endpoint)
        ).fetchone()
        return None if row is None else _subscription(row)

    def by_token(self, token: str) -> Subscription | None:
        """The subscription that a token confirms."""
        row = self.db.execute(f"{_SUBSCRIPTION} WHERE token = ?", (token,)).fetchone()
        return None if row is None else _subscription(row)

    def subscriptions(self, topic: str | None, after: str = "", count: int = -1) -> list[Subscription]:
        """Subscriptions by ARN, past one, of one topic or all."""
        where, parameters = ("topic = ? AND ", (topic,)) if topic is not None else ("", ())
        rows = self.db.execute(
            f"{_SUBSCRIPTION} WHERE {where}arn > ? ORDER BY arn LIMIT ?", (*parameters, after, count)
        )
        return [_subscription(row) for row in rows]

    def add(self, subscription: Subscription) -> None:
        """A new subscription."""
        self.db.execute(
            "INSERT INTO subscriptions (arn, topic, protocol, endpoint, attributes, token, asked, authenticated) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                subscription.arn,
                subscription.topic,
                subscription.protocol,
                subscription.endpoint,
                json.dumps(subscription.attributes),
                subscription.token,
                subscription.asked,
                subscription.authenticated,
            ),
        )

    def set_attributes(self, arn: str, attributes: dict[str, str]) -> None:
        """A subscription's attributes as they shall be."""
        self.db.execute(
            "UPDATE subscriptions SET attributes = ? WHERE arn = ?", (json.dumps(attributes), arn)
        )

    def confirm(self, arn: str, *, authenticated: bool) -> None:
        """Note that an endpoint has confirmed."""
        self.db.execute(
            "UPDATE subscriptions SET token = NULL, authenticated = ? WHERE arn = ?", (authenticated, arn)
        )

    def ask_again(self, arn: str, token: str, now: int) -> None:
        """A new token for a subscription that was not confirmed."""
        self.db.execute("UPDATE subscriptions SET token = ?, asked = ? WHERE arn = ?", (token, now, arn))

    def remove(self, arn: str) -> None:
        """Remove a subscription, and what is on its way to it."""
        self.db.execute("DELETE FROM subscriptions WHERE arn = ?", (arn,))
        self.db.execute("DELETE FROM dropped WHERE subscription = ?", (arn,))
        messages = self.db.execute(
            "DELETE FROM deliveries WHERE subscription = ? RETURNING message", (arn,)
        ).fetchall()
        for message in messages:
            self.db.execute(
                "DELETE FROM messages WHERE n = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message = ?1)",
                message,
            )


def _topic(row: tuple[Any, ...]) -> Topic:
    arn, attributes, tags, protection = row
    return Topic(arn, json.loads(attributes), json.loads(tags), protection)


def _subscription(row: tuple[Any, ...]) -> Subscription:
    arn, topic, protocol, endpoint, attributes, token, asked, authenticated = row
    return Subscription(
        arn, topic, protocol, endpoint, json.loads(attributes), token, asked, bool(authenticated)
    )
