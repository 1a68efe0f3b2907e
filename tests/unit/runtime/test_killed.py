"""`kill -9` of the process that works on a store's asynchronous events: none of them is lost."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import lambdalog
from lambdalog.local.lambda_ import LOCAL_FOLDER
from lambdalog.runtime.pool import CONCURRENCY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PATIENCE = 120.0
# One short line is written at once: several processes may share the file.
CODE = """
import os, time
def held(number):
    try:
        with open(os.environ["DONE"] + ".hold") as file:
            return number >= int(file.read())
    except FileNotFoundError:
        return False
def handler(event, context):
    fd = os.open(os.environ["DONE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, f"{event['n']}\\n".encode())
    os.close(fd)
    while held(event["n"]):
        time.sleep(0.01)
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


def made(root: Path, code: Path, done: Path) -> str:
    """A function that writes down what it does, and the URL of its dead-letter queue.

    Beside `done` a file `.hold` with a number keeps events from that number on from ending while it is there.
    """
    code.mkdir()
    (code / "app.py").write_text(CODE)
    with lambdalog.connect(f"disk:{root}") as cloud:
        client: Any = cloud.lambda_
        url: str = cloud.sqs.create_queue(QueueName="dead")["QueueUrl"]
        found = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        client.create_function(
            FunctionName="f",
            Role="arn:aws:iam::000000000000:role/r",
            Runtime="python3.11",
            Handler="app.handler",
            Timeout=60,
            Code={"S3Bucket": LOCAL_FOLDER, "S3Key": str(code)},
            Environment={"Variables": {"DONE": str(done)}},
            DeadLetterConfig={"TargetArn": found["Attributes"]["QueueArn"]},
        )
        client.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=0)
    return url


def send(client: Any, numbers: Iterable[int]) -> None:
    """An asynchronous event for each number; all are accepted."""
    for number in numbers:
        answer = client.invoke(FunctionName="f", InvocationType="Event", Payload=f'{{"n": {number}}}')
        assert answer["StatusCode"] == 202


def wait_for(done: Path, count: int) -> None:
    """Until so many lines are done."""
    until = time.monotonic() + PATIENCE
    while len(lines(done)) < count:
        assert time.monotonic() < until, "the events are not worked on"
        time.sleep(0.01)


def all_accounted_for(root: Path, done: Path, url: str, count: int, *, twice: int) -> None:
    """Each event ran, `twice` of them at most again; each tenth lies in the dead-letter queue; none is left."""
    runs = Counter(lines(done))
    assert set(runs) == set(range(count))
    assert sum(runs.values()) - count <= twice
    with lambdalog.connect(f"disk:{root}") as cloud:
        letters = Counter[str]()
        while found := cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            letters.update(message["Body"] for message in found)
        assert set(letters) == {f'{{"n": {number}}}' for number in range(0, count, 10)}
        client: Any = cloud.lambda_
        assert client.events.pending() == 0


@pytest.mark.parametrize(("count", "kills"), [(100, 1), pytest.param(1000, 5, marks=pytest.mark.long)])
def test_no_event_is_lost_when_workers_are_killed(tmp_path: Path, count: int, kills: int) -> None:
    """Killed in the middle, again and again: in the end each event has succeeded, or lies in the dead-letter queue."""
    done, root = tmp_path / "done", tmp_path / "store"
    url = made(root, tmp_path / "code", done)
    with lambdalog.connect(f"disk:{root}") as cloud:
        send(cloud.lambda_, range(count))
    for kill in range(1, kills + 1):
        with worker(root) as process:
            wait_for(done, kill * count // (kills + 2))
            process.kill()
    with worker(root, "--drain") as last:
        assert last.wait(10 * PATIENCE) == 0
    # What ran when its worker was killed runs again: at most one a thread and kill.
    all_accounted_for(root, done, url, count, twice=2 * kills)


@contextmanager
def served(root: Path) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """`lambdalog serve` on a store, and boto3's client of its Lambda; killed in the end if it still runs."""
    command = [sys.executable, "-m", "lambdalog", "serve", "--port", "0", "--store", f"disk:{root}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            exported = dict(
                process.stdout.readline().removeprefix("export ").strip().split("=", 1) for _ in range(6)
            )
            yield (
                process,
                boto3.client(
                    "lambda",
                    endpoint_url=exported["AWS_ENDPOINT_URL"],
                    region_name=exported["AWS_DEFAULT_REGION"],
                    aws_access_key_id=exported["AWS_ACCESS_KEY_ID"],
                    aws_secret_access_key=exported["AWS_SECRET_ACCESS_KEY"],
                ),
            )
        finally:
            process.kill()


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_no_event_is_lost_when_what_serves_is_killed(tmp_path: Path, count: int) -> None:
    """Kill -9 of `lambdalog serve` while what it has accepted is queued: served again, all of it is accounted for."""
    done, root = tmp_path / "done", tmp_path / "store"
    url = made(root, tmp_path / "code", done)
    before = count * 4 // 5
    hold = done.with_name(f"{done.name}.hold")
    hold.write_text(str(count // 2))
    with lambdalog.connect(f"disk:{root}") as cloud:
        send(cloud.lambda_, range(before))
    with served(root) as (process, client):
        send(client, range(before, count))
        wait_for(done, count // 2 + 1)
        process.kill()
        process.wait(PATIENCE)
    hold.unlink()
    assert len(lines(done)) < count
    with served(root), lambdalog.connect(f"disk:{root}") as cloud:
        local: Any = cloud.lambda_
        until = time.monotonic() + PATIENCE
        while local.events.pending() and time.monotonic() < until:
            time.sleep(0.05)
    # What ran when it was killed runs again: no more than it has environments at once.
    all_accounted_for(root, done, url, count, twice=CONCURRENCY)
