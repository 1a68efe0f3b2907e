"""Extensions that run: they register, hear of invocations and the end, and are sent telemetry."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.runtime import Runtime
from tests.unit.runtime.test_pool import log
from tests.unit.runtime.test_processes import function, gone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lambdalog.cloud import Cloud
    from lambdalog.runtime import FunctionSpec

HANDLER = """
import os, time
def handler(event, context):
    print("from the function")
    if event.get("sleep"):
        time.sleep(60)
    return sorted(name for name in os.environ if name.startswith("AWS_LAMBDA_RUNTIME"))
"""
# Registers, subscribes, and writes down what it is told; ends when it is told to.
AGENT = f"""#!{sys.executable} -P
import http.server, json, os, pathlib, threading, urllib.request
out = pathlib.Path(os.environ["OUT"])
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"]
print("agent begins", flush=True)

def ask(path, body=None, method=None, **headers):
    request = urllib.request.Request(api + path, None if body is None else json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return dict(answer.headers), json.loads(answer.read() or b"null")

def note(kind, value):
    with open(out / "told", "a") as told:
        told.write(json.dumps([kind, value]) + "\\n")

class Hear(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        for event in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
            note("telemetry", event)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hear)
threading.Thread(target=server.serve_forever, daemon=True).start()
headers, answer = ask("/2020-01-01/extension/register", {{"events": ["INVOKE", "SHUTDOWN"]}},
    **{{"Lambda-Extension-Name": "agent", "Lambda-Extension-Accept-Feature": "accountId"}})
note("registered", answer | {{"secret": os.environ.get("_HANDLER")}})
mine = {{"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}}
ask("/2022-07-01/telemetry", {{
    "schemaVersion": "2022-12-13", "types": ["platform", "function", "extension"],
    "buffering": {{"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25}},
    "destination": {{"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{{server.server_port}}"}},
}}, "PUT", **mine)
while True:
    _, event = ask("/2020-01-01/extension/event/next", **mine)
    note("event", event)
    if event["eventType"] == "SHUTDOWN":
        break
"""
SHELL = """#!/bin/bash
ask() { # request line, headers, body: the answer
  exec 9<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API%:*}/${AWS_LAMBDA_RUNTIME_API#*:}"
  printf '%s HTTP/1.1\\r\\nHost: x\\r\\n%sContent-Length: %d\\r\\n\\r\\n%s' "$1" "$2" "${#3}" "$3" >&9
  length=0 id=
  while IFS= read -r line <&9; do
    line=${line%$'\\r'}
    [ -z "$line" ] && break
    case "${line,,}" in
      content-length:*) length=${line#*: } ;;
      lambda-extension-identifier:*) id=${line#*: } ;;
    esac
  done
  IFS= read -r -N "$length" body <&9
  exec 9>&-
}
ask 'POST /2020-01-01/extension/register' $'Lambda-Extension-Name: shell\\r\\n' '{"events": ["INVOKE", "SHUTDOWN"]}'
mine=$'Lambda-Extension-Identifier: '"$id"$'\\r\\n'
while true; do
  ask 'GET /2020-01-01/extension/event/next' "$mine" ''
  printf '["shell", %s]\\n' "$body" >> "$OUT/told"
  case "$body" in *SHUTDOWN*) exit 0 ;; esac
done
"""
NODE = """#!/usr/bin/env node
const fs = require("node:fs");
const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2020-01-01/extension`;
(async () => {
  const answer = await fetch(`${api}/register`, {
    method: "POST", headers: { "Lambda-Extension-Name": "node" }, body: JSON.stringify({ events: ["INVOKE", "SHUTDOWN"] }),
  });
  const headers = { "Lambda-Extension-Identifier": answer.headers.get("lambda-extension-identifier") };
  for (;;) {
    const event = await (await fetch(`${api}/event/next`, { headers })).json();
    fs.appendFileSync(`${process.env.OUT}/told`, JSON.stringify(["node", event]) + "\\n");
    if (event.eventType === "SHUTDOWN") process.exit(0);
  }
})();
"""


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., FunctionSpec]:
    """A function with the extensions that are given as name=text, in a layer."""

    def make(**texts: str) -> FunctionSpec:
        folder = tmp_path / "layer" / "extensions"
        folder.mkdir(parents=True)
        for name, text in texts.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        return function(
            tmp_path / "code", HANDLER, layers=(tmp_path / "layer",), environment={"OUT": str(tmp_path)}
        )

    return make


def told(tmp_path: Path, kind: str) -> list[Any]:
    """What an extension has written down of a kind."""
    lines = map(json.loads, (tmp_path / "told").read_text().splitlines())
    return [value for found, value in lines if found == kind]


def test_an_extension_registers_and_hears_of_invocations_and_the_end(
    cloud: Cloud, made: Callable[..., FunctionSpec], tmp_path: Path
) -> None:
    """Register's answer, INVOKE for each invocation with what Lambda tells, SHUTDOWN with its reason; it logs too."""
    spec = made(agent=AGENT)
    with Runtime(logs=cloud.logs) as runtime:
        outcomes = [
            runtime.invoke(
                spec, b"{}", request_id=f"r{number}", trace_id="Root=1-5e34a614-10bdabcdf1fb44f07bc535a1"
            )
            for number in range(2)
        ]
    assert [outcome.status for outcome in outcomes] == ["success", "success"]
    (registered,) = told(tmp_path, "registered")
    assert registered == {
        "functionName": "f",
        "functionVersion": "$LATEST",
        "handler": "app.handler",
        "accountId": "000000000000",
        "secret": None,
    }
    first, second, end = told(tmp_path, "event")
    assert first.pop("deadlineMs") > 1_700_000_000_000
    assert first == {
        "eventType": "INVOKE",
        "requestId": "r0",
        "invokedFunctionArn": spec.arn,
        "tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1-5e34a614-10bdabcdf1fb44f07bc535a1"},
    }
    assert second["requestId"] == "r1"
    assert (end["eventType"], end["shutdownReason"]) == ("SHUTDOWN", "spindown")
    lines = log(cloud)
    assert "agent begins" in lines
    assert "EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n" in lines
    assert "TELEMETRY\tName: agent\tState: Subscribed\tTypes: [Platform, Function, Extension]\n" in lines


def test_an_extension_receives_telemetry(
    cloud: Cloud, made: Callable[..., FunctionSpec], tmp_path: Path
) -> None:
    """Platform, function and extension events of the whole life of an environment, in their order."""
    spec = made(agent=AGENT)
    with Runtime(logs=cloud.logs) as runtime:
        runtime.invoke(spec, b"{}", request_id="r0")
        runtime.invoke(spec, b"{}", request_id="r1")
    events = told(tmp_path, "telemetry")
    kinds = [event["type"] for event in events]
    platform = [kind for kind in kinds if kind.startswith("platform.")]
    invocation = ["platform.start", "platform.runtimeDone", "platform.report"]
    assert platform == [
        "platform.initStart",
        "platform.telemetrySubscription",
        "platform.extension",
        "platform.initRuntimeDone",
        "platform.initReport",
        *invocation,
        *invocation,
    ]
    assert [event["record"] for event in events if event["type"] == "extension"] == ["agent begins"]
    said = [event["record"] for event in events if event["type"] == "function"]
    assert "\n".join(said) == "from the function\nfrom the function"
    report = next(event for event in events if event["type"] == "platform.report")
    assert report["record"]["requestId"] == "r0"
    assert set(report["record"]["metrics"]) == {
        "durationMs",
        "billedDurationMs",
        "memorySizeMB",
        "maxMemoryUsedMB",
        "initDurationMs",
    }


@pytest.mark.parametrize(
    ("name", "text", "program"), [("shell", SHELL, "bash"), ("node", NODE, "node")], ids=["bash", "node"]
)
def test_extensions_in_other_languages(
    cloud: Cloud, made: Callable[..., FunctionSpec], tmp_path: Path, name: str, text: str, program: str
) -> None:
    """A shell script and a Node program hear the same."""
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} on this machine")
    spec = made(**{name: text})
    with Runtime(logs=cloud.logs) as runtime:
        assert runtime.invoke(spec, b"{}", request_id="r0").status == "success"
    assert [event["eventType"] for event in told(tmp_path, name)] == ["INVOKE", "SHUTDOWN"]


def test_a_timeout_shuts_extensions_down_with_its_reason(
    cloud: Cloud, made: Callable[..., FunctionSpec], tmp_path: Path
) -> None:
    """After a timeout the extensions hear so, the environment begins anew, and they with it."""
    spec = made(agent=AGENT)
    quick = function(
        tmp_path / "code", HANDLER, layers=spec.layers, environment=spec.environment, timeout=3.0
    )
    with Runtime(logs=cloud.logs) as runtime:
        assert runtime.invoke(quick, b'{"sleep": true}').status == "timeout"
    assert [event.get("shutdownReason") for event in told(tmp_path, "event")] == [None, "timeout"]


def test_an_extension_that_fails_fails_the_start(cloud: Cloud, made: Callable[..., FunctionSpec]) -> None:
    """One that ends before it has registered: Extension.Crash, and nothing of the function is left."""
    spec = made(agent="#!/bin/sh\nexit 5\n")
    with Runtime(logs=cloud.logs) as runtime:
        outcome = runtime.invoke(spec, b"{}", request_id="r0")
    assert (outcome.function_error, outcome.error_type) == ("Unhandled", "Extension.Crash")
    assert json.loads(outcome.payload) == {
        "errorType": "Extension.Crash",
        "errorMessage": "RequestId: r0 Error: exit status 5",
    }
    assert any("\tStatus: error\tError Type: Extension.Crash" in line for line in log(cloud))


def test_an_extension_goes_with_its_environment(
    cloud: Cloud, made: Callable[..., FunctionSpec], tmp_path: Path
) -> None:
    """One that does not end when it is told to is killed, after its two seconds."""
    stubborn = AGENT.replace("        break\n", "        import time; time.sleep(600)\n").replace(
        'print("agent begins", flush=True)', 'note_pid = (out / "pid").write_text(str(os.getpid()))'
    )
    spec = made(agent=stubborn)
    with Runtime(logs=cloud.logs) as runtime:
        runtime.invoke(spec, b"{}")
    assert told(tmp_path, "event")[-1]["eventType"] == "SHUTDOWN"
    assert gone(int((tmp_path / "pid").read_text()))
