"""What a failed invocation's line tells."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdalog.failure import from_record
from lambdalog.instrument.capture import tell
from lambdalog.instrument.invocation import Invocation
from lambdalog.instrument.scrub import MARK, Scrubber
from tests.unit.instrument.heard import Context


class Declined(Exception):
    """A failure of the tests."""


def caught(work: Any) -> BaseException:
    """The exception that `work` raises."""
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError("nothing was raised")


def charge(order: str, password: str, *, card: str = "4111 1111 1111 1111") -> None:
    """Fail, with variables worth hiding."""
    items = [1, 2, {"token": "t-1"}]
    nothing = None
    assert items
    assert nothing is None
    raise Declined(f"order {order} declined for card {card}")


def test_a_failure_is_told_whole_and_scrubbed() -> None:
    """Type, message, variables by name and value, and where something was taken out."""
    line = tell(caught(lambda: charge("o-1", "hunter2")))
    failure = line["failure"]
    assert (line["errorType"], line["errorMessage"]) == ("Declined", f"order o-1 declined for card {MARK}")
    variables = failure["frames"][-1]["locals"]
    assert variables["order"] == "'o-1'"
    assert variables["password"] == f"'{MARK}'"
    assert variables["card"] == f"'{MARK}'"
    assert variables["items"] == f"[1, 2, {{'token': '{MARK}'}}]"
    assert variables["nothing"] == "None"
    assert "hunter2" not in json.dumps({**line, "failure": {**failure, "frames": failure["frames"][-1:]}})
    assert failure["scrubbed"] == [
        "locals.charge.password: key",
        "locals.charge.card: card",
        "locals.charge.items[2].token: key",
        "failure.message: card",
    ]


def test_the_surroundings_are_told() -> None:
    """The event with its size, the time that was left, memory, versions."""
    running = Invocation(Context(left=1234), cold=False, environ={})
    event = {"id": "o-1", "headers": {"Authorization": "x"}}
    failure = tell(caught(lambda: 1 / 0), event=event, running=running, surroundings=True)["failure"]
    assert failure["event"] == {"id": "o-1", "headers": {"Authorization": MARK}}
    assert failure["eventBytes"] == len(json.dumps(event, separators=(",", ":")))
    assert failure["remainingMs"] == 1234
    assert failure["memoryMb"] > 1
    assert set(failure["versions"]) == {"python", "lambdalog"}


def test_hostile_surroundings_lose_no_failure() -> None:
    """A context whose clock fails and an event that is no JSON are told as such."""

    class Broken:
        def get_remaining_time_in_millis(self) -> int:
            raise RuntimeError("no clock")

    running = Invocation(Broken(), cold=False, environ={})
    failure = tell(caught(lambda: 1 / 0), event={1: object()}, running=running, surroundings=True)["failure"]
    assert failure["remainingMs"] == "not known: RuntimeError"
    assert failure["eventBytes"] is None
    assert failure["event"]["1"].startswith("<object")


def test_notes_causes_and_groups_are_told() -> None:
    """Notes, what led to it and how, and each exception of a group; it comes back from the line."""

    def fail() -> None:
        try:
            try:
                raise KeyError("first")
            except KeyError:
                raise ValueError("second")  # noqa: B904 - without `from`, on purpose
        except ValueError as error:
            group = ExceptionGroup("several", [TypeError("a"), ExceptionGroup("inner", [OSError("b")])])
            group.add_note("password=hunter2 was tried")
            raise group from error

    failure = tell(caught(fail))["failure"]
    assert failure["notes"] == [f"password={MARK} was tried"]
    assert [(cause["type"], cause["relation"]) for cause in failure["causes"]] == [
        ("ValueError", "cause"),
        ("KeyError", "context"),
    ]
    assert [member["type"] for member in failure["members"]] == ["TypeError", "ExceptionGroup"]
    assert failure["members"][1]["members"][0]["message"] == "b"
    found = from_record(json.loads(json.dumps(failure)))
    assert found.members[1].members[0].type == "OSError"
    assert found.causes[1].relation == "context"
    assert found.notes == (f"password={MARK} was tried",)


class Hostile:
    """Variables like this one are told by their type."""

    def __repr__(self) -> str:
        raise ValueError("no repr")


def test_hostile_variables_lose_no_failure() -> None:
    """repr() that raises, megabytes, circles and hundreds of variables leave a failure of bounded size."""

    def fail() -> None:
        hostile, large = Hostile(), "x" * 5_000_000
        circle: list[Any] = []
        circle.append(circle)
        many = {f"v{number}": "y" * 1000 for number in range(1000)}
        exec("raise ValueError('bad')", {}, {**many, "hostile": hostile, "large": large, "circle": circle})

    failure = tell(caught(fail))["failure"]
    variables = failure["frames"][-1].get("locals", {})
    own = failure["frames"][1]["locals"]
    assert own["hostile"] == "<Hostile: repr() raised ValueError>"
    assert len(own["large"]) < 300
    assert len(variables) <= 21
    assert len(json.dumps(failure)) < 60_000


def test_what_callers_hold_takes_no_room_from_where_it_failed() -> None:
    """An event of any size is told by its beginning, and where there is no room for all, the innermost frames have it."""

    def inner(item: Any) -> None:
        price = "12.50"
        raise ValueError(price)

    def outer(event: Any, depth: int) -> None:
        rows = [{f"key{number}": "v" * 50 for number in range(50)} for _ in range(50 + depth)]
        if depth:
            outer(event, depth - 1)
        inner(event["items"][len(rows) % 10])

    event = {"items": [{"sku": "s" * 300, "token": "t"} for _ in range(50)], "body": "b" * 20_000}
    frames = tell(caught(lambda: outer(event, 45)))["failure"]["frames"]
    told = {name: value[:13] for name, value in frames[-1]["locals"].items()}
    assert told == {"item": "{'sku': 'ssss", "price": "'12.50'"}
    assert frames[-2]["locals"]["event"].startswith("{'items': [{'sku': ")
    assert frames[5]["locals"] == {"…": "left out"}
    assert len(json.dumps(frames)) < 30_000


def test_a_failures_own_variables_come_before_those_of_its_causes() -> None:
    """With a long chain behind it, of which each has much to tell."""

    def failing(depth: int) -> None:
        texts = {f"text{number}": "x" * 1000 for number in range(9)}
        rows = [[str(depth), name, text] for name, text in texts.items()]
        one, two, three = list(rows), list(rows), list(rows)
        try:
            if depth:
                failing(depth - 1)
        finally:
            raise ValueError(depth, len(one + two + three))

    failure = tell(caught(lambda: failing(20)))["failure"]
    assert set(failure["frames"][-1]["locals"]) == {"depth", "texts", "rows", "one", "two", "three"}
    assert failure["causes"][-1]["frames"][0]["locals"] == {"…": "left out"}


def test_what_is_passed_on_is_scrubbed_under_each_of_its_names() -> None:
    """One value in several calls is looked into once, and said to be scrubbed wherever it stands."""

    def inner(order: Any) -> None:
        raise ValueError("no")

    def outer(event: Any) -> None:
        order = event["order"]
        inner(order)

    event = {"order": {"card": "4111 1111 1111 1111", "password": "hunter2"}}
    failure = tell(caught(lambda: outer(event)))["failure"]
    assert "hunter2" not in json.dumps(failure)
    assert {told for told in failure["scrubbed"] if "<lambda>" not in told} == {
        "locals.inner.order.card: card",
        "locals.inner.order.password: key",
        "locals.outer.event.order.card: card",
        "locals.outer.event.order.password: key",
        "locals.outer.order.card: card",
        "locals.outer.order.password: key",
    }


def test_an_endless_recursion_is_told_by_both_ends() -> None:
    """The frames are bounded, the fingerprint doesn't depend on the depth."""

    def down(left: int) -> None:
        if left == 0:
            raise Declined("bottom")
        down(left - 1)

    first, second = tell(caught(lambda: down(200)))["failure"], tell(caught(lambda: down(100)))["failure"]
    assert len(first["frames"]) == 50
    assert first["frames"][2]["locals"]["left"] == "200"
    assert first["frames"][-1]["locals"]["left"] == "0"
    assert first["fingerprint"] == second["fingerprint"]


def test_variables_can_be_left_out() -> None:
    """Without locals the frames have none; a scrubber of one's own is used."""
    failure = tell(
        caught(lambda: charge("ORD-17", "x")), local=False, scrubber=Scrubber(values={"order": r"ORD-\d+"})
    )
    assert "locals" not in failure["failure"]["frames"][-1]
    assert failure["errorMessage"].startswith(f"order {MARK} declined")


@pytest.mark.parametrize(
    "error", [Exception(), SystemExit(3), MemoryError(), RecursionError("deep"), KeyError(Hostile())]
)
def test_any_exception_can_be_told(error: BaseException) -> None:
    """One without a traceback, without a text, or whose text fails."""

    def fail() -> None:
        raise error

    assert tell(error)["failure"]["frames"] == []
    assert tell(caught(fail))["failure"]["type"] == type(error).__name__


def test_an_exception_that_answers_nothing_is_told_by_its_type() -> None:
    """Where its own code keeps text, causes and frames back it still is a failure with a fingerprint."""

    class Silent(Exception):
        """Fails at being asked for anything."""

        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError(name)

    keys = tell(Silent("never"), event={"id": 1}, running=None, surroundings=True)
    assert (keys["errorType"], keys["errorMessage"]) == ("Silent", "(not to be told: RuntimeError)")
    assert keys["failure"]["event"] == {"id": 1}
    assert keys["failure"]["fingerprint"] == tell(Silent("again"))["failure"]["fingerprint"]
