"""Every operation of the services: random parameters there and random responses back, with botocore as the oracle."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

import pytest
from botocore import parsers, serialize
from botocore.awsrequest import HeadersDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdalog.models import service_model
from lambdalog.wire import json_protocol, query_protocol, rest_protocol
from lambdalog.wire.messages import Request, Response
from lambdalog.wire.route import find_service

CODECS: dict[str, Any] = {"json": json_protocol, "query": query_protocol, "rest-json": rest_protocol}
# Streams of events are answered frame by frame, not as one body.
STREAMS = {"StartLiveTail", "InvokeWithResponseStream", "GetLogObject"}
OPERATIONS = [
    (service, name)
    for service in ("logs", "sqs", "sns", "lambda")
    for name in service_model(service).operation_names
    if name not in STREAMS
]

texts = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=8)
plain = st.text("abcXYZ019-_", min_size=1, max_size=8)


def values(shape: Any, depth: int = 0, *, inside_path: bool = False) -> st.SearchStrategy[Any]:
    """Values of a shape."""
    match shape.type_name:
        case "structure":
            members = {}
            for name, member in shape.members.items():
                if depth > 3 and name not in shape.required_members:
                    continue
                where = member.serialization.get("location")
                if where == "statusCode":
                    members[name] = st.sampled_from([200, 202])
                    continue
                members[name] = values(
                    member, depth + 1, inside_path=where in {"uri", "header", "querystring"}
                )
            if shape.is_tagged_union:  # one member, and no more
                return st.one_of(*(st.fixed_dictionaries({name: found}) for name, found in members.items()))
            required = {name: found for name, found in members.items() if name in shape.required_members}
            optional = {name: found for name, found in members.items() if name not in shape.required_members}
            return st.fixed_dictionaries(required, optional=optional)
        case "list":
            return st.lists(values(shape.member, depth + 1, inside_path=inside_path), min_size=1, max_size=2)
        case "map":
            return st.dictionaries(plain, values(shape.value, depth + 1), min_size=1, max_size=2)
        case "string":
            if shape.enum:
                return st.sampled_from(list(shape.enum))
            return plain if inside_path else texts
        case "integer" | "long":
            return st.integers(0, 10**6)
        case "float" | "double":
            return st.floats(0, 100).map(lambda value: round(value, 3))
        case "boolean":
            return st.booleans()
        case "blob":
            return st.binary(min_size=1, max_size=8)
        case "timestamp":
            return st.integers(1_577_836_800, 1_893_456_000).map(
                lambda at: dt.datetime.fromtimestamp(at, dt.UTC)
            )
        case kind:
            raise AssertionError(kind)


@pytest.mark.parametrize(("service", "name"), OPERATIONS, ids=lambda value: value)
@settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_parameters_arrive_and_responses_come_back(service: str, name: str, data: st.DataObject) -> None:
    """What boto3 would send is decoded to what was meant; what is answered is parsed to what was answered."""
    round_trip(service, name, data)


@pytest.mark.long
@pytest.mark.parametrize(("service", "name"), OPERATIONS, ids=lambda value: value)
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_they_do_every_time(service: str, name: str, data: st.DataObject) -> None:
    """The same, fifty times each."""
    round_trip(service, name, data)


def round_trip(service: str, name: str, data: st.DataObject) -> None:
    """One operation there and back."""
    found = service_model(service)
    operation = found.operation_model(name)
    protocol = {"logs": "json", "sqs": "json", "sns": "query", "lambda": "rest-json"}[service]
    params = data.draw(values(operation.input_shape)) if operation.input_shape is not None else {}
    sent = serialize.create_serializer(protocol, include_validation=False).serialize_to_request(
        dict(params), operation
    )
    path, _, query = sent["url_path"].partition("?")
    body = sent["body"]
    if isinstance(body, dict):
        from urllib.parse import urlencode

        body = urlencode(body)
    if isinstance(sent.get("query_string"), dict):
        from urllib.parse import urlencode

        query = "&".join(part for part in (query, urlencode(sent["query_string"], doseq=True)) if part)
    sent_headers = {key.lower(): str(value) for key, value in sent["headers"].items()}
    request = Request(
        sent["method"], path, query, sent_headers, body if isinstance(body, bytes) else body.encode()
    )
    assert find_service(request) == (service, protocol)
    decoded, arrived = CODECS[protocol].decode(found, request)
    assert decoded.name == name
    assert filled(arrived) == filled(params)

    shape = operation.output_shape
    answer = data.draw(values(shape)) if shape is not None else {}
    response = CODECS[protocol].encode(operation, answer)
    stream = operation.get_streaming_output()
    if stream is not None and shape is not None:
        # botocore hands a stream over unread.
        assert response.body == answer.pop(shape.serialization["payload"], b"")
        response = Response(response.status, response.headers, b"")
        assert stream.type_name == "blob"
    headers = cast("Any", HeadersDict(response.headers))
    raw = {"status_code": response.status, "headers": headers, "body": response.body}
    parsed = parsers.create_parser(protocol).parse(raw, cast("Any", shape))
    parsed.pop("ResponseMetadata", None)
    if stream is not None and shape is not None:
        parsed.pop(shape.serialization["payload"], None)
    for member in ("StatusCode", "Status"):  # botocore tells the status of the reply where none was set
        if member not in answer and isinstance(parsed.get(member), int):
            parsed.pop(member)
    assert parsed == answer


def filled(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters without empty structures: a body of `{}` can't tell those from none."""
    return {name: value for name, value in params.items() if value != {}}
