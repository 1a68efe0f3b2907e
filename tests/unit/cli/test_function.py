"""lambdalog function: from the outside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.cloud import connect
from tests.conftest import SAMPLES

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Call = Callable[..., subprocess.CompletedProcess[str]]

ARN = "arn:aws:lambda:us-east-1:000000000000:function"


@pytest.fixture
def orders(call: Call) -> None:
    """The sample as a function of the store."""
    assert call("function", "create", f"{SAMPLES}/orders").stdout == f"{ARN}:orders\n"


def test_a_function_is_made_of_a_folder_a_file_or_a_zip(call: Call, tmp_path: Path, store_path: Path) -> None:
    """Its ARN is printed; the folder's settings hold, and options over them."""
    done = call(
        "function", "create", f"{SAMPLES}/thumbnails", "--memory", "512", "--env", "MODE=x", "--name", "t"
    )
    assert (done.returncode, done.stdout) == (0, f"{ARN}:t\n")
    (tmp_path / "resize.py").write_text("def main(event, context):\n    return 1\n")
    assert call("function", "create", "resize.py:main", "--copy").stdout == f"{ARN}:resize\n"
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "app.py").write_text("def handler(event, context):\n    return 2\n")
    done = call("function", "create", "bare")
    assert (done.returncode, done.stdout) == (2, "")
    assert "add --handler FILE.FUNCTION" in done.stderr
    assert call("function", "create", "bare", "--handler", "app.handler").returncode == 0
    with connect(f"disk:{store_path}") as cloud:
        config = cloud.lambda_.get_function_configuration(FunctionName="t")
        assert (config["MemorySize"], config["Timeout"]) == (512, 5)
        assert config["Environment"]["Variables"] == {"MODE": "x"}
        assert cloud.lambda_.get_function_configuration(FunctionName="resize")["CodeSize"] > 0
        assert cloud.lambda_.invoke(FunctionName="bare")["Payload"].read() == b"2"


def test_a_folder_s_settings_are_all_its_function_s(call: Call, tmp_path: Path, store_path: Path) -> None:
    """Also those that operations of their own set; its dead-letter queue is made, but not where an option names another."""
    code = tmp_path / "work"
    code.mkdir()
    (code / "app.py").write_text("def handler(event, context):\n    raise ValueError\n")
    (code / "lambdalog.toml").write_text(
        '[function]\nhandler = "app.handler"\ndead_letter = "work-dlq"\nretries = 0\nmax_age = 90\nconcurrency = 5\n'
    )
    assert call("function", "create", "work").returncode == 0
    assert call("function", "create", "work", "--name", "other", "--dead-letter", "").returncode == 0
    with connect(f"disk:{store_path}") as cloud:
        functions: Any = cloud.lambda_
        config = functions.get_function_configuration(FunctionName="work")
        assert config["DeadLetterConfig"] == {"TargetArn": cloud.scope.queue("work-dlq")}
        events = functions.get_function_event_invoke_config(FunctionName="work")
        assert (events["MaximumRetryAttempts"], events["MaximumEventAgeInSeconds"]) == (0, 90)
        reserved = functions.get_function_concurrency(FunctionName="work")
        assert reserved["ReservedConcurrentExecutions"] == 5
        assert "DeadLetterConfig" not in functions.get_function_configuration(FunctionName="other")
        functions.invoke(FunctionName="work", InvocationType="Event", Payload=b"{}")
        functions.worker().drain()
        url = cloud.sqs.get_queue_url(QueueName="work-dlq")["QueueUrl"]
        (letter,) = cloud.sqs.receive_message(QueueUrl=url)["Messages"]
        assert letter["Body"] == "{}"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["create", "nope.py"], 1, "there is no file"),
        (["create", "nope.zip"], 1, "the zip can't be read from nope.zip: No such file"),
        (["create", f"{SAMPLES}/orders", "--runtime", "go1.x"], 1, "no longer supported"),
        (
            ["config", "orders", "--memory", "1"],
            1,
            "failed: Invalid value for parameter MemorySize, value: 1,",
        ),
        (["create", f"{SAMPLES}/orders", "--env", "x"], 2, "--env x: write NAME=VALUE"),
        (["create", f"{SAMPLES}/orders"], 1, "Function already exist: orders"),
        (["show", "none"], 1, "Function not found"),
        (["config", "orders", "--timeout", "901"], 1, "less than or equal to 900"),
        (["config", "orders", "--revision", "x"], 1, "The Revision Id provided does not match"),
        (["publish", "none"], 1, "Function not found"),
        (["alias", "set", "orders", "live", "7"], 1, "Function not found"),
        (["alias", "set", "orders", "live", "1", "--also", "2"], 2, "write VERSION=WEIGHT"),
        (["alias", "delete", "orders", "live"], 1, "Cannot find alias"),
        (["concurrency", "orders", "many"], 2, "'many' is no number of environments"),
        (["concurrency", "orders", "950"], 1, "below its minimum value of [100]"),
        (["events", "orders", "--retries", "3"], 2, "is not in the range"),
        (["events", "none"], 1, "Function not found"),
        (["policy", "orders", "--source", "arn:aws:s3:::b"], 2, "belong to --allow"),
        (["policy", "orders", "--remove", "s"], 1, "No policy is associated"),
        (["tag", "orders", "x"], 2, "write NAME=VALUE"),
        (["layer", "list", "none"], 0, ""),
        (["layer", "delete", "none", "1", "--yes"], 1, "does not exist"),
        (["delete", "orders"], 2, "say --yes if it shall"),
        (["delete", "none", "--yes"], 1, "Function not found"),
        (["update", "none", f"{SAMPLES}/orders"], 1, "Function not found"),
    ],
)
def test_what_can_t_be_is_told_in_a_line(
    call: Call, orders: None, arguments: list[str], code: int, told: str
) -> None:
    """Status 1 or 2, what and which, and no traceback."""
    done = call("function", *arguments)
    assert (done.returncode, told in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert code == 2 or len(done.stderr.splitlines()) <= 1


def test_functions_are_listed_and_shown(call: Call, orders: None) -> None:
    """A table, or JSON lines; what environment variables hold is shown when asked for alone."""
    call("function", "config", "orders", "--env", "TOKEN=hunter2", "--log-format", "JSON")
    assert "orders" in call("function", "list").stdout
    (line,) = call("function", "list", "--json").stdout.splitlines()
    assert json.loads(line)["FunctionName"] == "orders"
    shown = call("function", "show", "orders").stdout
    assert "TOKEN=***" in shown
    assert "hunter2" not in shown + call("function", "show", "orders", "--json").stdout
    assert "hunter2" not in call("function", "config", "orders").stdout
    assert "TOKEN=hunter2" in call("function", "show", "orders", "--values").stdout


def test_versions_and_aliases(call: Call, orders: None) -> None:
    """Published, named, weighted, listed, deleted."""
    assert call("function", "publish", "orders").stdout == "1\n"
    call("function", "config", "orders", "--description", "second")
    assert call("function", "publish", "orders").stdout == "2\n"
    assert call("function", "alias", "set", "orders", "live", "1").stdout == "live → 1\n"
    moved = call("function", "alias", "set", "orders", "live", "2", "--also", "1=0.25")
    assert moved.stdout == call("function", "alias", "list", "orders").stdout == "live → 2, and 1 for 0.25\n"
    assert "alias live → 2" in call("function", "show", "orders:live").stdout
    assert call("function", "delete", "orders:1", "--yes").returncode == 1
    assert call("function", "alias", "delete", "orders", "live").returncode == 0
    assert call("function", "delete", "orders:1", "--yes").returncode == 0
    assert len(call("function", "list", "--versions", "--json").stdout.splitlines()) == 2
    assert call("function", "delete", "orders", "--yes").returncode == 0
    assert call("function", "list").stdout.startswith("There are no functions")


def test_events_concurrency_policy_and_tags(call: Call, orders: None) -> None:
    """Each shows what is when nothing is given, and changes what is."""
    queue = "arn:aws:sqs:us-east-1:000000000000:q"
    assert call("function", "events", "orders").stdout.splitlines()[0].split() == ["retries", "2"]
    call("function", "events", "orders", "--retries", "0", "--on-failure", queue)
    merged = json.loads(call("function", "events", "orders", "--on-success", queue, "--json").stdout)
    assert merged["DestinationConfig"] == {
        "OnSuccess": {"Destination": queue},
        "OnFailure": {"Destination": queue},
    }
    assert merged["MaximumRetryAttempts"] == 0
    call("function", "events", "orders", "--reset")
    assert call("function", "events", "orders").stdout.splitlines()[0].split() == ["retries", "2"]
    assert call("function", "concurrency", "orders").stdout == "none\n"
    assert call("function", "concurrency", "orders", "5").stdout == "5\n"
    assert call("function", "concurrency", "orders", "none").stdout == "none\n"
    allowed = call("function", "policy", "orders", "--allow", "s3", "--source", "arn:aws:s3:::b")
    assert allowed.stdout.startswith('s3: {"Service": "s3.amazonaws.com"} may lambda:InvokeFunction if ')
    assert call("function", "policy", "orders", "--remove", "s3").stdout == ""
    assert call("function", "tag", "orders", "team=shop", "env=dev").stdout == "env=dev\nteam=shop\n"
    assert call("function", "tag", "orders", "--remove", "env").stdout == "team=shop\n"


def test_code_is_updated(call: Call, tmp_path: Path, store_path: Path) -> None:
    """New code runs; a dry run leaves the old."""
    file = tmp_path / "fn.py"
    file.write_text("def handler(event, context):\n    return 'old'\n")
    call("function", "create", "fn.py", "--copy")
    file.write_text("def handler(event, context):\n    return 'new'\n")

    def answer() -> bytes:
        with connect(f"disk:{store_path}") as cloud:
            client: Any = cloud.lambda_
            found: bytes = client.invoke(FunctionName="fn")["Payload"].read()
            return found

    assert call("function", "update", "fn", "fn.py", "--copy", "--dry-run").returncode == 0
    assert answer() == b'"old"'
    assert call("function", "update", "fn", "fn.py", "--copy", "--publish").stdout == f"{ARN}:fn:1\n"
    assert answer() == b'"new"'


def test_layers(call: Call, tmp_path: Path) -> None:
    """Published from a folder, listed, given to a function, deleted."""
    (tmp_path / "mine" / "python").mkdir(parents=True)
    (tmp_path / "mine" / "python" / "shared.py").write_text("x = 1\n")
    arn = call("function", "layer", "publish", "shared", "mine", "--runtime", "python3.12").stdout.strip()
    assert arn == "arn:aws:lambda:us-east-1:000000000000:layer:shared:1"
    assert arn in call("function", "layer", "list").stdout
    assert arn in call("function", "layer", "list", "shared").stdout
    assert call("function", "create", f"{SAMPLES}/orders", "--layer", arn).returncode == 0
    assert arn in call("function", "show", "orders").stdout
    assert call("function", "layer", "delete", "shared", "1").returncode == 2
    assert call("function", "layer", "delete", "shared", "1", "--yes").returncode == 0
    assert call("function", "layer", "list").stdout == "There are no layers.\n"


def test_what_invocations_cost(call: Call, orders: None, store_path: Path) -> None:
    """A version's GB-seconds and requests of the time that is asked for, at AWS's prices or one's own; nothing run costs nothing, nor what another function wrote into the same group."""
    assert call("function", "cost").stdout == "Nothing was invoked since 24h.\n"
    report = "REPORT RequestId: {}\tDuration: 999.10 ms\tBilled Duration: {} ms\tMemory Size: 2048 MB\tMax Memory Used: 30 MB\t"
    with connect(f"disk:{store_path}") as cloud:
        now = cloud.clock.now_ms()
        cloud.logs.create_log_group(logGroupName="/aws/lambda/orders")
        for stream, age_ms, billed in (
            ("[3]a", 60_000, 1000),
            ("[$LATEST]b", 60_000, 500),
            ("[3]c", 7_200_000, 9),
        ):
            cloud.logs.create_log_stream(
                logGroupName="/aws/lambda/orders", logStreamName=f"2026/01/02/{stream}"
            )
            text = report.format("8f507a5b-2c3e-4a31-9f0e-1d2c3b4a5f60", billed)
            events: list[Any] = [{"timestamp": now - age_ms, "message": text}]
            if stream == "[3]a":
                events.append(
                    {
                        "timestamp": now - age_ms,
                        "message": text.replace("8f5", "7f5") + "Init Duration: 9.00 ms\t",
                    }
                )
            cloud.logs.put_log_events(
                logGroupName="/aws/lambda/orders", logStreamName=f"2026/01/02/{stream}", logEvents=events
            )
    prices = ("--gb-second", "0.5", "--million-requests", "1000000")
    done = call("function", "cost", "orders", "--since", "1h", *prices, "--json")
    latest, third = map(json.loads, done.stdout.splitlines())
    assert latest == {
        "function": "orders",
        "version": "$LATEST",
        "invocations": 1,
        "cold_starts": 0,
        "gb_seconds": 1.0,
        "cost": 1.5,
        "monthly": 1.5 * 720,
    }
    assert (third["invocations"], third["cold_starts"], third["gb_seconds"], third["cost"]) == (
        2,
        1,
        4.0,
        4.0,
    )
    table = call("function", "cost", "--since", "1h").stdout.splitlines()
    assert table[0].split() == [
        "function",
        "version",
        "invocations",
        "cold",
        "starts",
        "GB-seconds",
        "cost",
        "a",
        "month",
    ]
    assert table[-1].split() == ["all", "3", "1", "5.000", "$0.000084", "$0.06"]
    assert call("function", "cost", "--since", "1h", "--until", "2h").returncode == 2
    with connect(f"disk:{store_path}") as cloud:
        stream = "2026/01/02/other[3]d"
        cloud.logs.create_log_stream(logGroupName="/aws/lambda/orders", logStreamName=stream)
        cloud.logs.put_log_events(
            logGroupName="/aws/lambda/orders",
            logStreamName=stream,
            logEvents=[{"timestamp": now - 60_000, "message": text.replace("8f5", "9f5")}],
        )
    assert call("function", "cost", "--since", "1h").stdout.splitlines() == table
    assert call("function", "cost", "no-such").returncode == 1
