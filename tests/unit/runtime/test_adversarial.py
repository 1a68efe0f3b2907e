"""Functions that mean harm: each ends with the right error, its lines in the log, no process left, and the next one fine."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.runtime import Runtime
from tests.unit.runtime.test_pool import log
from tests.unit.runtime.test_processes import function, gone

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="descendants are found by /proc")
CODE = """
import ctypes, http.client, os, re, signal, sys, time

def post(path, body=b'"mine"'):
    host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].partition(":")
    peer = http.client.HTTPConnection(host, int(port))
    peer.request("POST", f"/2018-06-01/runtime/invocation/{path}", body)
    answer = peer.getresponse()
    text = answer.read().decode()
    peer.close()
    return f"{answer.status} {text}"

def handler(event, context):
    do = event.get("do")
    if do:
        print("begin", do)
    if do == "close":
        os.close(1)
        os.close(2)
    if do == "fork":
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.setsid()
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(600)
            time.sleep(600)
    if do == "deaf":
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        while True:
            time.sleep(1)
    if do == "exit":
        os._exit(9)
    if do == "segfault":
        ctypes.string_at(0)
    if do == "hoard":
        hoard = []
        while True:
            hoard.append(bytearray(4_000_000))
    if do == "in C":
        re.match("(a+)+$", "a" * 64 + "b")
    if do == "bytes":
        os.write(1, b"\\xff\\xfe\\x00 odd\\n")
    if do == "spoof":
        print("START RequestId: 00000000-0000-0000-0000-000000000000 Version: 7")
        print("REPORT RequestId: 00000000-0000-0000-0000-000000000000\\tDuration: 1 ms")
    if do == "wrong id":
        print(post("00000000-0000-0000-0000-000000000000/response"))
    if do == "twice":
        print(post(f"{context.aws_request_id}/response"))
    return "ok"
"""
EXIT = "Runtime.ExitError"


def descendants() -> set[int]:
    """All processes that come from this one."""
    found = [os.getpid()]
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except (FileNotFoundError, ProcessLookupError):
                continue
    return set(found[1:])


@pytest.mark.parametrize(
    ("do", "error_type", "message", "said"),
    [
        ("close", None, None, "begin close"),
        ("fork", None, None, "begin fork"),
        ("deaf", "Sandbox.Timedout", "Task timed out after 1.00 seconds", "begin deaf"),
        ("exit", EXIT, "Runtime exited with error: exit status 9", "begin exit"),
        ("segfault", EXIT, "Runtime exited with error: signal: segmentation fault", "begin segfault"),
        ("hoard", EXIT, "Runtime exited with error: signal: killed", "begin hoard"),
        ("in C", "Sandbox.Timedout", "Task timed out after 1.00 seconds", "begin in C"),
        ("bytes", None, None, "\ufffd\ufffd\x00 odd"),
        (
            "spoof",
            None,
            None,
            "START RequestId: 00000000-0000-0000-0000-000000000000 Version: 7",
        ),
        (
            "wrong id",
            None,
            None,
            '400 {"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}',
        ),
        ("twice", None, None, "begin twice"),
    ],
)
def test_a_function_that_means_harm(
    cloud: Cloud, tmp_path: Path, do: str, error_type: str | None, message: str | None, said: str
) -> None:
    """Right error, its line in the log, END and REPORT once, the next invocation answers, and all processes go."""
    timeout = 1.0 if error_type == "Sandbox.Timedout" else 60.0
    spec = function(tmp_path / "code", CODE, timeout=timeout)
    before = descendants()
    with Runtime(logs=cloud.logs) as runtime:
        outcome = runtime.invoke(spec, json.dumps({"do": do}).encode(), request_id="req-1")
        assert outcome.error_type == error_type
        if message is None:
            assert outcome.payload == (b'"mine"' if do == "twice" else b'"ok"')
        else:
            assert json.loads(outcome.payload) == {
                "errorType": error_type,
                "errorMessage": f"RequestId: req-1 Error: {message}",
            }
        lines = log(cloud)
        assert said in lines
        assert lines.count("END RequestId: req-1\n") == 1
        assert lines[-1].startswith("REPORT RequestId: req-1\t")
        # Its own time limit is no matter here, on a machine that is busy.
        patient = function(tmp_path / "code", CODE, timeout=60.0)
        again = runtime.invoke(patient if timeout < 60 else spec, b"{}", request_id="req-2")
        assert (again.status, again.payload) == ("success", b'"ok"')
        started = descendants() - before
        assert started
    assert all(map(gone, started))


@pytest.mark.parametrize("size", [4_000_000, pytest.param(100_000_000, marks=pytest.mark.long)])
def test_a_flood_is_all_there(cloud: Cloud, tmp_path: Path, size: int) -> None:
    """Megabytes of output, as lines and as one line without an end: every byte is in the log."""
    code = (
        "import sys\ndef handler(event, context):\n"
        f"    for number in range({size // 2_000}):\n"
        "        sys.stdout.write(str(number).rjust(999) + '\\n')\n"
        f"    sys.stderr.write('z' * {size // 2})\n"
        "    return 'ok'\n"
    )
    with Runtime(logs=cloud.logs) as runtime:
        outcome = runtime.invoke(
            function(tmp_path / "code", code, timeout=900.0, memory=1024), b"{}", request_id="req-1"
        )
    assert outcome.payload == b'"ok"'
    numbers, endless = [], 0
    for line in log(cloud):
        if line.startswith("z"):
            endless += len(line)
        elif line.startswith(" "):
            numbers.append(int(line))
    assert numbers == list(range(size // 2_000))
    assert endless == size // 2


NODE = """
exports.handler = async (event) => {
  for (let number = 0; number < 5; number += 1) console.log(`${event.n}.${number}`);
  process.stdout.write(`${event.n}.5\\n`);
  return event.n;
};
"""
PYTHON = """
def handler(event, context):
    for number in range(6):
        print(f"{event['n']}.{number}")
    return event["n"]
"""


@pytest.mark.parametrize("count", [40, pytest.param(1000, marks=pytest.mark.long)])
@pytest.mark.parametrize("language", ["python", "node"])
def test_no_line_is_lost_over_many_invocations(
    cloud: Cloud, tmp_path: Path, language: str, count: int
) -> None:
    """Lines that are printed up to the last instruction are all there, once, in order."""
    changes: dict[str, Any] = {}
    if language == "node":
        if shutil.which("node") is None:
            pytest.skip("there is no node on this machine")
        changes["runtime"] = "nodejs22.x"
    spec = function(tmp_path / "code", PYTHON, **changes)
    (spec.code / "app.js").write_text(NODE)
    with Runtime(logs=cloud.logs) as runtime:
        for number in range(count):
            outcome = runtime.invoke(spec, json.dumps({"n": number}).encode())
            assert outcome.payload == str(number).encode()
    found = [line.rpartition("\t")[2] for line in log(cloud) if line.rpartition("\t")[2][:1].isdigit()]
    assert found == [f"{number}.{line}" for number in range(count) for line in range(6)]
