"""Responses as they come: pieces, their type, errors in the middle, and who leaves early."""

from __future__ import annotations

import base64
import json
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lambdalog.local.lambda_ import LOCAL_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud

ROLE = "arn:aws:iam::000000000000:role/r"
node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node on this machine")
PYTHON = "def handler(event, context):\n    if event.get('fail'):\n        raise ValueError('no')\n    return [event]\n"
# The second piece is only written when the test has seen the first.
NODE = """
const fs = require("node:fs");
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  stream.setContentType("text/plain");
  if (event.early) throw new TypeError("before the first");
  stream.write("one ");
  while (!fs.existsSync(event.go)) await new Promise((resolve) => setTimeout(resolve, 5));
  if (event.fail) throw new RangeError("in the middle");
  stream.write("two");
  stream.end();
});
"""


def made(cloud: Cloud, folder: Path, name: str, code: str, runtime: str) -> Any:
    """The client, with a function f."""
    folder.mkdir()
    (folder / name).write_text(code)
    client: Any = cloud.lambda_
    client.create_function(
        FunctionName="f",
        Role=ROLE,
        Runtime=runtime,
        Handler="app.handler",
        Timeout=60,
        Code={"S3Bucket": LOCAL_FOLDER, "S3Key": str(folder)},
    )
    return client


@node
@pytest.mark.parametrize("fail", [False, True])
def test_pieces_come_as_they_are_written(cloud: Cloud, tmp_path: Path, fail: bool) -> None:
    """The first piece is here before the second is written; an error in the middle is told at the end."""
    client = made(cloud, tmp_path / "code", "app.js", NODE, "nodejs22.x")
    go = tmp_path / "go"
    payload = json.dumps({"go": str(go), "fail": fail})
    answer = client.invoke_with_response_stream(FunctionName="f", Payload=payload, LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert answer["ResponseStreamContentType"] == "text/plain"
    events = iter(answer["EventStream"])
    assert next(events) == {"PayloadChunk": {"Payload": b"one "}}
    go.touch()
    *pieces, end = events
    complete = end["InvokeComplete"]
    assert b"REPORT RequestId: " in base64.b64decode(complete.pop("LogResult"))
    if fail:
        assert pieces == []
        assert complete["ErrorCode"] == "Unhandled"
        details = json.loads(complete["ErrorDetails"])
        assert (details["errorType"], details["errorMessage"]) == ("RangeError", "in the middle")
    else:
        assert b"".join(piece["PayloadChunk"]["Payload"] for piece in pieces) == b"two"
        assert complete == {}
    # Whoever wants it whole gets it whole.
    whole = client.invoke(FunctionName="f", Payload=json.dumps({"go": str(go)}))
    assert whole["Payload"].read() == b"one two"
    early = client.invoke(FunctionName="f", Payload=b'{"early": true}')
    assert json.loads(early["Payload"].read())["errorType"] == "TypeError"


@node
def test_a_reader_that_leaves_stops_nothing(cloud: Cloud, tmp_path: Path) -> None:
    """The function runs to its end though nobody listens, and its environment serves the next."""
    client = made(cloud, tmp_path / "code", "app.js", NODE, "nodejs22.x")
    go, ended = tmp_path / "go", threading.Event()
    client.runtime.observer = lambda *_: ended.set()
    answer = client.invoke_with_response_stream(FunctionName="f", Payload=json.dumps({"go": str(go)}))
    with answer["EventStream"] as stream:
        next(iter(stream))
    go.touch()
    assert ended.wait(60)
    assert (
        client.invoke(FunctionName="f", Payload=json.dumps({"go": str(go)}))["Payload"].read() == b"one two"
    )


def test_what_does_not_stream_comes_in_one_piece(cloud: Cloud, tmp_path: Path) -> None:
    """A Python function's response is one piece; its error is in InvokeComplete, with no piece."""
    client = made(cloud, tmp_path / "code", "app.py", PYTHON, "python3.11")
    answer = client.invoke_with_response_stream(FunctionName="f", Payload=b'{"a": 1}')
    assert list(answer["EventStream"]) == [
        {"PayloadChunk": {"Payload": b'[{"a": 1}]'}},
        {"InvokeComplete": {}},
    ]
    (end,) = client.invoke_with_response_stream(FunctionName="f", Payload=b'{"fail": true}')["EventStream"]
    assert end["InvokeComplete"]["ErrorCode"] == "Unhandled"
    assert json.loads(end["InvokeComplete"]["ErrorDetails"])["errorType"] == "ValueError"


def test_what_is_refused_is_refused_before_the_stream(cloud: Cloud, tmp_path: Path) -> None:
    """No such function, no JSON, no concurrency: errors of the operation itself; a dry run runs nothing."""
    client = made(cloud, tmp_path / "code", "app.py", PYTHON, "python3.11")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.invoke_with_response_stream(FunctionName="g")
    with pytest.raises(ClientError, match="Could not parse request body into json"):
        client.invoke_with_response_stream(FunctionName="f", Payload=b"{")
    dry = client.invoke_with_response_stream(FunctionName="f", InvocationType="DryRun")
    assert (dry["StatusCode"], list(dry["EventStream"])) == (204, [])
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        client.invoke_with_response_stream(FunctionName="f")


def test_the_version_is_told_with_the_first_piece(cloud: Cloud, tmp_path: Path) -> None:
    """Of an alias the version that it leads to."""
    client = made(cloud, tmp_path / "code", "app.py", PYTHON, "python3.11")
    client.publish_version(FunctionName="f")
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    answer = client.invoke_with_response_stream(FunctionName="f", Qualifier="live")
    assert answer["ExecutedVersion"] == "1"
    answer["EventStream"].close()
