"""What comes of requests that no SDK would send, and what old ones do send."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.wire import Exchange, Request

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud

NOW = time.time_ns() // 1_000_000


@pytest.fixture
def exchange(cloud: Cloud) -> Exchange:
    """The doubles behind the protocols."""
    return Exchange(lambda service, operation, params: cloud.client(service).call(operation, params))


def logs(target: str, body: bytes) -> Request:
    """A request to CloudWatch Logs."""
    return Request("POST", "/", "", {"x-amz-target": f"Logs_20140328.{target}"}, body)


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (logs("DescribeLogGroups", b"{no"), 400, "SerializationException"),
        (logs("DescribeLogGroups", b"[]"), 400, "SerializationException"),
        (logs("DescribeLogGroups", b'{"limit": "x"}'), 400, "SerializationException"),
        (logs("DescribeLogGroups", b"[" * 100_000), 400, "SerializationException"),
        (logs("Nonsense", b"{}"), 400, "UnknownOperationException"),
        (logs("DescribeLogGroups", b'{"limit": 51}'), 400, "InvalidParameterException"),
        (logs("CreateLogGroup", b"{}"), 400, "SerializationException"),
    ],
)
def test_a_bad_request_is_the_services_error(
    exchange: Exchange, request_: Request, status: int, code: str
) -> None:
    """Each kind of wrong has the service's own shape of error."""
    response = exchange.answer(request_)
    assert (response.status, json.loads(response.body)["__type"]) == (status, code)


def test_half_a_character_is_a_question_mark(exchange: Exchange, cloud: Cloud) -> None:
    """JSON can write half a surrogate pair; no store can hold it, and no operation fails of it."""
    cloud.logs.create_log_group(logGroupName="g")
    body = b'{"logGroupName": "g", "logStreamName": "a\\ud800b"}'
    assert exchange.answer(logs("CreateLogStream", body)).status == 200
    assert cloud.logs.describe_log_streams(logGroupName="g")["logStreams"][0]["logStreamName"] == "a?b"
    definition = b'{"name": "\\udc00", "queryString": "fields \\ud83d"}'
    assert exchange.answer(logs("PutQueryDefinition", definition)).status == 200
    for number in (b"NaN", b"Infinity"):
        assert exchange.answer(logs("DescribeLogGroups", b'{"limit": %b}' % number)).status == 400


def test_sqs_errors_bear_both_codes(exchange: Exchange) -> None:
    """The header has the old protocol's code, the body the name."""
    response = exchange.answer(
        Request("POST", "/", "", {"x-amz-target": "AmazonSQS.GetQueueUrl"}, b'{"QueueName": "none"}')
    )
    assert response.headers["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"
    assert json.loads(response.body)["__type"] == "com.amazonaws.sqs#QueueDoesNotExist"


def form(exchange: Exchange, **fields: Any) -> tuple[int, str]:
    """Send a form as an SDK of before 2023 does, to SQS."""
    body = urlencode({"Version": "2012-11-05"} | fields).encode()
    response = exchange.answer(Request("POST", "/", "", {}, body))
    return response.status, response.body.decode()


def test_old_sdks_speak_to_sqs_in_forms(exchange: Exchange) -> None:
    """Queue, message with attributes, receive and delete, with the names that those SDKs use."""
    status, body = form(
        exchange,
        Action="CreateQueue",
        QueueName="q",
        **{"Attribute.1.Name": "DelaySeconds", "Attribute.1.Value": "0"},
    )
    assert (status, "<QueueUrl>" in body) == (200, True)
    url = body.partition("<QueueUrl>")[2].partition("<")[0]
    attribute = {
        "MessageAttribute.1.Name": "a",
        "MessageAttribute.1.Value.DataType": "String",
        "MessageAttribute.1.Value.StringValue": "b",
    }
    assert form(exchange, Action="SendMessage", QueueUrl=url, MessageBody="a\rb<&>", **attribute)[0] == 200
    wanted = {"AttributeName.1": "All", "MessageAttributeName.1": "All"}
    status, body = form(exchange, Action="ReceiveMessage", QueueUrl=url, **wanted)
    assert "a&#xD;b&lt;&amp;&gt;" in body
    assert "<StringValue>b</StringValue>" in body
    handle = body.partition("<ReceiptHandle>")[2].partition("<")[0]
    assert form(exchange, Action="DeleteMessage", QueueUrl=url, ReceiptHandle=handle)[0] == 200
    status, body = form(exchange, Action="GetQueueUrl", QueueName="none")
    assert (status, "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in body) == (400, True)
    assert "<Code>InvalidAction</Code>" in form(exchange, Action="Nonsense")[1]


def test_a_request_for_no_service_is_404(exchange: Exchange) -> None:
    """Whatever it is, it gets an answer."""
    assert exchange.answer(Request("GET", "/favicon.ico")).status == 404


def test_lambda_paths_that_lead_nowhere(exchange: Exchange) -> None:
    """An unknown path, a missing function and a broken body are Lambda's errors."""
    nowhere = exchange.answer(Request("GET", "/2015-03-31/nothing"))
    assert (nowhere.status, nowhere.headers["x-amzn-errortype"]) == (404, "UnknownOperationException")
    missing = exchange.answer(Request("GET", "/2015-03-31/functions/none"))
    assert (missing.status, missing.headers["x-amzn-errortype"]) == (404, "ResourceNotFoundException")
    broken = exchange.answer(Request("POST", "/2015-03-31/functions", "", {}, b"{no"))
    assert (broken.status, broken.headers["x-amzn-errortype"]) == (400, "InvalidRequestContentException")


paths = st.sampled_from(["/", "/2015-03-31/functions", "/2015-03-31/functions/%00/invocations", "/x"])
heads = st.dictionaries(
    st.sampled_from(["x-amz-target", "authorization", "content-type"]),
    st.sampled_from(
        ["Logs_20140328.PutLogEvents", "AmazonSQS.SendMessage", "Credential=a/20260101/r/sns/aws4_request"]
    )
    | st.text(max_size=30),
)


@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    paths,
    st.text(max_size=40),
    heads,
    st.binary(max_size=80),
)
def test_no_request_is_without_an_answer(
    method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    """Any bytes at all get a response of the service, not an exception."""
    exchange = Exchange(lambda service, operation, params: {})
    response = exchange.answer(Request(method, path, query, headers, body))
    assert 200 <= response.status < 500


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"logEvents": []},
        {"logEvents": [{"timestamp": 1, "message": "old"}]},
        {"logEvents": [{"timestamp": 2, "message": "x"}, {"timestamp": 1, "message": "x"}]},
        {"logEvents": [{"timestamp": NOW, "message": "x", "more": 1}]},
        {"logEvents": [{"timestamp": NOW, "message": ""}]},
        {"logEvents": [{"timestamp": NOW, "message": "\ud800"}]},
        {"logEvents": [{"timestamp": NOW}]},
        {"logEvents": [{"timestamp": NOW, "message": "x" * 1_048_577}]},
        {"logEvents": [{"timestamp": NOW, "message": "x"}] * 10_001},
        {"logGroupName": "none"},
        {"logStreamName": None},
        {"entity": {"keyAttributes": {"Type": "Service"}}},
        {"entity": {"attributes": 1}},
    ],
)
def test_a_body_is_answered_the_same_whoever_reads_it(cloud: Cloud, changed: dict[str, Any]) -> None:
    """An operation that reads its own bodies takes and refuses what it does of parameters that were read by the model."""
    cloud.logs.create_log_group(logGroupName="g")
    cloud.logs.create_log_stream(logGroupName="g", logStreamName="s")
    asked = {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": NOW, "message": "é"}]}
    call = lambda service, operation, params: cloud.client(service).call(operation, params)  # noqa: E731
    request = logs("PutLogEvents", json.dumps(asked | changed).encode())
    usual, own = Exchange(call).answer(request), Exchange(call, reader=cloud.reader).answer(request)
    assert (own.status, own.body) == (usual.status, usual.body)
