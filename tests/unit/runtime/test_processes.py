"""What an environment starts, and that none of it is left, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.clock import ManualClock
from lambdalog.runtime import FunctionSpec, Outcome, Runtime, environment
from tests.unit.runtime.test_pool import log

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="orphans are only found on Linux")
PATIENCE = 60.0
CODE = """
import json, os, pathlib, resource, signal, subprocess, sys, time

def hide():
    "A process in a session of its own whose parent has gone, that no signal but KILL ends."
    read, write = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            os.write(write, str(os.getpid()).encode())
            while True:
                time.sleep(60)
        os._exit(0)
    os.wait()
    return int(os.read(read, 20))

def handler(event, context):
    do = event.get("do")
    pids = [os.getpid()]
    if event.get("hide"):
        pids.append(hide())
        print("hidden", pids[-1])
    if do == "grow":
        return [len(b"x" * (event["mb"] << 20)), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]
    if do == "sleep":
        time.sleep(60)
    if do == "kill keeper":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    if do == "kill zygote":
        keeper = pathlib.Path(f"/proc/{os.getppid()}/stat").read_text()
        os.kill(int(keeper.rpartition(")")[2].split()[1]), signal.SIGKILL)
    return pids
"""


def function(folder: Path, code: str = CODE, **changes: Any) -> FunctionSpec:
    """A function of this code."""
    folder.mkdir(exist_ok=True)
    (folder / "app.py").write_text(code)
    fields: dict[str, Any] = {
        "name": "f",
        "handler": "app.handler",
        "code": folder,
        "arn": "arn:aws:lambda:us-east-1:000000000000:function:f",
        "log_group": "/aws/lambda/f",
        "timeout": 30.0,
        "runtime": f"python{sys.version_info[0]}.{sys.version_info[1]}",
    }
    return FunctionSpec(**(fields | changes))


def run(runtime: Runtime, spec: FunctionSpec, **event: Any) -> Outcome:
    """Invoke with an event."""
    return runtime.invoke(spec, json.dumps(event).encode(), request_id="req-1")


def gone(pid: int) -> bool:
    """Whether a process ends within the patience of a loaded machine; one that waits to be reaped has ended."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False


def hidden(cloud: Cloud) -> int:
    """The process that hides."""
    return next(int(line.split()[1]) for line in log(cloud) if line.startswith("hidden"))


def test_a_process_that_hides_goes_with_its_environment(cloud: Cloud, tmp_path: Path) -> None:
    """Forked twice, in a session of its own, deaf to signals: gone when the environment closes."""
    with Runtime(logs=cloud.logs) as runtime:
        pids = json.loads(run(runtime, function(tmp_path / "code"), hide=True).payload)
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    assert all(map(gone, pids))


def test_a_process_that_hides_goes_with_a_timeout(cloud: Cloud, tmp_path: Path) -> None:
    """After a timeout nothing that the function started runs on, and the next invocation has a new process."""
    spec = function(tmp_path / "code", timeout=1.0)
    with Runtime(logs=cloud.logs) as runtime:
        assert run(runtime, spec, hide=True, do="sleep").status == "timeout"
        assert gone(hidden(cloud))
        assert run(runtime, spec).status == "success"


def test_a_function_that_kills_its_keeper_hides_nothing(cloud: Cloud, tmp_path: Path) -> None:
    """The process that watches can be killed by what it watches: that ends the function and all it started."""
    spec = function(tmp_path / "code")
    with Runtime(logs=cloud.logs) as runtime:
        outcome = run(runtime, spec, hide=True, do="kill keeper")
        assert (outcome.status, outcome.error_type) == ("exit", "Runtime.ExitError")
        assert gone(hidden(cloud))
        assert run(runtime, spec).status == "success"


@pytest.mark.parametrize("warm", [True, False])
def test_the_most_memory_is_told(cloud: Cloud, tmp_path: Path, warm: bool) -> None:
    """A peak counts though it is past when the function answers, whether its process tells of it or is looked at; so it does later."""
    spec = function(tmp_path / "code", memory=512)
    with Runtime(logs=cloud.logs, warm=warm) as runtime:
        before = run(runtime, spec).max_memory_mb
        peak = run(runtime, spec, do="grow", mb=90)
        after = run(runtime, spec).max_memory_mb
    (_, kilobytes) = json.loads(peak.payload)
    assert before < 90 < peak.max_memory_mb <= after < 512
    assert peak.max_memory_mb <= -(-kilobytes // 1024)


@pytest.mark.parametrize("name", ["resource", "select", "ipaddress", "signal"])
@pytest.mark.parametrize("warm", [True, False])
def test_a_functions_own_module_goes_before_the_librarys(
    cloud: Cloud, tmp_path: Path, name: str, warm: bool
) -> None:
    """As in Lambda, of what its own client has not loaded: whatever else the process has that a function is forked from."""
    spec = function(
        tmp_path / "code", f"import {name}\ndef handler(event, context):\n    return {name}.MINE\n"
    )
    (tmp_path / "code" / f"{name}.py").write_text("MINE = 'mine'\n")
    with Runtime(logs=cloud.logs, warm=warm) as runtime:
        assert run(runtime, spec).payload == b'"mine"'


def test_without_the_warm_process_another_is_started(cloud: Cloud, tmp_path: Path) -> None:
    """When a function kills the process that workers come from, the next cold start makes a new one."""
    spec = function(tmp_path / "code")
    with Runtime(logs=cloud.logs) as runtime:
        first = run(runtime, spec, do="kill zygote")
        assert first.status in {"success", "exit"}
        second = run(runtime, function(tmp_path / "code", code_id="2"))
        assert second.status == "success"
        pids = json.loads(second.payload)
    assert all(map(gone, pids))


def test_nothing_is_left_when_the_one_who_runs_it_is_killed(cloud: Cloud, tmp_path: Path) -> None:
    """A `kill -9` of the process that has the environments ends every process of them."""
    function(tmp_path / "code")
    script = f"""
import json, os, sys, pathlib
sys.path.insert(0, {str(Path.cwd())!r})
import lambdalog
from lambdalog.runtime import Runtime
from tests.unit.runtime.test_processes import function, run
cloud = lambdalog.connect({str(tmp_path / "store")!r})
runtime = Runtime(logs=cloud.logs)
pids = json.loads(run(runtime, function(pathlib.Path({str(tmp_path / "code")!r})), hide=True).payload)
keeper = int(pathlib.Path(f"/proc/{{pids[0]}}/stat").read_text().rpartition(")")[2].split()[1])
zygote = int(pathlib.Path(f"/proc/{{keeper}}/stat").read_text().rpartition(")")[2].split()[1])
print(json.dumps([*pids, keeper, zygote]), flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pids = json.loads(process.stdout.readline())
        assert len(pids) == 4
        process.kill()
    assert all(map(gone, pids))


def test_a_runtime_that_died_idle_starts_anew(cloud: Cloud, tmp_path: Path) -> None:
    """A process that ended between two invocations costs the next one nothing but its start."""
    spec = function(tmp_path / "code")
    with Runtime(logs=cloud.logs) as runtime:
        (pid,) = json.loads(run(runtime, spec).payload)
        os.kill(pid, signal.SIGKILL)
        assert gone(pid)
        again = run(runtime, spec)
        assert again.status == "success"
        assert json.loads(again.payload) != [pid]


def test_a_slow_start_is_tried_again_by_the_invocation(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An init phase that takes too long is stopped, and done again within the function's own timeout."""
    assert environment.INIT_SECONDS == 10.0
    monkeypatch.setattr(environment, "INIT_SECONDS", 0.5)
    code = (
        "import pathlib, time\n"
        "while not pathlib.Path(__file__).with_name('go').exists():\n    time.sleep(0.01)\n"
        "def handler(event, context):\n    return 'ok'\n"
    )
    spec = function(tmp_path / "code", code)

    def listen(line: str) -> None:
        if line.startswith("INIT_REPORT"):
            (spec.code / "go").touch()

    with Runtime(logs=cloud.logs) as runtime:
        outcome = runtime.invoke(spec, b"{}", on_line=listen)
    assert (outcome.payload, outcome.init_ms) == (b'"ok"', None)
    kinds = [line.partition(" ")[0].partition("\t")[0] for line in log(cloud)]
    assert kinds == ["INIT_START", "INIT_REPORT", "INIT_START", "START", "END", "REPORT"]
    assert log(cloud)[1].endswith("\tPhase: init\tStatus: timeout\n")


def test_idle_environments_end_by_themselves(cloud: Cloud, tmp_path: Path) -> None:
    """Where nothing is invoked any more, reaping alone ends what was idle for long."""
    clock = ManualClock(cloud.clock.now())
    with Runtime(logs=cloud.logs, clock=clock, idle_seconds=60) as runtime:
        (pid,) = json.loads(run(runtime, function(tmp_path / "code")).payload)
        runtime.reap()
        assert Path(f"/proc/{pid}").exists()
        clock.advance(61)
        runtime.reap()
        assert gone(pid)


def test_memory_of_children_counts(cloud: Cloud, tmp_path: Path) -> None:
    """A function that lets another process take the memory is ended like one that takes it itself."""
    code = (
        "import subprocess, sys\ndef handler(event, context):\n"
        "    subprocess.run([sys.executable, '-c', 'x = bytearray(400_000_000)\\nimport time; time.sleep(60)'])\n"
    )
    with Runtime(logs=cloud.logs) as runtime:
        outcome = run(runtime, function(tmp_path / "code", code, memory=128))
    assert (outcome.status, outcome.error_type) == ("memory", "Runtime.ExitError")


def test_an_order_that_died_with_the_warm_process_is_given_again(cloud: Cloud, tmp_path: Path) -> None:
    """When the warm process is killed with an order in its hands, the environment is started by its successor."""
    spec = function(tmp_path / "code")
    with Runtime(logs=cloud.logs) as runtime:
        assert run(runtime, spec).status == "success"
        process = runtime._spawner._process
        assert process is not None
        # It takes the next order into its socket, and never reads it.
        process.send_signal(signal.SIGSTOP)
        threading.Timer(0.3, process.kill).start()
        assert run(runtime, function(tmp_path / "code", code_id="2")).status == "success"
        assert runtime._spawner._process is not process
