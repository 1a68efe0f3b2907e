"""AWS JSON 1.0 and 1.1: CloudWatch Logs and SQS."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import orjson

from lambdalog.wire import event_stream, quick_json
from lambdalog.wire.json_values import WrongType, from_json, load, to_json
from lambdalog.wire.messages import Malformed, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.exceptions import ClientError
    from botocore.model import OperationModel, ServiceModel

    # What reads the body of a request in a way of its own: the parameters, or None if the model's way is to be taken.
    Reader = Callable[[bytes], dict[str, Any] | None]


def decode(
    service: ServiceModel, request: Request, reader: Callable[[str, str], Reader | None] | None = None
) -> tuple[OperationModel, dict[str, Any]]:
    """The operation that the target header names, its parameters from the body. `reader`: of a service's operation, if it has one."""
    name = request.headers.get("x-amz-target", "").partition(".")[2]
    if name not in service.operation_names:
        raise Malformed("UnknownOperationException", "")
    operation = service.operation_model(name)
    own = None if reader is None else reader(service.service_name, name)
    if own is not None and (params := own(request.body)) is not None:
        return operation, params
    try:
        params = _parameters(request.body or b"{}", operation.input_shape)
    except (ValueError, RecursionError, WrongType) as error:
        raise Malformed(
            "SerializationException", "" if isinstance(error, ValueError) else str(error)
        ) from None
    return operation, params


def _parameters(body: bytes, shape: Any) -> dict[str, Any]:
    if shape is None:
        load(body)
        return {}
    quick = quick_json.reader(shape)
    if quick is not None:
        try:
            return quick(body)
        except quick_json.NotPlain:
            pass  # then it is read slowly, and refused in the right words
    found: dict[str, Any] = from_json(load(body), shape)
    return found


def encode(operation: OperationModel, response: Mapping[str, Any]) -> Response:
    """The response's members as a JSON object; an empty body where the operation has no output."""
    shape = operation.output_shape
    streamed = event_stream.stream_member(operation)
    if streamed is not None:
        name, member = streamed
        rest = {key: value for key, value in response.items() if key != name}
        events = response[name]
        frames = event_stream.frames(events, member, to_json(rest, shape))
        headers = _headers(operation.service_model, response) | {"content-type": event_stream.CONTENT_TYPE}
        return Response(200, headers, b"", frames, endless=getattr(events, "endless", False))
    body = b"" if shape is None else _dump(to_json(response, shape))
    return Response(200, _headers(operation.service_model, response), body)


def encode_error(service: ServiceModel, error: ClientError) -> Response:
    """`__type` and `message`; for SQS also the older protocol's code in a header."""
    found = error.response["Error"]
    code = found.get("QueryErrorCode") or found["Code"]
    headers = _headers(service, error.response)
    if service.service_name == "sqs":
        headers["x-amzn-query-error"] = f"{found['Code']};{found.get('Type', 'Sender')}"
        code = f"com.amazonaws.sqs#{code}"
    body = _dump({"__type": code, "message": found.get("Message", "")} | _members(service, error))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    return Response(status, headers, body)


def _members(service: ServiceModel, error: ClientError) -> dict[str, Any]:
    """What the model has an error carry beside its message, as MalformedQueryException its place."""
    code: Any = error.response["Error"]["Code"]  # the stubs have it as a number
    shape: Any = service.shape_for_error_code(code)
    response: Mapping[str, Any] = error.response
    return {
        name: to_json(response[name], member)
        for name, member in (shape.members if shape is not None else {}).items()
        if name.lower() != "message" and name in response
    }


def _headers(service: ServiceModel, response: Mapping[str, Any]) -> dict[str, str]:
    version = service.metadata.get("jsonVersion", "1.1")
    request_id = response.get("ResponseMetadata", {}).get("RequestId") or str(uuid.uuid4())
    return {"content-type": f"application/x-amz-json-{version}", "x-amzn-requestid": request_id}


def _dump(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode()  # lone surrogates, as escapes
