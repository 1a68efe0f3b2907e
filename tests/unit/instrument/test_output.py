"""Standard output: each line whole, and none lost without a word."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lambdalog.instrument.output import Output

if TYPE_CHECKING:
    from pathlib import Path


def test_lines_come_behind_what_was_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """What print() still had in its buffer comes first."""
    output = Output()
    sys.stdout.write("printed\n")
    output.write(b'{"a":1}')
    assert capfd.readouterr().out == 'printed\n{"a":1}\n'


def test_a_redirected_standard_output_is_used() -> None:
    """Whatever sys.stdout is at the time gets the line, a stream without bytes too."""
    output = Output()
    with contextlib.redirect_stdout(io.StringIO()) as text:
        output.write(b'{"a":"\xc3\xa4"}')
    raw = io.BytesIO()
    with contextlib.redirect_stdout(io.TextIOWrapper(raw)):
        output.write(b'{"a":1}')
        assert raw.getvalue() == b'{"a":1}\n'
    assert text.getvalue() == '{"a":"ä"}\n'


def test_what_standard_output_refuses_is_counted_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk keeps no call from returning; the next line that gets through says how many are missing."""

    class Full(io.StringIO):
        full = True

        def write(self, text: str) -> int:
            if self.full:
                raise OSError(28, "No space left on device")
            return super().write(text)

    stream = Full()
    monkeypatch.setattr("sys.stdout", stream)
    output = Output()
    output.write(b'{"n":1}')
    output.write(b'{"n":2}')
    stream.full = False
    output.write(b'{"n":3}')
    output.write(b'{"n":4}')
    assert output.lost == 2
    assert stream.getvalue() == '{"n":3,"linesLost":2}\n{"n":4}\n'


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")  # noqa: PTH110 - a device
def test_a_real_full_device_is_survived() -> None:
    """A process whose standard output is full goes on, and knows what it lost."""
    code = (
        "import sys\n"
        "from lambdalog import get_logger\n"
        "from lambdalog.instrument.output import STDOUT\n"
        "get_logger().info('x'); get_logger().info('y')\n"
        "sys.stderr.write(str(STDOUT.lost))\n"
    )
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=True
        )
    assert done.stderr == "2"


def test_a_line_behind_a_torn_one_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a disk took only a part of a line, the next line isn't glued to it."""
    real = os.write
    script = [3, None]

    def write(descriptor: int, data: bytes) -> int:
        if script:
            step = script.pop(0)
            if step is None:
                raise OSError(28, "No space left on device")
            return real(descriptor, bytes(data[:step]))
        return real(descriptor, data)

    with (tmp_path / "out").open("w") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        monkeypatch.setattr("os.write", write)
        output = Output()
        output.write(b'{"n":1}')
        output.write(b'{"n":2}')
    assert (tmp_path / "out").read_text().splitlines() == ['{"n', '{"n":2,"linesLost":1}']


def test_a_short_write_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe that takes a line in pieces gets all of them."""
    real = os.write
    with (tmp_path / "out").open("w") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        monkeypatch.setattr("os.write", lambda descriptor, data: real(descriptor, bytes(data[:4])))
        Output().write(b'{"n":12345}')
    assert (tmp_path / "out").read_text() == '{"n":12345}\n'


def test_a_closed_standard_output_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After sys.stdout was closed nothing is written to whatever got its descriptor."""
    with (tmp_path / "out").open("w") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        output = Output()
        output.write(b'{"n":1}')
    with (tmp_path / "other").open("w"):
        output.write(b'{"n":2}')
    assert output.lost == 1
    assert (tmp_path / "other").read_text() == ""


def test_threads_never_tear_each_others_lines() -> None:
    """Lines of many threads, some longer than a pipe's buffer, arrive whole."""
    code = (
        "import threading\n"
        "from lambdalog import get_logger\n"
        "log = get_logger()\n"
        "def work(n):\n"
        "    for i in range(50): log.info('x' * (100_000 if i % 10 == 0 else 20), n=n, i=i)\n"
        "threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len({(line["n"], line["i"]) for line in found}) == 200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork() here")
def test_a_forked_child_writes_too() -> None:
    """A lock that another thread held at fork() doesn't stop the child's lines."""
    code = (
        "import os, sys, threading\n"
        "from lambdalog.instrument.output import STDOUT\n"
        "held = threading.Event(); done = threading.Event()\n"
        "def hold():\n"
        "    with STDOUT._lock: held.set(); done.wait()\n"
        "threading.Thread(target=hold, daemon=True).start(); held.wait()\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    STDOUT.write(b'{}'); os._exit(0)\n"
        "os.waitpid(pid, 0); done.set()\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, timeout=20, check=True
    )
    assert done.stdout == b"{}\n"


class Terminal(io.TextIOWrapper):
    """A terminal that knows some characters."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self.shown = io.BytesIO()
        super().__init__(self.shown, encoding=encoding)

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_a_terminal_is_shown_lines_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any logger's lines, in a handler or not; without colours under NO_COLOR; JSON as soon as nobody looks on."""
    output = Output()
    line = b'{"timestamp":"2026-01-02T03:04:05.678Z","level":"INFO","message":"a"}'
    with contextlib.redirect_stdout(Terminal()) as terminal:
        output.write(line)
    assert terminal.shown.getvalue() == b"\x1b[2m03:04:05.678\x1b[0m \x1b[32mINFO \x1b[0m \x1b[1ma\x1b[0m\n"
    with contextlib.redirect_stdout(io.StringIO()) as text:
        output.write(line)
    assert text.getvalue() == line.decode() + "\n"
    monkeypatch.setenv("NO_COLOR", "1")
    with contextlib.redirect_stdout(Terminal()) as terminal:
        output.write(line)
    assert terminal.shown.getvalue() == b"03:04:05.678 INFO  a\n"


def test_a_terminal_that_lacks_a_character_loses_no_line() -> None:
    """It is written as its escape."""
    output = Output()
    with contextlib.redirect_stdout(Terminal("ascii")) as terminal:
        output.write('{"level":"INFO","message":"gr\u00fcn"}'.encode())
    assert b"gr\\xfcn" in terminal.shown.getvalue()
    assert output.lost == 0
