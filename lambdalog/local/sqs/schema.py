"""The queues' database. Each statement that several modules use stands here under a name.

A message is one row of `state`, keyed by what a receive looks for (queue, time of visibility, order), so that a send, a
claim and a delete each touch one page. Only a body too large to be carried along lies in `bodies`. Times are epoch ms.
A message's `seq` orders it; `receipt` is the secret of its last claim, 0 before the first.
"""

from typing import Final

VERSION: Final = 2
# A row of state is at most a quarter of a page, or SQLite puts its rest elsewhere.
PAGE_BYTES: Final = 4096
INLINE_CHARS: Final = 880
# A queue's pages are written again and again: the log is copied back every 8 MB, not every 4. And what is deleted need not
# be overwritten with zeros, as some builds of SQLite do.
PRAGMAS: Final = ("wal_autocheckpoint=2000", "secure_delete=OFF")

# A FIFO message behind the first of its group has no time of its own: it is behind all times.
PARKED: Final = 1 << 62

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS queues (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL, modified INTEGER NOT NULL,
    attributes TEXT NOT NULL, tags TEXT NOT NULL, purged INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS bodies (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, queue INTEGER NOT NULL, message_id TEXT NOT NULL, body TEXT NOT NULL,
    md5 TEXT NOT NULL, attributes TEXT NOT NULL, system TEXT NOT NULL, sent INTEGER NOT NULL, first_received INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS state (
    queue INTEGER NOT NULL, visible_at INTEGER NOT NULL, seq INTEGER NOT NULL, receives INTEGER NOT NULL,
    receipt TEXT NOT NULL, PRIMARY KEY (queue, visible_at, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deleted_queues (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
ALTER TABLE queues ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE queues ADD COLUMN oldest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queues ADD COLUMN moving INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queues ADD COLUMN dead INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queues ADD COLUMN last_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bodies RENAME TO bodies_1;
ALTER TABLE state RENAME TO state_1;
CREATE TABLE state (
    queue INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    receives INTEGER NOT NULL,
    first INTEGER NOT NULL,
    receipt INTEGER NOT NULL,
    id BLOB NOT NULL,
    body TEXT,
    attributes TEXT,
    system TEXT,
    grp TEXT,
    PRIMARY KEY (queue, visible_at, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE bodies (seq INTEGER PRIMARY KEY, body TEXT NOT NULL, attributes TEXT) STRICT;
CREATE TABLE extended (
    queue INTEGER NOT NULL, seq INTEGER NOT NULL, visible_at INTEGER NOT NULL, PRIMARY KEY (queue, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE fifo (
    queue INTEGER NOT NULL, grp TEXT NOT NULL, seq INTEGER NOT NULL, visible_at INTEGER NOT NULL, due INTEGER NOT NULL,
    PRIMARY KEY (queue, grp, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX fifo_seq ON fifo (queue, seq);
CREATE TABLE dedup (
    queue INTEGER NOT NULL, scope TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, message_id TEXT NOT NULL,
    sequence TEXT NOT NULL, PRIMARY KEY (queue, scope, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX dedup_at ON dedup (queue, at);
CREATE TABLE attempts (
    queue INTEGER NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, handles TEXT NOT NULL, PRIMARY KEY (queue, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE moves (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, source TEXT NOT NULL, destination TEXT NOT NULL,
    rate INTEGER, started INTEGER NOT NULL, status TEXT NOT NULL, moved INTEGER NOT NULL DEFAULT 0,
    planned INTEGER NOT NULL, reason TEXT
) STRICT;
INSERT INTO bodies SELECT seq, body, attributes FROM bodies_1;
INSERT INTO state
SELECT s.queue, s.visible_at, s.seq, b.sent, s.receives, coalesce(b.first_received, 0), 0, CAST(b.message_id AS BLOB),
    NULL, NULL, b.system, NULL FROM state_1 s JOIN bodies_1 b ON b.seq = s.seq;
DROP TABLE state_1;
DROP TABLE bodies_1;
"""

COLUMNS: Final = "id, name, created, modified, attributes, tags, purged, version, oldest, moving, dead"
QUEUE: Final = f"SELECT {COLUMNS} FROM queues WHERE name = ?"  # noqa: S608 - names of columns
QUEUES: Final = f"SELECT {COLUMNS} FROM queues WHERE name >= ? AND name < ? ORDER BY name"  # noqa: S608 - names of columns
ADD_QUEUE: Final = "INSERT INTO queues (name, created, modified, attributes, tags, oldest, dead) VALUES (?, ?, ?, ?, ?, ?, ?)"
SET_ATTRIBUTES: Final = "UPDATE queues SET attributes = ?, modified = ?, version = version + 1 WHERE id = ?"
SET_TAGS: Final = "UPDATE queues SET tags = ?, version = version + 1 WHERE id = ?"
SET_PURGED: Final = "UPDATE queues SET purged = ?, version = version + 1 WHERE id = ?"
SET_OLDEST: Final = "UPDATE queues SET oldest = ? WHERE id = ?"
# A buried message may be older than what its new queue has.
LOWER_OLDEST: Final = "UPDATE queues SET oldest = ? WHERE id = ? AND oldest > ?"
OLDEST: Final = "SELECT oldest FROM queues WHERE id = ?"
CURRENT: Final = "SELECT version FROM queues WHERE id = ?"
SET_DEAD: Final = "UPDATE queues SET dead = 1, version = version + 1 WHERE name = ? AND dead = 0"
SET_MOVING: Final = "UPDATE queues SET moving = ?, version = version + 1 WHERE name = ? AND moving <> ?"
REMOVE_QUEUE: Final = "DELETE FROM queues WHERE id = ?"
ADD_DELETED: Final = "INSERT OR REPLACE INTO deleted_queues (name, at) VALUES (?, ?)"
DELETED: Final = "SELECT at FROM deleted_queues WHERE name = ?"

# The queue's version stands in each hot statement: what is known of the queue need not be read again before.
_CURRENT: Final = "(SELECT version FROM queues WHERE id = ?1) = ?2"
SEND: Final = f"""
INSERT INTO state (queue, visible_at, seq, sent, receives, first, receipt, id, body, attributes, system)
SELECT ?1, ?3, ?4, ?5, 0, 0, 0, ?6, ?7, ?8, ?9 WHERE {_CURRENT}
"""
ADD: Final = """
INSERT INTO state (queue, visible_at, seq, sent, receives, first, receipt, id, body, attributes, system, grp)
VALUES (?, ?, ?, ?, 0, 0, 0, ?, ?, ?, ?, ?)
"""
ADD_BODY: Final = "INSERT INTO bodies (seq, body, attributes) VALUES (?, ?, ?)"
BODY: Final = "SELECT body, attributes FROM bodies WHERE seq = ?"
REMOVE_BODY: Final = "DELETE FROM bodies WHERE seq = ?"

_CLAIM: Final = """
UPDATE state SET
    visible_at = ?4, receives = receives + 1, receipt = (random() & 0x3fffffffffffffff) + 1,
    first = CASE first WHEN 0 THEN ?3 ELSE first END
WHERE queue = ?1 AND (visible_at, seq) {which} AND (SELECT version FROM queues WHERE id = ?1) = ?2
RETURNING seq, sent, receives, first, receipt, id, body, attributes, system
"""
# The plus keeps a SQLite that was built with STAT4 from preparing the claim anew for each value: twice its time.
_DUE: Final = "(SELECT visible_at, seq FROM state WHERE queue = +?1 AND visible_at <= ?3 AND sent > ?5 ORDER BY visible_at, seq LIMIT {})"
CLAIM_ONE: Final = _CLAIM.format(which="= " + _DUE.format("1"))
CLAIM: Final = _CLAIM.format(which="IN " + _DUE.format("?6"))
ANY_DUE: Final = "SELECT 1 FROM state WHERE queue = ? AND visible_at <= ? AND sent > ? LIMIT 1"
NEXT_DUE: Final = "SELECT min(visible_at) FROM state WHERE queue = ? AND visible_at > ?"
IN_FLIGHT: Final = """
SELECT count(*) FROM (
    SELECT 1 FROM state WHERE queue = ? AND visible_at > ? AND visible_at < ? AND receipt <> 0 LIMIT ?
)
"""

ROW: Final = "SELECT sent, receives, first, receipt, id, body, attributes, system, grp FROM state WHERE queue = ? AND visible_at = ? AND seq = ?"
DELETE: Final = "DELETE FROM state WHERE queue = ? AND visible_at = ? AND seq = ? AND receipt = ?"
REMOVE: Final = "DELETE FROM state WHERE queue = ? AND visible_at = ? AND seq = ?"
HIDE: Final = "UPDATE state SET visible_at = ? WHERE queue = ? AND visible_at = ? AND seq = ? AND receipt = ?"
EXTEND: Final = "INSERT OR REPLACE INTO extended (queue, seq, visible_at) VALUES (?, ?, ?)"
EXTENDED: Final = "SELECT visible_at FROM extended WHERE queue = ? AND seq = ?"
UNEXTEND: Final = "DELETE FROM extended WHERE queue = ? AND seq = ?"

COUNTS: Final = """
SELECT
    count(*) FILTER (WHERE visible_at <= :now),
    count(*) FILTER (WHERE visible_at > :now AND receipt <> 0),
    count(*) FILTER (WHERE visible_at > :now AND receipt = 0)
FROM state WHERE queue = :queue AND sent > :oldest
"""
COUNTS_FIFO: Final = """
SELECT
    count(*) FILTER (WHERE s.visible_at <= :now OR (s.visible_at = :parked AND f.due <= :now)),
    count(*) FILTER (WHERE s.visible_at > :now AND s.visible_at < :parked AND s.receipt <> 0),
    count(*) FILTER (WHERE f.due > :now AND s.receipt = 0)
FROM state s JOIN fifo f ON f.queue = s.queue AND f.grp = s.grp AND f.seq = s.seq
WHERE s.queue = :queue AND s.sent > :oldest
"""
PLACES: Final = "SELECT seq, visible_at FROM state WHERE queue = ? AND sent > ? AND seq > ? ORDER BY seq"
EXPIRED: Final = "SELECT visible_at, seq, body IS NULL, grp FROM state WHERE queue = ? AND sent <= ?"
MIN_SENT: Final = "SELECT min(sent) FROM state WHERE queue = ?"
EMPTY: Final = (
    "DELETE FROM bodies WHERE seq IN (SELECT seq FROM state WHERE queue = ?1 AND body IS NULL)",
    "DELETE FROM state WHERE queue = ?1",
    "DELETE FROM extended WHERE queue = ?1",
    "DELETE FROM fifo WHERE queue = ?1",
    "DELETE FROM attempts WHERE queue = ?1",
)
