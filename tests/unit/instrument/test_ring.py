"""The ring of lines that were kept back."""

from __future__ import annotations

import threading

from lambdalog.instrument.ring import Ring


def test_the_last_lines_are_kept() -> None:
    """The oldest go first, by number and by size, and are counted; draining empties it."""
    ring = Ring(3, size=100)
    for number in range(5):
        ring.add(b"%d" % number)
    assert (ring.drain(), ring.dropped) == ([b"2", b"3", b"4"], 2)
    assert ring.drain() == []
    ring.add(b"x" * 60)
    ring.add(b"y" * 60)
    assert [line[:1] for line in ring.drain()] == [b"y"]
    ring.add(b"z" * 101)
    assert ring.drain() == []


def test_threads_may_add_at_once() -> None:
    """No line is counted twice, none is lost without being counted."""
    ring = Ring(50)

    def work() -> None:
        for _ in range(500):
            ring.add(b"x")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ring.drain()) + ring.dropped == 2000
