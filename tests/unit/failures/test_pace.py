"""How fast, and when to stop."""

from __future__ import annotations

from itertools import islice

import pytest

from lambdalog.errors import ConfigError
from lambdalog.failures import Pace
from lambdalog.failures.pace import parse_rate, parse_stop


@pytest.mark.parametrize(
    ("canary", "stages"), [(1, [1, 2, 5, 10, 20, 50, 100]), (3, [3, 5, 10]), (0, [1, 2, 5]), (5, [5, 10, 20])]
)
def test_stages_follow_the_canary(canary: int, stages: list[int]) -> None:
    """One, two, five, ten, and so on without end."""
    assert list(islice(Pace(canary=canary).stages(), len(stages))) == stages


def test_when_a_run_stops() -> None:
    """A failed canary at once; so many failures at once; a share at the end of a stage, and not before."""
    assert Pace(canary=2).verdict(stage=0, ended=False, sent=1, failed=1) == "the canary failed"
    assert not Pace(canary=2).verdict(stage=1, ended=True, sent=4, failed=1)
    assert Pace(stop_after=2).verdict(stage=3, ended=False, sent=9, failed=2)
    assert not Pace(stop_after=2).verdict(stage=3, ended=True, sent=9, failed=1)
    share = Pace(stop_share=0.2)
    assert not share.verdict(stage=1, ended=False, sent=3, failed=3)
    assert not share.verdict(stage=1, ended=True, sent=10, failed=2)
    assert "3 of 10" in share.verdict(stage=1, ended=True, sent=10, failed=3)


def test_it_is_kept_and_read_back() -> None:
    """The journal's record has what was said, and becomes the same pace."""
    pace = Pace(rate=2.5, canary=1, stop_share=0.2)
    assert Pace.of(pace.record()) == pace


def test_what_is_typed() -> None:
    """5, 20%, 5/s, 90/m; and nothing else."""
    assert (parse_stop("5"), parse_stop("20%")) == ((5, None), (None, 0.2))
    assert (parse_rate("5/s"), parse_rate("90/m"), parse_rate("2"), parse_rate("36/h")) == (5, 1.5, 2, 0.01)
    for text in ("0", "-1", "x", "100%", "%", ""):
        with pytest.raises(ConfigError):
            parse_stop(text)
    for text in ("0", "x/s", "3/d", "inf", "nan/s", ""):
        with pytest.raises(ConfigError):
            parse_rate(text)
