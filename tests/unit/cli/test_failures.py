"""The commands about failures, from the outside."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.cli import main
from lambdalog.cloud import connect
from lambdalog.deadletter import DeadLetter, DeadLetters
from lambdalog.local.lambda_.deploy import deploy
from lambdalog.runtime.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., subprocess.CompletedProcess[str]]

CODE = """
import os, time
def handler(event, context):
    if event.get("wait"):
        open(event["wait"], "w").close()
        time.sleep(0.3)
    if event["id"] == 2:
        raise ValueError("two is too much")
    return os.environ["GREETING"]
"""


@pytest.fixture
def call(store_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `lambdalog ARGS` as the `run` fixture does, in this process: many of these tests call it often."""

    def command(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        out, errors = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            for name, value in (
                {"LAMBDALOG_STORE": f"disk:{store_path}", "COLUMNS": "160"} | environment
            ).items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["lambdalog", *arguments])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8"))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", errors)
            with pytest.raises(SystemExit) as ended:
                main()
        code = ended.value.code
        texts = [file.buffer.getvalue().decode() for file in (out, errors)]
        return subprocess.CompletedProcess([], code if isinstance(code, int) else 0, *texts)

    return command


@pytest.fixture
def store(store_path: Path, tmp_path: Path) -> Path:
    """A store with a function `pay`, and three failures in `pay-dlq`: two of one kind, one of another."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "app.py").write_text(CODE)
    with connect(f"disk:{store_path}") as cloud:
        project = Project("pay", "app.handler", folder, environment={"GREETING": "hello"})
        deploy(cloud.client("lambda"), cloud.sqs, project)
        letters = DeadLetters(cloud.sqs)
        for number, message in ((1, "no card"), (2, "no money"), (3, "no card")):
            letters.send("pay-dlq", DeadLetter(json.dumps({"id": number}), f"r-{number}", message))
    return store_path


def left(store: Path, queue: str = "pay-dlq") -> list[Any]:
    """The ids of the events in a queue."""
    with connect(f"disk:{store}") as cloud:
        sqs = cloud.client("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        return [json.loads(looked.body)["id"] for looked in sqs.browse_messages(QueueUrl=url)]


def test_a_failure_tells_what_replays_did_with_it(call: Run, store: Path) -> None:
    """After a replay that failed, `failures show` names the run, its end and why; as JSON too."""
    listed = [json.loads(line) for line in call("failures", "list", "--json").stdout.splitlines()]
    (message,) = [letter["messageId"] for letter in listed if letter["errorMessage"] == "no money"]
    assert json.loads(call("failures", "show", message, "--json").stdout)["runs"] == []
    assert call("replay", "pay-dlq", "--to", "pay", "--yes").returncode == 1
    (told,) = json.loads(call("failures", "show", message, "--json").stdout)["runs"]
    assert (told["kind"], told["state"]) == ("replay", "failed")
    line = next(
        line for line in call("failures", "show", message).stdout.splitlines() if line.startswith("taken up")
    )
    assert f" by {told['run']}, replay to function:pay" in line
    assert line.endswith(f": failed: {told['detail']}")


def test_a_failure_is_shown_to_be_read(call: Run, store_path: Path) -> None:
    """Its lines by what they say, a stack line by line, and message attributes that aren't Lambda's; as JSON all as it was."""
    with connect(f"disk:{store_path}") as cloud:
        said = {"level": "WARN", "message": "no stock", "requestId": "r-1", "sku": "tea\x1b[2J"}
        lines = [json.dumps(said), "[ERROR] Gone: r-1\rTraceback\r  File a.py"]
        cloud.logs.create_log_group(logGroupName="/aws/lambda/shop")
        cloud.logs.create_log_stream(logGroupName="/aws/lambda/shop", logStreamName="s")
        events: Any = [{"timestamp": cloud.clock.now_ms(), "message": line} for line in lines]
        cloud.logs.put_log_events(logGroupName="/aws/lambda/shop", logStreamName="s", logEvents=events)
        cloud.sqs.create_queue(QueueName="shop-dlq")
        extra = {"FunctionName": "shop", "Shop": "berlin"}
        DeadLetters(cloud.sqs).send("shop-dlq", DeadLetter("{}", "r-1", "Gone", extra=extra))
    shown = call("failures", "show", "r-1").stdout.splitlines()
    assert "attribute    Shop = berlin" in shown
    assert not any("RequestID" in line for line in shown)
    assert any(line.endswith("WARN  no stock sku=tea␛[2J") for line in shown)
    assert shown[-3:] == ["  [ERROR] Gone: r-1", "      Traceback", "        File a.py"]
    assert json.loads(call("failures", "show", "r-1", "--json").stdout)["lines"] == lines


def test_groups_are_chosen_marked_and_shown(call: Run, store: Path) -> None:
    """By conditions before or behind the subcommand; muted ones are counted, resolved ones say so."""
    groups = [json.loads(line) for line in call("failures", "--json").stdout.splitlines()]
    assert [(group["message"], group["count"], group["status"]) for group in groups] == [
        ("no card", 2, "new"),
        ("no money", 1, "new"),
    ]
    assert call("failures", "--where", "message~money", "list").stdout.count("\n") == 1
    assert call("failures", "list", "--where", "$.id > 1").stdout.count("\n") == 2
    first = groups[0]["fingerprint"]
    muted = call("failures", "mute", first[:6], "--for", "1h", "--reason", "known")
    assert (muted.returncode, muted.stdout) == (0, f"{first} is muted for 1h\n")
    muted = call("failures")
    assert ("no card" in muted.stdout, "1 muted" in muted.stderr) == (False, True)
    assert "muted" in call("failures", "--all").stdout
    assert call("failures", "resolve", first).stdout.startswith(f"{first} is resolved")
    assert "resolved" in call("failures", "groups", "--status", "resolved").stdout
    assert call("failures", "reopen", first).stdout == f"{first} is open again\n"
    assert call("failures", "reopen", first).returncode == 1
    audit = [json.loads(line)["action"] for line in call("failures", "audit", "--json").stdout.splitlines()]
    assert audit == ["muted", "resolved", "reopened"]
    assert "pay-dlq  dead letters of pay" in call("failures", "queues").stdout


def test_no_failures_are_said_to_be_none(call: Run) -> None:
    """By groups and one by one alike; where nothing was chosen, with where else to look; as JSON there is nothing."""
    for command in ("groups", "list"):
        done = call("failures", command)
        assert (done.returncode, done.stdout) == (0, "No failures.\n")
        assert "lambdalog tail --filter ERROR" in done.stderr
        assert call("failures", command, "--where", "type=E").stderr == ""
        assert call("failures", command, "--json").stdout == ""


def test_a_failure_is_found_by_how_its_ids_begin(call: Run, store: Path) -> None:
    """A message id, a request id or a fingerprint need not be typed whole; less than four characters name nothing."""
    (one, *_) = [json.loads(line) for line in call("failures", "list", "--json").stdout.splitlines()]
    shown = call("failures", "show", one["messageId"]).stdout
    assert call("failures", "show", one["messageId"][:8]).stdout == shown
    assert call("failures", "show", one["requestId"][:8]).stdout == shown
    assert call("failures", "show", one["messageId"][:3]).returncode == 1


def test_a_store_that_can_not_be_written_is_looked_into(
    call: Run, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failures, and what a replay would do, are shown; what would change the store ends with one line."""
    monkeypatch.setattr("lambdalog.store.tables.os.access", lambda *_: False)
    assert "no card" in call("failures").stdout
    assert "Would send 3 of the 3 in pay-dlq" in call("replay", "pay-dlq").stdout
    done = call("failures", "mute", "0123456789abcdef")
    assert done.returncode == 1
    assert done.stderr.startswith("lambdalog: the store can be read, not written")
    assert len(done.stderr.splitlines()) == 1


def test_a_locale_without_the_bars_gets_the_table(run: Run, store: Path) -> None:
    """What a terminal that isn't UTF-8 has no sign for is a question mark; the rest of the answer is there."""
    done = run("failures", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no card" in done.stdout
    assert "?" in done.stdout


def test_a_narrow_terminal_loses_columns_before_the_message(store: Path) -> None:
    """At sixty columns type, message and fingerprint are there; no line is longer."""
    script = (
        "import sys; from unittest import mock; import rich.console as c; "
        "from lambdalog.cli import failures_view as v, failures as f; "
        "v.interactive = lambda *_: True; f.command(standalone_mode=False)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"LAMBDALOG_STORE": f"disk:{store}", "COLUMNS": "60"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 60
    assert "no card" in lines[1]
    assert "queue" not in lines[0]


def test_a_replay_tells_what_it_did(call: Run, store: Path) -> None:
    """A dry run with counts; then a table by fingerprint, what is left, and the run in the list of runs."""
    dry = call("replay", "pay-dlq")
    assert "Would send 3 of the 3 in pay-dlq to where each came from:" in dry.stdout
    assert left(store) == [1, 2, 3]
    done = call("replay", "pay-dlq", "--yes", "--reason", "repaired")
    assert done.returncode == 1
    assert "succeeded, and deleted from the queue" in done.stdout
    failed, why = done.stdout.splitlines()[-2:]
    assert failed == "     1  failed again, and kept"
    assert why.split(maxsplit=1) == ["1", "ValueError: two is too much"]
    assert left(store) == [2]
    (listed,) = [json.loads(line) for line in call("failures", "runs", "--json").stdout.splitlines()]
    assert (listed["items"], listed["reason"]) == ({"acked": 2, "failed": 1}, "repaired")
    assert "failed" in call("failures", "runs", listed["run"]).stdout
    assert "two is too much" in call("failures", "audit", "--run", listed["run"]).stdout
    changed = call("replay", "pay-dlq", "--set", "id=5", "--yes", "--json")
    assert (changed.returncode, json.loads(changed.stdout)["acked"]) == (0, 1)
    assert left(store) == []


def test_an_event_is_edited_in_the_editor(call: Run, store: Path, tmp_path: Path) -> None:
    """What the editor leaves is what is sent; broken JSON is refused and leaves the message alone."""
    good, bad = tmp_path / "good.sh", tmp_path / "bad.sh"
    good.write_text('#!/bin/sh\necho \'{"id": 9}\' > "$1"\n')
    bad.write_text("#!/bin/sh\necho '{' > \"$1\"\n")
    for script in (good, bad):
        script.chmod(0o755)
    refused = call("replay", "pay-dlq", "--where", "$.id = 2", "--edit", "--yes", EDITOR=str(bad))
    assert "is no JSON" in refused.stderr
    assert left(store) == [1, 2, 3]
    done = call("replay", "pay-dlq", "--where", "$.id = 2", "--edit", "--yes", EDITOR=str(good))
    assert done.returncode == 0, done.stderr
    assert left(store) == [1, 3]
    assert call("replay", "pay-dlq", "--edit").returncode == 2


def test_a_failure_is_debugged_here(run: Run, store: Path) -> None:
    """The debugger stops at the handler's first line with the function's environment, and where it raised."""
    done = run(
        "replay",
        "pay-dlq",
        "--where",
        "$.id = 2",
        "--pdb",
        stdin="p event\np os.environ['GREETING']\nc\np event['id']\nq\n",
    )
    assert done.returncode == 1
    assert "{'id': 2}" in done.stdout
    assert "'hello'" in done.stdout
    assert 'raise ValueError("two is too much")' in done.stdout
    assert "it failed: ValueError: two is too much" in done.stderr
    fine = run("replay", "pay-dlq", "--where", "$.id = 1", "--pdb", stdin="c\n")
    assert (fine.returncode, "it returned 'hello'" in fine.stdout) == (0, True)
    assert left(store) == [1, 2, 3]


def test_ctrl_c_leaves_a_run_to_go_on_with(run: Run, store: Path, tmp_path: Path) -> None:
    """What is being sent is finished, the rest stays planned; --resume takes it up."""
    reached = tmp_path / "reached"
    run("discard", "pay-dlq", "--confirm", "pay-dlq", "--reason", "test")
    with connect(f"disk:{store}") as cloud:
        for number in (4, 5, 6):
            body = json.dumps({"id": number, "wait": str(reached)})
            DeadLetters(cloud.sqs).send("pay-dlq", DeadLetter(body, f"r-{number}", "slow"))
    with subprocess.Popen(
        [sys.executable, "-m", "lambdalog", "replay", "pay-dlq", "--yes"],
        env=os.environ | {"LAMBDALOG_STORE": f"disk:{store}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not reached.exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    run_id = out.rsplit("--resume ", 1)[1].strip()
    assert "cancelled; go on with: lambdalog replay --resume" in out
    assert left(store) == [5, 6]
    assert run("replay", "--resume", run_id).returncode == 0
    assert left(store) == []


def test_a_discard_asks_for_the_queues_name(call: Run, store: Path) -> None:
    """Chosen ones need --yes and a reason, a whole queue its name; nothing is half done."""
    assert "Would discard 2 of the 3" in call("discard", "pay-dlq", "--where", "message~card").stdout
    for given, wanted in (
        ([], "--confirm pay-dlq and --reason TEXT."),
        (["--reason", "x"], "--confirm pay-dlq."),
    ):
        assert call("discard", "pay-dlq", *given).stdout.endswith(f"Do it with {wanted}\n")
    for arguments, text in (
        (["--where", "message~card", "--yes"], "--reason"),
        (["--yes", "--reason", "x"], "--confirm pay-dlq"),
        (["--confirm", "other", "--reason", "x"], "is not pay-dlq"),
    ):
        refused = call("discard", "pay-dlq", *arguments)
        assert (refused.returncode, text in refused.stderr) == (2, True), refused.stderr
    assert left(store) == [1, 2, 3]
    assert call("discard", "pay-dlq", "--where", "message~card", "--yes", "--reason", "dup").returncode == 0
    assert left(store) == [2]
    assert call("discard", "pay-dlq", "--confirm", "pay-dlq", "--reason", "all").returncode == 0
    assert left(store) == []


def test_what_is_exported_can_be_imported(call: Run, store: Path, tmp_path: Path) -> None:
    """To the byte, to a file that is not overwritten; a bad line is named, and what was sent before it is said."""
    exported = call("export", "pay-dlq", "-o", "out.jsonl", "--where", "$.id > 1")
    assert (exported.returncode, exported.stdout) == (0, "")
    assert call("export", "pay-dlq", "-o", "out.jsonl").returncode == 1
    assert call("export", "pay-dlq").stdout.count("\n") == 3
    assert not (tmp_path / "none.jsonl").exists()
    assert call("export", "none", "-o", "none.jsonl").returncode == 1
    assert not (tmp_path / "none.jsonl").exists()
    with connect(f"disk:{store}") as cloud:
        cloud.sqs.create_queue(QueueName="copy")
    assert call("import", "copy", "out.jsonl").returncode == 0
    assert left(store, "copy") == [2, 3]
    assert call("import", "copy", "-", stdin='{"body": "{\\"id\\": 7}"}\n').returncode == 0
    assert call("import", "copy", "out.jsonl", "--skip", "1").returncode == 0
    assert left(store, "copy") == [2, 3, 7, 3]
    bad = call("import", "copy", "-", stdin="nonsense\n")
    assert (bad.returncode, "line 1 is no exported message" in bad.stderr) == (1, True)


def test_a_replay_of_nothing_says_so(call: Run, store: Path) -> None:
    """Where no failure is meant, that is told; with --json nothing is."""
    done = call("replay", "pay-dlq", "--where", "type=Nothing", "--yes")
    assert (done.returncode, done.stdout) == (0, "Nothing to replay in pay-dlq.\n")
    assert call("replay", "pay-dlq", "--where", "type=Nothing", "--json").stdout == ""
    assert left(store) == [1, 2, 3]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["replay", "pay-dlq", "--to", "f", "--to-source"], 2, "name one of"),
        (["replay", "pay-dlq", "--to", "f:1:2"], 2, "names no function"),
        (["replay", "pay-dlq", "--where", "nonsense"], 2, "is no condition"),
        (["replay", "pay-dlq", "--rate", "fast"], 2, "is no rate"),
        (["replay", "pay-dlq", "--stop-after", "half"], 2, "how many failures"),
        (["replay", "pay-dlq", "--set", "x"], 2, "write PATH=VALUE"),
        (["replay", "pay-dlq", "--to", "none", "--yes"], 1, "Function not found"),
        (["replay", "pay-dlq", "--to", "pay:none"], 1, "Function not found"),
        (["replay", "pay-dlq", "--to-queue", "none"], 1, "no queue is called none"),
        (["failures", "--queue", "none"], 1, "no queue is called none"),
        (["failures", "show", "x", "--queue", "none"], 1, "no queue is called none"),
        (["import", "none", "/dev/null"], 1, "no queue is called none"),
        (["replay", "--resume", "none"], 1, "there is no replay none"),
        (["replay", "--resume", "x", "--set", "a=1"], 2, "takes only a pace"),
        (["replay", "pay-dlq", "--pdb", "--code", "/nowhere"], 1, "there is no folder"),
        (["discard"], 2, "name a QUEUE"),
        (["replay", "none"], 1, "no queue is called none"),
        (["export", "none"], 1, "no queue is called none"),
        (["discard", "none", "--yes"], 1, "no queue is called none"),
        (["import", "copy", "none.jsonl"], 1, "none.jsonl: No such file"),
        (["failures", "mute", "ffff"], 1, "no group has a fingerprint"),
        (["failures", "mute", "ffff", "--for", "long"], 2, "write 30m"),
        (["failures", "runs", "none"], 1, "there is no replay none"),
        (["failures", "--where", "color=red"], 2, "there is no field color"),
    ],
)
def test_what_is_wrong_is_one_line(
    call: Run, store: Path, arguments: list[str], code: int, text: str
) -> None:
    """Bad input: status 1 or 2, what is wrong, and nothing changed."""
    done = call(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert left(store) == [1, 2, 3]
