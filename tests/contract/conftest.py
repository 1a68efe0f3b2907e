"""The backends that one body of tests runs on: the double, boto3 by its wire protocols, moto as a peer, AWS by opt-in."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from lambdalog.cloud import Cloud, connect
from lambdalog.server.service import Service, Settings
from tests.contract import account
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
        return checked(self._cloud.client(service), self.name)

    @property
    def now(self) -> int:
        """The backend's time, epoch ms."""
        return time.time_ns() // 1_000_000


class WireCloud:
    """The doubles behind the wire protocols, spoken to by boto3's own clients."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def client(self, service: str) -> Any:
        """boto3's client, whose requests stay in this process."""
        return self._cloud.boto3_client(service)


class HttpCloud:
    """A store that is served, spoken to by boto3's own clients over HTTP."""

    def __init__(self, service: Service, region: str) -> None:
        self._service = service
        keys = service.keys
        self._session = boto3.Session(keys.access_key, keys.secret_key, region_name=region)

    def client(self, service: str) -> Any:
        """boto3's client of the endpoint."""
        config = Config(retries={"max_attempts": 1, "mode": "standard"}, inject_host_prefix=False)
        return self._session.client(service, endpoint_url=self._service.url, config=config)


@pytest.fixture(params=["double", "wire", "http", "moto", pytest.param("aws", marks=pytest.mark.aws)])
def backend(
    request: pytest.FixtureRequest, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Backend]:
    """Each backend in turn."""
    deviation = request.node.get_closest_marker("moto_deviates")
    if request.param == "moto" and deviation is not None:
        if not deviation.kwargs.get("run", True):
            pytest.xfail(deviation.args[0])
        request.applymarker(pytest.mark.xfail(reason=deviation.args[0], strict=True))
    with ExitStack() as stack:
        if request.param == "moto":
            from moto import mock_aws

            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
            stack.enter_context(mock_aws())
            cloud: Any = stack.enter_context(connect("aws:us-east-1"))
        elif request.param == "aws":
            account.prepare(monkeypatch)
            real = stack.enter_context(connect("aws"))
            cloud = account.Account(real, boto3.client("sts"), account.ACCOUNT)
            stack.callback(cloud.close)
        elif request.param == "wire":
            cloud = WireCloud(stack.enter_context(connect(f"disk:{store_path}")))
        elif request.param == "http":
            served = stack.enter_context(connect(f"disk:{store_path}"))
            service = stack.enter_context(Service(served, Settings(port=0, threads=1)))
            cloud = HttpCloud(service, served.scope.region)
        else:
            cloud = stack.enter_context(connect(f"disk:{store_path}"))
        yield Backend(request.param, cloud)
