"""Every way in which an invocation can fail, and what its caller is told, word for word."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from tests.functions import zipped
from tests.unit.local.lambda_.conftest import ROLE

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud

PYTHON: Final = """
import os, signal, time

class Declined(Exception):
    pass

def handler(event, context):
    do = event["do"]
    if do == "raise":
        raise Declined("no funds")
    if do == "sleep":
        time.sleep(60)
    if do == "set":
        return {1, 2}
    if do == "large":
        return "x" * 6_291_556
    if do == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if do == "sys.exit":
        raise SystemExit(3)
    os._exit(do)
"""
NODE: Final = """
exports.handler = async (event) => {
    if (event.do === "raise") { const error = new Error("no funds"); error.name = "Declined"; throw error; }
    if (event.do === "sleep") await new Promise((done) => setTimeout(done, 60000));
    if (event.do === "kill") process.kill(process.pid, "SIGKILL");
    if (event.do === "large") return "x".repeat(6291556);
    if (event.do === "circular") { const own = {}; own.own = own; return own; }
    if (typeof event.do === "number") process.exit(event.do);
};
"""
TIMED_OUT: Final = {"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: <id> Error: Task timed out after 1.00 seconds"}  # fmt: skip
TOO_LARGE: Final = {
    "errorType": "Function.ResponseSizeTooLarge",
    "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
}


def _exited(how: str) -> dict[str, Any]:
    return {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: <id> Error: Runtime exited {how}"}


class Surface(NamedTuple):
    """One way to fail. `body`: as the caller gets it, `<id>` for the request id; a stack is told apart by `stack`."""

    runtime: str
    do: Any
    body: dict[str, Any]
    stack: str = ""


SURFACES: Final = {
    "raised": Surface("python3.11", "raise", {"errorType": "Declined", "errorMessage": "no funds", "requestId": "<id>"}, "stackTrace"),
    "timed out": Surface("python3.11", "sleep", TIMED_OUT),
    "exit 0": Surface("python3.11", 0, _exited("without providing a reason")),
    "exit 127": Surface("python3.11", 127, _exited("with error: exit status 127")),
    "sys.exit": Surface("python3.11", "sys.exit", _exited("with error: exit status 3")),
    "killed": Surface("python3.11", "kill", _exited("with error: signal: killed")),
    "no JSON": Surface(
        "python3.11",
        "set",
        {"errorType": "Runtime.MarshalError", "errorMessage": "Unable to marshal response: Object of type set is not JSON serializable", "requestId": "<id>"},
        "stackTrace",
    ),
    "too large": Surface("python3.11", "large", TOO_LARGE),
    "Node raised": Surface("nodejs22.x", "raise", {"errorType": "Declined", "errorMessage": "no funds"}, "trace"),
    "Node timed out": Surface("nodejs22.x", "sleep", TIMED_OUT),
    "Node exit 0": Surface("nodejs22.x", 0, _exited("without providing a reason")),
    "Node exit 127": Surface("nodejs22.x", 127, _exited("with error: exit status 127")),
    "Node killed": Surface("nodejs22.x", "kill", _exited("with error: signal: killed")),
    "Node too large": Surface("nodejs22.x", "large", TOO_LARGE),
}  # fmt: skip


def _create(client: Any, surface: str, code: bytes, handler: str) -> None:
    client.create_function(
        FunctionName="f", Runtime=surface, Role=ROLE, Handler=handler, Code={"ZipFile": code}, Timeout=1
    )


def _invoke(client: Any, event: object) -> tuple[dict[str, Any], str]:
    """(body, request id) of an invocation that fails as functions do: with 200, and marked."""
    found = client.invoke(FunctionName="f", Payload=json.dumps(event))
    assert (found["StatusCode"], found["FunctionError"]) == (200, "Unhandled")
    return json.loads(found["Payload"].read()), found["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize("name", list(SURFACES))
def test_what_the_caller_is_told(cloud: Cloud, name: str) -> None:
    """The body is AWS's, the log says so too, and the next invocation of the same function is not harmed."""
    surface = SURFACES[name]
    client: Any = cloud.lambda_
    if surface.runtime.startswith("node"):
        if shutil.which("node") is None:
            pytest.skip("there is no node here")
        code = _node_zip(NODE)
        handler = "index.handler"
    else:
        code, handler = zipped(app=PYTHON), "app.handler"
    _create(client, surface.runtime, code, handler)
    for _ in range(2):
        body, request = _invoke(client, {"do": surface.do})
        if surface.stack:
            assert isinstance(body.pop(surface.stack), list)
        assert body == {key: value.replace("<id>", request) for key, value in surface.body.items()}
    events = cloud.logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern="REPORT")["events"]
    assert len(events) == 2


def _node_zip(text: str) -> bytes:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.js", text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("files", "handler", "body"),
    [
        (
            {"other": ""},
            "app.handler",
            {"errorType": "Runtime.ImportModuleError", "errorMessage": "Unable to import module 'app': No module named 'app'"},
        ),
        (
            {"app": "import nothing_of_the_sort"},
            "app.handler",
            {"errorType": "Runtime.ImportModuleError", "errorMessage": "Unable to import module 'app': No module named 'nothing_of_the_sort'"},
        ),
        (
            {"app": ""},
            "app.nope",
            {"errorType": "Runtime.HandlerNotFound", "errorMessage": "Handler 'nope' missing on module 'app'"},
        ),
        (
            {"app": ""},
            "app",
            {"errorType": "Runtime.MalformedHandlerName", "errorMessage": "Bad handler 'app': not enough values to unpack (expected 2, got 1)"},
        ),
        (
            {"app": "def handler(event, context)\n    return 1\n"},
            "app.handler",
            {"errorType": "Runtime.UserCodeSyntaxError", "errorMessage": "Syntax error in module 'app': expected ':' (app.py, line 1)"},
        ),
        (
            {"app": "raise ValueError('at import')"},
            "app.handler",
            {"errorType": "ValueError", "errorMessage": "at import"},
        ),
        (
            {"app": "import os\nos._exit(5)"},
            "app.handler",
            _exited("with error: exit status 5"),
        ),
    ],
    ids=["no module", "no import", "no handler", "malformed", "syntax", "raises at import", "exits at import"],
)  # fmt: skip
def test_what_init_can_fail_at(
    cloud: Cloud, files: dict[str, str], handler: str, body: dict[str, Any]
) -> None:
    """A function that can't be loaded answers each invocation with why, and its log has it too."""
    client: Any = cloud.lambda_
    _create(client, "python3.11", zipped(**files), handler)
    for _ in range(2):
        found, request = _invoke(client, {})
        found.pop("stackTrace", None)
        found.pop("requestId", None)
        assert found == {key: value.replace("<id>", request) for key, value in body.items()}


REFUSALS: Final[dict[str, tuple[dict[str, Any], int, str, str]]] = {
    "no such function": ({"FunctionName": "g"}, 404, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:g"),
    "no such version": ({"FunctionName": "f", "Qualifier": "7"}, 404, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:7"),
    "no JSON": ({"FunctionName": "f", "Payload": b"{oops"}, 400, "InvalidRequestContentException", "Could not parse request body into json: "),
    "too large": ({"FunctionName": "f", "Payload": b'"' + b"x" * 6_291_456 + b'"'}, 413, "RequestEntityTooLargeException", "Request must be smaller than 6291456 bytes for the InvokeFunction operation"),
    "too large an event": ({"FunctionName": "f", "InvocationType": "Event", "Payload": b'"' + b"x" * 1_048_576 + b'"'}, 413, "RequestEntityTooLargeException", "1048578 byte payload is too large for the Event invocation type (limit 1048576 bytes)"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(REFUSALS))
def test_what_is_not_even_begun(cloud: Cloud, name: str) -> None:
    """What can't be invoked is refused by code, status and text, and nothing is logged."""
    from botocore.exceptions import ClientError

    client: Any = cloud.lambda_
    _create(client, "python3.11", zipped(app=PYTHON), "app.handler")
    arguments, status, code, text = REFUSALS[name]
    with pytest.raises(ClientError) as refused:
        client.invoke(**arguments)
    answer = refused.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (status, code)
    assert answer["Error"]["Message"].startswith(text)
    assert not cloud.logs.describe_log_groups()["logGroups"]
