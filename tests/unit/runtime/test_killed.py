"""`kill -9` of the process that works on a store's asynchronous events: none of them is lost."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

import lambdalog
from lambdalog.local.lambda_ import LOCAL_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 120.0
# One short line is written at once: several processes may share the file.
CODE = """
import json, os
def handler(event, context):
    fd = os.open(os.environ["DONE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, f"{event['n']}\\n".encode())
    os.close(fd)
    if event["n"] % 10 == 0:
        raise ValueError("each tenth")
"""


def worker(store: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """`lambdalog worker` on a store."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "lambdalog",
            "worker",
            "--threads",
            "2",
            "--store",
            f"disk:{store}",
            *arguments,
        ]
    )


def lines(done: Path) -> list[int]:
    """What was done so far."""
    return [int(line) for line in done.read_text().split()] if done.exists() else []


@pytest.mark.parametrize(("count", "kills"), [(100, 1), pytest.param(1000, 5, marks=pytest.mark.long)])
def test_no_event_is_lost_when_workers_are_killed(tmp_path: Path, count: int, kills: int) -> None:
    """Killed in the middle, again and again: in the end each event has succeeded, or lies in the dead-letter queue."""
    code, done, root = tmp_path / "code", tmp_path / "done", tmp_path / "store"
    code.mkdir()
    (code / "app.py").write_text(CODE)
    with lambdalog.connect(f"disk:{root}") as cloud:
        client: Any = cloud.lambda_
        url = cloud.sqs.create_queue(QueueName="dead")["QueueUrl"]
        arn = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        client.create_function(
            FunctionName="f",
            Role="arn:aws:iam::000000000000:role/r",
            Runtime="python3.11",
            Handler="app.handler",
            Timeout=60,
            Code={"S3Bucket": LOCAL_FOLDER, "S3Key": str(code)},
            Environment={"Variables": {"DONE": str(done)}},
            DeadLetterConfig={"TargetArn": arn},
        )
        client.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=0)
        for number in range(count):
            client.invoke(FunctionName="f", InvocationType="Event", Payload=f'{{"n": {number}}}')
    for kill in range(1, kills + 1):
        with worker(root) as process:
            until = time.monotonic() + PATIENCE
            while len(lines(done)) < kill * count // (kills + 2) and time.monotonic() < until:
                time.sleep(0.01)
            process.kill()
    with worker(root, "--drain") as last:
        assert last.wait(10 * PATIENCE) == 0
    runs = Counter(lines(done))
    assert set(runs) == set(range(count))
    # What ran when its worker was killed runs again: at most one a thread and kill.
    assert sum(runs.values()) - count <= 2 * kills
    with lambdalog.connect(f"disk:{root}") as cloud:
        letters = Counter[str]()
        while found := cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            letters.update(message["Body"] for message in found)
        assert set(letters) == {f'{{"n": {number}}}' for number in range(0, count, 10)}
        events: Any = cloud.lambda_
        assert events.events.pending() == 0
