"""HTTP requests and responses as every protocol sees them, and the refusal of what can't be read."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Request(NamedTuple):
    """An HTTP request. Header names are lower-case; `path` is as it was sent, without the query."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""


class Response(NamedTuple):
    """An HTTP response. Where there is a `stream`, its parts follow the body, each to be sent at once; close it.

    `endless`: the stream ends when its reader leaves, so a server that stops cuts it.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    stream: Iterator[bytes] | None = None
    endless: bool = False


class Malformed(Exception):
    """The request can't be read: the code and text that the service answers with."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        response: Any = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        self.error = ClientError(response, "Unknown")
