"""Leaving a dashboard in a real terminal other than by its key: told to end, hung up on, sent to the background."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from lambdalog.cloud import connect
from tests.bench.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the terminal of the tests is Linux's")


@contextmanager
def begun(folder: Path) -> Iterator[Terminal]:
    """A dashboard on a store with a line."""
    with connect(f"disk:{folder / 'store'}") as cloud:
        cloud.logs.create_log_group(logGroupName="orders")
        cloud.logs.create_log_stream(logGroupName="orders", logStreamName="s")
        event = {"timestamp": cloud.clock.now_ms(), "message": "the only line"}
        cloud.logs.put_log_events(logGroupName="orders", logStreamName="s", logEvents=[event])  # type: ignore[list-item]
    command = [sys.executable, "-m", "lambdalog", "dashboard", "--store", f"disk:{folder / 'store'}"]
    with Terminal(command) as terminal:
        yield terminal


@contextmanager
def opened(folder: Path) -> Iterator[Terminal]:
    """A dashboard on a store with a line, that is drawn."""
    with begun(folder) as terminal:
        terminal.wait("LIVE")
        terminal.press("?")  # lines are drawn before keys are read
        terminal.wait("Esc closes")
        terminal.press("\x1b")
        terminal.wait("LIVE")
        yield terminal


def stopped(terminal: Terminal) -> bool:
    """Whether a signal stopped it; otherwise it goes on within a minute, or this fails."""
    for _ in range(600):
        terminal.look(0.1)
        pid, status = os.waitpid(terminal._process.pid, os.WNOHANG | os.WUNTRACED)
        if pid:
            return os.WIFSTOPPED(status)
    raise AssertionError("nothing became of it")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_is_told_to_end_leaves_as_by_its_key(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal is as it was, the session is kept, and the status tells of the signal."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with opened(tmp_path) as terminal:
        terminal.press("z")  # lines are wrapped, which a session keeps
        terminal.look(0.5)
        os.kill(terminal._process.pid, number)
        for _ in range(100):  # as a shell that hangs up does: what was stopped has to hear of it
            with suppress(ProcessLookupError):
                os.kill(terminal._process.pid, signal.SIGCONT)
            terminal.look(0.02)
        assert terminal.ended() == 128 + number
        assert b"\x1b[?1049l" in terminal._drawn
    (kept,) = (tmp_path / "state" / "lambdalog" / "sessions").iterdir()
    assert json.loads(kept.read_text(encoding="utf-8"))["wrap"] is True


@pytest.mark.parametrize("drawn", ["the only line", r"\?1003h"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_is_told_to_end_while_it_begins_leaves_the_terminal_as_it_was(
    drawn: str, number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the first lines drawn, or the terminal just taken over: its own screen and its cursor are there, no mouse is."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with begun(tmp_path) as terminal:
        while not re.search(drawn.encode(), terminal._drawn):
            terminal.look(0.002)
        os.kill(terminal._process.pid, number)
        assert terminal.ended() == 128 + number
        for mode, on in ((b"?1049", b"h"), (b"?25", b"l"), (b"?1003", b"h")):
            off = b"l" if on == b"h" else b"h"
            begin, end = (terminal._drawn.rfind(b"\x1b[" + mode + one) for one in (on, off))
            assert begin < end or begin == end == -1


def test_what_was_sent_to_the_background_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-Z gives the terminal back; going on draws all of the screen again, and keys are answered."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with opened(tmp_path) as terminal:
        terminal.press("\x1a")
        assert stopped(terminal)
        assert b"\x1b[?1049l" in terminal._drawn
        terminal._drawn = b""
        os.kill(terminal._process.pid, signal.SIGCONT)
        for text in ("the only line", "Logs", "LIVE", "Quit"):
            terminal.wait(text)
        terminal.press("?")
        terminal.wait("Esc closes")
