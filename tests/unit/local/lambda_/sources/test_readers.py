"""Readers beside a served store: begun, stopped and begun again as what they read for changes."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from lambdalog.local.claim import claim
from lambdalog.local.lambda_.sources import readers
from lambdalog.local.lambda_.sources.readers import Readers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


class Waits:
    """A reader that tells when it runs, and runs until it is stopped."""

    def __init__(self, began: Callable[[], object]) -> None:
        self._began = began

    def run(self, stop: threading.Event) -> None:
        """Wait for the end."""
        self._began()
        stop.wait(60)


def served(found: Readers) -> tuple[threading.Event, threading.Thread]:
    """Run readers in a thread."""
    stop = threading.Event()
    thread = threading.Thread(target=found.run, args=(stop,))
    thread.start()
    return stop, thread


def test_readers_follow_what_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that changes is begun anew, one that goes is stopped, and all end together."""
    monkeypatch.setattr(readers, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(readers, "AGAIN_SECONDS", 0.01)
    wanted: dict[str, tuple[object, ...]] = {"a": (1,)}
    began = threading.Semaphore(0)
    found = Readers(lambda: dict(wanted), lambda _: Waits(began.release), lambda *_: None, tmp_path)
    stop, thread = served(found)
    assert began.acquire(timeout=60)
    wanted["a"] = (2,)
    assert began.acquire(timeout=60)
    wanted["b"] = (1,)
    assert began.acquire(timeout=60)
    del wanted["a"]
    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    with claim(tmp_path / "a.lock") as free:
        assert free


def test_a_reader_that_fails_is_begun_again_and_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The same trouble fills no log; it is noted where one looks, and ends when it is over."""
    monkeypatch.setattr(readers, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(readers, "AGAIN_SECONDS", 0.01)
    left, began, notes = [3], threading.Event(), []

    def make(name: str) -> Waits:
        left[0] -= 1
        if left[0] > 0:
            raise ClientError({"Error": {"Code": "X", "Message": "no"}}, "Read")
        return Waits(began.set)

    found = Readers(lambda: {"a": (1,)}, make, lambda name, error: notes.append((name, error)), tmp_path)
    with caplog.at_level(logging.WARNING):
        stop, thread = served(found)
        assert began.wait(60)
        stop.set()
        thread.join(60)
    assert len(notes) == 2
    assert [record.exc_info for record in caplog.records if "can't be read" in record.getMessage()] in (
        [None],
        [False],
    )


def test_another_process_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody else holds a source it is left alone; given back, it is read."""
    monkeypatch.setattr(readers, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(readers, "AGAIN_SECONDS", 0.01)
    began = threading.Event()
    found = Readers(lambda: {"a": (1,)}, lambda _: Waits(began.set), lambda *_: None, tmp_path)
    with claim(tmp_path / "a.lock"):
        stop, thread = served(found)
        assert not began.wait(0.2)
    assert began.wait(60)
    stop.set()
    thread.join(60)
