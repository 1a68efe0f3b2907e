"""How deep queues were, and which way they go."""

from __future__ import annotations

from tests.tui.made import queue_of
from tui.queues.depths import LOOKS, Depths


def test_a_change_is_told_by_the_minute() -> None:
    """What came in ten seconds is told as what would come in a minute; what left is below zero."""
    depths = Depths()
    depths.look([queue_of("a", ready=10), queue_of("b", ready=5)], 0)
    depths.look([queue_of("a", ready=20), queue_of("b", ready=4)], 10_000)
    assert depths.change("a") == 60
    assert depths.change("b") == -6


def test_nothing_is_told_of_one_look() -> None:
    """One look, or two at the same moment, tell no change; nor does a queue that no one knows."""
    depths = Depths()
    depths.look([queue_of("a")], 0)
    depths.look([queue_of("a")], 100)
    assert depths.change("a") is None
    assert depths.change("b") is None


def test_only_the_last_minute_counts() -> None:
    """What came before the last minute is no longer told."""
    depths = Depths()
    for at, ready in ((0, 0), (30_000, 100), (60_000, 100), (90_000, 100)):
        depths.look([queue_of("a", ready=ready)], at)
    assert depths.change("a") == 0


def test_a_queue_that_is_gone_is_forgotten() -> None:
    """A queue of the same name made anew begins anew; and looks are bounded."""
    depths = Depths()
    depths.look([queue_of("a", ready=1)], 0)
    depths.look([], 1)
    for at in range(100):
        depths.look([queue_of("a", ready=at)], at + 2)
    assert depths.depths("a") == list(range(100 - LOOKS, 100))
