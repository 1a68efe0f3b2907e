"""What runs inside a function: lines, invocations, failures, the deadline, the import; beside what others use there.

Everyone writes JSON to the null device through whatever standard output is. Times are CPU, the least of many short
rounds in turns, so that a busy machine hits all alike. A line has three extras and what its logger adds by itself: of ours
and of Powertools' the keys of the invocation; structlog, loguru and standard logging are bound to as many.
"""

from __future__ import annotations

import gc
import importlib
import json
import logging
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from lambdalog import get_logger, handler
from lambdalog.instrument.deadline import Watchdog
from tests.bench.harness import MICROSECONDS, Bench, Figure, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROUNDS: Final = 40
CALLS: Final = 250
KEYS: Final = {
    "function_request_id": "7f0d8e1e-0000-4000-8000-000000000000",
    "function_name": "orders",
    "function_version": "7",
    "cold_start": False,
}
EVENT: Final = {"requestContext": {"requestId": "c-1"}, "id": "o-1", "body": "x" * 500}
DEPTH: Final = 9
IMPORTS: Final = 7


class Context:
    """A context as Lambda's client makes it."""

    aws_request_id = KEYS["function_request_id"]
    function_name = "orders"
    function_version = "7"
    memory_limit_in_mb = "128"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """A minute."""
        return 60_000


@contextmanager
def unheard() -> Iterator[Any]:
    """Standard output is the null device; and it is Lambda that calls."""
    really = sys.stdout
    os.environ["AWS_LAMBDA_RUNTIME_API"] = "127.0.0.1:9001"
    os.environ["AWS_LAMBDA_FUNCTION_NAME"] = "orders"
    os.environ["POWERTOOLS_SERVICE_NAME"] = "orders"
    with open(os.devnull, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a device, not a path
        sys.stdout = stream
        try:
            yield stream
        finally:
            sys.stdout = really
            for name in ("AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME", "POWERTOOLS_SERVICE_NAME"):
                del os.environ[name]


def measured(actions: dict[str, Callable[[], object]], calls: int = CALLS) -> dict[str, Figure]:
    """CPU a call: the least of many rounds, each of which has everybody's turn."""
    least = dict.fromkeys(actions, float("inf"))
    for action in actions.values():
        action()
    gc.collect()
    gc.disable()
    try:
        for _ in range(ROUNDS):
            for name, action in actions.items():
                begin = time.thread_time_ns()
                for _ in range(calls):
                    action()
                least[name] = min(least[name], (time.thread_time_ns() - begin) / calls)
            gc.collect()
    finally:
        gc.enable()
    return {name: Figure(nanoseconds / 1000, MICROSECONDS) for name, nanoseconds in least.items()}


def rows(
    what: str, actions: dict[str, Callable[[], object]], peers: tuple[str, ...], calls: int = CALLS
) -> list[Row]:
    """Ours beside each peer; one that isn't there is said not to be installed."""
    found = measured(actions, calls)
    made = []
    for peer in peers:
        if peer in found:
            made.append(Row(what, found["ours"], peer, found[peer]))
        else:
            made.append(Row(what, found["ours"], f"{peer}: not installed"))
    return made


# --- the loggers, each as its documentation has it for JSON


def powertools(stream: Any, service: str) -> Any:
    """Powertools' logger, with its invocation's keys; None where it isn't installed."""
    try:
        peer = importlib.import_module("aws_lambda_powertools")
    except ImportError:
        return None
    made = peer.Logger(service=service, stream=stream)
    made.append_keys(**KEYS)
    return made


def loguru(stream: Any, *, level: str = "INFO") -> Any:
    """Loguru's logger, serialising; None where it isn't installed."""
    try:
        peer = importlib.import_module("loguru")
    except ImportError:
        return None
    peer.logger.remove()
    peer.logger.add(stream, serialize=True, level=level, backtrace=False, diagnose=False)
    return peer.logger.bind(**KEYS)


def structlog(stream: Any, *, where: bool = False) -> Any:
    """Structlog as its page on performance has it: bytes, orjson, a filtering logger."""
    import orjson
    import structlog as peer

    processors: list[Any] = [
        peer.processors.add_log_level,
        peer.processors.TimeStamper(fmt="iso", utc=True),
        peer.processors.dict_tracebacks,
    ]
    if where:
        found = peer.processors.CallsiteParameter
        processors.append(
            peer.processors.CallsiteParameterAdder({found.FILENAME, found.FUNC_NAME, found.LINENO})
        )
    processors.append(peer.processors.JSONRenderer(serializer=orjson.dumps))
    return peer.wrap_logger(
        peer.BytesLogger(stream.buffer),
        processors=processors,
        wrapper_class=peer.make_filtering_bound_logger(logging.INFO),
    ).bind(**KEYS)


class JsonFormatter(logging.Formatter):
    """What people write who want JSON of standard logging."""

    def format(self, record: logging.LogRecord) -> str:
        """A record as JSON."""
        line = {
            "timestamp": self.formatTime(record),
            "level": record.levelname,
            "message": record.getMessage(),
            "location": f"{record.filename}:{record.funcName}:{record.lineno}",
            **KEYS,
            **getattr(record, "keys", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def standard(stream: Any) -> logging.Logger:
    """Standard logging."""
    made = logging.getLogger("bench.standard")
    made.propagate = False
    made.setLevel(logging.INFO)
    made.handlers = [logging.StreamHandler(stream)]
    made.handlers[0].setFormatter(JsonFormatter())
    return made


@contextmanager
def invoked(log: Any = None) -> Iterator[Any]:
    """Within an invocation of a handler of ours."""
    out: list[Any] = []

    @handler
    def process(_event: Any, _context: Any) -> Any:
        yield log

    run = process(EVENT, Context())
    out.append(next(run))
    try:
        yield out[0]
    finally:
        run.close()


def lines(_: Path) -> list[Row]:
    """A line with three extras; and one that the level keeps back."""
    with unheard() as stream, invoked():
        ours, placed = get_logger(), get_logger(location=True)
        pt, lg, sl, st = powertools(stream, "lines"), loguru(stream), structlog(stream), standard(stream)
        placed_sl = structlog(stream, where=True)
        where: dict[str, Callable[[], object]] = {
            "ours": lambda: placed.info("charging", order_id="o-1", amount=12.5, retry=False),
            "structlog": lambda: placed_sl.info("charging", order_id="o-1", amount=12.5, retry=False),
            "stdlib": lambda: st.info(
                "charging", extra={"keys": {"order_id": "o-1", "amount": 12.5, "retry": False}}
            ),
        }
        bare: dict[str, Callable[[], object]] = {
            "ours": lambda: ours.info("charging", order_id="o-1", amount=12.5, retry=False),
            "structlog": lambda: sl.info("charging", order_id="o-1", amount=12.5, retry=False),
        }
        hidden: dict[str, Callable[[], object]] = {
            "ours": lambda: ours.debug("charging", order_id="o-1", amount=12.5, retry=False),
            "structlog": lambda: sl.debug("charging", order_id="o-1", amount=12.5, retry=False),
            "stdlib": lambda: st.debug("charging", extra={"order_id": "o-1", "amount": 12.5}),
        }
        if pt is not None:
            where["Powertools"] = lambda: pt.info("charging", order_id="o-1", amount=12.5, retry=False)
            hidden["Powertools"] = lambda: pt.debug("charging", order_id="o-1", amount=12.5, retry=False)
        if lg is not None:
            where["loguru"] = lambda: lg.bind(order_id="o-1", amount=12.5, retry=False).info("charging")
            hidden["loguru"] = lambda: lg.debug("charging", order_id="o-1", amount=12.5)
        everybody = ("Powertools", "loguru", "stdlib", "structlog")
        return [
            *rows("line, 3 extras, with location", where, everybody),
            *rows("line, 3 extras, without location", bare, ("structlog",)),
            *rows("debug line that the level keeps back", hidden, everybody),
        ]


def invocations(_: Path) -> list[Row]:
    """What the decorator adds to a call, and a whole invocation: correlation id, deadline, two lines."""
    with unheard() as stream:
        log, pt = get_logger(location=True), powertools(stream, "invocations")

        @handler
        def bare(_event: Any, _context: Any) -> None:
            """Nothing."""

        @handler(correlation="api_gateway")
        def tied(_event: Any, _context: Any) -> None:
            """Nothing."""

        @handler(correlation="api_gateway", debug_ring=50)
        def whole(event: Any, _context: Any) -> dict[str, int]:
            log.info("charging", order_id=event["id"], amount=12.5, retry=False)
            log.info("charged", order_id=event["id"], amount=12.5, retry=False)
            return {"statusCode": 200}

        context = Context()
        actions: list[tuple[str, dict[str, Callable[[], object]]]] = [
            ("invocation: decorator alone", {"ours": lambda: bare(EVENT, context)}),
            ("invocation: with a correlation id", {"ours": lambda: tied(EVENT, context)}),
            (
                "invocation: correlation id, deadline, two lines with location",
                {"ours": lambda: whole(EVENT, context)},
            ),
        ]
        if pt is not None:
            place = "requestContext.requestId"

            @pt.inject_lambda_context  # type: ignore[untyped-decorator]
            def peer_bare(_event: Any, _context: Any) -> None:
                """Nothing."""

            @pt.inject_lambda_context(correlation_id_path=place)  # type: ignore[untyped-decorator]
            def peer_tied(_event: Any, _context: Any) -> None:
                """Nothing."""

            @pt.inject_lambda_context(correlation_id_path=place)  # type: ignore[untyped-decorator]
            def peer_whole(event: Any, _context: Any) -> dict[str, int]:
                pt.info("charging", order_id=event["id"], amount=12.5, retry=False)
                pt.info("charged", order_id=event["id"], amount=12.5, retry=False)
                return {"statusCode": 200}

            for (_what, mine), peer in zip(actions, (peer_bare, peer_tied, peer_whole), strict=True):
                mine["Powertools"] = lambda peer=peer: peer(EVENT, context)  # type: ignore[misc]
        return [row for what, both in actions for row in rows(what, both, ("Powertools",))]


def failing(depth: int, order: dict[str, Any]) -> None:
    """Eleven frames with variables, together with who calls it."""
    customer, attempt = order["customer"], depth
    if depth:
        failing(depth - 1, order)
    raise ValueError(f"no funds for {customer} at {attempt}")


def failures(_: Path) -> list[Row]:
    """An exception of eleven frames, logged: ours with and without the frames' variables, scrubbed."""
    with unheard() as stream, invoked():
        ours, pt, lg, sl, st = (
            get_logger(),
            powertools(stream, "failures"),
            loguru(stream),
            structlog(stream),
            standard(stream),
        )
        from lambdalog.instrument.capture import tell

        def without(error: ValueError) -> None:
            ours.error("failed", **tell(error, local=False))

        loggers: dict[str, Callable[[ValueError], object]] = {
            "ours": lambda _: ours.exception("failed"),
            "ours, without": without,
            "structlog": lambda _: sl.exception("failed"),
            "stdlib": lambda _: st.exception("failed"),
        }
        if pt is not None:
            loggers["Powertools"] = lambda _: pt.exception("failed")
        if lg is not None:
            loggers["loguru"] = lambda _: lg.exception("failed")

        def failed(tell_it: Callable[[ValueError], object] | None) -> None:
            try:
                failing(DEPTH, {"customer": "ada", "password": "hunter2", "items": [1, 2, 3]})
            except ValueError as error:
                if tell_it is not None:
                    tell_it(error)

        actions: dict[str, Callable[[], object]] = {
            name: lambda found=found: failed(found)  # type: ignore[misc]
            for name, found in loggers.items()
        }
        found = measured(actions, 10)
        raised = measured({"raised": lambda: failed(None)}, 10)["raised"].value
        # What it takes to raise and catch it is nobody's.
        took = {name: Figure(figure.value - raised, MICROSECONDS) for name, figure in found.items()}
        made = []
        for what, mine in (
            ("exception, 11 frames, with variables, scrubbed", "ours"),
            ("exception, 11 frames, without variables", "ours, without"),
        ):
            for peer in ("Powertools", "loguru", "stdlib", "structlog"):
                if peer in took:
                    made.append(Row(what, took[mine], f"{peer}, without", took[peer]))
                else:
                    made.append(Row(what, took[mine], f"{peer}: not installed"))
        return made


def deadline(_: Path) -> Iterator[Row]:
    """Publishing a deadline and taking it back, beside a timer a time, which is what others start."""
    import threading

    watchdog = Watchdog()
    at = time.monotonic() + 60

    def armed() -> None:
        watchdog.disarm(watchdog.arm(at, lambda: None))

    def timer() -> None:
        found = threading.Timer(60, lambda: None)
        found.daemon = True
        found.start()
        found.cancel()

    yield from rows(
        "deadline armed and taken back", {"ours": armed, "threading.Timer": timer}, ("threading.Timer",), 50
    )


def imports(_: Path) -> Iterator[Row]:
    """CPU of the import, beyond what Lambda's runtime has loaded by then; the least of some processes."""
    ours = importing(
        "from lambdalog import get_logger, handler\nget_logger()\nhandler(lambda event, context: None)"
    )
    assert ours is not None
    for peer, code in (
        ("Powertools", "from aws_lambda_powertools import Logger\nLogger()"),
        ("loguru", "from loguru import logger"),
        ("structlog", "import structlog\nstructlog.get_logger()"),
    ):
        theirs = importing(code)
        if theirs is None:
            yield Row("import, and a logger made", ours, f"{peer}: not installed")
        else:
            yield Row("import, and a logger made", ours, peer, theirs)


def importing(code: str) -> Figure | None:
    """CPU ms of some code in a new process, after the runtime's own modules; None where it can't be imported."""
    whole = (
        "import time\nimport awslambdaric.bootstrap\n"
        f"begin = time.process_time()\n{code}\nprint((time.process_time() - begin) * 1000)"
    )
    least = float("inf")
    for _ in range(IMPORTS):
        done = subprocess.run(
            [sys.executable, "-c", whole],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ
            | {"AWS_LAMBDA_FUNCTION_NAME": "orders", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"},
        )
        if done.returncode:
            return None
        least = min(least, float(done.stdout.split()[-1]))
    return Figure(least, "ms")


def benches() -> list[Bench]:
    """The benches of this room."""
    return [
        Bench("handler-lines", lines),
        Bench("handler-invocations", invocations),
        Bench("handler-failures", failures),
        Bench("handler-deadline", deadline),
        Bench("handler-imports", imports),
    ]
