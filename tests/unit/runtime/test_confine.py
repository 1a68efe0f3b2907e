"""Environments that are shut in: no network, files that can't be changed, a share of the processor."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lambdalog.errors import ConfigError
from lambdalog.runtime import Runtime
from lambdalog.runtime.isolation import isolation
from tests.unit.runtime.test_processes import function

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud

CODE = """
import os, pathlib, socket, time
def tried(action):
    try:
        return action() or "done"
    except OSError as error:
        return type(error).__name__
def handler(event, context):
    if "spin" in event:
        wall, used = time.monotonic(), time.process_time()
        while time.monotonic() - wall < event["spin"]:
            pass
        return (time.process_time() - used) / (time.monotonic() - wall)
    return {
        "net": tried(lambda: socket.create_connection(("127.0.0.1", event["port"]), 5).close()),
        "own": tried(lambda: pathlib.Path(__file__).with_name("new").write_text("x") and None),
        "tmp": tried(lambda: pathlib.Path("/tmp/lambdalog-new").write_text("x") and None),
        "hidden": os.path.exists(event["hidden"]),
        "interfaces": [name for _, name in socket.if_nameindex()],
    }
"""


def allowed() -> bool:
    """Whether this system lets anybody make namespaces."""
    if sys.platform != "linux":
        return False
    code = "import os, ctypes; raise SystemExit(ctypes.CDLL(None).unshare((0x10000000 if os.getuid() else 0) | 0x40020000))"
    return subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


needs_namespaces = pytest.mark.skipif(not allowed(), reason="this system refuses namespaces")


@needs_namespaces
@pytest.mark.parametrize("confine", [(), ("network",), ("files",), ("network", "files")])
def test_what_is_shut_off_is_shut_off(cloud: Cloud, tmp_path: Path, confine: tuple[str, ...]) -> None:
    """The network is only the environment's own loopback; files can be read, and /tmp alone written, which is new."""
    secret = tmp_path / "store"
    secret.mkdir()
    (secret / "key").write_text("secret")
    spec = function(tmp_path / "code", CODE)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        Runtime(logs=cloud.logs, confine=confine, hidden=(secret,)) as runtime,
    ):
        event = {"port": listener.getsockname()[1], "hidden": str(secret / "key")}
        outcome = runtime.invoke(spec, json.dumps(event).encode())
        assert outcome.status == "success", outcome.payload
        found = json.loads(outcome.payload)
        assert runtime.invoke(spec, json.dumps(event).encode()).status == "success"
    network, files = "network" in confine, "files" in confine
    assert found["net"] == ("ConnectionRefusedError" if network else "done")
    assert found["own"] == ("OSError" if files else "done")
    assert found["tmp"] == "done"
    assert found["hidden"] is not files
    if network:
        assert found["interfaces"] == ["lo"]


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="shares are measured by /proc")
def test_the_processor_is_shared_by_memory(cloud: Cloud, tmp_path: Path) -> None:
    """A function of an eighth of 1,769 MB gets about an eighth of one processor, and one without a limit more."""
    spec = function(tmp_path / "code", CODE, memory=221)
    with Runtime(logs=cloud.logs, confine=("cpu",)) as runtime:
        share = json.loads(runtime.invoke(spec, b'{"spin": 1.5}').payload)
    assert share < 0.3


@pytest.mark.skipif(sys.platform != "linux", reason="keepers shut environments in on Linux alone")
def test_what_the_system_refuses_is_told(cloud: Cloud, tmp_path: Path) -> None:
    """A function that can't be shut in as it was asked for is not run, and the system's own reason is given."""
    code = function(tmp_path / "code", CODE)
    # A /tmp of this size there can't be.
    impossible = replace(code, ephemeral_storage=-1)
    with (
        Runtime(logs=cloud.logs, confine=("files",)) as runtime,
        pytest.raises(ConfigError, match=r"can't be started: OSError: .*the system refuses"),
    ):
        runtime.invoke(impossible, b"{}")


def test_isolation_is_asked_for_by_name() -> None:
    """Words that are none are refused with those that there are; nothing asked for is nothing."""
    assert isolation({}) == ()
    assert isolation({"LAMBDALOG_ISOLATION": "network, cpu"}, "linux") == ("network", "cpu")
    with pytest.raises(ConfigError, match=r"LAMBDALOG_ISOLATION names moon; there are network, files, cpu"):
        isolation({"LAMBDALOG_ISOLATION": "network,moon"}, "linux")
    with pytest.raises(ConfigError, match="only be shut in on Linux"):
        isolation({"LAMBDALOG_ISOLATION": "network"}, "darwin")
