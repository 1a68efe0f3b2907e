"""The logger: what a line says, in its methods' words, with its own keys, and after its processors."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from typing import Any

import pytest

from lambdalog import get_logger
from lambdalog.instrument.invocation import CURRENT
from tests.unit.instrument.heard import Context, Heard
from tests.unit.instrument.hostile import NoText


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


def test_outside_of_an_invocation_nothing_is_bound_to_one() -> None:
    """bind_invocation without an invocation leaves no key behind for the next."""
    get_logger().bind_invocation(a=1)
    running = CURRENT.begin(Context())
    assert "a" not in running.fields
    CURRENT.end(running)


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


# How deep a program may go that logs from each of its last calls.
DEEP = """
import sys
from lambdalog import get_logger
from lambdalog.instrument.output import STDOUT

log = get_logger()
log.info("first")
sys.setrecursionlimit(300)
calls = raised = 0

def deeper(n):
    global calls, raised
    try:
        deeper(n + 1)
    except RecursionError:
        pass
    try:
        log.info("here", depth=n)
        calls += 1
    except RecursionError as error:
        # Python has no room for the call itself: nothing of the logger's has run.
        raised += error.__traceback__.tb_next is not None

deeper(0)
sys.stderr.write(f"{calls} {raised} {STDOUT.lost}")
"""


def test_at_the_recursion_limit_a_call_returns_and_its_line_is_counted() -> None:
    """What there is no room to write is lost, never raised, and never without being counted."""
    done = subprocess.run([sys.executable, "-c", DEEP], capture_output=True, text=True, check=True)
    calls, raised, lost = map(int, done.stderr.split())
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert raised == 0
    assert lost > 0
    assert sum(line["message"] == "here" for line in lines) + lost == calls
    assert sum(line.get("linesLost", 0) for line in lines) == lost
