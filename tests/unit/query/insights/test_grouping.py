"""Counts and other aggregates, over all events or by groups."""

from __future__ import annotations

import random
import statistics
from typing import TYPE_CHECKING

import pytest

from lambdalog.clock import ManualClock
from lambdalog.errors import QueryError
from lambdalog.query.insights import grouping
from lambdalog.store.maintenance import maintain

if TYPE_CHECKING:
    from lambdalog.store import LogStore
from tests.unit.query.insights.asking import T0, ask, write


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
