"""Functions run for real: every way to end, compared word for word, and what is left behind."""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.clock import ManualClock
from lambdalog.runtime import FunctionSpec, Outcome, Runtime, Throttled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.cloud import Cloud

CODE = """
import os, signal, sys, time

def handler(event, context):
    print("begin", event.get("do"))
    do = event.get("do")
    if do == "context":
        return {
            "id": context.aws_request_id, "name": context.function_name, "version": context.function_version,
            "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb,
            "group": context.log_group_name, "stream": context.log_stream_name,
            "left": context.get_remaining_time_in_millis(), "zone": os.environ["TZ"], "mine": os.environ.get("MINE"),
            "pid": os.getpid(),
        }
    if do == "raise":
        raise ValueError("bad value")
    if do == "sleep":
        time.sleep(30)
    if do == "exit":
        print("last words", end="", flush=True)
        os._exit(event["status"])
    if do == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if do == "grow":
        hoard = []
        while True:
            hoard.append(bytearray(4_000_000))
    if do == "set":
        return {1}
    if do == "big":
        return "x" * event["size"]
    if do == "flood":
        for _ in range(event["lines"]):
            print("y" * 200)
    if do == "bytes":
        os.write(1, b"\\xff\\xfe odd\\n")
    if do == "close":
        os.close(1); os.close(2)
    if do == "spoof":
        print("END RequestId: nonsense")
    if do == "ignore":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(30)
    if do == "multiline":
        print("one\\ntwo\\n\\nthree")
    return "ok"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the function."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "app.py").write_text(CODE)
    (folder / "broken.py").write_text("def handler(:\n")
    (folder / "raises.py").write_text("raise RuntimeError('at import')\n")
    (folder / "leaves.py").write_text("import os\nprint('going', flush=True)\nos._exit(4)\n")
    return folder


@pytest.fixture
def runtime(cloud: Cloud) -> Iterator[Runtime]:
    """A runtime that writes into a store."""
    with Runtime(logs=cloud.logs) as opened:
        yield opened


def spec(folder: Path, **changes: Any) -> FunctionSpec:
    """The function."""
    fields: dict[str, Any] = {
        "name": "f",
        "handler": "app.handler",
        "code": folder,
        "arn": "arn:aws:lambda:us-east-1:000000000000:function:f",
        "log_group": "/aws/lambda/f",
        "timeout": 5.0,
        "runtime": f"python{sys.version_info[0]}.{sys.version_info[1]}",
    }
    return FunctionSpec(**(fields | changes))


def run(runtime: Runtime, function: FunctionSpec, do: str, **event: Any) -> Outcome:
    """Invoke with an event."""
    return runtime.invoke(function, json.dumps({"do": do, **event}).encode(), request_id="req-1")


def log(cloud: Cloud) -> list[str]:
    """The function's log."""
    pages = cloud.logs.get_paginator("filter_log_events").paginate(logGroupName="/aws/lambda/f")
    return [event["message"] for page in pages for event in page["events"]]


def test_a_function_answers_and_its_log_is_lambdas(runtime: Runtime, folder: Path, cloud: Cloud) -> None:
    """START, its own line, END and REPORT, in a stream of Lambda's form; the init phase is told once."""
    first, second = run(runtime, spec(folder), "ok"), run(runtime, spec(folder), "ok")
    assert (first.status, first.payload, first.function_error) == ("success", b'"ok"', None)
    assert (first.cold_start, second.cold_start) == (True, False)
    assert first.init_ms is not None
    assert second.init_ms is None
    assert first.log_stream == second.log_stream
    init, start, line, end, report, *rest = log(cloud)
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert init.startswith(f"INIT_START Runtime Version: python:{version}.v1\tRuntime Version ARN: arn:")
    assert start == "START RequestId: req-1 Version: $LATEST\n"
    assert line == "begin ok"
    assert end == "END RequestId: req-1\n"
    assert report.startswith("REPORT RequestId: req-1\tDuration: ")
    assert f"\tBilled Duration: {first.billed_ms} ms\tMemory Size: 128 MB\tMax Memory Used: " in report
    assert f"\tInit Duration: {first.init_ms:.2f} ms\t" in report
    assert "Init Duration" not in rest[-1]
    (stream,) = cloud.logs.describe_log_streams(logGroupName="/aws/lambda/f")["logStreams"]
    prefix, _, digits = stream["logStreamName"].partition("[$LATEST]")
    assert prefix.count("/") == 3
    assert len(digits) == 32


def test_a_stream_in_a_shared_group_bears_the_functions_name(runtime: Runtime, folder: Path) -> None:
    """In a group that isn't its own a function's stream names it, so that the group's others can be told from it."""
    outcome = runtime.invoke(spec(folder, log_group="mine"), b"{}")
    prefix, _, digits = outcome.log_stream.partition("f[$LATEST]")
    assert prefix.count("/") == 3
    assert prefix.endswith("/")
    assert len(digits) == 32


def test_the_context_is_lambdas(runtime: Runtime, folder: Path) -> None:
    """Request id, names, ARN as called, memory, log stream and time left are what Lambda's are."""
    function = spec(folder, environment={"MINE": "yes", "AWS_LAMBDA_FUNCTION_NAME": "no"}, memory=256)
    outcome = runtime.invoke(
        function, b'{"do": "context"}', request_id="req-9", invoked_arn=f"{function.arn}:live"
    )
    found = json.loads(outcome.payload)
    assert 4000 < found.pop("left") <= 5000
    found.pop("pid")
    assert found == {
        "id": "req-9",
        "name": "f",
        "version": "$LATEST",
        "arn": f"{function.arn}:live",
        "memory": "256",
        "group": "/aws/lambda/f",
        "stream": outcome.log_stream,
        "zone": ":UTC",
        "mine": "yes",
    }


@pytest.mark.parametrize(
    ("do", "event", "changes", "status", "body"),
    [
        (
            "sleep",
            {},
            {"timeout": 1.0},
            "timeout",
            {
                "errorType": "Sandbox.Timedout",
                "errorMessage": "RequestId: req-1 Error: Task timed out after 1.00 seconds",
            },
        ),
        (
            "ignore",
            {},
            {"timeout": 1.0},
            "timeout",
            {
                "errorType": "Sandbox.Timedout",
                "errorMessage": "RequestId: req-1 Error: Task timed out after 1.00 seconds",
            },
        ),
        (
            "exit",
            {"status": 0},
            {},
            "exit",
            {
                "errorType": "Runtime.ExitError",
                "errorMessage": "RequestId: req-1 Error: Runtime exited without providing a reason",
            },
        ),
        (
            "exit",
            {"status": 127},
            {},
            "exit",
            {
                "errorType": "Runtime.ExitError",
                "errorMessage": "RequestId: req-1 Error: Runtime exited with error: exit status 127",
            },
        ),
        (
            "segfault",
            {},
            {},
            "exit",
            {
                "errorType": "Runtime.ExitError",
                "errorMessage": "RequestId: req-1 Error: Runtime exited with error: signal: segmentation fault",
            },
        ),
        (
            "grow",
            {},
            {},
            "memory",
            {
                "errorType": "Runtime.ExitError",
                "errorMessage": "RequestId: req-1 Error: Runtime exited with error: signal: killed",
            },
        ),
        (
            "big",
            {"size": 6_291_556},
            {"memory": 512},
            "error",
            {
                "errorType": "Function.ResponseSizeTooLarge",
                "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
            },
        ),
        ("set", {}, {}, "error", {"errorType": "Runtime.MarshalError"}),
        (
            "raise",
            {},
            {},
            "error",
            {"errorType": "ValueError", "errorMessage": "bad value", "requestId": "req-1"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_way_to_fail_has_its_body(
    runtime: Runtime,
    folder: Path,
    cloud: Cloud,
    do: str,
    event: dict[str, Any],
    changes: dict[str, Any],
    status: str,
    body: dict[str, str],
) -> None:
    """The caller gets Lambda's words, the log has the line before the end, and the next invocation is fine."""
    function = spec(folder, **changes)
    outcome = run(runtime, function, do, **event)
    assert (outcome.status, outcome.function_error) == (status, "Unhandled")
    assert json.loads(outcome.payload).items() >= body.items()
    lines = log(cloud)
    assert lines[2] == f"begin {do}"
    assert lines[-1].startswith("REPORT RequestId: req-1\t")
    assert lines[-2] == "END RequestId: req-1\n"
    assert run(runtime, function, "ok").payload == b'"ok"'


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        (
            "nope.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'nope': No module named 'nope'",
        ),
        ("app.nope", "Runtime.HandlerNotFound", "Handler 'nope' missing on module 'app'"),
        ("app", "Runtime.MalformedHandlerName", None),
        ("broken.handler", "Runtime.UserCodeSyntaxError", None),
        ("raises.handler", "RuntimeError", "at import"),
        ("leaves.handler", "Runtime.ExitError", None),
    ],
)
def test_a_function_that_cannot_start_says_why(
    runtime: Runtime, folder: Path, cloud: Cloud, handler: str, error_type: str, message: str | None
) -> None:
    """Errors of the init phase reach the caller, and an INIT_REPORT the log."""
    outcome = run(runtime, spec(folder, handler=handler), "ok")
    found = json.loads(outcome.payload)
    assert found["errorType"] == error_type
    assert message is None or found["errorMessage"] == message
    assert any(line.startswith("INIT_REPORT Init Duration: ") and error_type in line for line in log(cloud))


def test_what_was_printed_is_in_the_log(runtime: Runtime, folder: Path, cloud: Cloud) -> None:
    """Last words without a line break, odd bytes, spoofed lines and floods: nothing is lost or torn."""
    run(runtime, spec(folder), "exit", status=1)
    assert "last words" in log(cloud)
    run(runtime, spec(folder), "bytes")
    assert "\ufffd\ufffd odd" in log(cloud)
    run(runtime, spec(folder), "multiline")
    assert [line for line in log(cloud) if line in {"one", "two", "three"}] == ["one", "two", "three"]
    run(runtime, spec(folder), "flood", lines=20_000)
    assert sum(line == "y" * 200 for line in log(cloud)) == 20_000


def test_a_function_that_closes_its_output_still_answers(runtime: Runtime, folder: Path) -> None:
    """Closing stdout and stderr hangs nothing, then or at the next invocation."""
    assert run(runtime, spec(folder), "close").payload == b'"ok"'
    assert runtime.invoke(spec(folder), b'{"do": "context"}').status in {"success", "error"}


def test_nothing_is_left_when_the_runtime_closes(folder: Path, cloud: Cloud) -> None:
    """Every worker is gone once the runtime is closed."""
    with Runtime(logs=cloud.logs) as runtime:
        pid = json.loads(run(runtime, spec(folder), "context").payload)["pid"]
        assert Path(f"/proc/{pid}").exists()
    assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(RuntimeError, match="closed"):
        run(runtime, spec(folder), "ok")


def test_changed_code_gets_a_new_environment(runtime: Runtime, folder: Path) -> None:
    """When the code's id changes, what ran the old code is not used again."""
    first = json.loads(run(runtime, spec(folder, code_id="1"), "context").payload)["pid"]
    second = json.loads(run(runtime, spec(folder, code_id="2"), "context").payload)["pid"]
    assert first != second
    assert not Path(f"/proc/{first}").exists()


def test_idle_environments_go(folder: Path, cloud: Cloud) -> None:
    """After the idle time an environment is replaced by a new one."""
    clock = ManualClock(cloud.clock.now())
    with Runtime(logs=cloud.logs, clock=clock, idle_seconds=60) as runtime:
        first = run(runtime, spec(folder), "ok")
        clock.advance(61)
        assert run(runtime, spec(folder), "ok").cold_start
        assert first.cold_start


def test_more_than_the_limit_is_throttled(folder: Path, cloud: Cloud) -> None:
    """While all environments are busy, one more is refused; concurrent ones have streams of their own."""
    with Runtime(logs=cloud.logs, concurrency=2) as runtime:
        outcomes: list[Outcome] = []
        started = threading.Barrier(3)

        def call() -> None:
            heard = threading.Event()

            def listen(line: str) -> None:
                if line.startswith("begin") and not heard.is_set():
                    heard.set()
                    started.wait(20)

            outcomes.append(runtime.invoke(spec(folder, timeout=1.0), b'{"do": "sleep"}', on_line=listen))

        threads = [threading.Thread(target=call) for _ in range(2)]
        for thread in threads:
            thread.start()
        started.wait(20)
        with pytest.raises(Throttled):
            run(runtime, spec(folder), "ok")
        for thread in threads:
            thread.join()
        assert len({outcome.log_stream for outcome in outcomes}) == 2


def test_a_log_that_refuses_does_not_fail_the_invocation(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """When the log can't be written the function still answers, and the loss is reported."""

    class Refuses:
        class exceptions:  # noqa: N801 - botocore's name
            class ResourceAlreadyExistsException(Exception):
                """Never raised."""

        def create_log_group(self, **_: Any) -> None:
            raise OSError("the disk is full")

    with Runtime(logs=Refuses()) as runtime:
        assert run(runtime, spec(folder), "ok").payload == b'"ok"'
    assert "could not be written" in caplog.text


def test_the_tail_is_the_end_of_the_invocations_log(runtime: Runtime, folder: Path) -> None:
    """log_tail holds the last 4 KB, of this invocation alone."""
    run(runtime, spec(folder), "ok")
    outcome = run(runtime, spec(folder), "flood", lines=100)
    assert len(outcome.log_tail) == 4096
    assert b"REPORT RequestId: req-1" in outcome.log_tail
    assert b"begin ok" not in outcome.log_tail


def test_no_line_is_lost(runtime: Runtime, folder: Path, cloud: Cloud) -> None:
    """Over many invocations every line is there, whole and in order."""
    for number in range(100):
        runtime.invoke(spec(folder), json.dumps({"do": f"n{number}"}).encode())
    assert [line for line in log(cloud) if line.startswith("begin")] == [
        f"begin n{number}" for number in range(100)
    ]


def test_descriptors_do_not_leak(folder: Path, cloud: Cloud) -> None:
    """Environments that come and go leave no pipe and no socket behind."""

    def count() -> int:
        names = []
        for fd in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                names.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
        return sum(name.startswith(("pipe:", "socket:")) for name in names)

    with Runtime(logs=cloud.logs) as runtime:
        run(runtime, spec(folder), "ok")
        before = count()
        for number in range(5):
            run(runtime, spec(folder, code_id=str(number)), "exit", status=1)
        run(runtime, spec(folder), "ok")
        assert count() <= before
