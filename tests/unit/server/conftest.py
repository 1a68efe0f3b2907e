"""A store that is served, and its clients."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lambdalog.server.http import HttpServer
from lambdalog.server.service import Service, Settings
from tests.unit.server.peers import echo, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lambdalog.cloud import Cloud
    from lambdalog.server.limits import Limits
    from lambdalog.wire import Request, Response


FREE = Settings(port=0, threads=1)


@pytest.fixture
def service(cloud: Cloud) -> Iterator[Service]:
    """A served store."""
    with Service(cloud, FREE) as served:
        yield served


def client(service: Service, name: str, **other: Any) -> Any:
    """boto3's client of an endpoint."""
    environment = service.environment
    settings = {
        "endpoint_url": environment["AWS_ENDPOINT_URL"],
        "region_name": environment["AWS_REGION"],
        "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
    } | other
    config = Config(retries={"max_attempts": 1, "mode": "standard"}).merge(other.get("config", Config()))
    return boto3.client(name, **settings | {"config": config})


def raw(service: Service, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """A request as no SDK sends it."""
    where = urlsplit(service.url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=30)
    try:
        connection.request(
            method, path, body, {name.replace("_", "-"): text for name, text in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def refused(call: Any, **arguments: Any) -> str:
    """The code that a call is refused with."""
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    return str(raised.value.response["Error"]["Code"])


WAITS = """
import pathlib, time
def handler(event, context):
    gate = pathlib.Path({gate!r})
    gate.with_suffix(".begun").touch()
    while not gate.exists():
        time.sleep(0.01)
    return "went on"
"""


def deploy(functions: Any, folder: Path, text: str) -> None:
    """A function f of one file, run where it lies."""
    code = folder / "code"
    code.mkdir()
    (code / "app.py").write_text(text)
    functions.create_function(
        FunctionName="f",
        Runtime="python3.11",
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/r",
        Timeout=60,
        Code={"S3Bucket": "local-folder", "S3Key": str(code)},
    )


@pytest.fixture
def serve() -> Iterator[Callable[..., HttpServer]]:
    """Makes servers, and stops them in the end."""
    servers: list[HttpServer] = []

    def make(answer: Callable[[Request], Response] = echo, limits: Limits | None = None) -> HttpServer:
        server = HttpServer(("127.0.0.1", 0), answer, refuse=refuse, body_max=lambda *_: 1000, limits=limits)
        servers.append(server)
        server.start()
        return server

    yield make
    for server in servers:
        server.stop(1)
