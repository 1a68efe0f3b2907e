"""`lambdalog tail`, as it is typed."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.cli.tail import kept_up
from lambdalog.clock import ManualClock
from lambdalog.cloud import connect
from lambdalog.runtime import platform_text
from lambdalog.store import Scan
from lambdalog.store.maintenance import maintain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lambdalog.cloud import Cloud

    Run = Callable[..., subprocess.CompletedProcess[str]]

ONE = "8f507a5b-2c3e-4a31-9f0e-1d2c3b4a5f60"
TWO = "0a0b0c0d-2c3e-4a31-9f0e-1d2c3b4a5f60"
HOUR = 3_600_000


@pytest.fixture
def cloud(store_path: Path) -> Iterator[Cloud]:
    """Two functions' logs of the last minute, and one line of three hours ago."""
    with connect(f"disk:{store_path}") as cloud:
        now = cloud.clock.now_ms()
        report = platform_text.report(
            platform_text.Report(ONE, duration_ms=12.3, billed_ms=13, memory_mb=128, max_memory_mb=61)
        )
        write(cloud, "/aws/lambda/orders", "a/1", now - 3 * HOUR, "long ago")
        write(
            cloud,
            "/aws/lambda/orders",
            "a/1",
            now - 60_000,
            platform_text.start(ONE, "$LATEST"),
            "charging",
            '{"level":"ERROR","message":"no stock"}',
            "retrying",
            platform_text.end(ONE),
            report,
        )
        write(cloud, "/aws/lambda/orders", "b/1", now - 50_000, f'{{"requestId":"{TWO}","level":"INFO"}}')
        write(cloud, "/app/web", "s", now - 40_000, "GET /", "GET /cart", "GET /pay", "GET /done")
        yield cloud


def write(cloud: Cloud, group: str, stream: str, at: int, *messages: str) -> None:
    """Messages a second apart, in a group and stream that are made if they are missing."""
    assert cloud.store is not None
    cloud.store.create_group(group)
    cloud.store.create_stream(group, stream)
    cloud.store.append(group, stream, [(at + n * 1000, text) for n, text in enumerate(messages)])
    cloud.store.close()


def raw(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of a command that went well."""
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], 11),
        (["orders"], 7),
        (["/aws/lambda/orders"], 7),
        (["ord*", "/app/*"], 11),
        (["*web"], 4),
        (["--stream", "a/"], 6),
        (["--stream", "a/", "--since", "1d"], 7),
        (["--since", "2h ago"], 11),
        (["--since", "4h", "--until", "2h ago"], 1),
        (["--since", "45s"], 4),
        (["--filter", "ERROR"], 1),
        (["--grep", '{ $.level = "ERROR" }'], 1),
        (["--grep", "%GET /(c|p)%"], None),
        (["--grep", "[method = GET, path = /c*]"], 1),
        (["--grep", "?charging ?retrying"], 2),
        (["--grep", "GET -cart"], 3),
        (["--request", ONE], 6),
        (["--request", ONE, "--grep", "ERROR"], 1),
        (["--request", TWO], 1),
        (["--request", "nobody"], 0),
    ],
)
def test_options_choose(cloud: Cloud, call: Run, arguments: list[str], expected: int | None) -> None:
    """Groups, globs, times, streams, patterns and a request: each leaves out what it should."""
    done = call("tail", "--format", "raw", *arguments)
    if expected is None:
        assert (done.returncode, done.stdout) == (2, "")
        assert "(at character 7 of the pattern)" in done.stderr
    else:
        assert len(raw(done)) == expected


def test_a_pattern_answers_as_the_service_does(cloud: Cloud, call: Run) -> None:
    """The same pattern finds the same events by FilterLogEvents and by tail."""
    for pattern in ("GET", '"GET /" -pay', "%GET ./[cp]%", "{ $.level = * }", "[a, b=/p*]", "?GET ?level"):
        found = [
            event["message"]
            for group in ("/app/web", "/aws/lambda/orders")
            for event in cloud.logs.filter_log_events(logGroupName=group, filterPattern=pattern)["events"]
        ]
        assert sorted(raw(call("tail", "--since", "1d", "--format", "raw", "--grep", pattern))) == sorted(
            found
        )


def test_context_is_shown_around(cloud: Cloud, call: Run) -> None:
    """Lines of the same stream before and after, gaps marked; JSON says which lines matched."""
    arguments = ("tail", "--grep", "?cart ?ERROR", "-C", "1", "--format")
    assert raw(call(*arguments, "raw")) == [
        "charging",
        '{"level":"ERROR","message":"no stock"}',
        "retrying",
        "--",
        "GET /",
        "GET /cart",
        "GET /pay",
    ]
    records = [json.loads(line) for line in raw(call(*arguments, "json"))]
    assert [record["match"] for record in records] == [False, True, False] * 2
    assert "--" in raw(call(*arguments, "text"))
    around = raw(call("tail", "--since", "1d", "--request", ONE, "--context", "1", "--format", "raw"))
    assert (around[0], len(around)) == ("long ago", 7)


def test_platform_lines_fold(cloud: Cloud, call: Run) -> None:
    """START, END and REPORT are one line; JSON has the figures, text is red where Lambda says it failed."""
    line = f"invocation {ONE}: 12.30 ms, billed 13 ms, 61 of 128 MB"
    assert raw(call("tail", "orders", "--fold", "--format", "raw")) == [
        "charging",
        '{"level":"ERROR","message":"no stock"}',
        "retrying",
        line,
        f'{{"requestId":"{TWO}","level":"INFO"}}',
    ]
    assert raw(call("tail", "orders", "--fold"))[3].endswith(f" orders {line}")
    record = json.loads(raw(call("tail", "orders", "--fold", "--format", "json"))[3])
    assert record["invocation"] == {
        "request_id": ONE,
        "version": "$LATEST",
        "duration_ms": 12.3,
        "billed_ms": 13.0,
        "memory_mb": 128,
        "max_memory_mb": 61,
    }
    assert record["message"].startswith("REPORT")
    write(cloud, "/aws/lambda/orders", "c", cloud.clock.now_ms(), platform_text.start(TWO, "1"))
    assert raw(call("tail", "orders", "--fold", "--format", "raw"))[-1] == (
        f"invocation {TWO}: version 1, no report yet"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--context", "2"], 2, "--context shows what is around"),
        (["--context", "-1", "--grep", "x"], 2, "-1"),
        (["--request", " "], 2, "--request takes a request id"),
        (["--since", "5m", "--until", "10m"], 2, "is not after --since 5m"),
        (["--until", "tomorrow"], 2, "'tomorrow' is no time"),
        (["--since", "0001-01-01"], 2, "is no time"),
        (["--since", "99999999999999999w"], 0, ""),
        (["--grep", "{ $.a = "], 2, "found the end (at character 9 of the pattern)"),
        (["--format", "xml"], 2, "xml"),
        (["nobody"], 1, "no log group is called nobody; see them with: lambdalog group list"),
        (["nobody", "no*"], 1, "no log group is called nobody or no*"),
        (["-f", "-n", "5"], 2, "--lines is for what there is"),
        (["-n", "0"], 2, "-n"),
    ],
)
def test_what_is_wrong_is_said(cloud: Cloud, call: Run, arguments: list[str], code: int, text: str) -> None:
    """One line, what and which; status 1 or 2; nothing on standard output."""
    done = call("tail", *arguments)
    assert (done.returncode, text in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert code == 0 or done.stdout == ""


def test_following_looks_after_the_store(tmp_path: Path) -> None:
    """While lines are followed, what is no longer written is sealed, though nobody serves the store."""
    clock = ManualClock(time.time())  # a minute passes as soon as it is waited for
    with connect(f"disk:{tmp_path}", clock=clock) as cloud:
        assert cloud.store is not None
        for number in range(3):
            write(cloud, "g", f"s{number}", clock.now_ms(), "a line")
        cloud.store.close()
        group = cloud.store.layout.group("g")
        until = time.monotonic() + 30
        with kept_up(cloud):
            while list(group.live.iterdir()) and time.monotonic() < until:
                threading.Event().wait(0.01)
        assert list(group.live.iterdir()) == []
        assert len(list(group.sealed.glob("*.zst"))) == 1


def test_the_last_lines_are_enough(cloud: Cloud, call: Run) -> None:
    """-n leaves out what is before them, of all groups together and after folding."""
    everything = raw(call("tail", "--format", "raw"))
    assert raw(call("tail", "--format", "raw", "-n", "3")) == everything[-3:]
    assert raw(call("tail", "--format", "raw", "--lines", "100")) == everything
    assert len(raw(call("tail", "--format", "raw", "--fold", "-n", "1"))) == 1


def test_a_group_that_is_not_there_among_others_is_said(cloud: Cloud, call: Run) -> None:
    """The others' lines come all the same; each that means nothing is named."""
    done = call("tail", "orders", "nobody", "web*", "no*")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 7)
    assert [line.partition(";")[0] for line in done.stderr.splitlines()] == [
        f"lambdalog: no log group is called {name}" for name in ("nobody", "web*", "no*")
    ]


@pytest.mark.parametrize(
    ("since", "told"),
    [("10m", b"since 10m; --since 1d looks further back\r\n"), ("2d", b"since 2d\r\n")],
)
def test_a_terminal_is_told_that_nothing_was_found(
    cloud: Cloud, store_path: Path, since: str, told: bytes
) -> None:
    """Silence would leave open whether there is nothing; who reads standard error by a program gets none of it."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"LAMBDALOG_STORE": f"disk:{store_path}"}
    command = [sys.executable, "-m", "lambdalog", "tail", "--request", "nobody", "--since", since]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=theirs, check=True)
    os.close(theirs)
    assert done.stdout == b""
    assert b"no such line " + told in os.read(ours, 4096)
    os.close(ours)


def test_a_store_without_groups_is_named(call: Run, tmp_path: Path) -> None:
    """Nothing to show because nothing was ever there is said, with the place; a file is no store."""
    done = call("tail", "--store", str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"lambdalog: there are no log groups in disk:{tmp_path / 'none'}\n"
    (tmp_path / "file").touch()
    done = call("tail", "--store", str(tmp_path / "file"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"lambdalog: can't read the store at {tmp_path / 'file'}: Not a directory\n"


def test_damage_is_said_and_the_rest_is_shown(cloud: Cloud, call: Run) -> None:
    """Where a sealed frame can't be read, the others' lines come, and standard error names the file's frame."""
    assert cloud.store is not None
    maintain(cloud.store)
    (path,) = cloud.store.layout.group("/app/web").sealed.iterdir()
    data = bytearray(path.read_bytes())
    held = cloud.store.segments("/app/web").sealed()[0].file.index.frames[0]
    data[held.offset + held.size // 2] ^= 0xFF
    path.write_bytes(data)
    done = call("tail", "--format", "raw")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 7
    assert re.fullmatch(
        r"lambdalog: /app/web: .*frame 0 is damaged; passed over, see: lambdalog store check\n", done.stderr
    )


def start(store_path: Path, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """`lambdalog tail ARGUMENTS`, running."""
    return subprocess.Popen(
        [sys.executable, "-m", "lambdalog", "tail", *arguments],
        env=os.environ | {"LAMBDALOG_STORE": f"disk:{store_path}"},
        stderr=subprocess.PIPE,
        text=True,
        **{"stdout": subprocess.PIPE} | options,
    )


def test_following_waits_for_a_group_and_takes_all_options(store_path: Path) -> None:
    """A group that isn't there yet is waited for; lines that come are filtered, folded and shown with what is around."""
    arguments = ("late*", "-f", "--grep", "match", "-C", "1", "--fold", "--format", "raw")
    with connect(f"disk:{store_path}") as cloud, start(store_path, *arguments) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline() == "lambdalog: no log group is called late* yet; waiting for it\n"
        now = cloud.clock.now_ms()
        write(cloud, "other", "s", now, "a match elsewhere")
        report = platform_text.report(
            platform_text.Report(ONE, duration_ms=1, billed_ms=1, memory_mb=1, max_memory_mb=1)
        )
        write(
            cloud,
            "late-1",
            "s",
            now,
            "0",
            "1",
            "match",
            platform_text.start(ONE, "1"),
            "4",
            "match 5",
            report,
        )
        expected = [
            "1",
            "match",
            "4",
            "match 5",
            f"invocation {ONE}: 1.00 ms, billed 1 ms, 1 of 1 MB, version 1",
        ]
        assert [process.stdout.readline().rstrip("\n") for _ in expected] == expected
        process.terminate()


def test_following_ends_when_nobody_reads(cloud: Cloud, store_path: Path) -> None:
    """With nothing to write, a follower whose pipe is closed ends by itself, quietly."""
    with start(store_path, "-f", "--format", "raw") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(11):
            assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 0


def test_a_terminal_gets_colours_and_lines_in_one_piece(cloud: Cloud, store_path: Path) -> None:
    """On a terminal, however narrow, an error is red and a line is not broken by us; NO_COLOR is minded."""
    for colour in (True, False):
        ours, theirs = pty.openpty()
        environment = os.environ | {"LAMBDALOG_STORE": f"disk:{store_path}", "COLUMNS": "20", "TERM": "xterm"}
        environment |= {} if colour else {"NO_COLOR": "1"}
        environment.pop("FORCE_COLOR", None)
        with subprocess.Popen(
            [sys.executable, "-m", "lambdalog", "tail", "orders", "--grep", "stock"],
            env=environment,
            stdout=theirs,
        ) as process:
            os.close(theirs)
            shown = b""
            while not shown.endswith(b"\n"):
                shown += os.read(ours, 4096)
            assert process.wait() == 0
        os.close(ours)
        assert shown.count(b"\n") == 1
        assert (b'\x1b[31m{"level":"ERROR","message":"no stock"}\x1b[0m' in shown) is colour
        assert (b"\x1b" in shown) is colour


def test_all_of_a_large_store_comes_in_bounded_memory(store_path: Path, call: Run) -> None:
    """More lines than a page come once each, in order."""
    with connect(f"disk:{store_path}") as cloud:
        now = time.time_ns() // 1_000_000 - 300_000
        write(cloud, "g", "s", now)
        assert cloud.store is not None
        cloud.store.append("g", "s", [(now + n // 100, str(n)) for n in range(12_000)])
        cloud.store.close()
        assert len(list(cloud.store.scan(Scan("g")))) == 12_000
    assert raw(call("tail", "--format", "raw")) == [str(n) for n in range(12_000)]
