"""Lambda on one machine: functions, invocations, asynchronous events to their dead letters."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.local.lambda_ import LOCAL_FOLDER, Lambda
from lambdalog.runtime.event_worker import Worker
from tests.refusals import refused
from tests.unit.local.lambda_.conftest import ROLE

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.clock import ManualClock
    from lambdalog.cloud import Cloud


def answer(client: Any, **event: Any) -> Any:
    """Invoke `f` and read the payload."""
    return json.loads(client.invoke(FunctionName="f", Payload=json.dumps(event))["Payload"].read())


def test_a_function_is_created_and_shown(client: Any) -> None:
    """Its configuration has AWS's defaults and its ARN."""
    config = client.get_function(FunctionName="f")["Configuration"]
    assert config["FunctionArn"] == "arn:aws:lambda:us-east-1:000000000000:function:f"
    assert (config["Timeout"], config["MemorySize"], config["Version"], config["State"]) == (
        3,
        128,
        "$LATEST",
        "Active",
    )
    assert [found["FunctionName"] for found in client.list_functions()["Functions"]] == ["f"]
    client.get_waiter("function_active").wait(FunctionName="f")


def test_an_invocation_answers(client: Any, store_path: Path) -> None:
    """The payload goes in and comes back; the function finds the store that runs it."""
    response = client.invoke(FunctionName="f", Payload=b'{"a": 1}', LogType="Tail")
    payload = json.loads(response["Payload"].read())
    assert payload == {"event": {"a": 1}, "mine": None, "store": f"disk:{store_path}"}
    assert (response["StatusCode"], response["ExecutedVersion"]) == (200, "$LATEST")
    assert b"REPORT RequestId: " in base64.b64decode(response["LogResult"])


def test_a_function_error_is_no_exception(client: Any) -> None:
    """The answer has FunctionError and the error's body."""
    response = client.invoke(
        FunctionName="arn:aws:lambda:us-east-1:000000000000:function:f", Payload=b'{"fail": "x"}'
    )
    assert response["FunctionError"] == "Unhandled"
    assert json.loads(response["Payload"].read())["errorType"] == "ValueError"


def test_a_zip_runs_too(client: Any) -> None:
    """A package that is uploaded is unpacked into the store and run."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 'zipped'\n")
    code = {"ZipFile": buffer.getvalue()}
    config = client.create_function(
        FunctionName="z", Role=ROLE, Handler="app.handler", Runtime="python3.11", Code=code
    )
    assert config["CodeSize"] == len(buffer.getvalue())
    assert client.invoke(FunctionName="z")["Payload"].read() == b'"zipped"'
    found = refused(client.update_function_code, FunctionName="z", ZipFile=b"no zip")
    assert found[0] == "InvalidParameterValueException"


def test_changes_take_effect(client: Any, folder: Path, clock: ManualClock) -> None:
    """A new configuration, and new code in the folder, run at the next invocation."""
    client.update_function_configuration(FunctionName="f", Environment={"Variables": {"MINE": "yes"}})
    assert answer(client)["mine"] == "yes"
    (folder / "app.py").write_text("def handler(event, context):\n    return 'new'\n")
    clock.advance(1)
    assert answer(client) == "new"


def test_refusals_are_aws_own(client: Any, folder: Path) -> None:
    """Codes, texts and statuses of what is wrong."""
    missing = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none:$LATEST"
    assert refused(client.invoke, FunctionName="none") == ("ResourceNotFoundException", missing, 404)
    code = {"S3Bucket": LOCAL_FOLDER, "S3Key": str(folder)}
    assert refused(client.create_function, FunctionName="f", Role=ROLE, Code=code) == (
        "ResourceConflictException",
        "Function already exist: f",
        409,
    )
    found = refused(client.invoke, FunctionName="f", Payload=b"{no")
    assert found[0] == "InvalidRequestContentException"
    assert found[1].startswith("Could not parse request body into json: ")
    found = refused(
        client.invoke, FunctionName="f", InvocationType="Event", Payload=b"[" * 20_000 + b"]" * 20_000
    )
    assert found[0] == "InvalidRequestContentException"
    large = b'"' + b"x" * 1_048_576 + b'"'
    assert refused(client.invoke, FunctionName="f", InvocationType="Event", Payload=large)[::2] == (
        "RequestEntityTooLargeException",
        413,
    )
    assert refused(client.update_function_configuration, FunctionName="f", RevisionId="x")[::2] == (
        "PreconditionFailedException",
        412,
    )
    assert (
        refused(client.update_function_configuration, FunctionName="f", Timeout=901)[0]
        == "ValidationException"
    )


def test_reserved_concurrency_of_zero_switches_off(client: Any) -> None:
    """A function with nothing reserved to it is throttled, with the reason; deleted, it runs again."""
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException) as info:
        client.invoke(FunctionName="f")
    assert info.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert client.get_function_concurrency(FunctionName="f")["ReservedConcurrentExecutions"] == 0
    client.delete_function_concurrency(FunctionName="f")
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName="f")
    assert answer(client, a=1)["event"] == {"a": 1}
    assert refused(client.put_function_concurrency, FunctionName="f", ReservedConcurrentExecutions=901)[
        0
    ] == ("InvalidParameterValueException")


def test_a_failed_event_ends_in_its_dead_letter_queue(
    client: Any, manual_cloud: Cloud, clock: ManualClock
) -> None:
    """Accepted with 202, tried three times under one request id, then in the queue as Lambda puts it there."""
    url = manual_cloud.sqs.create_queue(QueueName="f-dlq")["QueueUrl"]
    target = {"TargetArn": manual_cloud.scope.queue("f-dlq")}
    client.update_function_configuration(FunctionName="f", DeadLetterConfig=target)
    response = client.invoke(FunctionName="f", InvocationType="Event", Payload=b'{"fail":  "always"}')
    request = response["ResponseMetadata"]["RequestId"]
    assert (response["StatusCode"], response["Payload"].read()) == (202, b"")
    client.worker().drain()
    (message,) = manual_cloud.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == '{"fail":  "always"}'
    assert {name: value["StringValue"] for name, value in message["MessageAttributes"].items()} == {
        "RequestID": request,
        "ErrorCode": "200",
        "ErrorMessage": "always",
    }
    events = manual_cloud.logs.filter_log_events(
        logGroupName="/aws/lambda/f", filterPattern=f'"START RequestId: {request}"'
    )
    assert len(events["events"]) == 3


def test_event_configuration_is_kept_and_followed(client: Any) -> None:
    """Put overwrites, update merges, delete forgets; no retries means one attempt."""
    client.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=0)
    updated = client.update_function_event_invoke_config(FunctionName="f", MaximumEventAgeInSeconds=60)
    assert (updated["MaximumRetryAttempts"], updated["MaximumEventAgeInSeconds"]) == (0, 60)
    client.invoke(FunctionName="f", InvocationType="Event", Payload=b'{"fail": "x"}')
    worker = client.worker()
    assert isinstance(worker, Worker)
    assert worker.step()
    assert client.events.pending() == 0
    client.delete_function_event_invoke_config(FunctionName="f")
    with pytest.raises(
        client.exceptions.ResourceNotFoundException, match="doesn't have an EventInvokeConfig"
    ):
        client.get_function_event_invoke_config(FunctionName="f")


def test_a_dry_run_runs_nothing(client: Any, manual_cloud: Cloud) -> None:
    """DryRun answers 204 and leaves no log."""
    assert client.invoke(FunctionName="f", InvocationType="DryRun")["StatusCode"] == 204
    assert manual_cloud.logs.describe_log_groups()["logGroups"] == []


def test_a_deleted_function_is_gone(client: Any) -> None:
    """It is no longer listed, and can be made again."""
    assert isinstance(client, Lambda)
    client.delete_function(FunctionName="f")
    assert client.list_functions()["Functions"] == []
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.delete_function(FunctionName="f")
