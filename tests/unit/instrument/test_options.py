"""What `@handler(…)` takes."""

from __future__ import annotations

from typing import Any

import pytest

from lambdalog import handler
from lambdalog.instrument.options import checked


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"permanent": ValueError}, "go together"),
        ({"dead_letter": "q"}, "go together"),
        ({"permanent": ["ValueError"], "dead_letter": "q"}, "exception classes"),
        ({"permanent": [int], "dead_letter": "q"}, "exception classes"),
        ({"timeout_warning": -1}, "seconds"),
        ({"sample": 2}, "share"),
        ({"debug_ring": -1}, "lines"),
        ({"correlation": "a["}, "path"),
        ({"timeout_warning": "1"}, "seconds"),
        ({"sample": "all"}, "share"),
        ({"debug_ring": 1.5}, "number of lines"),
        ({"flush": "no"}, "seconds"),
        ({"flush": float("inf")}, "seconds"),
        ({"scrub": ["tax number"]}, "Scrubber"),
        ({"nonsense": 1}, r"^handler\(\) got an unexpected keyword argument 'nonsense'"),
    ],
)
def test_wrong_options_are_refused_when_the_function_is_defined(options: Any, error: str) -> None:
    """Not at the first event."""
    with pytest.raises((TypeError, ValueError), match=error):
        handler(**options)


@pytest.mark.parametrize(
    ("variable", "given", "sample", "ring"),
    [
        ("LAMBDALOG_SAMPLE", "0.5", 0.5, 0),
        ("LAMBDALOG_SAMPLE", "7", 1.0, 0),
        ("LAMBDALOG_SAMPLE", "-1", 0.0, 0),
        ("LAMBDALOG_SAMPLE", "nan", 0.0, 0),
        ("LAMBDALOG_SAMPLE", "often", 0.0, 0),
        ("LAMBDALOG_DEBUG_RING", "50", 0.0, 50),
        ("LAMBDALOG_DEBUG_RING", "-3", 0.0, 0),
        ("LAMBDALOG_DEBUG_RING", "inf", 0.0, 0),
        ("LAMBDALOG_DEBUG_RING", "", 0.0, 0),
    ],
)
def test_the_environment_sets_what_the_arguments_do_not(
    monkeypatch: pytest.MonkeyPatch, variable: str, given: str, sample: float, ring: int
) -> None:
    """Sampling and the ring can be switched on without a new package; nonsense is passed over, and stops no function."""
    monkeypatch.setenv(variable, given)
    assert (checked().sample, checked().debug_ring) == (sample, ring)
    assert (checked(sample=0.1).sample, checked(debug_ring=7).debug_ring) == (0.1, 7)


def test_the_kinds_of_permanent_failures_may_be_one_or_many() -> None:
    """A class, or several."""
    assert checked(permanent=ValueError, dead_letter="q").permanent == (ValueError,)
    assert checked(permanent=[ValueError, KeyError], dead_letter="q").permanent == (ValueError, KeyError)
    assert checked(timeout_warning=0).timeout_warning is None
