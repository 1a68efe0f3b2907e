"""The query protocol: parameters as a form, responses as XML. SNS, STS, and SQS as old SDKs speak it."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from lambdalog.wire import sqs_query
from lambdalog.wire.messages import Malformed, Request, Response
from lambdalog.wire.scalars import parse, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.exceptions import ClientError
    from botocore.model import OperationModel, ServiceModel


_BAD_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
FIELDS_MAX: Final = 20_000


def decode(service: ServiceModel, request: Request) -> tuple[OperationModel, dict[str, Any]]:
    """The operation that `Action` names, its parameters from the form (or the query string)."""
    try:
        text = request.body.decode() if request.body else request.query
        fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except ValueError:
        raise Malformed("MalformedQueryString", "The query string contains a syntax error") from None
    name = fields.get("Action", "")
    if name not in service.operation_names:
        raise Malformed("InvalidAction", f"The action {name} is not valid for this endpoint.")
    operation = service.operation_model(name)
    try:
        params = (
            {} if operation.input_shape is None else _structure(fields, operation.input_shape, "", service)
        )
    except ValueError as error:
        raise Malformed("MalformedInput", str(error)) from None
    return operation, params


def _structure(fields: dict[str, str], shape: Any, prefix: str, service: ServiceModel) -> dict[str, Any]:
    found = {}
    for name, member in shape.members.items():
        for key in _keys(name, member, service):
            value = _value(fields, member, f"{prefix}{key}", service)
            if value is not None:
                found[name] = value
                break
    return found


def _keys(name: str, member: Any, service: ServiceModel) -> list[str]:
    """The names under which a member may come; SQS's own model no longer tells the old ones."""
    own = member.serialization.get("name", name)
    if service.service_name != "sqs":
        return [own]
    # Names as the members have them are taken too.
    return [sqs_query.wire_name(member) or own, name]


def _value(fields: dict[str, str], shape: Any, key: str, service: ServiceModel) -> Any:
    match shape.type_name:
        case "structure":
            if not any(field.startswith(f"{key}.") for field in fields):
                return None
            return _structure(fields, shape, f"{key}.", service)
        case "list":
            flat = service.service_name == "sqs" or shape.serialization.get("flattened")
            item = shape.member.serialization.get("name", "member")
            base = key if flat else f"{key}.{item}"
            numbers = _numbers(fields, base)
            if not numbers:
                return [] if key in fields else None
            return [_value(fields, shape.member, f"{base}.{number}", service) for number in numbers]
        case "map":
            flat = service.service_name == "sqs" or shape.serialization.get("flattened")
            base = key if flat else f"{key}.entry"
            numbers = _numbers(fields, base)
            if not numbers:
                return None
            names = ("Name", "Value") if service.service_name == "sqs" else ("key", "value")
            name_key = shape.key.serialization.get("name", names[0])
            value_key = shape.value.serialization.get("name", names[1])
            found = {}
            for number in numbers:
                name = fields.get(f"{base}.{number}.{name_key}", fields.get(f"{base}.{number}.Key"))
                if name is not None:
                    found[name] = _value(fields, shape.value, f"{base}.{number}.{value_key}", service)
            return found
        case _:
            return None if key not in fields else parse(fields[key], shape)


def _numbers(fields: dict[str, str], base: str) -> list[int]:
    found = set()
    for field in fields:
        if field.startswith(f"{base}."):
            number = field[len(base) + 1 :].partition(".")[0]
            if number.isascii() and number.isdigit() and len(number) < 9:
                found.add(int(number))
    return sorted(found)


def encode(operation: OperationModel, response: Mapping[str, Any]) -> Response:
    """`<XResponse><XResult>…</XResult><ResponseMetadata>…`, in the service's namespace."""
    service = operation.service_model
    namespace = service.metadata.get("xmlNamespace", "http://queue.amazonaws.com/doc/2012-11-05/")
    request_id = response.get("ResponseMetadata", {}).get("RequestId") or str(uuid.uuid4())
    shape = operation.output_shape
    result = ""
    if shape is not None:
        if service.service_name == "sqs":
            inner = sqs_query.members(response, shape, _xml)
        else:
            inner = "".join(
                _xml(response[name], member, member.serialization.get("name", name))
                for name, member in shape.members.items()
                if name in response and response[name] is not None
            )
        wrapper = shape.serialization.get("resultWrapper", f"{operation.name}Result")
        result = f"<{wrapper}>{inner}</{wrapper}>"
    body = (
        f'<?xml version="1.0"?><{operation.name}Response xmlns="{namespace}">{result}'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation.name}Response>"
    )
    return Response(200, {"content-type": "text/xml", "x-amzn-requestid": request_id}, body.encode())


def encode_error(service: ServiceModel, error: ClientError) -> Response:
    """`<ErrorResponse><Error>` with type, code and message."""
    found = error.response["Error"]
    code = found["Code"]
    namespace = service.metadata.get("xmlNamespace", "http://queue.amazonaws.com/doc/2012-11-05/")
    request_id = error.response.get("ResponseMetadata", {}).get("RequestId") or str(uuid.uuid4())
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    body = (
        f'<?xml version="1.0"?><ErrorResponse xmlns="{namespace}"><Error><Type>Sender</Type><Code>{_text(code)}</Code>'
        f"<Message>{_text(found.get('Message', ''))}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return Response(status, {"content-type": "text/xml", "x-amzn-requestid": request_id}, body.encode())


def _xml(value: Any, shape: Any, name: str) -> str:
    match shape.type_name:
        case "structure":
            inner = "".join(
                _xml(value[key], member, member.serialization.get("name", key))
                for key, member in shape.members.items()
                if key in value and value[key] is not None
            )
            return f"<{name}>{inner}</{name}>"
        case "list":
            if shape.serialization.get("flattened"):
                return "".join(_xml(item, shape.member, name) for item in value)
            item_name = shape.member.serialization.get("name", "member")
            return f"<{name}>{''.join(_xml(item, shape.member, item_name) for item in value)}</{name}>"
        case "map":
            key_name = shape.key.serialization.get("name", "key")
            value_name = shape.value.serialization.get("name", "value")
            flat = shape.serialization.get("flattened")
            each = name if flat else "entry"
            entries = "".join(
                f"<{each}>{_xml(key, shape.key, key_name)}{_xml(item, shape.value, value_name)}</{each}>"
                for key, item in value.items()
            )
            return entries if flat else f"<{name}>{entries}</{name}>"
        case _:
            return f"<{name}>{_text(text_of(value, shape))}</{name}>"


def _text(text: str) -> str:
    """Text for XML: a carriage return stays one, and what XML can't hold is replaced."""
    return escape(_BAD_XML.sub("\ufffd", text), {"\r": "&#xD;"})
