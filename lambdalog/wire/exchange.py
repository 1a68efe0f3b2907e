"""One request in, one response out: found, decoded, dispatched, encoded."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import ClientError, ParamValidationError

from lambdalog.models import service_model
from lambdalog.wire import json_protocol, query_protocol, rest_protocol
from lambdalog.wire.bodies import BODY_MAX, NotPacked, TooLong, unpacked
from lambdalog.wire.elsewhere import not_here
from lambdalog.wire.messages import Malformed, Request, Response
from lambdalog.wire.route import NotRouted, find_service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.model import OperationModel, ServiceModel

    from lambdalog.wire.json_protocol import Reader

    # The operation and its parameters; Malformed if the request holds none.
    Decode = Callable[[ServiceModel, Request], tuple[OperationModel, dict[str, Any]]]

logger = logging.getLogger(__name__)

# The four services, and STS, which clients ask who they are.
SERVICES: Final = ("logs", "sqs", "sns", "lambda", "sts")


class Codec(Protocol):
    """One of AWS's protocols: a module with these functions, and `decode`."""

    def encode(self, operation: OperationModel, response: Mapping[str, Any]) -> Response:
        """A response."""
        ...

    def encode_error(self, service: ServiceModel, error: ClientError) -> Response:
        """An error, as the service shapes it."""
        ...


_FAILED: Final = "The request processing has failed because of an unknown error, exception or failure."  # AWS's common errors
_CODECS: Final[dict[str, Any]] = {"json": json_protocol, "query": query_protocol, "rest-json": rest_protocol}


class Exchange:
    """Answers requests through `dispatch(service, operation, params) → response`.

    `dispatch` raises botocore's errors, which are answered as the service would; anything else is logged, and is a 500 of
    the service's own shape that tells nothing of this machine. `authorize(service, protocol, request)`, if there is one,
    is asked before a request is looked into, and raises Malformed with the service's code for whom it refuses. `reader(service,
    operation)` may know what reads the JSON body of an operation faster than by its model.
    """

    def __init__(
        self,
        dispatch: Callable[[str, str, dict[str, Any]], Mapping[str, Any]],
        authorize: Callable[[str, str, Request], None] | None = None,
        reader: Callable[[str, str], Reader | None] | None = None,
    ) -> None:
        self._dispatch = dispatch
        self._authorize = authorize
        self._decode: dict[str, Decode] = {
            "json": partial(json_protocol.decode, reader=reader),
            "query": query_protocol.decode,
            "rest-json": rest_protocol.decode,
        }

    def answer(self, request: Request) -> Response:
        """The response to a request; never raises for what a client sent."""
        try:
            name, protocol = find_service(request)
        except NotRouted:
            return not_here(request)
        service, codec = service_model(name), _CODECS[protocol]
        try:
            if self._authorize is not None:
                self._authorize(name, protocol, request)
            operation, params = self._decode[protocol](service, unpacked(request, BODY_MAX[name]))
            response = self._dispatch(name, operation.name, params)
            encoded: Response = codec.encode(operation, response)
        except ClientError as error:
            encoded = codec.encode_error(service, error)
        except ParamValidationError as error:
            encoded = codec.encode_error(service, Malformed(_invalid(protocol), str(error)).error)
        except Malformed as malformed:
            encoded = codec.encode_error(service, malformed.error)
        except NotPacked as error:
            encoded = codec.encode_error(service, Malformed(_invalid(protocol), str(error)).error)
        except TooLong as error:
            encoded = self.refuse(request, 413, str(error))
        except Exception:
            logger.exception("a request to %s failed", name)
            encoded = codec.encode_error(service, Malformed("InternalFailure", _FAILED, 500).error)
        return encoded

    def refuse(self, request: Request | None, status: int, text: str) -> Response:
        """The answer to a request that is not taken, in the shape of the service that it is for, if that is known."""
        code = {413: "RequestEntityTooLargeException", 503: "ServiceUnavailable"}.get(
            status, "InvalidRequest"
        )
        try:
            if request is not None:
                name, protocol = find_service(request)
                refused: Response = _CODECS[protocol].encode_error(
                    service_model(name), Malformed(code, text, status).error
                )
                return refused
        except NotRouted:
            pass  # then it has no shape
        return Response(status, {"content-type": "text/plain"}, f"{text}\n".encode())


def _invalid(protocol: str) -> str:
    """The code for parameters of a wrong shape."""
    return {
        "json": "SerializationException",
        "query": "InvalidParameter",
        "rest-json": "ValidationException",
    }[protocol]
