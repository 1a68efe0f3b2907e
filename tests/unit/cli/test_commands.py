"""The commands, from the outside."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import click
import pytest

from lambdalog.cli.commands import COMMANDS, cli
from lambdalog.cloud import connect
from tests.conftest import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., subprocess.CompletedProcess[str]]

ORDERS = f"{SAMPLES}/orders/app.py:handler"
EVENTS = SAMPLES / "orders" / "events"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_explains_itself(run: Run, name: str) -> None:
    """--help answers, with a usage line."""
    done = run(name, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Usage: lambdalog {name}")


def test_garbage_is_collected_once_a_command_is_loaded() -> None:
    """What the start holds back goes on as soon as the command's modules are there."""
    gc.disable()
    try:
        assert cli.get_command(click.Context(cli), "store") is not None
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.enable()


def test_invoke_prints_the_response(run: Run, store_path: Path) -> None:
    """The response is on standard output, alone; the log is in the store under the function's name."""
    done = run("invoke", ORDERS, "--event", str(EVENTS / "new.json"))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["statusCode"] == 201
    with connect(f"disk:{store_path}") as cloud:
        assert [group["logGroupName"] for group in cloud.logs.describe_log_groups()["logGroups"]] == [
            "/aws/lambda/orders"
        ]


def test_invoke_shows_the_log_and_takes_settings(run: Run, tmp_path: Path) -> None:
    """--log writes the invocation's lines to standard error; --env, --timeout and --memory reach the function."""
    (tmp_path / "fn.py").write_text(
        "import os\ndef main(event, context):\n    print('hello')\n    return os.environ['AB']\n"
    )
    done = run(
        "invoke",
        "fn.py:main",
        "--log",
        "--env",
        "AB=b=c",
        "--memory",
        "256",
        "--timeout",
        "7",
        "-e",
        "-",
        stdin="{}",
    )
    assert json.loads(done.stdout) == "b=c"
    assert "hello\n" in done.stderr
    assert "Memory Size: 256 MB" in done.stderr


@pytest.mark.parametrize("event", ['{"é": [1]}', ' ["a"]'])
def test_invoke_takes_an_event_as_it_stands(run: Run, tmp_path: Path, event: str) -> None:
    """An object or an array given to --event is the event itself."""
    (tmp_path / "fn.py").write_text("def main(event, context):\n    return event\n")
    assert json.loads(run("invoke", "fn.py:main", "--event", event).stdout) == json.loads(event)


def test_invoke_hands_over_a_client_context(run: Run, tmp_path: Path) -> None:
    """The function finds it in its context."""
    (tmp_path / "fn.py").write_text(
        "def main(event, context):\n"
        "    return context.client_context and [context.client_context.custom, context.client_context.env]\n"
    )
    given = '{"custom": {"é": 1}, "env": {"locale": "de"}}'
    assert json.loads(run("invoke", "fn.py:main", "--client-context", given).stdout) == [
        {"é": 1},
        {"locale": "de"},
    ]
    assert json.loads(run("invoke", "fn.py:main").stdout) is None


def test_a_dry_run_of_invoke_runs_nothing(run: Run, store_path: Path) -> None:
    """It prints nothing and leaves no log; what couldn't be invoked is refused as ever."""
    done = run("invoke", ORDERS, "--dry-run")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert run("invoke", "orders", "--qualifier", "9", "--dry-run").returncode == 1
    with connect(f"disk:{store_path}") as cloud:
        assert cloud.logs.describe_log_groups()["logGroups"] == []


def test_a_failed_function_is_exit_status_1(run: Run) -> None:
    """The error is shaped as Lambda's and printed as the response."""
    done = run("invoke", ORDERS, "--event", str(EVENTS / "empty.json"))
    assert done.returncode == 1
    assert json.loads(done.stdout)["errorType"] == "InvalidOrder"


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "text"),
    [
        (["invoke", "none.py:handler"], "", 1, "there is no file"),
        (["invoke", "nobody"], "", 1, "Function not found"),
        (["invoke", ORDERS, "-e", "none.json"], "", 1, "the event can't be read from none.json"),
        (["invoke", ORDERS, "-e", "-"], "{", 1, "the event in standard input is no JSON"),
        (["invoke", ORDERS, "-e", '{"id": 1'], "", 1, "the event given to --event is no JSON"),
        (["invoke", "orders", "--timeout", "3"], "", 2, "are for a file or folder"),
        (["invoke", ORDERS, "--env", "x"], "", 2, "write NAME=VALUE"),
        (["invoke", ORDERS, "--client-context", "{"], "", 2, "--client-context is no JSON"),
        (["invoke", ORDERS, "--async", "--client-context", "{}"], "", 2, "has no client context"),
        (["invoke", ORDERS, "--async", "--dry-run"], "", 2, "--dry-run runs nothing"),
        (["replay", "none-dlq"], "", 1, "no queue is called none-dlq"),
        (["replay"], "", 2, "name a QUEUE"),
        (["tail", "nothing"], "", 1, "no log group is called nothing"),
        (["tail", "--since", "soon"], "", 2, "is no time"),
        (["tail", "--filter", '"open'], "", 2, "no closing"),
        (["tail", "-f", "--until", "now"], "", 2, "--until"),
        (["failures", "show", "x"], "", 1, "lambdalog: no failure has the id x"),
        (["tail", "--store", "nowhere"], "", 1, "names no store"),
        (["dashboard", "--size", "big"], "", 2, "120x36"),
        (["nonsense"], "", 2, "No such command 'nonsense'.\n"),
        (["fialures"], "", 2, "No such command 'fialures'. Did you mean failures?"),
        (["queue", "lst"], "", 2, "No such command 'lst'. Did you mean list or set?"),
        (["store", "repiar"], "", 2, "Did you mean repair?"),
    ],
)
def test_what_is_wrong_is_one_line(
    run: Run, store_path: Path, arguments: list[str], stdin: str, code: int, text: str
) -> None:
    """Bad input ends with status 1 or 2, one clear line on standard error, nothing on the other, nothing half done."""
    done = run(*arguments, stdin=stdin)
    assert (done.returncode, done.stdout) == (code, "")
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    if code == 1:
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_handler_that_is_not_there_is_lambdas_error(run: Run) -> None:
    """The file is there, the function is not: Lambda's own error, status 1."""
    done = run("invoke", f"{SAMPLES}/orders/app.py:nope")
    assert done.returncode == 1
    assert json.loads(done.stdout)["errorType"] == "Runtime.HandlerNotFound"


def test_a_store_that_cannot_be_written_is_one_line(run: Run, tmp_path: Path) -> None:
    """The line says where and why."""
    (tmp_path / "file").write_text("")
    done = run("invoke", ORDERS, LAMBDALOG_STORE=f"disk:{tmp_path}/file/store")
    assert done.returncode == 1
    assert "can't open" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_whole_way_of_a_failure(run: Run, store_path: Path) -> None:
    """Queued, tried, dead-lettered, listed, shown, dry run, replayed: each command sees what the last one did."""
    request = run("invoke", ORDERS, "-e", str(EVENTS / "empty.json"), "--async").stdout.strip()
    assert len(request) == 36
    drain = (
        "import lambdalog, sys\n"
        "with lambdalog.connect() as cloud:\n"
        "    cloud.client('lambda').worker(delay_scale=0).drain()\n"
    )
    environment = os.environ | {"LAMBDALOG_STORE": f"disk:{store_path}"}
    subprocess.run([sys.executable, "-c", drain], env=environment, check=True)
    listed = run("failures", "list").stdout
    assert "InvalidOrder  order o-1002 has no items" in listed
    (group,) = [json.loads(line) for line in run("failures", "--json").stdout.splitlines()]
    assert (group["type"], group["count"], group["queues"]) == ("InvalidOrder", 1, ["orders-dlq"])
    assert "InvalidOrder" in run("failures").stdout
    shown = run("failures", "show", request).stdout
    assert "in handler" in shown
    assert f"START RequestId: {request}" in shown
    dry = run("replay", "orders-dlq")
    assert (dry.returncode, "Would send 1 of the 1 in orders-dlq" in dry.stdout) == (0, True)
    done = run("replay", "orders-dlq", "--yes")
    assert (done.returncode, "1  failed again, and kept" in done.stdout) == (1, True)
    assert "1" in run("replay", "orders-dlq", "--json").stdout


def test_tail_prints_what_was_logged(run: Run) -> None:
    """Text, JSON and raw; nothing of a hostile line reaches a terminal raw."""
    run("invoke", f"{SAMPLES}/payments", "-e", str(SAMPLES / "payments" / "events" / "hostile-bytes.json"))
    text = run("tail", "payments", FORCE_COLOR="1").stdout
    assert "␛[31mred␛[0m" in text
    assert "\x1b[31mred" not in text
    assert "\x07" not in text
    assert "\x1b" not in run("tail", "payments", NO_COLOR="1", FORCE_COLOR="1").stdout
    records = [json.loads(line) for line in run("tail", "--format", "json").stdout.splitlines()]
    assert {record["logGroup"] for record in records} == {"/aws/lambda/payments"}
    assert "odd name" in run("tail", "--filter", '"odd name"', "--format", "raw").stdout
    assert run("tail", "--since", "0s").stdout == ""


@pytest.mark.parametrize(
    "arguments", [["tail", "--format", "raw"], ["query", "fields @message"], ["group", "list"]]
)
def test_a_reader_that_goes_ends_a_command_quietly(
    store_path: Path, tmp_path: Path, arguments: list[str]
) -> None:
    """Where standard output is closed before all is said, the status is 141, as of Unix tools, and no error is shown."""
    with connect(f"disk:{store_path}") as cloud:
        for number in range(20):
            name = f"g{number}-" + "x" * 400
            cloud.logs.create_log_group(logGroupName=name)
            cloud.logs.create_log_stream(logGroupName=name, logStreamName="s")
            event: Any = {"timestamp": time.time_ns() // 1_000_000, "message": "y" * 9_000}
            cloud.logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=[event])
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "lambdalog", *arguments],
        env=os.environ | {"LAMBDALOG_STORE": f"disk:{store_path}"},
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_tail_follows_another_process(run: Run, store_path: Path, tmp_path: Path) -> None:
    """A line that another process appends shows while tail runs; Ctrl-C ends it quietly with 130."""
    with connect(f"disk:{store_path}") as cloud:
        cloud.logs.create_log_group(logGroupName="g")
        cloud.logs.create_log_stream(logGroupName="g", logStreamName="s")
        with subprocess.Popen(
            [sys.executable, "-m", "lambdalog", "tail", "-f", "--since", "1m", "--format", "raw"],
            env=os.environ | {"LAMBDALOG_STORE": f"disk:{store_path}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            for number in range(3):
                event: Any = {"timestamp": time.time_ns() // 1_000_000, "message": f"line {number}"}
                cloud.logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=[event])
                assert process.stdout.readline() == f"line {number}\n"
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate()
        assert process.returncode == 130
        assert "Traceback" not in errors


def test_a_pipe_that_closes_early_is_quiet(run: Run, store_path: Path) -> None:
    """`lambdalog tail | head -1` says nothing on standard error."""
    with connect(f"disk:{store_path}") as cloud:
        cloud.logs.create_log_group(logGroupName="g")
        cloud.logs.create_log_stream(logGroupName="g", logStreamName="s")
        now = time.time_ns() // 1_000_000
        events: Any = [{"timestamp": now, "message": "x" * 100} for _ in range(5000)]
        cloud.logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)
    done = subprocess.run(
        f"{sys.executable} -m lambdalog tail --format raw | head -1",
        shell=True,
        env=os.environ | {"LAMBDALOG_STORE": f"disk:{store_path}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "x" * 100 + "\n"
    assert done.stderr == ""


def test_a_screenshot_is_drawn(run: Run, tmp_path: Path) -> None:
    """Without a terminal, with what the store holds."""
    run("invoke", ORDERS, "-e", str(EVENTS / "new.json"))
    done = run("dashboard", "--screenshot", "shot.svg", "--size", "100x30")
    assert done.returncode == 0, done.stderr
    assert "priced" in (tmp_path / "shot.svg").read_text()
    assert run("dashboard", "--screenshot", "none/shot.svg").returncode == 1


def test_a_worker_drains_the_queue(run: Run, tmp_path: Path) -> None:
    """Worker --drain invokes what waits and says what came of it."""
    run("invoke", ORDERS, "-e", str(EVENTS / "new.json"), "--async")
    done = run("worker", "--drain")
    assert (done.returncode, done.stdout) == (0, "1 succeeded\n")
    assert run("invoke", ORDERS, "-e", str(EVENTS / "new.json"), "--async", "--wait").returncode == 0
    assert run("worker", "--drain", "--store", "aws").returncode == 1
