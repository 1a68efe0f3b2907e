"""The queues' database. Each statement stands here under a name.

Bodies and state lie in two tables: a claim rewrites only the small row. Times are epoch ms.
"""

from typing import Final

SCHEMA: Final = """
CREATE TABLE queues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    tags TEXT NOT NULL,
    purged INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE bodies (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    queue INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    body TEXT NOT NULL,
    md5 TEXT NOT NULL,
    attributes TEXT NOT NULL,
    system TEXT NOT NULL,
    sent INTEGER NOT NULL,
    first_received INTEGER
) STRICT;
CREATE TABLE state (
    queue INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    receives INTEGER NOT NULL,
    receipt TEXT NOT NULL,
    PRIMARY KEY (queue, visible_at, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX state_seq ON state (seq);
CREATE TABLE deleted_queues (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

QUEUE: Final = "SELECT id, name, created, modified, attributes, tags, purged FROM queues WHERE name = ?"
QUEUES: Final = "SELECT id, name, created, modified, attributes, tags, purged FROM queues WHERE name >= ? AND name < ? ORDER BY name"
ADD_QUEUE: Final = "INSERT INTO queues (name, created, modified, attributes, tags) VALUES (?, ?, ?, ?, ?)"
SET_ATTRIBUTES: Final = "UPDATE queues SET attributes = ?, modified = ? WHERE id = ?"
SET_TAGS: Final = "UPDATE queues SET tags = ? WHERE id = ?"
ADD_BODY: Final = "INSERT INTO bodies (queue, message_id, body, md5, attributes, system, sent, first_received) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
ADD_STATE: Final = "INSERT INTO state (queue, visible_at, seq, receives, receipt) VALUES (?, ?, ?, ?, '')"
DUE: Final = "SELECT visible_at, seq, receives FROM state WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, seq LIMIT ?"
NEXT_DUE: Final = "SELECT min(visible_at) FROM state WHERE queue = ?"
REMOVE_STATE: Final = "DELETE FROM state WHERE queue = ? AND visible_at = ? AND seq = ?"
CLAIM: Final = "INSERT INTO state (queue, visible_at, seq, receives, receipt) VALUES (?, ?, ?, ?, ?)"
BODY: Final = (
    "SELECT message_id, body, md5, attributes, system, sent, first_received FROM bodies WHERE seq = ?"
)
FIRST_RECEIVED: Final = "UPDATE bodies SET first_received = ? WHERE seq = ? AND first_received IS NULL"
STATE_OF: Final = "SELECT visible_at, receives, receipt FROM state WHERE queue = ? AND seq = ?"
REMOVE_BODY: Final = "DELETE FROM bodies WHERE seq = ?"
MOVE_BODY: Final = "UPDATE bodies SET queue = ?, system = ? WHERE seq = ?"
EXPIRED: Final = "SELECT seq FROM bodies WHERE queue = ? AND sent < ?"
REMOVE_STATE_OF: Final = "DELETE FROM state WHERE seq = ?"
COUNTS: Final = """
SELECT
    count(*) FILTER (WHERE visible_at <= :now),
    count(*) FILTER (WHERE visible_at > :now AND receipt <> ''),
    count(*) FILTER (WHERE visible_at > :now AND receipt = '')
FROM state WHERE queue = :queue
"""
PEEK: Final = """
SELECT b.seq, b.message_id, b.body, b.md5, b.attributes, b.system, b.sent, b.first_received, s.receives, s.visible_at
FROM bodies b JOIN state s ON s.seq = b.seq WHERE b.queue = ? AND b.seq > ? ORDER BY b.seq LIMIT ?
"""
PURGE_STATE: Final = "DELETE FROM state WHERE queue = ?"
PURGE_BODIES: Final = "DELETE FROM bodies WHERE queue = ?"
PURGED: Final = "UPDATE queues SET purged = ? WHERE id = ?"
REMOVE_QUEUE: Final = "DELETE FROM queues WHERE id = ?"
ADD_DELETED: Final = "INSERT OR REPLACE INTO deleted_queues (name, at) VALUES (?, ?)"
DELETED: Final = "SELECT at FROM deleted_queues WHERE name = ?"
