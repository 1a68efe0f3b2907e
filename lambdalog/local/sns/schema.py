"""The topics' database: topics, subscriptions, and what is still to be delivered. Times are epoch ms.

A message lies here from its publish until its last delivery is settled. A delivery's `due` is when it may be tried next;
whoever tries it first moves `due` on, so that no other process tries it meanwhile, and a dead one leaves it to the next.
"""

from typing import Final

VERSION: Final = 2

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS topics (
    arn TEXT PRIMARY KEY, attributes TEXT NOT NULL, tags TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscriptions (
    arn TEXT PRIMARY KEY, topic TEXT NOT NULL, protocol TEXT NOT NULL, endpoint TEXT NOT NULL, attributes TEXT NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE topics ADD COLUMN protection TEXT NOT NULL DEFAULT '';
ALTER TABLE topics ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscriptions ADD COLUMN token TEXT;
ALTER TABLE subscriptions ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscriptions ADD COLUMN authenticated INTEGER NOT NULL DEFAULT 1;
CREATE INDEX subscriptions_topic ON subscriptions (topic, arn);
CREATE INDEX subscriptions_token ON subscriptions (token) WHERE token IS NOT NULL;
CREATE TABLE messages (
    n INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, content TEXT NOT NULL
) STRICT;
CREATE TABLE deliveries (
    n INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT NOT NULL, message INTEGER NOT NULL, grp TEXT,
    quick INTEGER NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_due ON deliveries (due);
CREATE INDEX deliveries_message ON deliveries (message);
CREATE INDEX deliveries_group ON deliveries (subscription, grp, n);
CREATE TABLE dedup (
    topic TEXT NOT NULL, scope TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, message_id TEXT NOT NULL,
    sequence TEXT NOT NULL, PRIMARY KEY (topic, scope, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX dedup_at ON dedup (topic, at);
CREATE TABLE dropped (
    subscription TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (subscription, reason)
) STRICT, WITHOUT ROWID;
"""
