"""Evaluating queries over a store."""

from __future__ import annotations

import json
import random
import statistics
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.clock import ManualClock
from lambdalog.errors import QueryError
from lambdalog.query.insights import Cancelled, Run, grouping, read, stages
from lambdalog.store import LogStore
from lambdalog.store.maintenance import maintain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# 2023-11-14 22:13:20
T0 = 1_700_000_000_000
UUID = "8f507cfc-xmpl-4697-b07a-ac58fc914c95".replace("xmpl", "4a3b")


@pytest.fixture
def store(store_path: Path) -> Iterator[LogStore]:
    """A store with two groups of one stream each."""
    with LogStore(store_path, clock=ManualClock(T0 / 1000 + 3600)) as opened:
        for group in ("g", "h"):
            opened.create_group(group)
            opened.create_stream(group, "s")
        yield opened


def write(store: LogStore, *messages: Any, group: str = "g", step: int = 1000) -> None:
    """Messages, a second apart; what is no text is written as JSON."""
    store.append(
        group,
        "s",
        [
            (T0 + number * step, message if isinstance(message, str) else json.dumps(message))
            for number, message in enumerate(messages)
        ],
    )


def ask(
    store: LogStore,
    text: str,
    groups: tuple[str, ...] = ("g",),
    start: int | None = None,
    end: int | None = None,
    **options: Any,
) -> list[dict[str, str]]:
    """The rows of a query, without their pointers."""
    run = Run(read(text), store, groups, start=start, end=end, **options)
    return [{name: value for name, value in row if name != "@ptr"} for row in run.rows()]


def value(store: LogStore, expression: str) -> str | None:
    """What an expression is for the only event."""
    (row,) = ask(store, f"fields {expression} as x | limit 1")
    return row.get("x")


# --- expressions


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", "7"),
        ("7 / 2", "3.5"),
        ("8 / 2", "4"),
        ("1 / 0", None),
        ("7 % 4", "3"),
        ("2 ^ 10", "1024"),
        ("10 ^ 400", None),
        ("-ms", "-250"),
        ("ms + 'x'", None),
        ("ms + '1'", "251"),
        ("abs(-3)", "3"),
        ("ceil(1.2)", "2"),
        ("floor(1.8)", "1"),
        ("sqrt(9)", "3"),
        ("sqrt(-1)", None),
        ("log(1)", "0"),
        ("greatest(1, 5, 3)", "5"),
        ("least(4, 2, 3)", "2"),
        ("strlen('abc')", "3"),
        ("toupper(level)", "ERROR"),
        ("tolower('ABC')", "abc"),
        ("trim('  a ')", "a"),
        ("ltrim('xxa', 'x')", "a"),
        ("rtrim('axx', 'x')", "a"),
        ("substr('xyZfooxyZ', 3)", "fooxyZ"),
        ("substr('xyZfooxyZ', 3, 3)", "foo"),
        ("replace('wordword', 'word', 'x')", "xx"),
        ("concat('a', 1, level)", "a1error"),
        ("strcontains(@message, 'error')", "1"),
        ("strcontains('a', 'b')", "0"),
        ("isempty(nothing)", "1"),
        ("isempty('')", "1"),
        ("isblank('  ')", "1"),
        ("isblank('a')", "0"),
        ("ispresent(ms)", "1"),
        ("ispresent(nothing)", "0"),
        ("coalesce(nothing, user.name)", "Ann"),
        ("isValidIp('10.0.0.1')", "1"),
        ("isValidIpV6('10.0.0.1')", "0"),
        ("isIpv4InSubnet('10.1.2.3', '10.0.0.0/8')", "1"),
        ("isIpInSubnet('nonsense', '10.0.0.0/8')", "0"),
        ("jsonParse(text)", '{"inner":5}'),
        ("jsonStringify(user)", '{"name":"Ann","tags":["x","y"]}'),
        ("user.name", "Ann"),
        ("user.tags.1", "y"),
        ("user.tags.9", None),
        ("`with-dash`", "d"),
        ("`key.with.dots`", "k"),
        ("flag", "1"),
        ("gone", None),
        ("1.5", "1.5"),
        ("bin(1h)", "2023-11-14 22:00:00.000"),
        ("bin(1d)", "2023-11-14 00:00:00.000"),
        ("bin(1w)", "2023-11-13 00:00:00.000"),
        ("bin(1mo)", "2023-11-01 00:00:00.000"),
        ("bin(1q)", "2023-10-01 00:00:00.000"),
        ("bin(1y)", "2023-01-01 00:00:00.000"),
        ("datefloor(@timestamp, 10 minutes)", "2023-11-14 22:10:00.000"),
        ("dateceil(@timestamp, 1h)", "2023-11-14 23:00:00.000"),
        ("dateceil(@timestamp, 1mo)", "2023-12-01 00:00:00.000"),
        ("toMillis(@timestamp)", "1700000000000"),
        ("fromMillis(1700000000000)", "2023-11-14 22:13:20.000"),
        ("now()", "2023-11-14 23:13:20.000"),
        ("now() - toMillis(@timestamp)", "3600000"),
        ("@timestamp", "2023-11-14 22:13:20.000"),
        ("@log", "g"),
        ("@logStream", "s"),
    ],
)
def test_expressions(store: LogStore, expression: str, expected: str | None) -> None:
    """Arithmetic, functions, times and fields give what the documentation says; what can't be is nothing."""
    write(
        store,
        {
            "level": "error",
            "ms": 250,
            "flag": True,
            "gone": None,
            "user": {"name": "Ann", "tags": ["x", "y"]},
            "with-dash": "d",
            "key.with.dots": "k",
            "text": '{"inner": 5}',
        },
    )
    assert value(store, expression) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("ms = 250", "b"),
        ('ms = "250"', "b"),
        ("ms != 250", "a"),
        ("ms > 99.5 and ms <= 250", "ab"),
        ("level = 'ERROR'", "b"),
        ("level != 'ERROR'", "a"),
        ("not level = 'ERROR'", "acd"),
        ("level in ['ERROR', 'WARN']", "b"),
        ("level not in ['ERROR']", "acd"),
        ("ms in [100, 250]", "ab"),
        ("@message like 'plain'", "d"),
        ("@message like /(?i)PLAIN t/", "d"),
        ("@message =~ /^p.*t$/", "d"),
        ("@message not like /level/", "cd"),
        ("level like /^E/ or ok", "bc"),
        ("ok = true", "c"),
        ("ok = 1", "c"),
        ("ok = 'true'", "c"),
        ("ispresent(level) and not (ms < 200)", "b"),
        ("level < 'F'", "b"),
        ("nothing = nothing", ""),
        ("bogus.path.x > 1", ""),
        ("strlen(level) = 5 && ms > 200 || ok", "bc"),
        ("@timestamp >= 1700000002000", "cd"),
    ],
)
def test_filters(store: LogStore, condition: str, expected: str) -> None:
    """Comparisons are of numbers where both are, else of texts; with what is missing none holds. Sealed or not."""
    write(
        store,
        {"id": "a", "level": "INFO", "ms": 100},
        {"id": "b", "level": "ERROR", "ms": 250},
        {"id": "c", "ok": True},
        "plain text",
    )
    for _ in range(2):
        rows = ask(store, f"filter {condition} | sort @timestamp asc | fields coalesce(id, 'd') as x")
        assert "".join(row["x"] for row in rows) == expected
        store.release(0)
        maintain(store, everything=True)


# --- fields


def test_lambdas_own_lines_have_fields(store: LogStore) -> None:
    """Request id, type, durations and memory (bytes) come from the platform's lines, in text and in JSON."""
    report = (
        f"REPORT RequestId: {UUID}\tDuration: 79.67 ms\tBilled Duration: 80 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 73 MB\tInit Duration: 100.5 ms\tXRAY TraceId: 1-5e34a614\tSegmentId: 07f022\tSampled: true\n"
    )
    metrics = {"durationMs": 5.5, "billedDurationMs": 6, "memorySizeMB": 256, "maxMemoryUsedMB": 60}
    write(
        store,
        f"START RequestId: {UUID} Version: $LATEST\n",
        f"[ERROR]\t2023-11-14T22:13:20.000Z\t{UUID}\tbroken",
        report,
        {"type": "platform.report", "record": {"requestId": UUID, "metrics": metrics}},
    )
    rows = ask(
        store,
        "fields @type, @requestId, @duration, @billedDuration, @memorySize, @maxMemoryUsed, @initDuration, @xrayTraceId "
        "| sort @timestamp asc",
    )
    assert rows == [
        {"@type": "START", "@requestId": UUID},
        {"@requestId": UUID},
        {
            "@type": "REPORT",
            "@requestId": UUID,
            "@duration": "79.67",
            "@billedDuration": "80",
            "@memorySize": "128000000",
            "@maxMemoryUsed": "73000000",
            "@initDuration": "100.5",
            "@xrayTraceId": "1-5e34a614",
        },
        {
            "@type": "REPORT",
            "@requestId": UUID,
            "@duration": "5.5",
            "@billedDuration": "6",
            "@memorySize": "256000000",
            "@maxMemoryUsed": "60000000",
        },
    ]


def test_the_first_json_fragment_of_a_line_has_fields(store: LogStore) -> None:
    """JSON within a line is found; a broken, deep or hostile one is no field and no trouble."""
    write(
        store,
        'INFO saved {"order": {"id": 7}} done {"order": 8}',
        "{broken",
        "{" * 100_000,
        '{"a":' * 5000 + "1",
    )
    rows = ask(store, "fields order.id | sort @timestamp asc")
    assert rows == [{"order.id": "7"}, {}, {}, {}]


def test_parse_takes_texts_apart(store: LogStore) -> None:
    """A glob's stars and an expression's groups are new fields; where it doesn't match there are none."""
    write(store, "user=Ann took 25ms (ok)", "user=Bob took 30ms", "other")
    rows = ask(
        store,
        "parse @message 'user=* took *ms' as user, ms | parse /\\((?<how>\\w+)\\)/ | sort @timestamp asc "
        "| display user, ms * 2 as twice, how",
    )
    assert rows == [{"user": "Ann", "twice": "50", "how": "ok"}, {"user": "Bob", "twice": "60"}, {}]
    assert ask(store, "parse 'user=*' as rest | filter ispresent(rest) | stats count(*) as n") == [{"n": "2"}]


def test_columns_are_those_that_were_asked_for(store: LogStore) -> None:
    """Without fields there are time and message; fields add up, display decides; each row of an event has a pointer."""
    write(store, {"a": 1, "b": 2})
    message = '{"a": 1, "b": 2}'
    assert ask(store, "") == [{"@timestamp": "2023-11-14 22:13:20.000", "@message": message}]
    assert ask(store, "filter a = 1") == ask(store, "")
    assert ask(store, "fields a | fields b, a + b as c") == [{"a": "1", "b": "2", "c": "3"}]
    assert ask(store, "fields a, b | display b") == [{"b": "2"}]
    (row,) = Run(read("fields a"), store, ["g"], start=None, end=None).rows()
    assert [name for name, _ in row] == ["a", "@ptr"]


# --- order and limits


def test_events_come_newest_first_over_all_groups(store: LogStore) -> None:
    """Unless sorted otherwise; the time range is [start, end)."""
    write(store, "g0", "g1", "g2")
    write(store, "h0", "h1", group="h", step=1500)
    texts = [row["@message"] for row in ask(store, "", ("g", "h"))]
    assert texts[:3] == ["g2", "h1", "g1"]
    assert sorted(texts[3:]) == ["g0", "h0"]
    ranged = ask(store, "sort @timestamp asc", ("g", "h"), start=T0 + 1000, end=T0 + 2000)
    assert [row["@message"] for row in ranged] == ["g1", "h1"]


def test_sorting_is_by_numbers_then_texts_and_what_is_missing_comes_last(store: LogStore) -> None:
    """In both directions; keys in their order."""
    write(store, {"a": 10}, {"a": 9}, {"a": "x"}, {"b": 1}, {"a": 9, "b": 2})
    assert [row.get("a") for row in ask(store, "fields a | sort a")] == ["9", "9", "10", "x", None]
    assert [row.get("a") for row in ask(store, "fields a | sort a desc")] == ["x", "10", "9", "9", None]
    assert [row.get("b") for row in ask(store, "fields b | filter a = 9 | sort a, b desc")] == ["2", None]


def test_a_sort_with_a_limit_holds_little(store: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ten of many are found while few are held; without a limit too many are refused."""
    numbers = list(range(3000))
    random.Random(1).shuffle(numbers)
    write(store, *[{"n": number} for number in numbers], step=1)
    monkeypatch.setattr(stages, "_SLACK_LEAST", 20)
    monkeypatch.setattr(stages, "HELD_MAX", 100)
    assert [row["n"] for row in ask(store, "fields n | sort n desc | limit 10")] == [
        str(number) for number in range(2999, 2989, -1)
    ]
    with pytest.raises(QueryError, match="too much to sort"):
        ask(store, "sort n | dedup n")


def test_limits_and_duplicates(store: LogStore) -> None:
    """`limit` counts where it stands; `dedup` keeps the newest, and what lacks a field is no duplicate."""
    write(store, {"a": 1}, {"a": 2}, {"a": 1}, {"b": 1}, {"b": 1})
    assert len(ask(store, "limit 2")) == 2
    assert len(ask(store, "", limit=3)) == 3
    assert ask(store, "limit 3 | filter a = 2") == []
    found = ask(store, "fields a, toMillis(@timestamp) as t | dedup a | sort t")
    assert [(row.get("a"), int(row["t"]) - T0) for row in found] == [
        ("2", 1000),
        ("1", 2000),
        (None, 3000),
        (None, 4000),
    ]


def test_lists_are_unnested(store: LogStore) -> None:
    """A record for each element."""
    write(store, {"items": [{"id": 1}, {"id": 2}]})
    rows = ask(store, "fields jsonParse(@message) as doc | unnest doc.items into item | display item.id")
    assert rows == [{"item.id": "1"}, {"item.id": "2"}]


# --- stats


def test_aggregates(store: LogStore) -> None:
    """Each gives what it says of the values that there are."""
    numbers = [3, 1, 4, 1, 5, 9, 2, 6]
    write(store, *[{"n": number, "name": f"u{number}"} for number in numbers], {"other": 1})
    (row,) = ask(
        store,
        "stats count(*), count(n), count_distinct(n) as d, sum(n) as s, avg(n) as a, min(n) as lo, max(n) as hi, "
        "pct(n, 50) as p50, pct(n, 100) as p100, stddev(n) as sd, earliest(name) as first, latest(name) as last, "
        "sortsFirst(name) as sf, sortsLast(name) as sl, sum(n) / count(n) as mean, mean * 2 as twice, sum(none) as nothing",
    )
    assert row.pop("sd") == repr(statistics.pstdev(numbers))
    assert row == {
        "count(*)": "9",
        "count(n)": "8",
        "d": "7",
        "s": "31",
        "a": "3.875",
        "lo": "1",
        "hi": "9",
        "p50": "3",
        "p100": "9",
        "first": "u3",
        "last": "u6",
        "sf": "u1",
        "sl": "u9",
        "mean": "3.875",
        "twice": "7.75",
    }


def test_groups_come_in_order(store: LogStore) -> None:
    """By field and by time; what lacks the field is a group of its own."""
    write(store, *[{"level": "A" if n % 3 else "B", "n": n} for n in range(120)], "no json")
    assert ask(store, "stats count(*) as n, max(n) as m by level") == [
        {"level": "A", "n": "80", "m": "119"},
        {"level": "B", "n": "40", "m": "117"},
        {"n": "1"},
    ]
    assert ask(store, "filter level = 'B' | stats count(*) as n by bin(1m) as t") == [
        {"t": "2023-11-14 22:13:00.000", "n": "14"},
        {"t": "2023-11-14 22:14:00.000", "n": "20"},
        {"t": "2023-11-14 22:15:00.000", "n": "6"},
    ]
    assert ask(store, "stats count(*) as n by level | stats max(n) as most, count(*) as levels") == [
        {"most": "80", "levels": "3"}
    ]
    assert ask(store, "stats count(*) as n by level | filter n > 50 | sort n desc | display level") == [
        {"level": "A"}
    ]


def test_nothing_makes_one_row_of_counts(store: LogStore) -> None:
    """Without groups there is always a row; with them there is none."""
    assert ask(store, "stats count(*) as n, max(a) as m") == [{"n": "0"}]
    assert ask(store, "stats count(*) by a") == []


@pytest.mark.parametrize("period", ["1m", "5m", "1h", "1d"])
def test_counts_by_time_are_the_same_from_rollups(store: LogStore, period: str) -> None:
    """What sealed segments count by the minute gives what looking at each event gives, at the edges too."""
    rnd = random.Random(2)
    times = sorted(T0 + rnd.randrange(3 * 3_600_000) for _ in range(2000))
    store.append("g", "s", [(time, "x") for time in times[:1500]])
    store.release(0)
    maintain(store, everything=True)
    store.append("g", "s", [(time, "x") for time in times[1500:]])
    for start, end in ((None, None), (T0 + 61_234, T0 + 7_000_123), (T0 + 10, T0 + 20_000)):
        quick = ask(store, f"stats count(*) as n by bin({period}) as t", start=start, end=end)
        slow = ask(
            store, f"filter @message = 'x' | stats count(*) as n by bin({period}) as t", start=start, end=end
        )
        assert quick == slow
        total = sum(1 for time in times if (start is None or time >= start) and (end is None or time < end))
        assert ask(store, "stats count(*) as n", start=start, end=end) == [{"n": str(total)}]


def test_expired_events_are_not_counted(store: LogStore) -> None:
    """Retention holds for rollups as for events, in the middle of a minute."""
    clock = store.clock
    assert isinstance(clock, ManualClock)
    store.update_group("g", lambda info: info.__class__(info.name, info.created, 1, info.tags, info.extra))
    store.append("g", "s", [(T0 + number * 7001, "x") for number in range(100)])
    clock.advance(86_400 - 3600 + 100.5)
    kept = sum(1 for number in range(100) if number * 7001 >= 100_500)
    for text in ("stats count(*) as n", "filter @message = 'x' | stats count(*) as n"):
        assert ask(store, text) == [{"n": str(kept)}]


def test_many_values_are_estimated_closely(store: LogStore) -> None:
    """Percentiles within half a percent, distinct counts within three, in little memory."""
    rnd = random.Random(3)
    numbers = [rnd.lognormvariate(3, 1) for _ in range(20_000)]
    write(store, *[{"n": number, "id": f"i{index}"} for index, number in enumerate(numbers)], step=1)
    (row,) = ask(store, "stats pct(n, 50) as p50, pct(n, 99) as p99, count_distinct(id) as d")
    ordered = sorted(numbers)
    assert float(row["p50"]) == pytest.approx(ordered[9_999], rel=0.006)
    assert float(row["p99"]) == pytest.approx(ordered[19_799], rel=0.006)
    assert int(row["d"]) == pytest.approx(20_000, rel=0.03)


def test_too_many_groups_are_refused(store: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query can't fill the memory with groups."""
    monkeypatch.setattr(grouping, "GROUPS_MAX", 10)
    write(store, *[{"n": number} for number in range(20)])
    with pytest.raises(QueryError, match="more than 10 groups"):
        ask(store, "stats count(*) by n")


# --- what is pushed down to the search


def test_a_filter_passes_over_what_cannot_match(store: LogStore) -> None:
    """Literals of the first filters rule lines out before they are decoded; of one stream only that is read."""
    store.create_stream("g", "t")
    store.append("g", "t", [(T0, json.dumps({"level": "INFO", "stream": "t"}))])
    write(store, *[{"level": "ERROR" if n == 7 else "INFO", "n": n} for n in range(1000)], step=1)
    for text, scanned in (
        ("filter level = 'ERROR' and n > 5", 1),
        ("filter @message like /ERR(O)R/", 1001),
        ('filter @message like /ERR.R": *"?/', 1),
        ("filter @message like 'ERROR'", 1),
        ('filter @message =~ /: "ERROR"/', 1),
        ("fields n | filter level = 'ERROR' | stats count(*)", 1),
        ("fields 'ERROR' as level | filter level = 'ERROR'", 1001),
        ("fields 'level' as level | filter level = 'level'", 1001),
        ("filter @logStream = 't'", 1),
        ("filter level = 'ERROR' or n = 1", 1001),
    ):
        run = Run(read(text), store, ["g"], start=None, end=None)
        list(run.rows())
        assert (text, run.statistics.scanned) == (text, scanned)
    assert len(ask(store, "filter @message like /\\x45RROR/")) == 1


def test_a_query_can_be_stopped(store: LogStore) -> None:
    """Once told to stop, it does so at its next look."""
    write(store, *["x"] * 5000, step=1)
    run = Run(read("stats count(*) by @message"), store, ["g"], start=None, end=None, stopped=lambda: True)
    with pytest.raises(Cancelled):
        list(run.rows())


def test_a_hostile_expression_takes_no_time(store: LogStore) -> None:
    """Matching is linear in the text, whatever the expression."""
    write(store, "a" * 200_000)
    assert ask(store, "filter @message like /(a+)+(a+)+(a+)+$b/") == []
    assert ask(store, "parse /(?<x>(a*)*)*c/ | filter ispresent(x)") == []
