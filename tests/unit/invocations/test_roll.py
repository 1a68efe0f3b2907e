"""Invocations from marks, in whatever order they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from lambdalog.invocations import Mark, Report, Roll
from lambdalog.invocations.invocation import LONGEST_MS

if TYPE_CHECKING:
    import random

GROUP = "/aws/lambda/pay"


def mark(at: int, kind: Any, request: str = "r", stream: str = "2026/01/02/[3]aa", **more: Any) -> Mark:
    """A mark of the function's."""
    return Mark(at, GROUP, stream, kind, request, **more)


def report(at: int, request: str = "r", stream: str = "2026/01/02/[3]aa", **more: Any) -> Mark:
    """A REPORT of ten milliseconds."""
    values: dict[str, Any] = {"init_ms": None, "status": "", "error_type": ""} | more
    return mark(at, "report", request, stream, report=Report(10.0, 10, 128, 40, **values))


def test_one_that_succeeds() -> None:
    """From START to REPORT it runs; then it is ok, with its version, times and numbers."""
    roll = Roll()
    (running,) = roll.add([mark(100, "start", version="3")])
    assert (running.status(200), running.version, running.duration_ms) == ("running", "3", None)
    (done,) = roll.add([mark(110, "end"), report(110, init_ms=50.0)])
    assert (done.status(200), done.began, done.duration_ms, done.cold, done.tries) == ("ok", 100, 10, True, 1)
    assert done.function == "pay"


def test_what_never_ends_is_lost() -> None:
    """Without a REPORT after the longest time that a function may run, nothing more will come."""
    roll = Roll()
    (found,) = roll.add([mark(100, "start")])
    assert found.status(100 + LONGEST_MS + 1) == "lost"


def test_an_error_without_a_request_belongs_to_what_its_stream_runs() -> None:
    """Python's runtime names no request: the one that was started last in the stream has failed, no other."""
    roll = Roll()
    roll.add([mark(100, "start", "a"), mark(100, "start", "b", "other")])
    roll.add([mark(105, "error", "", error_type="Declined", message="no")])
    roll.add([report(110, "a"), report(110, "b", "other")])
    a, b = roll.get(GROUP, "a"), roll.get(GROUP, "b")
    assert a is not None
    assert b is not None
    assert (a.status(200), a.error_type) == ("error", "Declined")
    assert b.status(200) == "ok"


def test_an_error_whose_start_was_not_read() -> None:
    """Where reading began in the middle, the REPORT after the error tells whose it was."""
    roll = Roll()
    roll.add([mark(105, "error", "", error_type="Declined"), report(110, "a")])
    found = roll.get(GROUP, "a")
    assert found is not None
    assert (found.status(200), found.began, found.version) == ("error", 100, "3")


def test_the_past_does_not_name_what_runs_now() -> None:
    """An error in an older stretch of time belongs to what ran then, though something newer is known of the stream."""
    roll = Roll()
    roll.add([mark(1000, "start", "new")])
    roll.add([mark(100, "start", "old"), mark(105, "error", "", error_type="Declined")], past=True)
    roll.add([mark(1005, "error", "", error_type="Refused")])
    old, new = roll.get(GROUP, "old"), roll.get(GROUP, "new")
    assert old is not None
    assert new is not None
    assert (old.error_type, new.error_type) == ("Declined", "Refused")


def test_retries_are_attempts_of_one() -> None:
    """An event that is tried again, in the same environment or another, keeps its id: it is one invocation."""
    roll = Roll()
    roll.add([mark(100, "start"), report(110, status="error"), mark(60_000, "start"), report(60_010)])
    (found,) = roll.add([mark(180_000, "start", stream="other"), report(180_010, stream="other")])
    assert [attempt.began for attempt in found.attempts] == [100, 60_000, 180_000]
    assert [attempt.status(200_000) for attempt in found.attempts] == ["error", "ok", "ok"]
    assert len(roll) == 1


def test_timeouts() -> None:
    """Told by REPORT, or, by an older Lambda, by its own line only."""
    roll = Roll()
    (new,) = roll.add([mark(100, "start", "a"), report(110, "a", status="timeout")])
    assert new.status(200) == "timeout"
    (old,) = roll.add(
        [mark(100, "start", "b"), mark(109, "error", "b", error_type="Sandbox.Timedout"), report(110, "b")]
    )
    assert old.status(200) == "timeout"


def test_what_was_refused() -> None:
    """A throttled request is there without an attempt; once it runs it is judged by that."""
    roll = Roll()
    refused = roll.refuse(GROUP, "r", 50)
    assert (refused.status(60), refused.began, refused.tries) == ("throttled", 50, 0)
    (found,) = roll.add([mark(100, "start"), report(110)])
    assert (found.status(200), found.began, found.throttled) == ("ok", 50, (50,))


def test_only_so_many_are_kept() -> None:
    """The oldest go first, are counted, and are no longer found."""
    roll = Roll(kept=3)
    for number in range(5):
        roll.add([mark(number * 100, "start", f"r{number}")])
    assert [found.request_id for found in roll.newest_first()] == ["r4", "r3", "r2"]
    assert (roll.dropped, roll.get(GROUP, "r1"), roll.oldest) == (2, None, 200)
    assert not roll.add([mark(1, "start", "older")])


def test_marks_of_one_request_are_bounded() -> None:
    """Whoever writes the same START ten thousand times gets no ten thousand attempts."""
    roll = Roll()
    roll.add([mark(number, "start") for number in range(10_000)])
    found = roll.find("r")
    assert found is not None
    assert found.tries <= 64


@given(st.randoms(use_true_random=False), st.integers(1, 5))
def test_the_order_of_reading_does_not_matter(randomness: random.Random, pieces: int) -> None:
    """Stretches of time read in any order, overlapping, give the invocations that reading at once gives."""
    marks: list[Mark] = []
    at = 0
    for number in range(12):
        request, stream = f"r{number // 2}", f"s{randomness.randrange(3)}"
        marks += [mark(at, "start", request, stream), report(at + 10, request, stream)]
        at += 20
    whole = Roll()
    whole.add(marks)
    cuts = sorted(randomness.randrange(len(marks)) for _ in range(pieces))
    stretches = [
        marks[max(low - 1, 0) : high] for low, high in zip([0, *cuts], [*cuts, len(marks)], strict=True)
    ]
    randomness.shuffle(stretches)
    parts = Roll()
    for stretch in stretches:
        parts.add(stretch, past=True)
    assert parts.newest_first() == whole.newest_first()
