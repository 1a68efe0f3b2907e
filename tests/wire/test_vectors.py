"""botocore's own protocol vectors: what its clients must send is what we read, what we answer is what they must read.

They are in botocore's source distribution alone: `make vectors` fetches the one that is pinned. Without it these are skipped.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import os
from pathlib import Path
from typing import Any, Final, cast

import pytest
from botocore import parsers
from botocore.awsrequest import HeadersDict
from botocore.exceptions import ClientError
from botocore.model import ServiceModel

from lambdalog.wire import json_protocol, query_protocol, rest_protocol
from lambdalog.wire.messages import Request
from lambdalog.wire.scalars import named

FOLDER: Final = Path(os.environ.get("LAMBDALOG_VECTORS", Path(__file__).parents[2] / ".vectors"))
CODECS: Final[dict[str, Any]] = {"json": json_protocol, "query": query_protocol, "rest-json": rest_protocol}
# By file: those of the protocols that are spoken here.
FILES: Final = {"json": "json", "json_1_0": "json", "query": "query", "rest-json": "rest-json"}

_PACKED: Final = (
    "the body is packed after it was made, and unpacked before it is read: see lambdalog.wire.bodies"
)
_FILLED: Final = "the client makes a token up, which the vector's parameters don't tell"
_NAMED: Final = "the client sends named parameters again as those of a map, which only it can tell apart"
_SPLIT: Final = "botocore's own parser splits at every comma"
# What can't be held against us, by way and name. Strict: what begins to pass has to leave the list.
EXCLUDED: Final[dict[tuple[str, str], str]] = {
    **{
        ("input", f"{what}{protocol}"): _PACKED
        for what in ("SDKAppliedContentEncoding", "SDKAppendsGzipAndIgnoresHttpProvidedEncoding")
        for protocol in ("_awsJson1_1", "_awsJson1_0", "_awsQuery")
    },
    ("input", "SDKAppliedContentEncoding_restJson1"): _PACKED,
    ("input", "SDKAppendedGzipAfterProvidedEncoding_restJson1"): _PACKED,
    ("input", "QueryProtocolIdempotencyTokenAutoFill"): _FILLED,
    ("input", "RestJsonQueryIdempotencyTokenAutoFill"): _FILLED,
    ("input", "RestJsonHostWithPath"): "the path of the endpoint stands before the operation's",
    **{
        ("input", f"RestJson{what}"): _NAMED
        for what in (
            "AllQueryStringTypes",
            "QueryStringEscaping",
            "SupportsNaNFloatQueryValues",
            "SupportsInfinityFloatQueryValues",
            "SupportsNegativeInfinityFloatQueryValues",
            "ZeroAndFalseQueryValues",
            "QueryPrecedence",
        )
    },
    (
        "output",
        "QueryXmlLists",
    ): "botocore leaves it out too: it takes the names of flattened lists' members otherwise",
    ("output", "RestJsonHttpPayloadTraitsWithNoBlobBody"): "botocore reads no body as an empty one",
    (
        "output",
        "RestJsonHttpPayloadWithUnsetUnion",
    ): "botocore doesn't take the empty body that the vector asks for",
    (
        "output",
        "HttpPrefixHeadersResponse",
    ): "the prefix is empty, so that botocore reads all headers as the map's",
    ("output", "RestJsonInputAndOutputWithQuotedStringHeaders"): _SPLIT,
    ("output", "RestJsonInputAndOutputWithTimestampHeaders"): _SPLIT,
}


def cases(way: str) -> list[Any]:
    """The vectors of a way, `input` or `output`: suite, case and its name."""
    found = []
    for name, protocol in FILES.items():
        path = FOLDER / way / f"{name}.json"
        if not path.exists():
            continue
        for suite in json.loads(path.read_text(encoding="utf-8")):
            for case in suite["cases"]:
                reason = EXCLUDED.get((way, case["id"]))
                marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
                found.append(pytest.param(protocol, suite, case, id=f"{name}-{case['id']}", marks=marks))
    return found or [pytest.param("", {}, {}, marks=pytest.mark.skip(reason="`make vectors` fetches them"))]


def service_of(suite: dict[str, Any], case: dict[str, Any]) -> ServiceModel:
    """A service with one operation."""
    given = copy.deepcopy(case["given"])
    if suite["metadata"]["protocol"] == "query" and "output" in given:
        # As in every model of AWS's; the vectors' own lack it.
        given["output"].setdefault("resultWrapper", f"{given['name']}Result")
    document = {
        "metadata": {"signatureVersion": "v4", "endpointPrefix": "x", **suite["metadata"]},
        "operations": {given["name"]: given},
        "shapes": copy.deepcopy(suite["shapes"]),
    }
    return ServiceModel(document, "vectors")


def typed(value: Any, shape: Any) -> Any:
    """A vector's value as boto3 has it: JSON holds no bytes and no moments. What is null is not there."""
    if value is None or shape is None:
        return value
    match shape.type_name:
        case "structure" if not shape.is_document_type:
            return {
                name: typed(item, shape.members[name])
                for name, item in value.items()
                if item is not None and name in shape.members
            }
        case "list":
            return [typed(item, shape.member) for item in value if item is not None]
        case "map":
            return {name: typed(item, shape.value) for name, item in value.items() if item is not None}
        case "string" if shape.serialization.get("jsonvalue") and shape.serialization.get("location"):
            return json.loads(value)
        case "blob":
            return value.encode()
        case "timestamp":
            return dt.datetime.fromtimestamp(value, dt.UTC)
        case "float" | "double":
            return float(value)
        case _:
            return value


def plain(value: Any) -> Any:
    """A value that can be compared: a moment is its seconds, and what is no number its name, as botocore leaves it."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dt.datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return value.decode()
    return named(value) if isinstance(value, float) else value


def without_empty(value: Any) -> Any:
    """A form, a header or a path can't tell what is empty from what isn't there."""
    if isinstance(value, dict):
        found = {name: without_empty(item) for name, item in value.items()}
        return {name: item for name, item in found.items() if item not in ({}, [])}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("protocol", "suite", "case"), cases("input"))
def test_requests_are_read(protocol: str, suite: dict[str, Any], case: dict[str, Any]) -> None:
    """The parameters that a client was given, from the request that it has to send."""
    service = service_of(suite, case)
    sent = case["serialized"]
    path, _, query = sent["uri"].partition("?")
    headers = {name.lower(): value for name, value in sent.get("headers", {}).items()}
    if protocol == "json":
        headers.setdefault("x-amz-target", f"{suite['metadata']['targetPrefix']}.{case['given']['name']}")
    request = Request(sent["method"], path, query, headers, sent.get("body", "").encode())
    operation, params = CODECS[protocol].decode(service, request)
    assert operation.name == case["given"]["name"]
    expected = typed(case["params"], operation.input_shape)
    assert without_empty(plain(params)) == without_empty(plain(expected))


@pytest.mark.parametrize(("protocol", "suite", "case"), cases("output"))
def test_answers_are_understood(protocol: str, suite: dict[str, Any], case: dict[str, Any]) -> None:
    """A client reads from our answer what it reads from AWS's: results, and errors by code, text and status."""
    service = service_of(suite, case)
    operation = service.operation_model(case["given"]["name"])
    parser = parsers.create_parser(protocol)
    status = case["response"].get("status_code", 200)
    if status >= 300:
        error: Any = {
            "Error": {"Code": case["errorCode"], "Message": case.get("errorMessage", "")},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        answer = CODECS[protocol].encode_error(service, ClientError(error, operation.name))
        raw = {"status_code": answer.status, "headers": HeadersDict(answer.headers), "body": answer.body}
        found = parser.parse(raw, cast("Any", operation.output_shape))
        assert answer.status == status
        assert (found["Error"]["Code"], found["Error"]["Message"] or "") == (
            case["errorCode"],
            case.get("errorMessage", ""),
        )
        return
    result = typed(case["result"], operation.output_shape)
    answer = CODECS[protocol].encode(operation, result)
    raw = {"status_code": answer.status, "headers": HeadersDict(answer.headers), "body": answer.body}
    parsed = parser.parse(raw, cast("Any", operation.output_shape))
    parsed.pop("ResponseMetadata", None)
    assert without_empty(plain(parsed)) == without_empty(plain(result))
