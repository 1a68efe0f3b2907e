"""boto3's PutLogEvents with the body made by us: what arrives is what boto3 itself would send."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from lambdalog.shipper.batch import Entry
from lambdalog.shipper.put import fast_put

BATCH = [Entry(1, "a"), Entry(2, 'Å\U0001f600"\\\n'), Entry(3, " ")]


class Raw:
    """The stream of an answer."""

    def stream(self) -> Any:
        """Nothing of interest."""
        yield b"{}"


def client(seen: list[Any]) -> Any:
    """boto3's client, whose requests go no further than here, signed as they are."""
    made = boto3.client("logs", "eu-west-1", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="x")

    def answer(request: Any, **_: Any) -> AWSResponse:
        seen.append(request)
        return AWSResponse(request.url, 200, HTTPHeaders(), Raw())

    made.meta.events.register("before-send.cloudwatch-logs.*", answer)
    return made


def test_the_request_is_boto3s_own() -> None:
    """Body, target and signed headers are those of the call that it stands for."""
    seen: list[Any] = []
    found = client(seen)
    put = fast_put(found)
    assert put is not None
    put("g", "s", BATCH)
    found.put_log_events(
        logGroupName="g",
        logStreamName="s",
        logEvents=[{"timestamp": entry.timestamp, "message": entry.message} for entry in BATCH],
    )
    ours, theirs = seen
    assert json.loads(ours.body) == json.loads(theirs.body)
    assert ours.headers["X-Amz-Target"] == theirs.headers["X-Amz-Target"]
    assert set(ours.headers) == set(theirs.headers)
    assert int(ours.headers["Content-Length"]) == len(ours.body)


def test_other_calls_of_the_client_are_left_alone() -> None:
    """Before and after ours, of the same operation too."""
    seen: list[Any] = []
    found = client(seen)
    put = fast_put(found)
    assert put is not None
    put("g", "s", BATCH)
    found.put_log_events(
        logGroupName="h", logStreamName="s", logEvents=[{"timestamp": 9, "message": "theirs"}]
    )
    assert json.loads(seen[1].body)["logEvents"] == [{"timestamp": 9, "message": "theirs"}]


def test_where_the_body_is_not_taken_boto3_does_it_all() -> None:
    """Somebody who answers in its place sees the whole batch."""
    made = boto3.client("logs", "eu-west-1", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="x")
    seen: list[int] = []

    class Standing:
        """An answer without a request, as a stub gives it."""

        def __call__(self, model: Any, params: Any, **_: Any) -> Any:
            events = json.loads(params["body"])["logEvents"]
            seen.append(len(events))
            return type("Answer", (), {"status_code": 200})(), {}

    put = fast_put(made)
    assert put is not None
    made.meta.events.register_first("before-call.cloudwatch-logs.PutLogEvents", Standing())
    put("g", "s", BATCH)
    assert seen[-1] == len(BATCH)


def test_other_clients_have_no_short_way() -> None:
    """What isn't boto3's is called as it is."""
    assert fast_put(object()) is None
