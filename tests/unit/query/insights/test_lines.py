"""Lines with the few fields that a `stats` asks for."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lambdalog.clock import ManualClock
from lambdalog.query.insights import Run, read
from lambdalog.query.insights import run as running
from lambdalog.query.insights.lines import Lines, place_of_stats
from lambdalog.store import LogStore, Scan
from lambdalog.store.maintenance import maintain

if TYPE_CHECKING:
    from collections.abc import Iterator

T0 = 1_700_000_000_000

QUERIES = [
    "stats count(*), count(a), sum(a), avg(a), min(a), max(a), stddev(a), pct(a, 90), count_distinct(a) by b",
    "stats count(*) by a, bin(1m), @logStream, @log",
    "stats latest(a), earliest(b), sortsFirst(a), sortsLast(b) by bin(2s)",
    "filter a = 'x' or a > 1 | stats count(*), max(a.b), max(`b.c`) by a.b.c",
    "filter b.c = 1 and ispresent(a) | stats count(*), sum(b.c) by a.b",
    "filter b like /x/ or not (a in [1, 'x', 2.5]) | stats count(*) as n, sum(a * 2 + 1) by strlen(b) | sort n desc",
    "fields a, b | filter @timestamp > 1700000001000 | stats count(*), max(@timestamp), min(@ingestionTime) by b",
    "filter a.1 = 2 or b.c.0 = 'x' | stats count(*) by a.1, b",
    "filter @logStream = 's' | stats count(a.b), avg(a)",
]

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([2.5, -0.5, 1e300, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**40, 10**400])
    | st.sampled_from(["x", "y", "", "1", " 2.5 ", "1e999", "é", "a\tb", "\ud800", "TRUE"])
)
keys = st.sampled_from(["a", "b", "c", "a.b", "b.c", "a.b.c", "1", "z"])
docs = st.dictionaries(
    keys,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=4,
    ),
    max_size=4,
)
WRITTEN = [
    '{"a": 1e999, "b": 1}',
    '{"a": NaN, "b": -Infinity}',
    'before {"a": NaN, "b": 1e999} after',
    '{"a":1,"a":2}',
    '{"\\u0061":"x"}',
    '{"a":"\\ud800","b":"x"}',
    '{"a": 1}\n',
    '{"a":\n1}',
    ' {"a": 1}',
    '{"a": 1} {"a": 2}',
    '{"a": 01}',
    '{"a": "\x01"}',
    "{",
    "plain",
    "[1]",
    '"a"',
    '{"z":' + "[" * 1200 + "]" * 1200 + ',"a":1}',
    '{"b":1,"a":' + "[" * 700 + "]" * 700 + "}",
    '{"a":' + '{"b":' * 40 + "1" + "}" * 41,
]
messages = (
    docs.map(lambda doc: json.dumps(doc, separators=(",", ":")))
    | docs.map(json.dumps)
    | docs.map(lambda doc: "at " + json.dumps(doc) + " end")
    | st.text(min_size=1, max_size=8)
    | st.sampled_from(WRITTEN)
)


def answers(store: LogStore, text: str, **bounds: Any) -> tuple[Any, Any]:
    """What a query gives by lines, and event by event."""
    query = read(text)

    def ask() -> Any:
        run = Run(query, store, ["g"], start=bounds.get("start"), end=bounds.get("end"))
        rows = list(run.rows())
        return rows, run.statistics.matched, run.statistics.scanned

    assert place_of_stats(query.commands) is not None
    found = ask()
    with mock.patch.object(running, "place_of_stats", return_value=None):
        return found, ask()


@given(
    written=st.lists(messages, min_size=1, max_size=12),
    text=st.sampled_from(QUERIES),
    seal=st.booleans(),
    bounded=st.booleans(),
)
@example(written=WRITTEN, text=QUERIES[0], seal=True, bounded=False)
@example(written=WRITTEN, text=QUERIES[3], seal=False, bounded=True)
@settings(max_examples=60)
def test_lines_say_what_events_say(written: list[str], text: str, seal: bool, bounded: bool) -> None:
    """Whatever the messages, live or sealed, with and without bounds: the same rows, and the same numbers of events."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LogStore(Path(folder) / "store", clock=ManualClock(T0 / 1000 + 3600)) as store,
    ):
        store.create_group("g")
        store.create_stream("g", "s")
        store.append("g", "s", [(T0 + 700 * number, message) for number, message in enumerate(written)])
        if seal:
            store.release(0)
            maintain(store, everything=True)
        bounds = {"start": T0 + 1, "end": T0 + 4000} if bounded else {}
        found, expected = answers(store, text, **bounds)
        assert found == expected


@pytest.fixture
def store(store_path: Path) -> Iterator[LogStore]:
    """A store with one group of two streams."""
    with LogStore(store_path, clock=ManualClock(T0 / 1000 + 3600)) as opened:
        opened.create_group("g")
        for stream in ("s", "t"):
            opened.create_stream("g", stream)
        yield opened


@pytest.mark.parametrize(
    ("text", "by_lines"),
    [
        ("stats count(*) by level", True),
        ("fields level | filter ms > 1 | stats max(ms) by bin(5m)", True),
        ("stats count(*) by @logStream", True),
        ("stats max(ms) by level | filter level = 'x' | sort level", True),
        ("stats max(@duration)", False),
        ("filter @message like 'x' | stats count(ms)", False),
        ("fields ms * 2 as double | stats max(double)", False),
        ("parse @message 'x=*' as x | stats max(x)", False),
        ("limit 5 | stats max(ms)", False),
        ("fields level", False),
        ('stats count(*) by `a"b`', False),
    ],
)
def test_which_queries_are_answered_by_lines(text: str, by_lines: bool) -> None:
    """Those that ask for fields of JSON and of every event, and make none before they count."""
    assert (place_of_stats(read(text).commands) is not None) is by_lines


def test_only_the_asked_fields_are_read(store: LogStore) -> None:
    """A line has the values of the fields that the query names, and where it came from."""
    store.append("g", "s", [(T0, '{"level":"INFO","ms":5,"other":[1]}'), (T0 + 1, 'at {"ms":7}')])
    commands = read("filter ms > 1 | stats count(*) by level, @logStream, @log, @timestamp").commands
    lines = Lines(commands)
    (block,) = store.blocks(Scan("g"))
    read_block = lines.read("g", block)
    assert read_block is not None
    found, size = read_block
    assert size == len('{"level":"INFO","ms":5,"other":[1]}') + len(r'"at {\"ms\":7}"')
    names = ("ms", "level", "@logStream", "@log", "@timestamp")
    assert [[lines.getter(name)(line) for name in names] for line in found] == [
        [5, "INFO", "s", "g", T0],
        [7, None, "s", "g", T0 + 1],
    ]


def test_lines_that_are_no_events_are_reported(store: LogStore, store_path: Path) -> None:
    """They are left out of the answer, and said to be damaged, as event by event."""
    store.append("g", "s", [(T0, '{"ms":5}')])
    store.release(0)
    (segment,) = [
        path for path in store_path.rglob("*") if path.is_file() and b'{"ms":5}' in path.read_bytes()
    ]
    with segment.open("ab") as file:
        file.write(b'{"t":12,"i":13,"m":{"ms":6}}\n\nnoise\n')
    store.append("g", "s", [(T0 + 1, '{"ms":7}')])
    (row,) = Run(read("stats sum(ms), count(*)"), store, ["g"], start=None, end=None).rows()
    assert dict(row) == {"sum(ms)": "12", "count(*)": "2"}
    assert store.damage


def test_blocks_leave_out_what_their_bytes_rule_out(store: LogStore) -> None:
    """Lines without the literals are passed over; the rarest of these leads."""
    store.append(
        "g", "s", [(T0 + n, f'{{"level":"{"ERROR" if n % 50 == 0 else "INFO"}"}}') for n in range(500)]
    )
    blocks = list(store.blocks(Scan("g", literals=("level", "ERROR"))))
    assert sum(block.data().count(b"\n") for block in blocks) == 10
    assert sum(len(block.events()) for block in blocks) == 10
