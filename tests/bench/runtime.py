"""Invocations beside other ways to run a function on one machine: warm, cold, large, queued, and what they log."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import statistics
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import lambdalog
from lambdalog.local.lambda_ import LOCAL_FOLDER
from lambdalog.runtime import FunctionSpec, Runtime
from tests.bench.harness import Bench, Figure, Row, seconds
from tests.bench.servers import canned, ministack
from tests.bench.servers import ours as ours_served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CALLS: Final = 300
# What is warm has run for a while: the first hundred calls still touch pages and code for the first time.
WARM_UP: Final = 100
# Who starts a process for each call takes long enough to be seen in a few.
FEW: Final = 15
EVENT: Final = json.dumps({"id": 7, "order": ["a"] * 5}).encode()
LARGE: Final = json.dumps({"pad": "x" * 1_000_000}).encode()
AT_ONCE: Final = 1_000
BURST: Final = int(os.environ.get("LAMBDALOG_BENCH_EVENTS", "10000"))
LINES: Final = 100_000
WORKERS: Final = 4
ROLE: Final = "arn:aws:iam::000000000000:role/r"
CODE: Final = """
import logging
def handler(event, context):
    for number in range(event.get("lines", 0)):
        logging.getLogger().warning("line %d of what a function has to say", number)
    return event
"""
# A process for each call, and nothing around it.
BARE: Final = "import json, sys, app; json.dump(app.handler(json.load(sys.stdin), None), sys.stdout)"
# The same function logs through a pipe to nobody.
BARE_LINES: Final = f"import logging, app; logging.basicConfig(); app.handler({{'lines': {LINES}}}, None)"
# python-lambda-local says much on stdout: it is measured in a process of its own.
LAMBDA_LOCAL: Final = """
import json, logging, sys, time, app
from lambda_local.main import call
from lambda_local.context import Context
logging.getLogger().setLevel(logging.CRITICAL)
event, count = json.loads(sys.stdin.read()), int(sys.argv[1])
taken = []
for _ in range(count):
    began = time.perf_counter()
    call(app.handler, event, Context(30))
    taken.append(time.perf_counter() - began)
print(sorted(taken)[count // 2], file=sys.stderr)
"""


def _code(folder: Path) -> Path:
    code = folder / "code"
    code.mkdir(exist_ok=True)
    (code / "app.py").write_text(CODE, encoding="utf-8")
    return code


def _spec(folder: Path) -> FunctionSpec:
    return FunctionSpec(
        name="f",
        handler="app.handler",
        code=_code(folder),
        arn="arn:aws:lambda:us-east-1:000000000000:function:f",
        log_group="/aws/lambda/f",
        timeout=120.0,
        memory=512,
        runtime=f"python{sys.version_info[0]}.{sys.version_info[1]}",
    )


def _each(count: int, call: Callable[[], object]) -> Figure:
    """The median of single calls."""
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return Figure(statistics.median(taken) * 1000, "ms")


def _bare(folder: Path, event: bytes) -> Figure:
    command = [sys.executable, "-c", BARE]
    return _each(
        FEW,
        lambda: subprocess.run(
            command, cwd=_code(folder), input=event, check=True, stdout=subprocess.DEVNULL
        ),
    )


def _lambda_local(what: str, ours: Figure, folder: Path, event: bytes) -> Row:
    if importlib.util.find_spec("lambda_local") is None:
        return Row(what, ours, "python-lambda-local: not installed")
    done = subprocess.run(
        [sys.executable, "-c", LAMBDA_LOCAL, str(FEW)],
        cwd=_code(folder),
        input=event,
        check=True,
        capture_output=True,
    )
    return Row(
        what,
        ours,
        "python-lambda-local",
        Figure(float(done.stderr.split()[-1]) * 1000, "ms"),
    )


def _zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", CODE)
    return buffer.getvalue()


def _made(client: Any, name: str) -> None:
    client.create_function(
        FunctionName=name,
        Role=ROLE,
        Runtime=f"python{sys.version_info[0]}.{sys.version_info[1]}",
        Handler="app.handler",
        Timeout=60,
        MemorySize=512,
        Code={"ZipFile": _zipped()},
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name)


def _invoke(client: Any, name: str, event: bytes) -> None:
    answer = client.invoke(FunctionName=name, Payload=event)
    assert "FunctionError" not in answer, answer["Payload"].read()
    assert len(answer["Payload"].read()) >= len(event)


def _answer(client: Any, event: bytes) -> None:
    client.invoke(FunctionName="f", Payload=event)["Payload"].read()


@contextmanager
def _moto() -> Iterator[Any]:
    """boto3 on moto, whose Lambda answers with a fixed text and runs nothing."""
    import boto3
    from moto import mock_aws

    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    with mock_aws(config={"lambda": {"use_docker": False}}):
        iam = boto3.Session(region_name="us-east-1", **keys).client("iam")
        role = iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        client = boto3.Session(region_name="us-east-1", **keys).client("lambda")
        client.create_function(
            FunctionName="f",
            Role=role,
            Runtime="python3.11",
            Handler="app.handler",
            Code={"ZipFile": _zipped()},
        )
        yield client


def _round_trips(what: str, folder: Path, event: bytes) -> Iterator[Row]:
    with lambdalog.connect(f"disk:{folder / 'store'}") as cloud, Runtime(logs=cloud.logs) as runtime:
        spec = _spec(folder)
        _each(WARM_UP, lambda: runtime.invoke(spec, event))
        ours = _each(CALLS, lambda: runtime.invoke(spec, event))
    name = f"invoke: {what}, in process"
    yield Row(name, ours, "a bare subprocess", _bare(folder, event))
    yield _lambda_local(name, ours, folder, event)
    # A process of its own, as the peer is: two threads of one interpreter on two cores take twice the processor's time.
    with ours_served(folder) as served:
        client = served.client("lambda")
        _made(client, "f")
        _each(WARM_UP, lambda: _invoke(client, "f", event))
        over = _each(CALLS, lambda: _invoke(client, "f", event))
    name = f"invoke: {what}, boto3 over HTTP"
    with ministack(folder) as server:
        if server is None:
            yield Row(name, over, "ministack: not installed")
        else:
            peer = server.client("lambda")
            _made(peer, "f")
            _each(FEW, lambda: _invoke(peer, "f", event))
            yield Row(name, over, "ministack, processes", _each(FEW, lambda: _invoke(peer, "f", event)))
    with canned(folder, event) as ready:
        client = ready.client("lambda")
        _each(WARM_UP, lambda: _answer(client, event))
        yield Row(
            name, over, "an answer ready made: the client alone", _each(CALLS, lambda: _answer(client, event))
        )
    with _moto() as fixed:
        yield Row(name, over, "moto's fixed reply", _each(FEW, partial(_answer, fixed, event)))


def warm(folder: Path) -> Iterator[Row]:
    """A small event to a function that has run before."""
    yield from _round_trips("warm", folder, EVENT)


def megabyte(folder: Path) -> Iterator[Row]:
    """1 MB there and back."""
    yield from _round_trips("1 MB there and back", folder, LARGE)


def cold(folder: Path) -> Iterator[Row]:
    """The first invocation of an environment, from the warm process and by a start of its own."""

    def figure(warm: bool) -> Figure:
        spec = _spec(folder)
        with (
            lambdalog.connect(f"disk:{folder / f'store-{warm}'}") as cloud,
            Runtime(logs=cloud.logs, warm=warm) as runtime,
        ):
            runtime.invoke(spec, EVENT)
            # Functions of their own: nothing is replaced, and nothing has to end first.
            others = (replace(spec, arn=f"{spec.arn}-{number}") for number in range(FEW))
            return _each(FEW, lambda: runtime.invoke(next(others), EVENT))

    ours, alone = figure(True), figure(False)
    what = "invoke: cold, in process"
    yield Row(what, ours, "ours, without the warm process", alone)
    yield Row(what, ours, "a bare subprocess", _bare(folder, EVENT))
    with ministack(folder) as server:
        if server is None:
            yield Row(what, ours, "ministack: not installed")
            return
        peer = server.client("lambda")
        for number in range(5):
            _made(peer, f"f{number}")
        names = iter(range(5))
        theirs = _each(5, lambda: _invoke(peer, f"f{next(names)}", EVENT))
        yield Row(what, ours, "ministack, processes", theirs)


def _queued(folder: Path, count: int, *, beside: bool) -> float:
    """Seconds until so many events have been worked off by some threads; `beside`: while they are sent."""
    with lambdalog.connect(f"disk:{folder / f'queue-{count}-{beside}'}") as cloud:
        client: Any = cloud.lambda_
        client.create_function(
            FunctionName="f",
            Role=ROLE,
            Runtime=f"python{sys.version_info[0]}.{sys.version_info[1]}",
            Handler="app.handler",
            Code={"S3Bucket": LOCAL_FOLDER, "S3Key": str(_code(folder))},
        )

        def send() -> None:
            for _ in range(count // WORKERS):
                client.invoke(FunctionName="f", InvocationType="Event", Payload=EVENT)

        stop = threading.Event()
        workers = [threading.Thread(target=client.worker().run, args=(stop,)) for _ in range(WORKERS)]
        senders = [threading.Thread(target=send) for _ in range(WORKERS)]
        if not beside:
            for thread in senders:
                thread.start()
            for thread in senders:
                thread.join()
        began = time.perf_counter()
        for thread in workers + (senders if beside else []):
            thread.start()
        while client.events.counts().get("succeeded", 0) < count:
            time.sleep(0.005)
        taken = time.perf_counter() - began
        stop.set()
        for thread in workers:
            thread.join()
        return taken


def queued(folder: Path) -> Iterator[Row]:
    """Asynchronous events, to the end of the last one."""
    yield Row(
        f"invoke: {AT_ONCE:,} asynchronous events, sent by {WORKERS} threads while {WORKERS} work",
        Figure(AT_ONCE / _queued(folder, AT_ONCE, beside=True), "/s"),
    )
    yield Row(
        f"invoke: a burst of {BURST:,} queued events, to the end",
        Figure(BURST / _queued(folder, BURST, beside=False), "/s"),
    )


def log_lines(folder: Path) -> Iterator[Row]:
    """What one invocation logs, from the logging call to the store."""
    with lambdalog.connect(f"disk:{folder / 'store'}") as cloud, Runtime(logs=cloud.logs) as runtime:
        spec, event = _spec(folder), json.dumps({"lines": LINES}).encode()
        runtime.invoke(spec, EVENT)
        ours = Figure(LINES / seconds(lambda: runtime.invoke(spec, event), times=3), "/s")

    def bare() -> None:
        subprocess.run(
            [sys.executable, "-c", BARE_LINES], cwd=_code(folder), check=True, stderr=subprocess.PIPE
        )

    yield Row(
        "invoke: log lines, from logging to the store",
        ours,
        "a bare subprocess, logging into a pipe",
        Figure(LINES / seconds(bare, times=3), "/s"),
    )


def benches() -> list[Bench]:
    """All of them."""
    return [
        Bench("invoke-warm", warm),
        Bench("invoke-cold", cold),
        Bench("invoke-megabyte", megabyte),
        Bench("invoke-queued", queued),
        Bench("invoke-lines", log_lines),
    ]
