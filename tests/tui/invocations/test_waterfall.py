"""The waterfall's scale and rows."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from lambdalog.invocations import Roll, mark_of
from tests.tui.made import ran
from tui.feed.invocations import Child
from tui.invocations.waterfall import Step, scale, steps_of, waterfall

T0 = 1_700_000_000_000


def test_a_long_wait_is_drawn_short() -> None:
    """Two attempts of ten milliseconds, two minutes apart, both are seen."""
    steps = [Step("a", 0, 10, "info", ""), Step("wait", 10, 120_000, "quiet", "", "wait"), Step("b", 120_000, 120_010, "info", "")]  # fmt: skip
    column = scale(steps, 100)
    first, second = column(10) - column(0), column(120_010) - column(120_000)
    assert first == pytest.approx(second)
    assert first > 35
    assert column(0) == 0
    assert column(120_010) == pytest.approx(100)


@given(
    st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**5)), min_size=1, max_size=20),
    st.integers(1, 200),
)
def test_the_scale_keeps_the_order(spans: list[tuple[int, int]], width: int) -> None:
    """Whatever the times, later is never further left, and nothing lies outside."""
    steps = [Step("x", start, start + length, "info", "") for start, length in spans]
    column = scale(steps, width)
    times = sorted(time for step in steps for time in (step.start, step.end))
    places = [column(time) for time in times]
    assert places == sorted(places)
    assert all(-1e-6 <= place <= width + 1e-6 for place in places)


def test_rows_of_what_came_of_it() -> None:
    """Throttles, init, attempts, waits and children in order of time."""
    roll = Roll()
    roll.refuse("/aws/lambda/payments", "r", T0)
    lines = [*ran("r", T0 + 1000, init=100.0, error="Declined"), *ran("r", T0 + 61_000)]
    roll.add([mark for one in lines if (mark := mark_of(one))])
    found = roll.find("r")
    assert found is not None
    child = Child("dead letter", "q", T0 + 62_000, None, "r", "", failed=True)
    steps = steps_of(found, [child], T0 + 70_000)
    assert [step.label for step in steps] == [
        "throttled", "init", "attempt 1", "wait", "attempt 2", "→ dead letter",
    ]  # fmt: skip
    assert steps[1].start == 900


@pytest.mark.parametrize("width", [10, 40, 76, 116, 196, 400])
def test_rows_fit(width: int) -> None:
    """No row is wider than it may be, from a narrow terminal to a wide one, with wide characters in it."""
    steps = [
        Step("attempt 1", 0, 10, "info", "界" * 200),
        Step("→ dead letter", 12, 12, "info", "x" * 500, "point"),
    ]
    text = waterfall(steps, width, defaultdict(Style))
    assert all(cell_len(row) <= max(width, 46) for row in text.plain.splitlines())
