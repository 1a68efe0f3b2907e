"""The process that all workers are forked from: warm, small, without threads.

Each order that comes over the socket makes a keeper (keeper.py), and the keeper makes the environment's processes. A
Python function is forked from here with its runtime client loaded already; everything else is started by exec. When the
process that gives the orders goes away, for whatever reason, so does this one, and each keeper does for itself.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import select
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any

# Two for each process, telemetry, and the keeper's socket: ten extensions at most.
FDS_MAX = 32
# How often orphans are looked for that only come here if a function kills its keeper.
SWEEP_MS = 1000


def load(name: str) -> Any:
    """A module of this folder, without leaving its name where a function's own module may be looked for."""
    spec = importlib.util.spec_from_file_location(
        f"_lambdalog_{name}", Path(__file__).with_name(f"{name}.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def receive(orders: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next order and its descriptors; None if nobody gives orders any more."""
    head, fds, _, _ = socket.recv_fds(orders, 4, FDS_MAX)
    if not head:
        return None
    for fd in fds:
        os.set_inheritable(fd, False)
    data = bytearray()
    (length,) = struct.unpack(">I", head)
    while len(data) < length:
        piece = orders.recv(length - len(data))
        if not piece:
            return None
        data += piece
    return json.loads(data), fds


def serve(orders: socket.socket, keeper: Any) -> Any:
    """Fork a keeper for each order. Returns only in a forked Python worker, with what it shall run."""
    keeper.become_subreaper()
    keepers: set[int] = set()
    poll = select.poll()
    poll.register(orders, select.POLLIN)
    while True:
        ready = poll.poll(SWEEP_MS if keepers else None)
        _reap(keepers)
        _sweep(keepers)
        if not ready:
            continue
        order = receive(orders)
        if order is None:
            os._exit(0)
        request, fds = order
        pid = os.fork()
        if pid == 0:
            orders.close()
            # Comes back only in a worker that goes on as Python; a keeper ends in there.
            return keeper.keep(request, fds)
        keepers.add(pid)
        for fd in fds:
            os.close(fd)


def _reap(keepers: set[int]) -> None:
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        keepers.discard(pid)


def _sweep(keepers: set[int]) -> None:
    """Kill what came here from a keeper that is gone."""
    try:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_bytes().split()
    except OSError:
        return
    for child in map(int, children):
        if child not in keepers:
            os.kill(child, signal.SIGKILL)


def warm_up() -> Any:
    """Load AWS's runtime client, over a transport that a fork can use; None if there is none."""
    # Its native part takes its address once for all, and a worker has another than this process.
    sys.modules["runtime_client"] = load("transport")
    try:
        from awslambdaric import bootstrap, lambda_runtime_client
    except ImportError:
        return None
    return bootstrap, lambda_runtime_client


def run_python(client: Any, handler: str) -> None:
    """Be a Python worker: what `python -m awslambdaric` does, from where a warm process stands."""
    bootstrap, lambda_runtime_client = client
    if "AWS_LAMBDA_LOG_FORMAT" in os.environ or "AWS_LAMBDA_LOG_LEVEL" in os.environ:
        bootstrap = importlib.reload(bootstrap)
    bootstrap.run(handler, lambda_runtime_client.LambdaRuntimeClient(os.environ["AWS_LAMBDA_RUNTIME_API"]))


def main() -> None:
    """Serve orders from the descriptor that was passed."""
    # Ctrl-C reaches the terminal's whole group; whoever gives the orders decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keeper = load("keeper")
    client = warm_up() if sys.argv[2] == "warm" else None
    orders = socket.socket(fileno=int(sys.argv[1]))
    orders.set_inheritable(False)
    orders.send(b"warm" if client is not None else b"cold")
    # Pages that the collector never touches stay shared.
    gc.collect()
    gc.freeze()
    handler = serve(orders, keeper)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run_python(client, handler)


if __name__ == "__main__":
    main()
