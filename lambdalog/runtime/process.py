"""An environment's processes as seen from here: what they write, how they end, how much memory they take."""

from __future__ import annotations

import json
import os
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from lambdalog.errors import ConfigError
from lambdalog.waiting import aside

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lambdalog.runtime.launch import Launch
    from lambdalog.runtime.spawner import Spawner
    from lambdalog.runtime.spec import FunctionSpec

PAGE: Final = os.sysconf("SC_PAGE_SIZE")
MB: Final = 1024 * 1024
TELEMETRY_FD: Final = 3
RUNTIME: Final = "runtime"
# A function that writes faster than its log is kept waits for it; this much it has in advance.
PIPE_BYTES: Final = 256 * 1024
# From the page of Lambda quotas: 1,769 MB have the power of one vCPU.
MB_PER_CPU: Final = 1769
# A fork bomb has more; the watch does not follow it into all its corners.
_TREE_MAX: Final = 256
_START_SECONDS: Final = 30.0
_END_SECONDS: Final = 10.0
# Linux's number for setting a pipe's size, which fcntl has by name since Python 3.10 there alone.
_F_SETPIPE_SZ: Final = 1031


class _NeverStarted(ConfigError):
    """Whoever was to start it is gone."""


class Processes:
    """A running runtime and its extensions, with the reading ends of what they write (non-blocking).

    `outputs` maps a process's name to its stdout and stderr, `extensions` are the names beside the runtime's. ConfigError if they can't be started.
    """

    def __init__(
        self,
        spec: FunctionSpec,
        launched: Launch,
        spawner: Spawner,
        *,
        api: str,
        confine: Sequence[str] = (),
        hidden: Sequence[Path] = (),
    ) -> None:
        self.ended: dict[str, int] = {}
        self.listener: socket.socket | None = None
        self.peak = 0
        self.gone = False
        self._rest = b""
        names = [RUNTIME, *(os.path.basename(path) for path in launched.extensions)]  # noqa: PTH119
        readers: list[int] = []
        writers: list[int] = []
        for _ in range(2 * len(names) + 1):
            read, write = os.pipe()
            os.set_blocking(read, False)
            _widen(write)
            readers.append(read)
            writers.append(write)
        self.telemetry = readers[-1]
        self.outputs = {
            name: (readers[2 * number], readers[2 * number + 1]) for number, name in enumerate(names)
        }
        self.extensions = tuple(names[1:])
        self._readers = readers
        order: dict[str, Any] = {
            "api": api,
            "command": launched.command,
            "environment": launched.environment,
            "extension_environment": {
                name: value
                for name, value in launched.environment.items()
                # "Extensions can't access" these, says the page of the Extensions API.
                if name not in {"_HANDLER", "_LAMBDA_TELEMETRY_LOG_FD"}
            },
            "extensions": launched.extensions,
            "folder": str(spec.code),
            "handler": spec.handler,
            "path": launched.path,
            "confine": [what for what in confine if what != "cpu"],
            "share": spec.memory / MB_PER_CPU if "cpu" in confine else None,
            "layers": [str(layer) for layer in spec.layers],
            "hidden": [str(path) for path in hidden],
            "storage": spec.ephemeral_storage,
        }
        self._statm = self._status = -1
        self.pid = 0
        try:
            try:
                self._begin(spawner, order, writers, spec.name)
            except _NeverStarted:
                # The process that forks was killed with the order in its hands: its successor gets it once more.
                self._control.close()
                self.gone = False
                self.ended.clear()
                self._begin(spawner, order, writers, spec.name)
        except BaseException:
            for fd in readers:
                os.close(fd)
            raise
        finally:
            for fd in writers:
                os.close(fd)
        self._control.setblocking(False)
        with suppress(OSError):  # it may have ended already, and elsewhere than on Linux there is none
            self._statm = os.open(f"/proc/{self.pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
            self._status = os.open(f"/proc/{self.pid}/status", os.O_RDONLY | os.O_CLOEXEC)

    def _begin(self, spawner: Spawner, order: dict[str, Any], writers: list[int], name: str) -> None:
        """Give the order, and wait until the runtime's process is there."""
        self._control = spawner.order(order, writers)
        self._control.settimeout(_START_SECONDS)
        aside()
        try:
            while self.pid == 0:
                self._listen()
        except _NeverStarted:
            raise
        except TimeoutError:
            self._give_up()
            raise ConfigError(f"function {name} could not be started in {_START_SECONDS:g} s") from None
        except BaseException:
            self._give_up()
            raise

    def _give_up(self) -> None:
        if not self.gone:
            self.kill()
        self._control.close()

    def fileno(self) -> int:
        """Readable when something has ended."""
        return self._control.fileno()

    @property
    def returncode(self) -> int | None:
        """How the runtime ended, or None while it runs; negative for a signal."""
        return self.ended.get(RUNTIME)

    def listen(self) -> None:
        """Take in what the keeper has told."""
        with suppress(BlockingIOError):
            while not self.gone:
                self._listen()

    def memory(self) -> int:
        """Bytes of memory that the runtime takes now; 0 where that can't be told."""
        if self._statm < 0:
            return 0
        try:
            resident = int(os.pread(self._statm, 128, 0).split()[1]) * PAGE
        except (OSError, IndexError):
            return 0  # it has just ended
        self.peak = max(self.peak, resident)
        return resident

    def over(self, limit: int) -> bool:
        """Whether the runtime takes more than `limit` bytes together with what it started and what hangs on it still."""
        pids = self._tree()
        if len(pids) == 1:
            return False
        # Forks share pages: only the proportional sizes add up, and they are dear to ask for.
        return sum(map(_resident, pids)) > limit and sum(map(_proportional, pids)) > limit

    def _tree(self) -> list[int]:
        found = [self.pid]
        for pid in found:
            with suppress(OSError, ValueError):  # it has just ended
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children", "rb") as children:  # noqa: PTH123 - measured
                        found += map(int, children.read().split())
            if len(found) > _TREE_MAX:
                break
        return found

    def high_water(self, told: int = 0) -> int:
        """The most memory that the runtime ever took, in bytes; `told`: what it said of it just now, if anything."""
        self.peak = max(self.peak, told)
        if told or self._status < 0:
            return self.peak
        try:
            status = os.pread(self._status, 4096, 0)
            begin = status.index(b"VmHWM:") + 6
            self.peak = max(self.peak, int(status[begin : status.index(b"kB", begin)]) * 1024)
        except (OSError, ValueError):
            return self.peak  # it has ended; what was seen while it ran counts
        return self.peak

    def signal(self, number: int, name: str = RUNTIME) -> None:
        """Send one process a signal."""
        self._say({"signal": number, "name": name})

    def kill(self) -> None:
        """Kill everything that was started, and everything that came of it; return when nothing is left."""
        self._say({"end": True})
        self._control.settimeout(_END_SECONDS)
        while not self.gone:
            try:
                self._listen()
            except TimeoutError:
                # A process that the system itself can't end, as one that waits for a dead disk.
                self.gone = True
            except ConfigError:
                continue  # said already to whoever wanted it started
        self.ended.setdefault(RUNTIME, -signal.SIGKILL)

    def close(self) -> None:
        """Kill, and close every descriptor."""
        if not self.gone:
            self.kill()
        self._control.close()
        for fd in self._readers:
            os.close(fd)
        self._readers = []
        for fd in (self._statm, self._status):
            if fd >= 0:
                os.close(fd)
        self._statm = self._status = -1

    def _say(self, message: dict[str, Any]) -> None:
        with suppress(OSError):  # the keeper is gone, and with it all that it kept
            self._control.sendall(json.dumps(message).encode() + b"\n")

    def _listen(self) -> None:
        try:
            data, fds, _, _ = socket.recv_fds(self._control, 65536, 1)
        except ConnectionError:
            data, fds = b"", []
        if fds:
            self.listener = socket.socket(fileno=fds[0])
        if not data:
            self._lost()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for message in map(json.loads, lines):
            if "failed" in message:
                raise ConfigError(f"the function can't be started: {message['failed']}")
            if "pid" in message:
                self.pid = message["pid"]
            elif "ended" in message:
                self.ended[message["ended"]] = os.waitstatus_to_exitcode(message["status"])
                if message["ended"] == RUNTIME:
                    self.peak = max(self.peak, message["peak"] * 1024)
            elif "gone" in message:
                self.gone = True

    def _lost(self) -> None:
        """The keeper is gone without a word: a function has killed it, and the kernel the function."""
        self.gone = True
        self.ended.setdefault(RUNTIME, -signal.SIGKILL)
        if self.pid == 0:
            raise _NeverStarted("the function's keeper ended before the function was started")


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as statm:  # noqa: PTH123 - measured
            return int(statm.read().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0  # it has just ended


def _proportional(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as rollup:  # noqa: PTH123 - measured
            return next(int(line.split()[1]) * 1024 for line in rollup if line.startswith(b"Pss:"))
    except (OSError, StopIteration):
        return 0  # it has just ended


def _widen(fd: int) -> None:
    import fcntl

    with suppress(OSError):
        fcntl.fcntl(fd, _F_SETPIPE_SZ, PIPE_BYTES)
