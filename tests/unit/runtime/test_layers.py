"""What layers bring to a function, and functions that bring their own runtime."""

from __future__ import annotations

import base64
import io
import json
import shutil
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud

ROLE = "arn:aws:iam::000000000000:role/r"
# A runtime of its own: one loop over the Runtime API.
BOOTSTRAP = f"""#!{sys.executable}
import json, os, urllib.request
api = f"http://{{os.environ['AWS_LAMBDA_RUNTIME_API']}}/2018-06-01/runtime/invocation"
while True:
    with urllib.request.urlopen(f"{{api}}/next") as got:
        request, event = got.headers["Lambda-Runtime-Aws-Request-Id"], got.read()
    body = json.dumps([os.environ["_HANDLER"], json.loads(event)]).encode()
    urllib.request.urlopen(f"{{api}}/{{request}}/response", data=body).close()
"""


def zipped(**files: str) -> bytes:
    """A zip of executable files; `__` in a name stands for a slash, `DOT` for a dot."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name.replace("__", "/").replace("DOT", "."))
            entry.external_attr = 0o100755 << 16
            archive.writestr(entry, text)
    return buffer.getvalue()


def layer(client: Any, name: str, **files: str) -> str:
    """Publish a layer; its version's ARN."""
    made = client.publish_layer_version(LayerName=name, Content={"ZipFile": zipped(**files)})
    arn: str = made["LayerVersionArn"]
    return arn


def test_a_function_finds_what_its_layers_bring(cloud: Cloud) -> None:
    """Modules and programs; of two layers with the same module the later one wins, and the function's own wins over both."""
    client: Any = cloud.lambda_
    first = layer(
        client,
        "a",
        python__sharedDOTpy="who = 'first'",
        python__ownDOTpy="x = 1",
        bin__tool="#!/bin/sh\necho tool",
    )
    second = layer(client, "b", python__sharedDOTpy="who = 'second'")
    code = zipped(
        appDOTpy="import own, shared, subprocess\n"
        "def handler(event, context):\n"
        "    return [shared.who, own.x, subprocess.check_output(['tool'], text=True).strip()]\n",
        ownDOTpy="x = 2",
    )
    client.create_function(
        FunctionName="f", Role=ROLE, Handler="app.handler", Code={"ZipFile": code}, Layers=[first, second]
    )
    assert json.loads(client.invoke(FunctionName="f")["Payload"].read()) == ["second", 2, "tool"]


@pytest.mark.parametrize("where", ["code", "layer"])
def test_a_bootstrap_runs(cloud: Cloud, where: str) -> None:
    """Any executable that speaks the Runtime API, in the package or in a layer; its log is Lambda's."""
    client: Any = cloud.lambda_
    given: dict[str, Any] = {"Code": {"ZipFile": zipped(bootstrap=BOOTSTRAP)}}
    if where == "layer":
        given = {"Code": {"ZipFile": zipped(data="x")}, "Layers": [layer(client, "b", bootstrap=BOOTSTRAP)]}
    client.create_function(
        FunctionName="f", Role=ROLE, Runtime="provided.al2023", Handler="mine", Timeout=30, **given
    )
    answer = client.invoke(FunctionName="f", Payload=b'{"a": 1}')
    assert json.loads(answer["Payload"].read()) == ["mine", {"a": 1}]
    (found,) = cloud.logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern="REPORT")["events"]
    assert "Duration:" in found["message"]


def test_what_can_t_be_started_is_refused(cloud: Cloud) -> None:
    """A package without a bootstrap: 502, and asynchronous events fail instead of waiting for ever."""
    client: Any = cloud.client("lambda")
    client.create_function(
        FunctionName="f",
        Role=ROLE,
        Runtime="provided.al2023",
        Handler="x",
        Code={"ZipFile": zipped(data="x")},
    )
    client.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=0)
    with pytest.raises(ClientError, match=r"couldn't find valid bootstrap\(s\)") as info:
        client.invoke(FunctionName="f")
    assert info.value.response["Error"]["Code"] == "InvalidRuntimeException"
    client.invoke(FunctionName="f", InvocationType="Event", Payload=b"{}")
    assert client.worker().step()
    assert client.events.counts() == {"dropped": 1}


def test_json_logging_is_told_to_the_function(cloud: Cloud) -> None:
    """AWS's own client then writes JSON, from the level on."""
    client: Any = cloud.lambda_
    code = zipped(
        appDOTpy="import logging\ndef handler(event, context):\n    logging.getLogger().warning('careful')\n"
    )
    client.create_function(
        FunctionName="f",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": code},
        LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "WARN"},
    )
    client.invoke(FunctionName="f")
    events = cloud.logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern="careful")["events"]
    (line,) = [json.loads(event["message"]) for event in events]
    assert (line["level"], line["message"]) == ("WARNING", "careful")


@pytest.mark.parametrize("runtime", ["python", "nodejs"])
def test_a_wrapper_starts_the_runtime(cloud: Cloud, runtime: str) -> None:
    """AWS_LAMBDA_EXEC_WRAPPER is given the runtime's own command, and may change what it finds; it may be the function's."""
    client: Any = cloud.lambda_
    script = '#!/bin/sh\nexport WRAPPED="by $(basename "$0"), $#"\necho "wrapper begins"\nexec "$@"\n'
    if runtime == "python":
        name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        code = zipped(appDOTpy="import os\ndef handler(event, context):\n    return os.environ['WRAPPED']\n")
        wrapper, layers = "/opt/wrap", [layer(client, "w", wrap=script)]
    else:
        if shutil.which("node") is None:
            pytest.skip("there is no node on this machine")
        name, layers, wrapper = "nodejs22.x", [], "/var/task/wrap"
        code = zipped(appDOTjs="exports.handler = async () => process.env.WRAPPED;", wrap=script)
    client.create_function(
        FunctionName="f",
        Role=ROLE,
        Runtime=name,
        Handler="app.handler",
        Code={"ZipFile": code},
        Layers=layers,
        Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": wrapper}},
        Timeout=30,
    )
    answer = client.invoke(FunctionName="f", LogType="Tail")
    said = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, said
    assert said.startswith("by wrap, ")
    assert int(said.rpartition(" ")[2]) >= 2
    assert "wrapper begins\n" in base64.b64decode(answer["LogResult"]).decode()
