"""REST-JSON: Lambda. The operation is found by method and path; parameters come from path, query, headers and body."""

from __future__ import annotations

import base64
import json
import re
import uuid
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qs, unquote

import orjson

from lambdalog.wire import event_stream
from lambdalog.wire.json_values import WrongType, from_json, load, to_json
from lambdalog.wire.messages import Malformed, Request, Response
from lambdalog.wire.scalars import clean, parse, parse_timestamp, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.exceptions import ClientError
    from botocore.model import OperationModel, ServiceModel


# An item of a list in a header, in quotes or without; and what has to be quoted.
_ITEM: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[^,\s](?:[^,]*[^,\s])?')
_QUOTED: Final = re.compile(r'[",]|^\s|\s$')


class _Route(NamedTuple):
    """How an operation is recognised: method, path, and what the model writes into the query itself.

    `begin` are the path's first segments as `_begin` gives them, None where it has a label in them.
    """

    method: str
    begin: str | None
    path: re.Pattern[str]
    query: dict[str, list[str]]
    operation: str


@cache
def _routes(service: ServiceModel) -> list[_Route]:
    """The routes of a service, the most particular first."""
    routes = []
    for name in service.operation_names:
        http = service.operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        pattern = re.sub(r"\\\{(\w+)(\\\+)?\\\}", _label, re.escape(path.rstrip("/")))
        fixed = parse_qs(query, keep_blank_values=True)
        routes.append(
            (
                path.count("{"),
                -len(fixed),
                _Route(
                    http["method"],
                    None if "{" in _begin(path) else _begin(path),
                    re.compile(f"{pattern}/?"),
                    fixed,
                    name,
                ),
            )
        )
    return [route for _, _, route in sorted(routes, key=lambda found: found[:2])]


@lru_cache(maxsize=256)
def _likely(service: ServiceModel, method: str, begin: str) -> list[_Route]:
    """Of the routes those that a method and a path's beginning leave."""
    return [route for route in _routes(service) if route.method == method and route.begin in {None, begin}]


def _begin(path: str) -> str:
    """The first two segments of a path."""
    return "/".join(path.split("/", 3)[1:3])


def _label(found: re.Match[str]) -> str:
    return f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})"


def decode(service: ServiceModel, request: Request) -> tuple[OperationModel, dict[str, Any]]:
    """The operation of a method and path, with its parameters."""
    query = parse_qs(request.query, keep_blank_values=True) if request.query else {}
    for route in _likely(service, request.method, _begin(request.path)):
        found = route.path.fullmatch(request.path)
        if found is None or not route.query.items() <= query.items():
            continue
        operation = service.operation_model(route.operation)
        try:
            return operation, _params(operation, request, query, found.groupdict())
        except (ValueError, RecursionError, WrongType) as error:
            raise Malformed(
                "InvalidRequestContentException", f"Could not parse request body into json: {error}"
            ) from None
    raise Malformed("UnknownOperationException", "", 404)


class _Place(NamedTuple):
    """Where a member of a shape stands in a message, and by which name; one of headers is in lower case."""

    member: str
    location: str | None
    key: str
    shape: Any


@lru_cache(maxsize=512)
def _places(shape: Any) -> tuple[str | None, list[_Place]]:
    """Which member of a shape is a message's whole body, if one is, and where all of them stand."""
    places = []
    for name, member in shape.members.items():
        location, key = member.serialization.get("location"), member.serialization.get("name", name)
        lower = location in {"header", "headers"}
        places.append(_Place(name, location, key.lower() if lower else key, member))
    return shape.serialization.get("payload"), places


def _params(
    operation: OperationModel, request: Request, query: dict[str, list[str]], labels: dict[str, str]
) -> dict[str, Any]:
    shape: Any = operation.input_shape
    if shape is None:
        return {}
    params: dict[str, Any] = {}
    payload, places = _places(shape)
    in_body = {}
    for name, location, key, member in places:
        match location:
            case "uri":
                params[name] = _from_text(unquote(labels[key]), member)
            case "querystring" if member.type_name == "map":
                if rest := _others(query, shape, operation):
                    params[name] = {
                        other: found if member.value.type_name == "list" else found[0]
                        for other, found in rest.items()
                    }
            case "querystring" if key in query:
                if member.type_name == "list":
                    params[name] = [_from_text(text, member.member) for text in query[key]]
                else:
                    params[name] = _from_text(query[key][0], member)
            case "header" if key in request.headers:
                params[name] = _from_text(clean(request.headers[key]), member)
            case "headers":
                if found := {
                    header[len(key) :]: clean(text)
                    for header, text in request.headers.items()
                    if header.startswith(key)
                }:
                    params[name] = found
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
            params[payload] = from_json(load(request.body), member)
    elif in_body and request.body:
        found = from_json(load(request.body), shape)
        params |= {name: value for name, value in found.items() if name in in_body}
    return params


def _others(query: dict[str, list[str]], shape: Any, operation: OperationModel) -> dict[str, list[str]]:
    """What stands in the query beside the members that have a name there, and the route's own."""
    known = set(parse_qs(operation.http["requestUri"].partition("?")[2], keep_blank_values=True))
    for name, member in shape.members.items():
        if member.serialization.get("location") == "querystring" and member.type_name != "map":
            known.add(member.serialization.get("name", name))
    return {name: found for name, found in query.items() if name not in known}


def _from_text(text: str, shape: Any) -> Any:
    """The value of a member that stands in a path, a query or a header."""
    if shape.type_name == "timestamp":
        return parse_timestamp(text)
    if shape.serialization.get("jsonvalue"):
        return json.loads(base64.b64decode(text, validate=True))
    if shape.type_name == "list":
        return [_from_text(item, shape.member) for item in _items(text, shape.member)]
    return parse(text, shape)


def _items(text: str, shape: Any) -> list[str]:
    """The items of a list in a header: quoted where they hold commas; dates hold one each."""
    if shape.type_name == "timestamp" and "GMT" in text:
        return [f"{part} GMT".lstrip(", ") for part in text.split(" GMT") if part.strip(", ")]
    quoted = _ITEM.findall(text)
    return [
        item[1:-1].replace('\\"', '"').replace("\\\\", "\\") if item.startswith('"') else item.strip()
        for item in quoted
    ]


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
        return Response(status, headers, b"")
    payload, places = _places(shape)
    body: dict[str, Any] = {}
    raw = b""
    stream, endless = None, False
    streamed = event_stream.stream_member(operation)
    if streamed is not None:
        events = response[streamed[0]]
        stream, endless = event_stream.frames(events, streamed[1], None), getattr(events, "endless", False)
        headers["content-type"] = event_stream.CONTENT_TYPE
    for name, location, key, member in places:
        if (value := response.get(name)) is None:
            continue
        match location:
            case "statusCode":
                status = value
            case "header" if streamed is not None and key == "content-type":
                continue  # modelled, but what frames are sent as is no choice of the operation's
            case "header":
                headers[key] = _header(value, member)
            case "headers":
                headers |= {f"{key}{other}".lower(): str(text) for other, text in value.items()}
            case _ if streamed is not None and name == streamed[0]:
                continue
            case _ if name == payload:
                raw = _raw(value, member)
            case _:
                body[key] = to_json(value, member)
    if payload is None and stream is None and status != 204:
        raw = orjson.dumps(body)
    return Response(status, headers, raw, stream, endless=endless)


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
    return Response(metadata.get("HTTPStatusCode", 400), headers, json.dumps(body).encode())


def _header(value: Any, shape: Any) -> str:
    if shape.serialization.get("jsonvalue"):
        return base64.b64encode(orjson.dumps(value)).decode()
    if shape.type_name == "list":
        items = [_header(item, shape.member) for item in value]
        if shape.member.type_name == "string":
            items = [_quoted(item) if _QUOTED.search(item) else item for item in items]
        return ", ".join(items)
    return text_of(value, shape, "rfc822")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _raw(value: Any, shape: Any) -> bytes:
    if shape.type_name in {"blob", "string"}:
        data = value.read() if hasattr(value, "read") else value
        return data.encode() if isinstance(data, str) else bytes(data)
    return orjson.dumps(to_json(value, shape))
