"""The keeper of one environment: starts its processes, tells how they end, and kills all that came of them.

It is a subreaper: whatever a function forks comes to it when its parent ends, in however many sessions, so that nothing
can hide. It ends everything when told to, when the one that tells is gone, and when the processes it started have ended.

Messages over the control socket, a line of JSON each. From here: {"pid": N, "port": N or null}, {"failed": text},
{"ended": name, "status": as waitpid gives it, "peak": KB}, {"gone": true}. To here: {"signal": number, "name": name}, {"end": true}.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
TELEMETRY_FD = 3
RUNTIME = "runtime"
# What is loaded here beside AWS's client, and isn't in Lambda: there a function's own module of such a name is found first.
LOADED = frozenset(
    {"array", "ctypes", "fnmatch", "ipaddress", "ntpath", "pathlib", "resource", "select", "selectors"}
    | {"signal", "socket", "stringprep", "struct", "typing", "unicodedata", "urllib"}
)
# A share of the processor is given out in slices of this many seconds.
SLICE = 0.02
LINUX = sys.platform == "linux"


def _prctl(option: int, value: int) -> None:
    if LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def become_subreaper() -> None:
    """Be the parent of every descendant whose own parent ends. Linux only: elsewhere orphans are not found."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def keep(order: dict[str, Any], fds: list[int]) -> str:
    """Be a keeper, to the end. Returns only in a worker that goes on in this interpreter: its handler's name."""
    # 0: what a process writes to stdout and stderr, one pair a process; telemetry; then the control socket.
    *pipes, telemetry, control_fd = fds
    control = socket.socket(fileno=control_fd)
    os.setsid()
    become_subreaper()
    keeper = Keeper(order, control)
    try:
        handler = keeper.start(pipes, telemetry)
        if handler is not None:
            return handler
        for fd in (*pipes, telemetry):
            os.close(fd)
        keeper.run()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the other side must hear of it
        keeper.tell({"failed": f"{type(error).__name__}: {error}"})
        keeper.end()
    os._exit(0)


class Keeper:
    """One environment's processes, by name: `runtime`, and the extensions."""

    def __init__(self, order: dict[str, Any], control: socket.socket) -> None:
        self._order = order
        self._control = control
        self._processes: dict[int, str] = {}
        self._share: float | None = order.get("share")
        self._used = 0.0
        self._rest = b""

    def tell(self, message: dict[str, Any]) -> None:
        """Say it, if anybody listens still."""
        try:
            self._control.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            return  # gone: the next look at the socket ends everything

    def start(self, pipes: list[int], telemetry: int) -> str | None:
        """Start the processes; the handler's name in a worker that goes on in this interpreter, else None."""
        order = self._order
        port = None
        if order["confine"]:
            import importlib.util

            spec = importlib.util.spec_from_file_location(
                "_lambdalog_confine", Path(__file__).with_name("confine.py")
            )
            assert spec is not None
            assert spec.loader is not None
            confine = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(confine)
            listener = confine.shut_in(order)
            if listener is not None:
                port = listener.getsockname()[1]
                socket.send_fds(self._control, [b'{"listener": true}\n'], [listener.fileno()])
                listener.close()
        address = order["api"] if port is None else f"127.0.0.1:{port}"
        for number, extension in enumerate(order["extensions"], 1):
            pid = os.fork()
            if pid == 0:
                self._control.close()
                _settle(pipes[2 * number], pipes[2 * number + 1], None, "/")
                _execute([extension], extension, order["extension_environment"], address)
            self._processes[pid] = os.path.basename(extension)  # noqa: PTH119 - what extensions register as
        pid = os.fork()
        if pid == 0:
            self._control.close()
            _settle(pipes[0], pipes[1], telemetry, order["folder"])
            if order["command"]:
                _execute(order["command"], order["command"][0], order["environment"], address)
            return _become_python(order, address)
        self._processes[pid] = RUNTIME
        self.tell({"pid": pid, "port": port})
        return None

    def run(self) -> None:
        """Look after the processes until all has to end."""
        wake, alarm = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) if LINUX else _pipe()
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(wake, select.POLLIN)
        while True:
            self._reap()
            if not self._processes:
                break
            ready = dict(poll.poll(None if self._share is None else SLICE * 1000))
            if wake in ready:
                os.read(wake, 4096)
            if self._control.fileno() in ready and not self._obey():
                break
            if self._share is not None:
                self._ration(self._share)
        self.end()

    def end(self) -> None:
        """Kill everything, until there is nothing left; then say so."""
        for pid in self._processes:
            _kill_group(pid)
        while children := _children() or list(self._processes):
            for pid in children:
                _kill_group(pid)
            self._reap(wait=True)
        self.tell({"gone": True})

    def _obey(self) -> bool:
        """Do what the other side says; False if it wants an end, or is gone."""
        try:
            data = self._control.recv(4096)
        except OSError:
            return False
        if not data:
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for message in map(json.loads, lines):
            if "end" in message:
                return False
            for pid, name in self._processes.items():
                if message["name"] == name:
                    _signal(pid, message["signal"])
        return True

    def _reap(self, *, wait: bool = False) -> None:
        """Take in who has ended, and tell of those that were started here."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, 0 if wait else os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            name = self._processes.pop(pid, None)
            if name is not None:
                peak = usage.ru_maxrss if LINUX else usage.ru_maxrss // 1024
                self.tell({"ended": name, "status": status, "peak": peak})
            wait = False

    def _ration(self, share: float) -> None:
        """Stop the processes for as long as they used more than their share of the last slice."""
        used = sum(map(_cpu_seconds, self._processes))
        over = used - self._used - SLICE * share
        self._used = used
        if over <= 0:
            return
        for pid in self._processes:
            _signal_group(pid, signal.SIGSTOP)
        time.sleep(min(over / share, 0.5))
        for pid in self._processes:
            _signal_group(pid, signal.SIGCONT)


def _pipe() -> tuple[int, int]:
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    return read, write


def _children() -> list[int]:
    """Processes whose parent this is, adopted ones too."""
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_bytes().split()]
    except OSError:
        return []


def _kill_group(pid: int) -> None:
    _signal_group(pid, signal.SIGKILL)
    _signal(pid, signal.SIGKILL)


def _signal_group(pid: int, number: int) -> None:
    try:
        if os.getpgid(pid) == pid:
            os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _settle(out: int, err: int, telemetry: int | None, folder: str) -> None:
    """In a new process: a session of its own, its three or four descriptors, and its folder."""
    parent = os.getppid()
    os.setsid()
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # the keeper was gone before it could be watched
    # Out of the way of 0 to 3 first: a descriptor may have one of these numbers.
    high = [os.dup(fd) if fd is not None and fd <= TELEMETRY_FD else fd for fd in (out, err, telemetry)]
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    for number, fd in enumerate(high, 1):
        if fd is not None:
            os.dup2(fd, number)
    os.closerange(TELEMETRY_FD + (telemetry is not None), 4096)
    for number in (signal.SIGINT, signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.chdir(folder)


def _execute(command: list[str], program: str, environment: dict[str, str], address: str) -> None:
    """Become another program; what prevents it is its last word."""
    # Python ignores these, and what is ignored stays so.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execve(program, command, environment | {"AWS_LAMBDA_RUNTIME_API": address})  # noqa: S606
    except OSError as error:
        os.write(2, f"{program} can't be started: {error.strerror}\n".encode())
        # What a shell gives for a command that can't be run.
        os._exit(126 if isinstance(error, PermissionError) else 127)


def _become_python(order: dict[str, Any], address: str) -> str:
    """Turn this interpreter into a new one, as far as a function can tell; its handler's name."""
    os.environ.clear()
    os.environ.update(order["environment"] | {"AWS_LAMBDA_RUNTIME_API": address})
    time.tzset()
    sys.path[:0] = order["path"]
    for folder in order["path"]:
        try:
            names = os.listdir(folder)
        except OSError:
            continue  # one that can't be read, or isn't there, has no modules
        for name in LOADED.intersection(name.partition(".")[0] for name in names):
            sys.modules.pop(name, None)
    handler: str = order["handler"]
    sys.argv = ["awslambdaric", handler]
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for the life of the process
    # As an interpreter that was started with pipes has them.
    sys.stdout = open(1, "w", encoding="utf-8", errors="strict", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]
    return handler
