"""How functions fare, from their marks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.health import Book, Sketch, Who
from lambdalog.invocations import Mark, Report

GROUP = "/aws/lambda/pay"
MINUTE = 60_000


def run(
    at: int, request: str, version: str = "3", *, name: str = "", error: str = "", **more: Any
) -> list[Mark]:
    """An invocation's marks."""
    values: dict[str, Any] = {
        "duration_ms": 10.0, "billed_ms": 10, "memory_mb": 128, "max_memory_mb": 32, "init_ms": None, "status": "",
        "error_type": "",
    } | more  # fmt: skip
    stream = f"2026/01/02/{name}[{version}]aa"
    found = [Mark(at, GROUP, stream, "start", request, version=version)]
    if error:
        found.append(Mark(at, GROUP, stream, "error", "", error_type=error))
    return [*found, Mark(at + 10, GROUP, stream, "report", request, report=Report(**values))]


def test_what_a_version_did() -> None:
    """Invocations, errors by kind, timeouts, cold starts, memory and GB-seconds, for each version apart."""
    book = Book()
    book.add(run(0, "a", init_ms=100.0, billed_ms=1024, memory_mb=1024))
    book.add(run(100, "b", error="Declined", max_memory_mb=64))
    book.add(run(200, "c", status="timeout"))
    book.add(run(300, "d", "4"))
    assert book.who() == [Who(GROUP, "3"), Who(GROUP, "4")]
    found = book.health(Who(GROUP, "3"), 0, MINUTE)
    assert (found.invocations, found.errors, found.timeouts, found.cold) == (3, 2, 1, 1)
    assert found.kinds == (("Declined", 1), ("Sandbox.Timedout", 1))
    assert found.error_share == pytest.approx(2 / 3)
    assert found.cold_share == pytest.approx(1 / 3)
    assert (found.memory_mb, found.max_memory_mb, found.headroom) == (128, 64, 0.5)
    assert found.gb_seconds == pytest.approx(1.024 + 2 * 0.01 * 128 / 1024)
    assert book.health(Who(GROUP, "4"), 0, MINUTE).errors == 0


def test_functions_that_share_a_group_are_told_apart() -> None:
    """By the names in their streams; one whose own group it is has none there, and is called as the group."""
    book = Book()
    book.add(run(0, "a") + run(1, "b", name="refunds", error="Declined") + run(2, "c", name="refunds"))
    own, guest = Who.of("pay", GROUP, "3"), Who.of("refunds", GROUP, "3")
    assert book.who() == [own, guest]
    assert (own.name, guest.name) == ("pay", "refunds")
    found = [book.health(who, 0, MINUTE) for who in (own, guest)]
    assert [(one.invocations, one.errors) for one in found] == [(1, 0), (2, 1)]


def test_only_the_time_that_is_asked_for() -> None:
    """A stretch has what began in its minutes, and the trend shows when."""
    book = Book()
    for minute in range(10):
        book.add(run(minute * MINUTE, f"r{minute}", error="Declined" if minute == 9 else ""))
    found = book.health(Who(GROUP, "3"), 5 * MINUTE, 10 * MINUTE, stretches=5)
    assert found.invocations == 5
    assert found.trend == ((1, 0), (1, 0), (1, 0), (1, 0), (1, 1))
    empty = book.health(Who(GROUP, "3"), 100 * MINUTE, 101 * MINUTE)
    assert (empty.invocations, empty.p50, empty.headroom, empty.error_share) == (0, None, None, 0.0)


def test_each_report_counts_once() -> None:
    """What is read again, as where history and following meet, changes nothing."""
    book = Book()
    assert book.add(run(0, "a")) == 1
    assert book.add(run(0, "a")) == 0
    assert book.health(Who(GROUP, "3"), 0, MINUTE).invocations == 1


def test_attempts_count_each() -> None:
    """Retries of one request are invocations of their own, as AWS's metrics count them."""
    book = Book()
    book.add(run(0, "a", error="Declined"))
    book.add(run(1000, "a"))
    found = book.health(Who(GROUP, "3"), 0, MINUTE)
    assert (found.invocations, found.errors) == (2, 1)


def test_old_minutes_are_let_go() -> None:
    """The book holds so many minutes of a version, the newest."""
    book = Book(minutes=3)
    for minute in range(6):
        book.add(run(minute * MINUTE, f"r{minute}"))
    assert book.health(Who(GROUP, "3"), 0, 100 * MINUTE).invocations == 3


def test_made_up_error_types_are_bounded() -> None:
    """A function that names each error anew fills no memory; all of them count."""
    book = Book()
    for number in range(200):
        book.add(run(number, f"r{number}", error=f"Error{number}"))
    found = book.health(Who(GROUP, "3"), 0, MINUTE)
    assert found.errors == 200
    assert found.kinds[0] == ("others", 180)


@given(st.lists(st.floats(0.01, 900_000), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_percentiles_are_within_one_percent(values: list[float], share: float) -> None:
    """The sketch's percentile is near the true one, the smallest value that `share` of all do not exceed."""
    sketch = Sketch()
    for value in values:
        sketch.add(value)
    true = sorted(values)[max(-(-int(share * len(values) * 1000) // 1000), 1) - 1]
    found = sketch.percentile(share)
    assert found is not None
    # Where rounding of the rank is in doubt, its neighbours will do.
    ordered = sorted(values)
    place = ordered.index(true)
    near = ordered[max(place - 1, 0) : place + 2]
    assert any(abs(found - one) <= one * 0.011 for one in near)


def test_sketches_add_up() -> None:
    """Merged, two sketches are that of all their values."""
    one, other, both = Sketch(), Sketch(), Sketch()
    for value in range(1, 50):
        (one if value % 2 else other).add(value)
        both.add(value)
    one.merge(other)
    assert (one.count, one.buckets) == (both.count, both.buckets)
    assert Sketch().percentile(0.5) is None
