"""Numbers as a person reads them."""

from __future__ import annotations

import pytest

from tui.numbers import bar_text, count_text, duration_text, money_text, share_text


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 queues"), (1, "1 queue"), (2, "2 queues"), (1_200, "1,200 queues")],
)
def test_counts(count: int, said: str) -> None:
    """One is said in the singular, thousands with a comma."""
    assert count_text(count, "queue") == said


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (None, ""),
        (0.04, "0.0 ms"),
        (9.94, "9.9 ms"),
        (9.96, "10 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (59_994, "59.99 s"),
        (59_996, "1m 00s"),
        (123_000, "2m 03s"),
        (15_000_000, "4h 10m"),
    ],
)
def test_durations(ms: float | None, said: str) -> None:
    """Three digits are enough, and a unit is left before it would need a fourth."""
    assert duration_text(ms) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0%"), (0.0001, "<0.1%"), (0.004, "0.4%"), (0.12, "12%"), (0.9999, ">99%"), (1, "100%")],
)
def test_shares(share: float, said: str) -> None:
    """A share is never rounded to nothing, nor to all."""
    assert share_text(share) == said


@pytest.mark.parametrize(
    ("dollars", "said"),
    [
        (0, "$0"),
        (0.00000001, "<$0.0000001"),
        (0.0000123, "$0.0000123"),
        (1.2, "$1.20"),
        (1_200.4, "$1,200"),
    ],
)
def test_money(dollars: float, said: str) -> None:
    """Small sums keep the digits that count, large ones lose theirs."""
    assert money_text(dollars) == said


def test_bars() -> None:
    """A bar has the asked width, and shows any share above nothing."""
    assert bar_text(0, 4) == ("", "····")
    assert bar_text(0.0001, 4) == ("▏", "···")
    assert bar_text(0.5, 4) == ("██", "··")
    assert bar_text(7, 4) == ("████", "")
