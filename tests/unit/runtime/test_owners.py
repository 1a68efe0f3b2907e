"""Owners of work: alive while their lock is held, and their events given back when it is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from lambdalog.cloud import connect
from lambdalog.local.lambda_ import LOCAL_FOLDER
from lambdalog.runtime.async_events import AsyncEvents
from lambdalog.runtime.owners import Owners

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.clock import ManualClock

ROLE = "arn:aws:iam::000000000000:role/r"


def test_an_owner_lives_until_it_lets_go(tmp_path: Path) -> None:
    """Seen by others, by its name alone; dead, it leaves no file."""
    one, other = Owners(tmp_path), Owners(tmp_path)
    name = one.mine()
    assert one.mine() == name
    assert other.lives(name)
    assert one.lives(name)
    one.close()
    assert not other.lives(name)
    assert list(tmp_path.iterdir()) == []
    assert not other.lives("never-was")


def test_what_a_dead_owner_took_is_taken_again(store_path: Path, clock: ManualClock) -> None:
    """At once, not when its lease ends; what a living one has is left alone."""
    first, second = AsyncEvents(store_path, clock=clock), AsyncEvents(store_path, clock=clock)
    request = first.enqueue("f", b"{}")
    assert first.take() is not None
    assert second.take() is None
    first.close()
    clock.advance(2)
    again = second.take()
    second.close()
    assert again is not None
    assert again.request_id == request


def test_a_busy_worker_takes_what_a_dead_one_had(store_path: Path, clock: ManualClock) -> None:
    """Also one that goes from event to event and never looks about idly."""
    first, second = AsyncEvents(store_path, clock=clock), AsyncEvents(store_path, clock=clock)
    request = first.enqueue("f", b"{}")
    second.enqueue("f", b"{}")
    assert first.take() is not None
    mine = second.take()
    assert mine is not None
    first.close()
    clock.advance(2)
    again = second.done_and_take(mine, "succeeded")
    second.close()
    assert again is not None
    assert again.request_id == request


def test_a_killed_worker_loses_no_event(tmp_path: Path, store_path: Path) -> None:
    """Kill -9 in the middle of a hundred events: the next worker finishes them at once, and all are counted."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "app.py").write_text("def handler(event, context):\n    print(event['n'])\n")
    with connect(f"disk:{store_path}") as cloud:
        client: Any = cloud.lambda_
        client.create_function(
            FunctionName="f",
            Role=ROLE,
            Handler="app.handler",
            Timeout=60,
            Code={"S3Bucket": LOCAL_FOLDER, "S3Key": str(folder)},
        )
        for number in range(100):
            client.invoke(FunctionName="f", InvocationType="Event", Payload=b'{"n": %d}' % number)
    code = (
        "import lambdalog\n"
        f"with lambdalog.connect('disk:{store_path}') as cloud:\n"
        "    client = cloud.client('lambda')\n"
        "    worker = client.worker()\n"
        "    for number in range(100):\n"
        "        worker.step()\n"
        "        print(number, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == 20:
            break
    os.kill(process.pid, signal.SIGKILL)
    process.stdout.close()
    process.wait()
    with connect(f"disk:{store_path}") as cloud:
        found: Any = cloud.client("lambda")
        found.worker().drain()
        assert found.events.counts() == {"succeeded": 100}
        paginator = cloud.logs.get_paginator("filter_log_events")
        pages = paginator.paginate(logGroupName="/aws/lambda/f")
        printed = {event["message"].strip() for page in pages for event in page["events"]}
    assert {str(number) for number in range(100)} <= printed
