"""Node.js functions: what they answer, how they fail, what they log."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.local.lambda_ import LOCAL_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node on this machine")
ROLE = "arn:aws:iam::000000000000:role/r"


def invoke(
    cloud: Cloud, folder: Path, code: str, *, name: str = "app.js", **settings: Any
) -> tuple[str | None, Any]:
    """Run a function of this code with {"a": 1}; its error's kind and its payload."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(code)
    client: Any = cloud.lambda_
    client.create_function(
        FunctionName="f",
        Role=ROLE,
        Runtime="nodejs22.x",
        Timeout=30,
        Code={"S3Bucket": LOCAL_FOLDER, "S3Key": str(folder)},
        **{"Handler": "app.handler"} | settings,
    )
    answer = client.invoke(FunctionName="f", Payload=b'{"a": 1}')
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


def log(cloud: Cloud) -> list[str]:
    """The function's lines."""
    found = cloud.logs.filter_log_events(logGroupName="/aws/lambda/f")["events"]
    return [event["message"].rstrip() for event in found]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("app.js", "exports.handler = async (event) => ({ got: event.a });"),
        ("app.mjs", "export const handler = async (event) => ({ got: event.a });"),
        (
            "app.js",
            "exports.handler = (event, context, callback) => { setTimeout(() => callback(null, { got: event.a }), 1); };",
        ),
        (
            "app.cjs",
            "exports.handler = (event, context) => { context.succeed({ got: event.a }); return { got: event.a }; };",
        ),
    ],
)
def test_a_handler_answers(cloud: Cloud, tmp_path: Path, name: str, code: str) -> None:
    """Asynchronous, with a callback, as CommonJS and as an ES module."""
    assert invoke(cloud, tmp_path / "code", code, name=name) == (None, {"got": 1})


def test_the_context_is_lambdas(cloud: Cloud, tmp_path: Path) -> None:
    """Names, ARN and remaining time; nothing returned is null."""
    code = "exports.handler = async (e, c) => [c.functionName, c.functionVersion, c.invokedFunctionArn, c.getRemainingTimeInMillis() > 20000];"
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    assert invoke(cloud, tmp_path / "code", code) == (None, ["f", "$LATEST", arn, True])
    (tmp_path / "code" / "app.js").write_text("exports.handler = async () => {};")
    client: Any = cloud.lambda_
    client.update_function_configuration(FunctionName="f", Timeout=20)
    assert client.invoke(FunctionName="f")["Payload"].read() == b"null"


@pytest.mark.parametrize(
    ("code", "error_type", "message"),
    [
        ("exports.handler = async () => { throw new TypeError('no'); };", "TypeError", "no"),
        ("exports.handler = (e, c, callback) => { callback(new Error('called')); };", "Error", "called"),
        ("exports.handler = async () => { throw 'text'; };", "string", "text"),
        ("exports.other = 1;", "Runtime.HandlerNotFound", "app.handler is undefined or not exported"),
        ("exports.handler = async ( => 1;", "Runtime.UserCodeSyntaxError", None),
        ("require('not-there');", "Runtime.ImportModuleError", None),
        ("exports.handler = async () => { process.exit(7); };", "Runtime.ExitError", None),
        (
            "exports.handler = () => { setTimeout(() => { throw new Error('late'); }, 1); return new Promise(() => {}); };",
            "Error",
            "late",
        ),
    ],
)
def test_a_failure_is_told_as_lambda_tells_it(
    cloud: Cloud, tmp_path: Path, code: str, error_type: str, message: str | None
) -> None:
    """Type and message of what was thrown, of what can't be loaded, of a process that went."""
    error, payload = invoke(cloud, tmp_path / "code", code)
    assert (error, payload["errorType"]) == ("Unhandled", error_type)
    assert message is None or payload["errorMessage"] == message


def test_lines_are_lambdas(cloud: Cloud, tmp_path: Path) -> None:
    """Time, request id, level and text by tabs; several lines are one event; the last one before an exit is not lost."""
    code = (
        "exports.handler = async () => { console.log('one', { b: 2 }); console.error('two\\nlines');"
        " console.warn('last'); process.exit(0); };"
    )
    assert invoke(cloud, tmp_path / "code", code)[0] == "Unhandled"
    lines = [line for line in log(cloud) if "\t" in line and not line.startswith(("INIT_START", "REPORT"))]
    assert [line.split("\t")[2:] for line in lines] == [
        ["INFO", "one { b: 2 }"],
        ["ERROR", "two\rlines"],
        ["WARN", "last"],
    ]
    assert all(re.fullmatch(r"[0-9a-f-]{36}", line.split("\t")[1]) for line in lines)


def test_json_lines_have_levels(cloud: Cloud, tmp_path: Path) -> None:
    """With JSON logging each line is an object, from the level on."""
    code = "exports.handler = async () => { console.info('no'); console.warn('yes'); console.error(new Error('bad')); };"
    logging = {"LogFormat": "JSON", "ApplicationLogLevel": "WARN"}
    invoke(cloud, tmp_path / "code", code, LoggingConfig=logging)
    found = [json.loads(line) for line in log(cloud) if line.startswith("{") and '"level"' in line]
    assert [(line["level"], line.get("errorMessage")) for line in found] == [("WARN", None), ("ERROR", "bad")]


def test_a_layers_modules_are_found(cloud: Cloud, tmp_path: Path) -> None:
    """What lies in nodejs/node_modules of a layer can be required."""
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("nodejs/node_modules/shared/index.js", "exports.who = 'layer';")
    client: Any = cloud.lambda_
    arn = client.publish_layer_version(LayerName="l", Content={"ZipFile": buffer.getvalue()})[
        "LayerVersionArn"
    ]
    code = "const { who } = require('shared'); exports.handler = async () => who;"
    assert invoke(cloud, tmp_path / "code", code, Layers=[arn]) == (None, "layer")
