"""Endpoints that speak AWS, each in a process of its own: ours, moto's server, ministack, and one that only repeats an answer."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lambdalog.server.instance import running
from lambdalog.server.keys import load_keys
from lambdalog.server.signature import Keys
from lambdalog.store.files import Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

START_SECONDS: Final = 60
ANY: Final = Keys("test", "test")


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens. `tree`: whether it is ours."""

    name: str
    url: str
    keys: Keys
    ours: bool = False

    def client(self, service: str, **settings: Any) -> Any:
        """boto3's client of it; `settings` are those of botocore's Config."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.keys.access_key,
            aws_secret_access_key=self.keys.secret_key,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=120, **settings),
        )


@contextmanager
def ours(folder: Path) -> Iterator[Server]:
    """`lambdalog serve` on a new store."""
    store = folder / "served"
    layout = Layout(store)
    command = [sys.executable, "-m", "lambdalog", "serve", "--quiet", "--port", "0", "--grace", "1"]
    with _started([*command, "--store", f"disk:{store}"], folder, {}) as process:
        _until(lambda: running(layout.endpoint) is not None, process)
        found = running(layout.endpoint)
        assert found is not None
        yield Server("ours", found.url, load_keys(layout.endpoint_keys), ours=True)


@contextmanager
def moto(folder: Path) -> Iterator[Server]:
    """Moto's server, told that there is no Docker: its Lambda answers with a fixed text then."""
    port = _free()
    with _started([sys.executable, "-m", "moto.server", "-p", str(port)], folder, {}) as process:
        _until(lambda: _listens(port), process)
        url = f"http://127.0.0.1:{port}"
        setting = json.dumps({"lambda": {"use_docker": False}}).encode()
        told = urllib.request.Request(f"{url}/moto-api/config", setting, {"content-type": "application/json"})
        urllib.request.urlopen(told, timeout=30).close()
        yield Server("moto server", url, ANY)


@contextmanager
def ministack(folder: Path) -> Iterator[Server | None]:
    """ministack, whose functions run in processes; None where it isn't installed.

    It pins a botocore of its own, so it lives in an environment of its own: on the PATH, or as the program that
    LAMBDALOG_BENCH_MINISTACK names.
    """
    program = os.environ.get("LAMBDALOG_BENCH_MINISTACK") or shutil.which("ministack")
    if program is None:
        yield None
        return
    port = _free()
    settings = {
        "GATEWAY_PORT": str(port),
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": "ERROR",
        "HOME": str(folder),
        "PERSIST_STATE": "0",
    }
    with _started([program], folder, settings) as process:
        _until(lambda: _listens(port), process)
        yield Server("ministack", f"http://127.0.0.1:{port}", ANY)


@contextmanager
def canned(folder: Path, body: bytes) -> Iterator[Server]:
    """A server that does nothing but give this answer: what is measured of it is the client."""
    port, file = _free(), folder / "answer"
    file.write_bytes(body)
    with _started([sys.executable, "-m", "tests.bench.canned", str(port), str(file)], folder, {}) as process:
        _until(lambda: _listens(port), process)
        yield Server("the same answer, ready made", f"http://127.0.0.1:{port}", ANY)


@contextmanager
def _started(
    command: Sequence[str], folder: Path, settings: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.getcwd(), **settings},  # noqa: PTH109 - where this is run from
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"{process.args!r} does not listen")
        time.sleep(0.02)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
