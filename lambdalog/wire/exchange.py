"""One request in, one response out: found, decoded, dispatched, encoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import ClientError, ParamValidationError

from lambdalog.wire import json_protocol, query_protocol, rest_protocol
from lambdalog.wire.models import model
from lambdalog.wire.route import NotRouted, find_service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.model import OperationModel, ServiceModel

# The four services, and STS, which clients ask who they are.
SERVICES: Final = ("logs", "sqs", "sns", "lambda", "sts")


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. Header names are lower-case; `path` is as it was sent, without the query."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


class Codec(Protocol):
    """One of AWS's protocols: a module with these functions."""

    def decode(self, service: ServiceModel, request: Request) -> tuple[OperationModel, dict[str, Any]]:
        """The operation and its parameters. Malformed if the request holds none."""
        ...

    def encode(self, operation: OperationModel, response: Mapping[str, Any]) -> Response:
        """A response."""
        ...

    def encode_error(self, service: ServiceModel, error: ClientError) -> Response:
        """An error, as the service shapes it."""
        ...


class Malformed(Exception):
    """The request can't be read: the code and text that the service answers with."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        response: Any = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        self.error = ClientError(response, "Unknown")


_CODECS: Final[dict[str, Any]] = {"json": json_protocol, "query": query_protocol, "rest-json": rest_protocol}


class Exchange:
    """Answers requests through `dispatch(service, operation, params) → response`.

    `dispatch` raises botocore's errors, which are answered as the service would; anything else is a 500 of the service's
    own shape that tells nothing of this machine.
    """

    def __init__(self, dispatch: Callable[[str, str, dict[str, Any]], Mapping[str, Any]]) -> None:
        self._dispatch = dispatch

    def answer(self, request: Request) -> Response:
        """The response to a request; never raises for what a client sent."""
        try:
            name, protocol = find_service(request)
        except NotRouted as error:
            return Response(404, {"content-type": "text/plain"}, f"{error}\n".encode())
        service, codec = model(name), _CODECS[protocol]
        try:
            operation, params = codec.decode(service, request)
            response = self._dispatch(name, operation.name, params)
            encoded: Response = codec.encode(operation, response)
        except ClientError as error:
            encoded = codec.encode_error(service, error)
        except ParamValidationError as error:
            encoded = codec.encode_error(service, Malformed(_invalid(protocol), str(error)).error)
        except Malformed as malformed:
            encoded = codec.encode_error(service, malformed.error)
        return encoded


def _invalid(protocol: str) -> str:
    """The code for parameters of a wrong shape."""
    return {
        "json": "SerializationException",
        "query": "InvalidParameter",
        "rest-json": "ValidationException",
    }[protocol]
