"""A store served: what runs beside the endpoint."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from lambdalog.cloud import SERVICES
from lambdalog.server.service import Service, Settings
from tests.unit.server.conftest import FREE, client

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from lambdalog.cloud import Cloud


def test_asynchronous_events_are_invoked(service: Service, tmp_path: Path) -> None:
    """What is queued runs without another process."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.py").write_text("def handler(event, context):\n    print('got', event['n'])\n")
    functions = client(service, "lambda")
    functions.create_function(
        FunctionName="f",
        Runtime="python3.11",
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/r",
        Code={"S3Bucket": "local-folder", "S3Key": str(code)},
    )
    functions.invoke(FunctionName="f", InvocationType="Event", Payload=b'{"n": 7}')
    logs = client(service, "logs")
    for _ in range(500):
        try:
            events = logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern="got")["events"]
        except logs.exceptions.ResourceNotFoundException:
            events = []
        if events:
            break
        time.sleep(0.02)
    assert events[0]["message"] == "got 7"


def test_what_runs_beside_the_endpoint(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread for each loop that a service has, for asynchronous events and for upkeep; none outlives a stop."""
    wanted = {name for service in SERVICES for name, _ in cloud.client(service).background()}
    assert {"moves", "topics", "subscriptions", "metrics", "event-sources", "triggers"} <= wanted
    kept: list[Any] = []
    done = threading.Event()

    def keep(store: Any, *, everything: bool) -> None:
        kept.append((store, everything))
        done.set()

    monkeypatch.setattr("lambdalog.server.service.UPKEEP_SECONDS", 0.01)
    monkeypatch.setattr("lambdalog.store.keeping.maintain", keep)
    with Service(cloud, Settings(port=0, threads=2)) as service:
        running = {thread.name.removeprefix("lambdalog-"): thread for thread in service._threads}
        assert wanted | {"events-0", "events-1", "upkeep"} == running.keys()
        assert all(thread.is_alive() for thread in running.values())
        assert done.wait(30)
    assert kept[0] == (cloud.store, False)
    assert not any(thread.is_alive() for thread in running.values())


def test_what_fails_beside_the_endpoint_is_begun_again(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One bad moment ends no delivery for good; it is logged."""
    again = threading.Event()
    calls: list[int] = []

    def work(stop: threading.Event) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OSError("disk full")
        again.set()
        stop.wait()

    monkeypatch.setattr(cloud.client("sns"), "background", lambda: [("topics", work)])
    with caplog.at_level("ERROR", "lambdalog"), Service(cloud, FREE):
        assert again.wait(30)
    assert "topics failed; begun again in a second" in caplog.text
