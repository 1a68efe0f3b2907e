"""Which descriptors can be read, by epoll and by selectors: both tell the same."""

from __future__ import annotations

import os
import select
import threading
from typing import TYPE_CHECKING

import pytest

from lambdalog.readiness import Readiness, readiness

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=[True, False], ids=["epoll", "selectors"])
def ready(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Readiness]:
    """Each of both, if this system has it."""
    if not request.param:
        monkeypatch.delattr(select, "epoll", raising=False)
    elif not hasattr(select, "epoll"):
        pytest.skip("this system has no epoll")
    found = readiness()
    yield found
    found.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Two ends."""
    read, write = os.pipe()
    yield read, write
    os.close(read)
    os.close(write)


def told(ready: Readiness, seconds: float = 0) -> list[int]:
    """What can be read, without what the system says of it."""
    return [descriptor for descriptor, _ in ready.ready(seconds)]


def test_what_is_watched_is_told_of_until_it_is_read(ready: Readiness, pipe: tuple[int, int]) -> None:
    """Again and again, and no more once it is left."""
    read, write = pipe
    ready.watch(read)
    assert told(ready) == []
    os.write(write, b"x")
    assert told(ready) == told(ready, 1) == [read]
    ready.leave(read)
    assert told(ready) == []
    with pytest.raises(KeyError):
        ready.leave(read)


def test_once_is_once(ready: Readiness, pipe: tuple[int, int]) -> None:
    """What is there already counts each time that it is asked for."""
    read, write = pipe
    for _ in range(2):
        ready.once(read)
    os.write(write, b"x")
    assert (told(ready, 1), told(ready)) == ([read], [])
    ready.once(read)
    assert (told(ready, 1), told(ready)) == ([read], [])


def test_one_within_another(ready: Readiness, pipe: tuple[int, int]) -> None:
    """It can be watched itself."""
    read, write = pipe
    outer = readiness()
    try:
        outer.watch(ready.fileno())
        ready.watch(read)
        assert told(outer) == []
        os.write(write, b"x")
        assert told(outer, 1) == [ready.fileno()]
    finally:
        outer.close()


def test_changed_while_another_thread_waits(ready: Readiness, pipe: tuple[int, int]) -> None:
    """What is added then is told of, too."""
    read, write = pipe
    os.write(write, b"x")
    found: list[list[int]] = []
    waiting = threading.Thread(target=lambda: found.append(told(ready, 30)))
    waiting.start()
    ready.watch(read)
    waiting.join()
    assert found == [[read]]
