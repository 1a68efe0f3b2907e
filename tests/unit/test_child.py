"""A process of our own and the line to it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from lambdalog.child import Child


@pytest.fixture
def descriptors() -> int:
    """How many descriptors this process has open."""
    folder = Path("/dev/fd")
    return len(list(folder.iterdir()))


def test_what_is_killed_leaves_nothing_behind(descriptors: int) -> None:
    """It is gone and waited for, and so is its line."""
    child = Child("-m", "lambdalog.query.worker")
    child.kill()
    assert child.process.returncode == -signal.SIGKILL
    with pytest.raises(ChildProcessError):
        os.waitpid(child.process.pid, 0)
    assert len(list(Path("/dev/fd").iterdir())) == descriptors


def test_it_ends_with_its_line() -> None:
    """Who is gone without a word leaves no process behind."""
    child = Child("-m", "lambdalog.query.worker")
    child.connection.close()
    assert child.process.wait(30) is not None


def test_what_cannot_be_begun_is_said(monkeypatch: pytest.MonkeyPatch, descriptors: int) -> None:
    """Where there is no interpreter to run, it is an OSError, and nothing stays open."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(OSError, match="nowhere"):
        Child("-m", "lambdalog.query.worker")
    assert len(list(Path("/dev/fd").iterdir())) == descriptors
