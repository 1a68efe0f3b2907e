"""A store served, and stopped: what runs gets its time, what is queued stays queued."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError

from lambdalog.server.service import Service
from tests.unit.server.conftest import FREE, WAITS, client, deploy

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud


def test_a_stop_ends_long_polls_at_once(service: Service) -> None:
    """Whoever waits for messages gets the answer that there are none, not a broken connection."""
    sqs = client(service, "sqs", config=Config(read_timeout=40))
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    answers: list[Any] = []
    polling = threading.Thread(
        target=lambda: answers.append(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20))
    )
    begin = time.monotonic()
    polling.start()
    while not service.answering:
        time.sleep(0.005)
    assert service.stop()
    polling.join()
    assert "Messages" not in answers[0]
    assert time.monotonic() - begin < 19


def test_a_stop_gives_invocations_their_time(service: Service, tmp_path: Path, store_path: Path) -> None:
    """A running function is answered; an event that waits still waits afterwards."""
    gate = tmp_path / "gate"
    deploy(client(service, "lambda"), tmp_path, WAITS.format(gate=str(gate)))
    functions = client(service, "lambda", config=Config(read_timeout=60))
    answers: list[Any] = []
    asking = threading.Thread(
        target=lambda: answers.append(functions.invoke(FunctionName="f", Payload=b"{}")["Payload"].read())
    )
    asking.start()
    while not gate.with_suffix(".begun").exists():
        time.sleep(0.005)
    stopped: list[bool] = []
    stopping = threading.Thread(target=lambda: stopped.append(service.stop()))
    stopping.start()
    gate.touch()
    asking.join()
    stopping.join()
    assert (answers, stopped) == ([b'"went on"'], [True])


def test_a_stop_leaves_queued_what_is_queued(cloud: Cloud, tmp_path: Path) -> None:
    """The event that is being tried is finished; the one behind it is tried once the store is served again."""
    gate = tmp_path / "gate"
    with Service(cloud, FREE) as service:
        functions = client(service, "lambda")
        deploy(functions, tmp_path, WAITS.format(gate=str(gate)))
        for _ in range(2):
            functions.invoke(FunctionName="f", InvocationType="Event", Payload=b"{}")
        while not gate.with_suffix(".begun").exists():
            time.sleep(0.005)
        stopping = threading.Thread(target=service.stop)
        stopping.start()
        while not service._stop.is_set():
            time.sleep(0.005)
        gate.touch()
        stopping.join()
    events = cloud.client("lambda").events
    found = cloud.logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern='"END RequestId"')[
        "events"
    ]
    assert (events.pending(), len(found)) == (1, 1)
    with Service(cloud, FREE):
        while events.pending():
            time.sleep(0.01)


def test_a_stop_can_be_hurried(service: Service, tmp_path: Path) -> None:
    """What would not end is cut off, and that is told."""
    gate = tmp_path / "gate"
    deploy(client(service, "lambda"), tmp_path, WAITS.format(gate=str(gate)))
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            client(service, "lambda").invoke(FunctionName="f", Payload=b"{}")
        except BotoCoreError as error:
            errors.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    while not gate.with_suffix(".begun").exists():
        time.sleep(0.005)
    service.hurry()
    assert service.stop() is False
    asking.join()
    assert len(errors) == 1
    gate.touch()
