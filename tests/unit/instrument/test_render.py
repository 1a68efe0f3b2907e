"""Any line as JSON: a matrix of hostile values."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.instrument.render import render
from tests.unit.instrument.hostile import CIRCULAR, DEEP, Colour, Model, NoText, Point


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("7.70"), "7.70"),
        (Colour.RED, "red"),
        (Point(1, Colour.RED), {"x": 1, "y": "red"}),
        (Model(1), {"a": 1}),
        (b"\xffraw", "\\xffraw"),
        ({"x"}, ["x"]),
        (dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "2026-01-02T00:00:00+00:00"),
        (dt.timedelta(seconds=2), 2.0),
        (ValueError("bad"), "ValueError: bad"),
        ((1, 2), [1, 2]),
    ],
)
def test_usual_values_are_told_plainly(value: object, expected: object) -> None:
    """What functions log every day comes out as a reader wants it, with nothing marked as degraded."""
    assert json.loads(render({"k": value})) == {"k": expected}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (CIRCULAR, {"self": "<circular>"}),
        (2**70, str(2**70)),
        (NoText(), "<NoText: repr() raised ValueError>"),
        ("\ud800x", "\\ud800x"),
        ({(1, 2): 3, 4: 5}, {"(1, 2)": 3, "4": 5}),
        ([math.inf, 2**70], ["inf", str(2**70)]),
        ({"a": [{"b": (1, math.nan)}]}, {"a": [{"b": [1, "nan"]}]}),
    ],
    ids=["circular", "huge", "hostile", "surrogate", "keys", "infinite", "within"],
)
def test_hostile_values_fall_back_alone(value: object, expected: object) -> None:
    """Only the value itself is degraded, the line says which, and the other keys are as they were."""
    found = json.loads(render({"message": "m", "k": value, "good": [1, {"a": None}]}))
    assert found == {"message": "m", "k": expected, "good": [1, {"a": None}], "degraded": ["k"]}


def test_a_null_is_as_good_as_any_value() -> None:
    """What has one is told as what has none: it is looked into for numbers that JSON writes so, and has none."""
    for inmost in (1, None):
        value: Any = {"last": [inmost, 0.5, ("x", True)]}
        for _ in range(30):
            value = {"in": [value]}
        assert json.loads(render({"k": value})) == {"k": json.loads(json.dumps(value))}


def test_no_line_is_without_end() -> None:
    """Megabytes and depths are cut, and said to be."""
    found = json.loads(render({"k": "x" * 2_000_000, "d": DEEP}))
    assert len(found["k"]) < 60_000
    assert found["k"].endswith("(2000000 characters)")
    assert found["degraded"] == ["d", "k"]


@pytest.mark.parametrize(
    "line",
    [
        {"message": "m"} | {f"key-{number}": number for number in range(100_000)},
        {"message": "m"} | {f"key-{number}": "x" * 30 for number in range(5000)},
        {f"k{number}": "\0" * 50_000 for number in range(50)},
        {f"k{number}": "\U0001f600" * 50_000 for number in range(50)},
    ],
    ids=["keys", "values", "escapes", "wide"],
)
def test_a_line_fits_into_an_event_of_cloudwatch(line: dict[str, Any]) -> None:
    """However many keys there are, and whatever JSON makes of their characters: half its megabyte at most, and it says so."""
    raw = render(line)
    assert len(raw) < 500_000
    assert json.loads(raw)["degraded"]


@pytest.mark.parametrize(
    "more",
    [{f"k{number}": "x" * 50_000 for number in range(9)}, dict.fromkeys(map(str, range(2000)), math.nan)],
)
def test_a_failure_is_not_what_makes_room(more: dict[str, Any]) -> None:
    """It stands behind the caller's keys; where these are too many, or too long, they are cut and it is told whole."""
    failure = {"type": "ValueError", "frames": [{"file": "app.py", "line": 3}]}
    found = json.loads(render({"message": "m", **more, "errorType": "ValueError", "failure": failure}))
    assert (found["errorType"], found["failure"]) == ("ValueError", failure)
    assert list(found)[-4:] == ["errorType", "failure", "…", "degraded"]
    assert found["degraded"][-1] == "…"


def test_a_number_that_python_writes_only_in_sixteens_is_told() -> None:
    """One of more digits than Python turns into text keeps its beginning."""
    assert json.loads(render({"k": 16**5000}))["k"].startswith("0x1000")


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.decimals()
    | st.datetimes()
    | st.builds(NoText),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5) | st.integers() | st.tuples(st.integers()), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), anything, max_size=4))
def test_any_line_is_one_line_of_json(line: dict[str, Any]) -> None:
    """Whatever is logged, out comes valid JSON without a line break."""
    raw = render(line)
    assert b"\n" not in raw

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    assert isinstance(json.loads(raw, parse_constant=refuse), dict)
