"""Where workers come from: one warm process that forks them, started when the first is wanted and again if it died."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from lambdalog.errors import ConfigError

WORKERS: Final = Path(__file__).with_name("workers")
_START_SECONDS: Final = 30.0


class Spawner:
    """Orders keepers of the zygote; thread-safe. `warm`: Python workers are forked with their client loaded."""

    def __init__(self, *, warm: bool = True) -> None:
        # Forking without exec is only safe where nothing of the system's own runs in threads: not on macOS.
        self._wanted = "warm" if warm and sys.platform == "linux" else "cold"
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self._owner = 0
        self._warm = False

    def warm(self) -> bool:
        """Whether Python workers can be forked from a warm process; starts it if need be."""
        with self._lock:
            self._ensure()
            return self._warm

    def order(self, order: dict[str, Any], fds: list[int]) -> socket.socket:
        """Have an environment's processes started; the socket to their keeper. ConfigError if that can't be."""
        ours, theirs = socket.socketpair()
        data = json.dumps(order).encode()
        try:
            with self._lock, theirs:
                try:
                    _send(self._ensure(), data, [*fds, theirs.fileno()])
                except OSError:
                    # Killed by a function, perhaps: a new one takes its place.
                    self._stop()
                    _send(self._ensure(), data, [*fds, theirs.fileno()])
        except OSError as error:
            ours.close()
            raise ConfigError(f"the process that starts functions is gone: {error}") from error
        except BaseException:
            ours.close()
            raise
        return ours

    def close(self) -> None:
        """End the zygote; environments that it started live on until they are closed themselves."""
        with self._lock:
            self._stop()

    def _ensure(self) -> socket.socket:
        if self._orders is not None and self._owner != os.getpid():
            self._orders.close()  # a fork's orders would come from two sides
            self._orders = self._process = None
        if self._orders is not None and self._process is not None and self._process.poll() is None:
            return self._orders
        self._stop()
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", str(WORKERS / "zygote.py"), str(theirs.fileno()), self._wanted],
                    env=_environment(),
                    stdin=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                raise ConfigError(f"{sys.executable} can't be started: {error.strerror}") from error
        ours.settimeout(_START_SECONDS)
        try:
            answer = ours.recv(16)
        except OSError:
            answer = b""
        if not answer:
            ours.close()
            self._stop()
            raise ConfigError("the process that starts functions ended before it could start one")
        ours.settimeout(None)
        self._warm = answer == b"warm"
        self._orders, self._owner = ours, os.getpid()
        return ours

    def _stop(self) -> None:
        if self._orders is not None:
            self._orders.close()
            self._orders = None
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._process = None


def _send(orders: socket.socket, data: bytes, fds: list[int]) -> None:
    socket.send_fds(orders, [struct.pack(">I", len(data))], fds)
    orders.sendall(data)


def _environment() -> dict[str, str]:
    """What the zygote itself needs; a function's variables come with each order."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "VIRTUAL_ENV") if name in os.environ
    }
    return kept | {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        # AWS's client chooses its JSON encoder by this when it is loaded.
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info[0]}.{sys.version_info[1]}",
        # Its native part reads an address at loading, and again in each worker.
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9",
    }
