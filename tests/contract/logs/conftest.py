"""Clients of CloudWatch Logs' contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.conftest import Backend


@pytest.fixture
def logs(backend: Backend) -> Any:
    """A client with one group and one stream."""
    client = backend.client("logs")
    client.create_log_group(logGroupName="g")
    client.create_log_stream(logGroupName="g", logStreamName="s")
    return client


def put(logs: Any, now: int, *messages: str, stream: str = "s") -> None:
    """Write messages, a ms apart."""
    events = [{"timestamp": now - 1000 + index, "message": message} for index, message in enumerate(messages)]
    logs.put_log_events(logGroupName="g", logStreamName=stream, logEvents=events)


def texts(response: Any) -> list[str]:
    """The messages in a response."""
    return [event["message"] for event in response["events"]]


COUNT = {"metricName": "metric", "metricNamespace": "namespace", "metricValue": "1"}
