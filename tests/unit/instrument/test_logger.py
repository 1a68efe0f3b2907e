"""The logger: what a line says, and that nothing keeps it from being said."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
import enum
import json
import math
import re
import threading
from decimal import Decimal
from typing import Any

import pytest

from lambdalog import get_logger
from lambdalog.instrument.invocation import CURRENT
from lambdalog.instrument.levels import INFO
from lambdalog.instrument.ring import Ring
from tests.unit.instrument.heard import Context, Heard


def test_a_line_is_what_lambdas_tools_read() -> None:
    """RFC 3339 time with milliseconds, a level that Lambda's filter knows, the message, the keys."""
    heard = Heard()
    get_logger(output=heard, service="s").info("charging", order_id="o-1")
    line = heard.line
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("timestamp"))
    assert line == {"level": "INFO", "message": "charging", "service": "s", "order_id": "o-1"}


def test_each_method_has_its_level() -> None:
    """The words are those of Lambda's own levels."""
    heard = Heard()
    log = get_logger(output=heard, level="DEBUG")
    for method in ("debug", "info", "msg", "warning", "warn", "error", "err", "critical", "fatal"):
        getattr(log, method)("x")
    assert [line["level"] for line in heard.lines] == [
        "DEBUG",
        "INFO",
        "INFO",
        "WARN",
        "WARN",
        "ERROR",
        "ERROR",
        "FATAL",
        "FATAL",
    ]


def test_a_level_may_be_a_number_or_a_word() -> None:
    """log() takes standard logging's numbers, in-between ones too, and words; below the threshold it says nothing."""
    heard = Heard()
    log = get_logger(output=heard)
    log.log(35, "a")
    log.log("error", "b")
    log.log(15, "c")
    log.log("nonsense", "d")
    assert [(line["level"], line["message"]) for line in heard.lines] == [
        ("WARN", "a"),
        ("ERROR", "b"),
        ("INFO", "d"),
    ]


def test_coroutines_log_the_same_way() -> None:
    """Structlog's methods for coroutines write the same lines."""
    heard = Heard()
    log = get_logger(output=heard, level="DEBUG")

    async def say() -> None:
        for method in ("adebug", "ainfo", "awarning", "aerror", "acritical"):
            await getattr(log, method)("x", a=1)
        try:
            raise ValueError("bad")
        except ValueError:
            await log.aexception("failed")

    asyncio.run(say())
    assert [line["level"] for line in heard.lines] == ["DEBUG", "INFO", "WARN", "ERROR", "FATAL", "ERROR"]
    assert heard.lines[-1]["errorType"] == "ValueError"


# --- hostile values


class Colour(enum.Enum):
    """An enumeration."""

    RED = "red"


@dataclasses.dataclass
class Point:
    """A dataclass."""

    x: int
    y: object


class NoText:
    """Neither str() nor repr() can be had."""

    def __str__(self) -> str:
        raise ValueError("no str")

    __repr__ = __str__


class Liar:
    """Answers every question about itself with an exception."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class Model:
    """A model as pydantic's are."""

    def model_dump(self) -> dict[str, Any]:
        """Its fields."""
        return {"a": math.nan}


class Endless(dict[str, Any]):
    """A dict whose items never end."""

    def items(self) -> Any:
        """One more each time."""
        raise RecursionError


CIRCULAR: dict[str, Any] = {}
CIRCULAR["self"] = CIRCULAR

# value, what the line has for it, whether the line says that it is degraded
HOSTILE: list[tuple[Any, Any, bool]] = [
    (CIRCULAR, {"self": "<circular>"}, True),
    ({(1, 2): 1}, {"(1, 2)": 1}, True),
    ({1: "a"}, {"1": "a"}, True),
    ({1: "a", "1": "b"}, {"1": "a", "1_": "b"}, True),
    ("\ud800", "\\ud800", True),
    ({"\ud800": 1}, {"'\\ud800'": 1}, True),
    (2**64, "18446744073709551616", True),
    (-(2**63) - 1, "-9223372036854775809", True),
    (10**5000, None, True),
    (math.nan, "nan", True),
    (-math.inf, "-inf", True),
    ([1.5, [math.nan]], [1.5, ["nan"]], True),
    (Point(1, math.inf), {"x": 1, "y": "inf"}, True),
    (Model(), {"a": "nan"}, True),
    (NoText(), "<NoText: repr() raised ValueError>", True),
    ([NoText(), 1], ["<NoText: repr() raised ValueError>", 1], True),
    (Liar(), None, True),
    (None, None, False),
    ([None, 1.5], [None, 1.5], False),
    (b"\x00\xff", "\x00\\xff", False),
    (dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC), "2026-01-02T03:04:00+00:00", False),
    (Decimal("NaN"), "NaN", False),
    (Colour.RED, "red", False),
    (Point(1, Colour.RED), {"x": 1, "y": "red"}, False),
    ({"a", "b"}, ["a", "b"], False),
    (ValueError, "ValueError", False),
    ("\x1b[2J\u2028\x00", "\x1b[2J\u2028\x00", False),
]


@pytest.mark.parametrize(("value", "expected", "degraded"), HOSTILE, ids=lambda value: type(value).__name__)
def test_no_value_keeps_a_line_from_being_said(value: Any, expected: Any, degraded: bool) -> None:
    """Each hostile value, as a key, bound, within others and as the message: one line of JSON, marked if degraded."""
    heard = Heard()
    log = get_logger(output=heard)
    log.info("as a key", k=value, good=1)
    log.bind(k=value).info("bound", good=1)
    log.info("within", k=[value], good=1)
    log.info(value, good=1)
    log.info("in an argument: %s", value, good=1)
    key, bound, within, message, _ = heard.lines
    assert [line["good"] for line in heard.lines] == [1] * 5
    if expected is not None:
        assert (key["k"], bound["k"], within["k"], message["message"]) == (
            expected,
            expected,
            [expected],
            expected,
        )
    assert [line.get("degraded") for line in (key, bound, within)] == [["k"] if degraded else None] * 3
    assert message.get("degraded") == (["message"] if degraded else None)


def test_megabytes_are_cut_and_said_to_be() -> None:
    """A 2 MB string, a hundred thousand items and a thousand large keys make a line of bounded size."""
    heard = Heard()
    log = get_logger(output=heard)
    log.info("m" * 2_000_000, text="x" * 2_000_000, items=list(range(100_000)))
    log.info("many", **{f"k{number}": "x" * 40_000 for number in range(100)})
    log.info("keys", k={"x" * 100_000: 1})
    for raw in heard.raw:
        assert len(raw) < 260_000
    first = heard.lines[0]
    assert first["text"].endswith("… (2000000 characters)")
    assert first["items"][-1] == "… 99000 more"
    assert set(first["degraded"]) == {"message", "text", "items"}


RESERVED = [
    "name",
    "message",
    "msg",
    "event",
    "level",
    "self",
    "args",
    "keys",
    "exc",
    "logger",
    "timestamp",
    "method",
    "number",
    "running",
    "function",
    "requestId",
    "failure",
    "degraded",
    "errorType",
]


@pytest.mark.parametrize("name", RESERVED)
def test_a_key_can_bear_any_name(name: str) -> None:
    """Names that loggers choke on are keys; one that the line itself has gets an underscore, and replaces nothing."""
    heard = Heard()
    get_logger(output=heard).info("said", **{name: "mine"})
    line = heard.line
    assert (line["message"], line["level"]) == ("said", "INFO")
    assert "mine" in (line.get(name), line.get(f"{name}_"))
    assert line["timestamp"] != "mine"


def test_two_keys_that_want_one_name_are_both_there() -> None:
    """`level` and `level_` stay two keys."""
    heard = Heard()
    get_logger(output=heard).info("x", level=1, level_=2)
    assert (heard.line["level"], heard.line["level_"], heard.line["level__"]) == ("INFO", 2, 1)


def test_messages_may_be_anything() -> None:
    """Old-style arguments are put in; nothing, "null", objects, None and wrong formats are still lines."""
    heard = Heard()
    log = get_logger(output=heard)
    log.info("%s items of %d", "two", 3)
    log.info("%(n)s items", {"n": 2})
    log.info("%d items", "two")
    log.info("100%", 1)
    log.info("null")
    log.info("")
    log.info()
    log.info({"a": 1})
    log.info("%s", NoText())
    assert [line["message"] for line in heard.lines] == [
        "two items of 3",
        "2 items",
        "%d items ('two',)",
        "100% (1,)",
        "null",
        "",
        None,
        {"a": 1},
        "str (not to be shown: ValueError)",
    ]


def test_a_broken_processor_does_not_lose_the_line() -> None:
    """A processor of the user's that raises leaves a line that says so, whatever the exception's own text does."""

    class Nasty(Exception):
        def __str__(self) -> str:
            raise ValueError("no")

    def raising(error: Exception) -> Any:
        def processor(*_: Any) -> Any:
            raise error

        return processor

    heard = Heard()
    get_logger(output=heard, processors=[raising(ZeroDivisionError("division"))]).info("kept", a=1)
    get_logger(output=heard, processors=[raising(Nasty())]).info("kept", a=1)
    assert [(line["message"], line["a"], line["lambdalogError"]) for line in heard.lines] == [
        ("kept", 1, "ZeroDivisionError: division"),
        ("kept", 1, "Nasty"),
    ]


# --- standard logging's arguments


def test_an_exception_is_told_as_a_failure() -> None:
    """exception() adds the type, the text and the whole failure of what is handled now, with its variables."""
    heard = Heard()
    password = "hunter2"
    try:
        raise ValueError("bad")
    except ValueError as error:
        get_logger(output=heard).exception("it failed", order=1)
        get_logger(output=heard).error("it failed", exc_info=error)
        get_logger(output=heard).error("it failed", exc_info=(type(error), error, None))
    for line in heard.lines:
        assert (line["level"], line["errorType"], line["errorMessage"]) == ("ERROR", "ValueError", "bad")
        frame = line["failure"]["frames"][-1]
        assert frame["function"] == "test_an_exception_is_told_as_a_failure"
        assert frame["locals"]["password"] == "'[scrubbed]'"
    assert password not in heard.raw[0].decode()
    assert heard.lines[0]["order"] == 1


def test_exception_without_an_exception_is_a_line() -> None:
    """Called where nothing is handled it is an error like others."""
    heard = Heard()
    get_logger(output=heard).exception("nothing here", exc_info="nonsense")
    assert heard.line["level"] == "ERROR"
    assert "failure" not in heard.line


def test_standard_loggings_arguments_mean_what_they_mean_there() -> None:
    """Extra's keys are keys, stack_info adds the calls, stacklevel names the caller's caller."""
    heard = Heard()
    log = get_logger(output=heard, location=True)

    def helper() -> None:
        log.info("x", extra={"a": 1, "message": 2}, stack_info=True, stacklevel=2)  # noqa: G101 - what people write

    helper()
    log.info("y", extra=3)
    first, second = heard.lines
    assert (first["a"], first["message"], first["message_"]) == (1, "x", 2)
    assert first["location"].split(":")[1] == "test_standard_loggings_arguments_mean_what_they_mean_there"
    assert first["stack"].endswith("helper()")
    assert second["extra"] == 3


# --- keys


def test_bound_keys_are_a_loggers_own() -> None:
    """bind, unbind, try_unbind and new give another logger; the first one's lines stay as they were."""
    heard = Heard()
    log = get_logger(output=heard)
    bound = log.bind(order="o-1", level="mine")
    bound.info("a")
    bound.unbind("order").info("b")
    bound.try_unbind("order", "nothing").info("c")
    bound.new(x=1).info("d")
    log.info("e")
    assert [(line.get("order"), line.get("level_"), line.get("x")) for line in heard.lines] == [
        ("o-1", "mine", None),
        (None, "mine", None),
        (None, "mine", None),
        (None, None, 1),
        (None, None, None),
    ]
    with pytest.raises(KeyError):
        log.unbind("nothing")


def test_a_child_bears_its_parents_name_and_keys() -> None:
    """A child's lines say where in the program they come from; level, place and keys are the parent's."""
    heard = Heard()
    log = get_logger("orders", output=heard, level="DEBUG", location=True, service="s")
    log.child("payments").child("bank", shard=1).debug("x")
    line = heard.line
    assert (line["logger"], line["service"], line["shard"]) == ("orders.payments.bank", "s", 1)
    assert line["location"].startswith("test_logger.py:test_a_child_bears_its_parents_name_and_keys:")


def test_keys_are_bound_under_any_name() -> None:
    """`self` and `name` are keys like others, for a logger, a child, an invocation and a block."""
    heard = Heard()
    log = get_logger(output=heard)
    odd: dict[str, Any] = {"self": 1, "name": 2, "keys": 3}
    log.bind_invocation(**odd)
    with log.block(**odd):
        log.info("a", **odd)
    log.bind(**odd).info("b")
    log.new(**odd).info("c")
    log.child("part", **odd).info("d")
    assert [{key: line[key] for key in odd} for line in heard.lines] == [odd] * 4
    assert heard.lines[3]["logger"] == "part"


def test_a_block_restores_what_it_shadowed() -> None:
    """Keys of a block are in its lines, nested ones too; afterwards the former values are back, also after a failure."""
    heard = Heard()
    log = get_logger(output=heard)
    running = CURRENT.begin(Context())

    def failing() -> None:
        with contextlib.suppress(KeyError), log.block(order="innermost", item=1):
            log.info("b")
            raise KeyError

    try:
        log.bind_invocation(order="outer", customer="ada")
        with log.block(order="inner"):
            log.info("a")
            failing()
            log.info("c")
            log.bind_invocation(late=True)
        log.info("d")
    finally:
        CURRENT.end(running)
    with log.block(order="outside"):
        log.info("e")
    log.info("f")
    assert [(line["message"], line.get("order"), line.get("item")) for line in heard.lines] == [
        ("a", "inner", None),
        ("b", "innermost", 1),
        ("c", "inner", None),
        ("d", "outer", None),
        ("e", "outside", None),
        ("f", None, None),
    ]
    assert heard.lines[3]["late"] is True
    assert heard.lines[3]["customer"] == "ada"


def test_threads_of_the_handler_have_its_keys() -> None:
    """A thread started in a block has the invocation's keys and the block's; what it binds itself stays its own."""
    heard = Heard()
    log = get_logger(output=heard)
    running = CURRENT.begin(Context())

    def work() -> None:
        log.info("in a thread")
        with log.block(order="the thread's"):
            log.info("in its block")

    with log.block(order="the handler's"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        log.info("after it")
    CURRENT.end(running)
    assert [(line["order"], line["requestId"]) for line in heard.lines] == [
        ("the handler's", "req-1"),
        ("the thread's", "req-1"),
        ("the handler's", "req-1"),
    ]


def test_outside_of_an_invocation_nothing_is_bound_to_one() -> None:
    """bind_invocation without an invocation leaves no key behind for the next."""
    get_logger().bind_invocation(a=1)
    running = CURRENT.begin(Context())
    assert "a" not in running.fields
    CURRENT.end(running)


# --- levels, sampling, ring


@pytest.mark.parametrize(
    ("environment", "argument", "shown"),
    [
        ({}, None, ["INFO", "ERROR"]),
        ({"LAMBDALOG_LEVEL": "DEBUG"}, None, ["DEBUG", "INFO", "ERROR"]),
        ({"LAMBDALOG_LEVEL": "DEBUG"}, "ERROR", ["ERROR"]),
        ({"AWS_LAMBDA_LOG_LEVEL": "ERROR"}, "DEBUG", ["ERROR"]),
        ({"AWS_LAMBDA_LOG_LEVEL": "nonsense"}, None, ["INFO", "ERROR"]),
    ],
)
def test_the_level_is_lambdas_then_the_arguments_then_ours(
    environment: dict[str, str], argument: str | None, shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS_LAMBDA_LOG_LEVEL comes before the argument, and that before LAMBDALOG_LEVEL."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    heard = Heard()
    log = get_logger(output=heard, level=argument)
    log.debug("x")
    log.info("x")
    log.error("x")
    assert [line["level"] for line in heard.lines] == shown


def test_a_sampled_invocation_shows_what_others_hide() -> None:
    """Where the invocation lowers the floor its debug lines are written; is_enabled_for says so."""
    heard = Heard()
    log = get_logger(output=heard)
    running = CURRENT.begin(Context())
    log.debug("hidden")
    assert not log.is_enabled_for(10)
    running.floor = 10
    log.debug("shown")
    assert log.is_enabled_for(10)
    assert log.get_effective_level() == INFO
    CURRENT.end(running)
    log.debug("hidden again")
    assert [line["message"] for line in heard.lines] == ["shown"]


def test_the_ring_keeps_what_was_hidden_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line below the level is kept as it was then; with Lambda's own filter, under a level that this lets through."""
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", "WARN")
    heard = Heard()
    log = get_logger(output=heard, location=True)
    running = CURRENT.begin(Context())
    running.ring = Ring(10)
    items = [1]
    log.debug("kept", items=items)
    items.append(2)
    log.info("%d", NoText())
    log.warning("written")
    CURRENT.end(running)
    assert [line["message"] for line in heard.lines] == ["written"]
    kept, other = map(json.loads, running.ring.drain())
    assert (kept["message"], kept["items"], kept["level"], kept["loggedAt"]) == ("kept", [1], "WARN", "DEBUG")
    assert kept["location"].split(":")[1] == "test_the_ring_keeps_what_was_hidden_as_it_was"
    assert other["loggedAt"] == "INFO"


# --- processors


def test_processors_see_what_structlogs_see() -> None:
    """A processor gets the logger, the method's name and the event dict, may change it, drop it, or render it."""
    seen: list[Any] = []

    def look(logger: Any, method: str, event_dict: dict[str, Any]) -> Any:
        seen.append((method, dict(event_dict)))
        return {**event_dict, "event": "changed", "added": 1, "level": "info"}

    heard = Heard()
    log = get_logger(output=heard, processors=[look], service="s")
    log.warning("as it was", a=1)
    assert seen == [("warning", {"service": "s", "a": 1, "event": "as it was"})]
    line = heard.line
    assert (line["message"], line["added"], line["service"], line["level"]) == ("changed", 1, "s", "WARN")
    assert "level_" not in line
    rendered = Heard()
    get_logger(output=rendered, processors=[lambda *_: '{"my": "own"}']).info("x")
    assert rendered.line["message"] == '{"my": "own"}'
