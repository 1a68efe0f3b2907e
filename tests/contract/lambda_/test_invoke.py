"""Lambda's contract where functions run: what an invocation answers."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.lambda_.conftest import create
from tests.refusals import refused

if TYPE_CHECKING:
    from tests.contract.conftest import Backend

CODE = """
def handler(event, context):
    print("seen")
    if event.get("fail"):
        raise ValueError(event["fail"])
    return {"event": event, "version": context.function_version, "arn": context.invoked_function_arn}
"""
# moto runs functions in Docker containers of images that it fetches.
pytestmark = pytest.mark.moto_deviates("moto runs functions in Docker alone", run=False)


@pytest.fixture
def client(backend: Backend, role: str) -> Any:
    """A Lambda with function `f`, active."""
    found = backend.client("lambda")
    create(found, role, CODE, Timeout=30)
    found.get_waiter("function_active_v2").wait(FunctionName="f")
    return found


def test_an_invocation_answers(client: Any) -> None:
    """200 with what the function returned and its log; a failure is an answer too, not an error."""
    found = client.invoke(FunctionName="f", Payload=b'{"a": "\\u00e9"}', LogType="Tail")
    assert (found["StatusCode"], found["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in found
    answer = json.loads(found["Payload"].read())
    assert (answer["event"], answer["version"]) == ({"a": "\u00e9"}, "$LATEST")
    log = base64.b64decode(found["LogResult"])
    assert b"seen" in log
    assert b"REPORT RequestId: " + found["ResponseMetadata"]["RequestId"].encode() in log
    failed = client.invoke(FunctionName="f", Payload=b'{"fail": "no such order"}')
    assert (failed["StatusCode"], failed["FunctionError"]) == (200, "Unhandled")
    error = json.loads(failed["Payload"].read())
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no such order")
    assert "handler" in "".join(error["stackTrace"])


def test_events_and_dry_runs_have_no_answer(client: Any) -> None:
    """202 and 204, and an empty payload."""
    event = client.invoke(FunctionName="f", InvocationType="Event", Payload=b"{}")
    assert (event["StatusCode"], event["Payload"].read()) == (202, b"")
    dry = client.invoke(FunctionName="f", InvocationType="DryRun")
    assert (dry["StatusCode"], dry["Payload"].read()) == (204, b"")


def test_a_qualifier_is_what_runs(client: Any) -> None:
    """A version's code stays what it was; an alias leads to it, and the function sees by which name it was called."""
    client.publish_version(FunctionName="f")
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    found = client.invoke(FunctionName="f", Qualifier="live", Payload=b"{}")
    assert found["ExecutedVersion"] == "1"
    answer = json.loads(found["Payload"].read())
    assert answer["version"] == "1"
    assert answer["arn"].endswith(":function:f:live")


def test_what_is_not_invoked(client: Any) -> None:
    """A function, a version and a payload that are none; too long a payload: refused in Lambda's words."""
    code, text, status = refused(client.invoke, FunctionName="none")
    assert (code, status) == ("ResourceNotFoundException", 404)
    assert text.startswith("Function not found: arn:aws:lambda:")
    assert text.endswith(":function:none:$LATEST")
    code, text, status = refused(client.invoke, FunctionName="f", Qualifier="9")
    assert (code, status, text.endswith(":function:f:9")) == ("ResourceNotFoundException", 404, True)
    code, text, status = refused(client.invoke, FunctionName="f", Payload=b"{no")
    assert (code, status) == ("InvalidRequestContentException", 400)
    assert text.startswith("Could not parse request body into json: ")
    code, _, status = refused(client.invoke, FunctionName="f", Payload=b'"' + b"x" * 6_300_000 + b'"')
    assert (code, status) == ("RequestEntityTooLargeException", 413)


def test_a_function_without_concurrency_is_throttled(client: Any) -> None:
    """Reserved at none, each invocation is refused."""
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    code, text, status = refused(client.invoke, FunctionName="f")
    assert (code, text, status) == ("TooManyRequestsException", "Rate Exceeded.", 429)


def test_a_response_can_be_read_as_it_comes(client: Any) -> None:
    """A function that does not stream gives one piece, then the end with the log; a failure is told by the end alone."""
    answer = client.invoke_with_response_stream(FunctionName="f", Payload=b'{"a": 1}', LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    *pieces, end = answer["EventStream"]
    body = b"".join(piece["PayloadChunk"]["Payload"] for piece in pieces)
    assert json.loads(body)["event"] == {"a": 1}
    assert b"seen" in base64.b64decode(end["InvokeComplete"]["LogResult"])
    assert "ErrorCode" not in end["InvokeComplete"]
    failed = client.invoke_with_response_stream(FunctionName="f", Payload=b'{"fail": "no such order"}')
    *_, end = failed["EventStream"]
    assert end["InvokeComplete"]["ErrorCode"] == "Unhandled"
    assert "no such order" in end["InvokeComplete"]["ErrorDetails"]


def test_a_stream_of_nothing_is_refused_as_an_invocation_is(client: Any) -> None:
    """What is no function and no JSON is refused before anything streams."""
    code, _, status = refused(client.invoke_with_response_stream, FunctionName="none")
    assert (code, status) == ("ResourceNotFoundException", 404)
    code, _, status = refused(client.invoke_with_response_stream, FunctionName="f", Payload=b"{no")
    assert (code, status) == ("InvalidRequestContentException", 400)
