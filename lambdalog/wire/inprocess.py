"""A real boto3 client without a socket: its requests are answered in this process, through the wire protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from lambdalog.wire.messages import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.awsrequest import AWSPreparedRequest

    from lambdalog.wire.exchange import Exchange


class _Raw:
    """A response's body as urllib3 gives it, which botocore reads."""

    def __init__(self, body: bytes, parts: Iterator[bytes] | None) -> None:
        self._body = body
        self._parts = parts

    def stream(self, amount: int = 65536, **_: Any) -> Any:
        """The body in one piece, then what is streamed as it comes."""
        del amount
        if self._body:
            yield self._body
        if self._parts is not None:
            yield from self._parts

    def read(self, amount: int | None = None) -> bytes:
        """Up to `amount` bytes."""
        found, self._body = self._body[:amount], self._body[len(self._body) if amount is None else amount :]
        return found

    def close(self) -> None:
        """Let go of what is streamed."""
        if self._parts is not None and hasattr(self._parts, "close"):
            self._parts.close()


def boto3_client(service: str, exchange: Exchange, *, region: str, **arguments: Any) -> Any:
    """boto3's own client of a service, each request answered by `exchange` instead of being sent."""
    # Nothing is sent, so these prove nothing to anyone; boto3 wants to sign all the same.
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    session = boto3.Session(region_name=region, **keys)
    config = Config(retries={"max_attempts": 1, "mode": "standard"}, inject_host_prefix=False)
    client = session.client(service, config=config, **arguments)

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        url = urlsplit(str(request.url))
        headers = {str(name).lower(): _text(value) for name, value in request.headers.items()}
        body: Any = request.body
        if hasattr(body, "read"):
            body = body.read()
        body = body.encode() if isinstance(body, str) else bytes(body or b"")
        response = exchange.answer(Request(str(request.method), url.path, url.query, headers, body))
        raw: Any = _Raw(response.body, response.stream)
        answered: Any = response.headers
        return AWSResponse(str(request.url), response.status, answered, raw)

    client.meta.events.register("before-send.*.*", answer)
    return client


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
