"""Evaluating queries over a store."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from lambdalog.errors import QueryError
from lambdalog.query.insights import Cancelled, Run, read, stages

if TYPE_CHECKING:
    from lambdalog.store import LogStore
from tests.unit.query.insights.asking import T0, UUID, ask, write


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


def test_a_filter_passes_over_what_cannot_match(store: LogStore) -> None:
    """Literals of the first filters rule lines out before they are decoded; of one stream only that is read."""
    store.create_stream("g", "t")
    store.append("g", "t", [(T0, json.dumps({"level": "INFO", "stream": "t"}))])
    write(store, *[{"level": "ERROR" if n == 7 else "INFO", "n": n} for n in range(1000)], step=1)
    for text, scanned in (
        ("filter level = 'ERROR' and n > 5", 1),
        ("filter @message like /(E)RROR/", 1001),
        ("filter @message like /ERR(O)R/", 1),
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
