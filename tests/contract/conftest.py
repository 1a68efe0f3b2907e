"""The backends that one body of tests runs on: the double, boto3 over the wire protocols, and moto as a peer."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.cloud import Cloud, connect
from lambdalog.wire import Exchange
from lambdalog.wire.inprocess import boto3_client
from tests.contract.shapes import checked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Backend:
    """Clients of one backend; every response is held against botocore's output shape."""

    def __init__(self, name: str, cloud: Any) -> None:
        self.name = name
        self._cloud = cloud

    def client(self, service: str) -> Any:
        """A client by boto3's name of its service."""
        return checked(self._cloud.client(service))

    @property
    def now(self) -> int:
        """The backend's time, epoch ms."""
        return time.time_ns() // 1_000_000


class WireCloud:
    """The doubles behind the wire protocols, spoken to by boto3's own clients."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._exchange = Exchange(
            lambda service, operation, params: cloud.client(service).call(operation, params)
        )

    def client(self, service: str) -> Any:
        """boto3's client, whose requests stay in this process."""
        return boto3_client(service, self._exchange, region=self._cloud.scope.region)


@pytest.fixture(params=["double", "wire", "moto"])
def backend(
    request: pytest.FixtureRequest, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Backend]:
    """Each backend in turn."""
    deviation = request.node.get_closest_marker("moto_deviates")
    if request.param == "moto" and deviation is not None:
        request.applymarker(pytest.mark.xfail(reason=deviation.args[0], strict=True))
    with ExitStack() as stack:
        if request.param == "moto":
            from moto import mock_aws

            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
            stack.enter_context(mock_aws())
            cloud: Any = stack.enter_context(connect("aws:us-east-1"))
        elif request.param == "wire":
            cloud = WireCloud(stack.enter_context(connect(f"disk:{store_path}")))
        else:
            cloud = stack.enter_context(connect(f"disk:{store_path}"))
        yield Backend(request.param, cloud)
