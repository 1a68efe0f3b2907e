"""Standard logging and structlog in the function's stream."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.instrument.invocation import CURRENT
from lambdalog.instrument.joining import Joined, join
from tests.unit.instrument.heard import Context, Heard

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def logger(heard: Heard) -> Iterator[logging.Logger]:
    """A logger of standard logging that writes through our handler alone."""
    found = logging.Logger("app.orders")  # noqa: LOG001 - one that no other test knows
    found.addHandler(Joined(heard))
    yield found
    found.handlers.clear()


class NoText:
    """str() fails."""

    def __str__(self) -> str:
        raise ValueError("no")

    __repr__ = __str__


def test_a_record_is_a_line_like_others(heard: Heard, logger: logging.Logger) -> None:
    """Time, level, message with its arguments, the logger's name, extra keys, and the invocation's."""
    running = CURRENT.begin(Context())
    logger.warning("%s of %d", "two", 3, extra={"order": "o-1", "level": "mine"})
    CURRENT.end(running)
    line = heard.line
    assert (line["level"], line["message"], line["logger"]) == ("WARN", "two of 3", "app.orders")
    assert (line["order"], line["level_"], line["requestId"]) == ("o-1", "mine", "req-1")
    assert line["timestamp"].endswith("Z")


def test_a_records_exception_is_a_failure(heard: Heard, logger: logging.Logger) -> None:
    """logger.exception() tells the failure with its fingerprint; stack_info is there too."""
    try:
        raise ValueError("bad")
    except ValueError:
        logger.exception("failed", stack_info=True)
    logger.error("no exception", exc_info=True)  # noqa: LOG014 - what people write
    assert heard.lines[0]["failure"]["type"] == "ValueError"
    assert "stack" in heard.lines[0]
    assert "failure" not in heard.lines[1]


@pytest.mark.parametrize("args", [(1,), ("x", 2), (NoText(),), ({"a": 1},)])
def test_a_record_that_does_not_fit_is_a_line(
    heard: Heard, logger: logging.Logger, args: tuple[Any, ...]
) -> None:
    """Wrong arguments, and arguments whose text fails, raise nothing and lose nothing."""
    logger.info("100% %d %s", *args)
    assert heard.line["level"] == "INFO"
    record = logging.makeLogRecord({"msg": NoText(), "levelno": 20, "args": 7, "exc_info": (1, 2)})
    logger.handle(record)
    assert len(heard.lines) == 2


def test_joining_is_done_once_and_leaves_others_alone() -> None:
    """The runtime client's handler and a console one give way; a file's, a test's, and the levels stay."""

    class LambdaLoggerHandler(logging.Handler):
        """As awslambdaric names its own."""

    root = logging.Logger("root", logging.WARNING)  # noqa: LOG001 - pytest uses the real one
    kept = logging.NullHandler()
    root.addHandler(LambdaLoggerHandler())
    root.addHandler(logging.StreamHandler(sys.stderr))
    root.addHandler(kept)
    join(root)
    join(root)
    assert [type(found).__name__ for found in root.handlers] == ["NullHandler", "Joined"]
    assert root.level == logging.WARNING


def test_caplog_sees_what_it_always_saw(caplog: pytest.LogCaptureFixture) -> None:
    """Pytest's fixture gets each record once, joined or not."""
    join()
    with caplog.at_level(logging.INFO):
        logging.getLogger("boto3.session").info("found %s", "credentials")
    assert [record.getMessage() for record in caplog.records] == ["found credentials"]


@pytest.mark.parametrize(
    ("level", "filtered", "expected"),
    [(logging.INFO, False, []), (logging.ERROR, False, ["said"]), (logging.INFO, True, ["said"])],
)
def test_what_a_loggers_own_handler_has_written_is_not_written_again(
    level: int, filtered: bool, expected: list[str], heard: Heard
) -> None:
    """As Powertools' loggers have one, to standard output; what it may keep back is written here."""
    outer, orders = logging.getLogger("own"), logging.getLogger("own.orders")
    own, joined = logging.StreamHandler(sys.stdout), Joined(heard)
    own.setLevel(level)
    if filtered:
        own.addFilter(lambda _: False)
    outer.propagate = False
    outer.addHandler(joined)
    orders.addHandler(own)
    orders.getChild("part").warning("said")
    outer.warning("outside of it")
    orders.removeHandler(own)
    outer.removeHandler(joined)
    assert [line["message"] for line in heard.lines] == [*expected, "outside of it"]


SCRIPT = """
import logging, os, sys
os.environ["AWS_LAMBDA_RUNTIME_API"] = "x"
logging.basicConfig(level=logging.INFO)
FIRST
import lambdalog
class Context:
    aws_request_id = "req-1"
    cold = True
@lambdalog.handler
def function(event, context):
    logging.getLogger("urllib3").info("from a library")
    lambdalog.get_logger().info("from us")
    SAY
function({}, Context())
function({}, Context())
"""


def written(say: str, first: str = "") -> list[dict[str, Any]]:
    """The lines of a function's process."""
    code = SCRIPT.replace("SAY", say).replace("FIRST", first)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_line_of_a_process_is_written_once() -> None:
    """With basicConfig() before us, a library's line and ours appear once, both as JSON with the request's id."""
    lines = written("pass")
    assert [(line["message"], line["requestId"]) for line in lines] == [
        ("from a library", "req-1"),
        ("from us", "req-1"),
    ] * 2


@pytest.mark.parametrize("first", ["import structlog", "from structlog import get_logger", ""])
def test_structlogs_loggers_join(first: str) -> None:
    """structlog, imported before or after, writes the same lines, with its bound keys and context variables."""
    say = (
        "import structlog; structlog.contextvars.bind_contextvars(tenant='t-1');"
        " structlog.get_logger('mine').bind(a=1).warning('from structlog', b=2); "
        "logging.getLogger().info('last')"
    )
    if not first:
        # Imported within an invocation, structlog is its own until the next one begins.
        say = f"if not context.cold: {say}\n    import structlog\n    Context.cold = False"
    lines = written(say, first)
    line = [found for found in lines if found["message"] == "from structlog"][-1]
    assert (line["level"], line["a"], line["b"], line["tenant"], line["logger"], line["requestId"]) == (
        "WARN",
        1,
        2,
        "t-1",
        "mine",
        "req-1",
    )


def test_a_configuration_of_the_users_own_is_left_alone() -> None:
    """A function that has configured structlog keeps what it configured."""
    first = "import structlog; structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stdout), processors=[structlog.processors.JSONRenderer()])"
    lines = written("structlog.get_logger().info('theirs')", first)
    assert {"event": "theirs"} in lines
