"""REST-JSON: Lambda. The operation is found by method and path; parameters come from path, query, headers and body."""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime
from email.utils import format_datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, unquote

import orjson

from lambdalog.wire import event_stream, exchange
from lambdalog.wire.json_values import WrongType, from_json, to_json
from lambdalog.wire.models import model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.exceptions import ClientError
    from botocore.model import OperationModel, ServiceModel

    from lambdalog.wire.exchange import Request, Response


class _Route(NamedTuple):
    """How an operation is recognised: method, path, and what the model writes into the query itself."""

    method: str
    path: re.Pattern[str]
    query: dict[str, list[str]]
    operation: str


@cache
def _routes(service: str) -> list[_Route]:
    """The routes of a service, the most particular first."""
    routes = []
    for name in model(service).operation_names:
        http = model(service).operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        pattern = re.sub(r"\\\{(\w+)(\\\+)?\\\}", _label, re.escape(path.rstrip("/")))
        fixed = parse_qs(query, keep_blank_values=True)
        routes.append(
            (path.count("{"), -len(fixed), _Route(http["method"], re.compile(f"{pattern}/?"), fixed, name))
        )
    return [route for _, _, route in sorted(routes, key=lambda found: found[:2])]


def _label(found: re.Match[str]) -> str:
    return f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})"


def decode(service: ServiceModel, request: Request) -> tuple[OperationModel, dict[str, Any]]:
    """The operation of a method and path, with its parameters."""
    query = parse_qs(request.query, keep_blank_values=True)
    for route in _routes(service.service_name):
        found = route.path.fullmatch(request.path) if route.method == request.method else None
        if found is None or not route.query.items() <= query.items():
            continue
        operation = service.operation_model(route.operation)
        try:
            return operation, _params(operation, request, query, found.groupdict())
        except (ValueError, RecursionError, WrongType) as error:
            raise exchange.Malformed(
                "InvalidRequestContentException", f"Could not parse request body into json: {error}"
            ) from None
    raise exchange.Malformed("UnknownOperationException", "", 404)


def _params(
    operation: OperationModel, request: Request, query: dict[str, list[str]], labels: dict[str, str]
) -> dict[str, Any]:
    shape: Any = operation.input_shape
    if shape is None:
        return {}
    params: dict[str, Any] = {}
    payload = shape.serialization.get("payload")
    in_body = {}
    for name, member in shape.members.items():
        key = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri":
                params[name] = _scalar(unquote(labels[key]), member)
            case "querystring" if key in query:
                params[name] = query[key] if member.type_name == "list" else _scalar(query[key][0], member)
            case "header" if key.lower() in request.headers:
                params[name] = _scalar(request.headers[key.lower()], member)
            case None:
                in_body[name] = member
            case _:
                continue
    if payload is not None:
        member = shape.members[payload]
        if member.type_name in {"blob", "string"}:
            if request.body:
                params[payload] = request.body if member.type_name == "blob" else request.body.decode()
        elif request.body:
            params[payload] = from_json(json.loads(request.body), member)
    elif in_body and request.body:
        found = from_json(json.loads(request.body), shape)
        params |= {name: value for name, value in found.items() if name in in_body}
    return params


def _scalar(text: str, shape: Any) -> Any:
    match shape.type_name:
        case "integer" | "long":
            return int(text)
        case "boolean":
            return text.lower() == "true"
        case "timestamp":
            return datetime.fromisoformat(text)
        case _:
            return text


def encode(operation: OperationModel, response: Mapping[str, Any]) -> Response:
    """Status, headers and body of a response, by where the model puts each member."""
    shape: Any = operation.output_shape
    metadata = response.get("ResponseMetadata", {})
    headers = {
        "content-type": "application/json",
        "x-amzn-requestid": metadata.get("RequestId") or str(uuid.uuid4()),
    }
    status = operation.http.get("responseCode", 200)
    if shape is None:
        return exchange.Response(status, headers, b"")
    payload = shape.serialization.get("payload")
    body: dict[str, Any] = {}
    raw = b""
    stream, endless = None, False
    streamed = event_stream.stream_member(operation)
    if streamed is not None:
        events = response[streamed[0]]
        stream, endless = event_stream.frames(events, streamed[1], None), getattr(events, "endless", False)
        headers["content-type"] = event_stream.CONTENT_TYPE
    for name, member in shape.members.items():
        if name not in response or response[name] is None:
            continue
        key = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "statusCode":
                status = response[name]
            case "header" if streamed is not None and key.lower() == "content-type":
                continue  # modelled, but what frames are sent as is no choice of the operation's
            case "header":
                headers[key.lower()] = _header(response[name])
            case _ if streamed is not None and name == streamed[0]:
                continue
            case _ if name == payload:
                raw = _raw(response[name], member)
            case _:
                body[key] = to_json(response[name], member)
    if payload is None and stream is None and status != 204:
        raw = orjson.dumps(body)
    return exchange.Response(status, headers, raw, stream, endless=endless)


def encode_error(service: ServiceModel, error: ClientError) -> Response:
    """The error's name in a header, its members in the body, the modelled status."""
    del service
    found = error.response["Error"]
    metadata = error.response.get("ResponseMetadata", {})
    headers = {
        "content-type": "application/json",
        "x-amzn-errortype": found["Code"],
        "x-amzn-requestid": metadata.get("RequestId") or str(uuid.uuid4()),
    }
    extra: dict[str, Any] = {
        name: value for name, value in error.response.items() if name not in {"Error", "ResponseMetadata"}
    }
    body = {**extra, "Message": found.get("Message", ""), "message": found.get("Message", "")}
    return exchange.Response(metadata.get("HTTPStatusCode", 400), headers, json.dumps(body).encode())


def _header(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return format_datetime(value, usegmt=True)
    return str(value)


def _raw(value: Any, shape: Any) -> bytes:
    if shape.type_name in {"blob", "string"}:
        data = value.read() if hasattr(value, "read") else value
        return data.encode() if isinstance(data, str) else bytes(data)
    return orjson.dumps(to_json(value, shape))
