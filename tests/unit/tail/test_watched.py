"""What is known of a group that is followed."""

from __future__ import annotations

from lambdalog.tail import Line
from lambdalog.tail.group import Group
from lambdalog.tail.watched import FAR_BACK_MS, LOOK_BACK_MS, Watched

NOW = 1_700_000_000_000


def line(number: int, at: int = NOW) -> Line:
    """A line by its number."""
    return Line(at, at + 50, "g", "s", f"line {number}", f"id{number}")


def looked(watched: Watched, *lines: Line, at: float = 0.0) -> tuple[list[Line], list[Line]]:
    """One whole look, `at` seconds from now."""
    watched.begin(at, NOW + int(at * 1000))
    found = watched.take(list(lines))
    watched.finish(at)
    return found


def test_an_event_is_given_once() -> None:
    """What a look gave, the next one doesn't give again, though it goes back behind it."""
    watched = Watched(Group("g", "", 0), NOW)
    assert looked(watched, line(1), line(2)) == ([line(1), line(2)], [])
    assert looked(watched, line(2), line(3), at=1.0) == ([line(3)], [])
    assert watched.start == NOW
    looked(watched, at=1000.0)
    looked(watched, at=1001.0)
    assert watched.start == NOW + 1_000_000 - FAR_BACK_MS


def test_what_lies_behind_the_window_is_late() -> None:
    """An event from before what each look goes back to is given, and told apart."""
    watched = Watched(Group("g", "", 0), NOW - 60_000)
    looked(watched)
    old = line(1, NOW - LOOK_BACK_MS - 1)
    assert looked(watched, old, line(2, NOW - LOOK_BACK_MS), at=1.0) == (
        [old, line(2, NOW - LOOK_BACK_MS)],
        [old],
    )


def test_live_tail_and_looks_give_an_event_once() -> None:
    """Whichever of the two comes first gives it; what was asked for from now on is not given from before."""
    watched = Watched(Group("g", "", 0), NOW)
    watched.live = True
    first = watched.take_live(line(1)._replace(id=""))
    assert first is not None
    assert first.message == "line 1"
    assert looked(watched, line(1), line(2)) == ([line(2)], [])
    assert watched.take_live(line(2)._replace(id="")) is None
    assert watched.take_live(line(3, NOW - 1)) is None


def test_what_a_group_writes_is_its_weight() -> None:
    """A group that writes weighs more than a quiet one, and nothing once Live Tail has it; changes add up to it."""
    watched = Watched(Group("g", "", 0), NOW)
    quiet = watched.weigh()
    assert quiet > 0
    looked(watched, *(line(number) for number in range(10)), at=1.0)
    assert quiet + watched.weigh() == watched.weight > quiet
    watched.live = True
    assert watched.weigh() < 0
    assert watched.weight == 0
