"""Events that wait, by stream."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from lambdalog.shipper.batch import BATCH_BYTES, BATCH_EVENTS, BATCH_MS, OVERHEAD
from lambdalog.shipper.queue import MEMORY_OVERHEAD, Queue

if TYPE_CHECKING:
    from lambdalog.clock import ManualClock
    from lambdalog.shipper.batch import Entry
    from lambdalog.shipper.queue import Stream


def put(queue: Queue, text: str, at: int = 0, stream: str = "s") -> bool:
    """Put an event."""
    return queue.put("g", stream, at, text, len(text) + OVERHEAD)


def make(limit: int = 1 << 20, **options: int) -> Queue:
    """A queue whose clock stands still."""
    return Queue(limit, lambda: 0.0, **options)


def texts(entries: list[Entry]) -> list[str]:
    """What the events say."""
    return [entry.message for entry in entries]


def only(queue: Queue, name: str = "s") -> Stream:
    """A stream that there must be."""
    return queue.streams["g", name]


def land(queue: Queue, stream: Stream) -> None:
    """What was in flight has arrived."""
    with queue.lock:
        flight = stream.flight
        queue.landed(stream, ())
        queue.settle(flight)


def test_the_sender_is_woken_by_what_is_new_and_by_what_is_full() -> None:
    """By a stream's first event, and by the one that makes its batch full, by count or by bytes; by no other."""
    counted = make(batch_events=3)
    assert [put(counted, "x") for _ in range(5)] == [True, False, True, False, False]
    weighed = make(batch_bytes=3 * (OVERHEAD + 10))
    assert [put(weighed, "x" * 10) for _ in range(5)] == [True, False, True, False, False]
    assert put(counted, "x", stream="another")


def test_no_limit_is_above_aws_own() -> None:
    """Whatever is asked for: 1 MiB and 10,000 events."""
    queue = make(batch_bytes=10**9, batch_events=10**9)
    assert (queue.batch_bytes, queue.batch_events) == (BATCH_BYTES, BATCH_EVENTS)


def test_a_stream_is_ready_when_it_has_waited_or_is_full_or_urged(clock: ManualClock) -> None:
    """After the interval, since its first event came; not before it may be tried again; in how long the next one's is."""
    queue = Queue(1 << 20, clock.monotonic, batch_events=2)
    assert queue.ready(clock.monotonic(), 5.0, urged=False) == ([], None)
    put(queue, "a", stream="slow")
    clock.advance(2)
    put(queue, "b", stream="full")
    put(queue, "c", stream="full")
    now = clock.monotonic()
    found, due = queue.ready(now, 5.0, urged=False)
    assert ([stream.name for stream in found], due) == (["full"], 3.0)
    found, due = queue.ready(now, 5.0, urged=True)
    assert ([stream.name for stream in found], due) == (["slow", "full"], None)
    only(queue, "full").not_before = now + 10
    assert queue.ready(now, 5.0, urged=False) == ([], 3.0)
    clock.advance(3)
    found, due = queue.ready(clock.monotonic(), 5.0, urged=True)
    assert ([stream.name for stream in found], due) == (["slow"], 7.0)


def test_a_batch_is_taken_in_order_of_time_and_within_the_limits() -> None:
    """The rest waits on; what is taken is in flight until it landed."""
    queue = make(batch_events=3)
    for at in (5, 1, 3, 2):
        put(queue, f"at {at}", at)
    stream = only(queue)
    assert texts(queue.take(stream)) == ["at 1", "at 3", "at 5"]
    assert texts(stream.flight) == ["at 1", "at 3", "at 5"]
    assert texts(list(stream.waiting)) == ["at 2"]
    assert stream.bytes == len("at 2") + OVERHEAD
    land(queue, stream)
    assert texts(queue.take(stream)) == ["at 2"]
    land(queue, stream)
    assert queue.take(stream) == []


def test_a_large_event_goes_alone_rather_than_never() -> None:
    """One that is over the batch's bytes by itself is taken; the next isn't with it."""
    queue = make(batch_bytes=100)
    put(queue, "x" * 500)
    put(queue, "y")
    stream = only(queue)
    assert [len(entry.message) for entry in queue.take(stream)] == [500]


def test_events_more_than_a_day_apart_are_batches_of_their_own() -> None:
    """PutLogEvents takes 24 hours; the later ones wait, before all that came behind them."""
    queue = make()
    for at in (BATCH_MS + 1, 0, 2 * BATCH_MS + 2, 1):
        put(queue, str(at), at)
    stream = only(queue)
    taken = []
    while queue.take(stream):
        taken.append([entry.timestamp for entry in stream.flight])
        land(queue, stream)
    assert taken == [[0, 1], [BATCH_MS + 1], [2 * BATCH_MS + 2]]


def test_what_did_not_arrive_waits_before_what_came_meanwhile() -> None:
    """In its own order, with the bytes it has."""
    queue = make(batch_events=2)
    for text in ("a", "b", "c"):
        put(queue, text)
    stream = only(queue)
    taken = queue.take(stream)
    queue.landed(stream, taken)
    assert texts(list(stream.waiting)) == ["a", "b", "c"]
    assert stream.flight == []
    assert stream.bytes == 3 * (1 + OVERHEAD)


def test_a_mark_is_settled_by_all_that_came_before_it_and_by_nothing_else() -> None:
    """A flush waits for what was accepted before it; what comes later is another flush's."""
    queue = make()
    put(queue, "before")
    first = queue.mark()
    put(queue, "after")
    second = queue.mark()
    assert [sum(mark.left for mark in marks) for marks in (first, second)] == [1, 2]
    stream = only(queue)
    taken = queue.take(stream)
    with queue.lock:
        queue.landed(stream, ())
        queue.settle(taken[:1])
    assert [sum(mark.left for mark in marks) for marks in (first, second)] == [0, 1]
    with queue.lock:
        queue.settle(taken[1:])
    assert sum(mark.left for mark in second) == 0
    assert queue.memory == 0


def test_the_oldest_are_those_of_the_stream_that_begins_first() -> None:
    """At least one event, up to the bytes of memory that were asked for; given back, they are where they were."""
    queue = make()
    put(queue, "young", 50, "a")
    put(queue, "old", 10, "b")
    put(queue, "older", 11, "b")
    found = queue.oldest(1)
    assert found is not None
    stream, entries = found
    assert (stream.name, texts(entries), queue.hands) == ("b", ["old"], 1)
    queue.back(stream, entries)
    assert (texts(list(stream.waiting)), queue.hands) == (["old", "older"], 0)
    whole = queue.oldest(1 << 20)
    assert whole is not None
    assert texts(whole[1]) == ["old", "older"]
    with queue.lock:
        queue.put_down(whole[1])
    assert queue.memory == len("young") + OVERHEAD + MEMORY_OVERHEAD
    of = queue.oldest(1, only(queue, "b"))
    assert of is None


def test_a_stream_without_events_is_forgotten() -> None:
    """But not while one is in flight, nor while it fails: how long it has to wait is known by it."""
    queue = make()
    put(queue, "x")
    stream = only(queue)
    queue.take(stream)
    queue.forget_idle()
    assert only(queue) is stream
    land(queue, stream)
    stream.failures = 1
    queue.forget_idle()
    assert only(queue) is stream
    stream.failures = 0
    queue.forget_idle()
    assert queue.streams == {}


def test_nothing_is_taken_while_what_is_left_goes_to_the_spool() -> None:
    """Else that would never end; whoever asks is told to come again soon."""
    queue = make()
    put(queue, "x")
    queue.paused += 1
    found, due = queue.ready(0.0, 0.0, urged=True)
    assert found == []
    assert due is not None
    assert 0 < due < 1
    assert queue.take(only(queue)) == []
    queue.paused -= 1
    assert texts(queue.take(only(queue))) == ["x"]


@given(st.integers(0, 2**32), st.integers(1, 5))
def test_whatever_is_done_to_it_its_books_are_right(seed: int, streams: int) -> None:
    """Memory, bytes and marks meet what waits and flies; no event is lost or doubled."""
    chance = random.Random(seed)
    queue = make(batch_events=4, batch_bytes=200)
    put_in, settled = 0, 0
    for _ in range(60):
        stream = chance.choice([*queue.streams.values(), None])
        match chance.randrange(4):
            case 0 | 1:
                put(
                    queue, "x" * chance.randrange(1, 90), chance.randrange(3), f"s{chance.randrange(streams)}"
                )
                put_in += 1
            case 2 if stream is not None and not stream.flight:
                taken = queue.take(stream)
                left = taken[chance.randrange(len(taken) + 1) :]
                gone = taken[: len(taken) - len(left)]
                with queue.lock:
                    queue.landed(stream, left)
                    queue.settle(gone)
                settled += len(gone)
            case 3 if (found := queue.oldest(chance.randrange(1, 500))) is not None:
                if chance.random() < 0.5:
                    queue.back(*found)
                else:
                    with queue.lock:
                        queue.put_down(found[1])
                    settled += len(found[1])
                queue.forget_idle()
    waiting = [entry for stream in queue.streams.values() for entry in stream.waiting]
    assert len(waiting) == put_in - settled
    assert queue.memory == sum(entry.length + MEMORY_OVERHEAD for entry in waiting)
    for stream in queue.streams.values():
        assert stream.bytes == sum(entry.length for entry in stream.waiting)
    assert sum(mark.left for mark in queue.mark()) == len(waiting)
    assert queue.hands == 0
