"""The shipper and its ledger."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.errors import ShipError
from lambdalog.shipper import Shipper, Spool
from lambdalog.shipper.batch import BATCH_BYTES
from lambdalog.shipper.shipper import MEMORY_MIN
from tests.unit.shipper.double import Destination, fault

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.clock import ManualClock
    from lambdalog.cloud import Cloud

DAY = 86_400_000


@pytest.fixture
def destination(clock: ManualClock) -> Destination:
    """A destination that does what it is told."""
    return Destination(clock)


def make(destination: Any, clock: ManualClock, **options: Any) -> Shipper:
    """A shipper without a thread, on a manual clock, without chance."""
    given: dict[str, Any] = {
        "group": "g",
        "stream": "s",
        "threaded": False,
        "chance": lambda: 1.0,
        "clock": clock,
    } | options
    return Shipper(destination, **given)


def messages(cloud: Cloud) -> list[str]:
    """What is in the store."""
    pages = cloud.logs.get_paginator("filter_log_events").paginate(logGroupName="g")
    return [event["message"] for page in pages for event in page["events"]]


def test_events_are_delivered_in_order(manual_cloud: Cloud, clock: ManualClock) -> None:
    """Group and stream are made on the way; whatever order they came in, they lie in order of time."""
    shipper = make(manual_cloud.logs, clock)
    shipper.put("second", clock.now_ms() + 1)
    shipper.put("first", clock.now_ms())
    shipper.flush()
    shipper.flush()
    assert messages(manual_cloud) == ["first", "second"]
    assert (shipper.ledger.accepted, shipper.ledger.delivered, shipper.ledger.pending) == (2, 2, 0)


def test_one_bad_event_does_not_take_others_along(manual_cloud: Cloud, clock: ManualClock) -> None:
    """Too old, too new and negative times are counted with the reason; good ones arrive, 36 hours apart too."""
    shipper = make(manual_cloud.logs, clock)
    shipper.put("old", clock.now_ms() - 15 * DAY)
    shipper.put("36 hours old", clock.now_ms() - 36 * 3_600_000)
    shipper.put("good", clock.now_ms())
    shipper.put("new", clock.now_ms() + DAY // 2)
    shipper.put("never", -1)
    shipper.put("no number that AWS knows", 2**63)
    shipper.flush()
    assert messages(manual_cloud) == ["36 hours old", "good"]
    assert +shipper.ledger.refused == {"too old": 1, "too new": 2, "before 1970": 1}
    assert shipper.ledger.pending == 0


@pytest.mark.parametrize("given", [b"bytes", None, 1, ["x"]])
def test_what_is_no_text_is_refused_at_once(given: Any, destination: Destination, clock: ManualClock) -> None:
    """Nothing could ever take it: it isn't accepted, and holds nothing up."""
    shipper = make(destination, clock)
    with pytest.raises(TypeError, match="an event is a text"):
        shipper.put(given)
    shipper.put("behind it")
    shipper.flush()
    assert destination.messages() == ["behind it"]
    assert shipper.ledger.accepted == 1


def test_whatever_text_comes_arrives(manual_cloud: Cloud, clock: ManualClock) -> None:
    """Empty texts, lone surrogates and megabytes: as much of them as a log event holds, and marked."""
    shipper = make(manual_cloud.logs, clock)
    for message in ("", "\ud800x", "é" * 700_000):
        shipper.put(message, clock.now_ms())
    shipper.flush()
    found = messages(manual_cloud)
    assert found[:2] == [" ", "\\ud800x"]
    assert [text.partition("] ")[0] for text in found[2:]] == ["[part 1 of 2", "[part 2 of 2"]
    assert "".join(text.partition("] ")[2] for text in found[2:]) == "é" * 700_000
    assert shipper.ledger.delivered == 4


def test_many_streams_need_one_thread(cloud: Cloud) -> None:
    """Fifty streams of two groups arrive by one thread, which close() ends."""
    before = threading.active_count()
    with Shipper(cloud.logs, interval=3600) as shipper:
        for number in range(50):
            shipper.put(str(number), group=f"g{number % 2}", stream=f"s{number}")
        assert threading.active_count() == before + 1
        shipper.flush(60)
        assert shipper.ledger.delivered == 50
    assert threading.active_count() == before
    assert len(cloud.logs.describe_log_streams(logGroupName="g0")["logStreams"]) == 25


def test_the_thread_sends_by_itself(cloud: Cloud) -> None:
    """Nobody flushes: after the interval the events are there; a full batch doesn't wait for it."""
    arrived = threading.Event()
    really = cloud.logs.put_log_events
    sizes: list[int] = []

    class Told:
        def __getattr__(self, name: str) -> Any:
            return getattr(cloud.logs, name)

        def put_log_events(self, **params: Any) -> Any:
            answer = really(**params)
            sizes.append(len(params["logEvents"]))
            arrived.set()
            return answer

    with Shipper(Told(), group="g", stream="s", interval=0.01) as shipper:
        shipper.put("soon")
        assert arrived.wait(60)
    arrived.clear()
    with Shipper(Told(), group="g", stream="s", interval=3600, batch_events=10) as shipper:
        for number in range(10):
            shipper.put(str(number))
        assert arrived.wait(60)
        shipper.flush(60)
        assert shipper.ledger.delivered == 10


def test_after_close_there_is_a_new_beginning(cloud: Cloud) -> None:
    """What is put after close() arrives all the same, and a flush after it loses nothing."""
    shipper = Shipper(cloud.logs, group="g", stream="s")
    shipper.put("a")
    shipper.close(60)
    shipper.flush()
    shipper.put("b")
    shipper.flush(60)
    assert messages(cloud) == ["a", "b"]
    shipper.close(60)
    assert shipper.ledger.delivered == 2


def test_what_cannot_be_sent_is_kept(destination: Destination, clock: ManualClock) -> None:
    """A destination that fails for a while gets the events in the end, once; flush says so meanwhile."""
    shipper = make(destination, clock)
    shipper.put("a")
    destination.fails = lambda _: ConnectionResetError("reset")
    with pytest.raises(ShipError, match="1 log events could not be sent to g: ConnectionResetError: reset"):
        shipper.flush()
    assert shipper.ledger.pending == 1
    destination.fails = None
    shipper.flush()
    assert destination.messages() == ["a"]
    assert shipper.ledger.delivered == 1


def test_throttling_is_never_final(destination: Destination, clock: ManualClock) -> None:
    """A hundred throttles in a row: attempts become rare, and everything arrives."""
    shipper = make(destination, clock)
    for number in range(1000):
        shipper.put(str(number))
    destination.fails = lambda count: fault("ThrottlingException", "Rate exceeded") if count <= 100 else None
    began = clock.monotonic()
    shipper.flush(timeout=4000)
    assert destination.messages() == [str(number) for number in range(1000)]
    assert clock.monotonic() - began > 1500
    assert shipper.ledger.delivered == 1000


def test_a_stream_in_trouble_does_not_hold_up_others(destination: Destination, clock: ManualClock) -> None:
    """One that is refused is tried again by itself; the others' events arrive meanwhile."""
    shipper = make(destination, clock, stream=None, interval=0.0)
    destination.refused_streams = {"bad"}
    shipper.put("x", stream="bad")
    shipper.put("y", stream="good")
    shipper.turn()
    assert destination.messages() == ["y"]
    assert shipper.ledger.pending == 1
    destination.refused_streams = set()
    clock.advance(60)
    shipper.turn()
    assert destination.messages() == ["y", "x"]


def test_memory_is_bounded_and_the_loss_counted(destination: Destination, clock: ManualClock) -> None:
    """drop_oldest: beyond the limit the oldest go, no more than must, and the sums still meet."""
    shipper = make(destination, clock, memory=1)
    text = "x" * 10_000
    for number in range(600):
        shipper.put(f"{number} {text}", clock.now_ms() + number)
    ledger = shipper.ledger
    dropped = ledger.dropped["no room in memory"]
    assert 0 < dropped < 600
    assert (ledger.accepted, ledger.pending) == (600, 600 - dropped)
    shipper.flush()
    assert destination.messages()[0].startswith(f"{dropped} ")
    assert sum(map(len, destination.messages())) > MEMORY_MIN - 120_000
    assert shipper.ledger.delivered == 600 - dropped


def test_a_full_memory_goes_to_the_spool(
    destination: Destination, clock: ManualClock, tmp_path: Path
) -> None:
    """Policy spool: what memory can't hold is on disk, and the next shipper sends it; nothing is lost."""
    shipper = make(destination, clock, memory=1, spool=tmp_path / "spool")
    destination.fails = lambda _: fault("ServiceUnavailableException")
    for number in range(600):
        shipper.put(f"{number} {'x' * 10_000}", clock.now_ms() + number)
    assert shipper.ledger.spooled > 0
    assert shipper.ledger.accepted == shipper.ledger.spooled + shipper.ledger.pending
    shipper.close(0)
    assert shipper.ledger.spooled == 600
    destination.fails = None
    other = make(destination, clock, spool=tmp_path / "spool")
    while other.turn() is not None:
        pass
    assert sorted(int(text.split()[0]) for text in destination.messages()) == list(range(600))
    assert other.ledger.recovered == 600
    assert len(Spool(tmp_path / "spool")) == 0


def test_a_full_disk_is_counted_too(destination: Destination, clock: ManualClock, tmp_path: Path) -> None:
    """Where the spool takes nothing either, flush says so, and memory stays bounded: dropped, with the disk's reason."""
    shipper = make(destination, clock, memory=1, spool=Spool(tmp_path / "spool", limit=10, clock=clock))
    destination.fails = lambda _: fault("ServiceUnavailableException")
    for number in range(600):
        shipper.put(f"{number} {'x' * 10_000}")
    (why,) = shipper.ledger.dropped
    assert why.startswith("the spool could not take it: ShipError: the spool")
    with pytest.raises(ShipError, match="is full"):
        shipper.flush(0)
    ledger = shipper.ledger
    assert ledger.accepted == ledger.dropped.total() + ledger.pending == 600


def test_block_waits_for_room(clock: ManualClock) -> None:
    """Policy block: put() returns when there is room again, and nothing is dropped."""
    gate = threading.Event()

    class Slow(Destination):
        def put_log_events(self, **params: Any) -> Any:
            gate.wait()
            return super().put_log_events(**params)

    slow = Slow(clock)
    shipper = Shipper(slow, group="g", stream="s", policy="block", memory=1)
    done = threading.Event()

    def work() -> None:
        for number in range(600):
            shipper.put(f"{number} {'x' * 10_000}")
        done.set()

    threading.Thread(target=work, daemon=True).start()
    assert not done.wait(0.2)
    assert shipper.ledger.accepted < 600
    gate.set()
    assert done.wait(60)
    shipper.close(60)
    assert len(slow.messages()) == 600
    assert shipper.ledger.dropped == {}


def test_a_patient_shipper_turns_to_the_spool(
    destination: Destination, clock: ManualClock, tmp_path: Path
) -> None:
    """When a destination has failed for long enough its events go to the spool, and come out when it is back."""
    shipper = make(destination, clock, spool=tmp_path / "spool", patience=30, interval=0.0)
    destination.fails = lambda _: fault("InternalFailure")
    shipper.put("a")
    for _ in range(20):
        clock.advance(shipper.turn() or 0)
    assert (shipper.ledger.spooled, shipper.ledger.pending) == (1, 0)
    destination.fails = None
    for _ in range(5):
        clock.advance(shipper.turn() or 0)
    assert destination.messages() == ["a"]
    assert shipper.ledger.recovered == 1
    assert len(Spool(tmp_path / "spool")) == 0


def test_what_is_under_way_at_the_end_is_kept_and_put_right(tmp_path: Path, clock: ManualClock) -> None:
    """A call that stalls past a flush's time: its events are in the spool, and leave it if they arrive after all."""
    begun, gate, over = threading.Event(), threading.Event(), threading.Event()

    class Stalling(Destination):
        def put_log_events(self, **params: Any) -> Any:
            begun.set()
            gate.wait()
            answer = super().put_log_events(**params)
            over.set()
            return answer

    stalling = Stalling(clock)
    shipper = Shipper(stalling, group="g", stream="s", spool=tmp_path / "spool", interval=0)
    shipper.put("a")
    assert begun.wait(60)
    shipper.put("b")
    shipper.flush(0.01)
    assert (shipper.ledger.spooled, shipper.ledger.pending) == (2, 0)
    other = make(Destination(clock), clock, spool=tmp_path / "spool")
    other.turn()
    assert other.ledger.recovered == 1, "only what is not under way is another's to send"
    gate.set()
    assert over.wait(60)
    shipper.close(60)
    assert (shipper.ledger.delivered, shipper.ledger.spooled) == (1, 1)
    assert len(Spool(tmp_path / "spool")) == 0


def test_close_tells_what_is_lost(
    destination: Destination, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a spool what can't be delivered in time is dropped, counted, and told of."""
    shipper = make(destination, clock)
    destination.fails = lambda _: fault("AccessDeniedException", "no")
    shipper.put("a")
    shipper.close(1)
    assert shipper.ledger.dropped == {"not delivered before exit": 1}
    assert "1 log events could not be sent to g: AccessDeniedException: no; they are lost" in caplog.text


def test_wrong_arguments_are_refused(clock: ManualClock) -> None:
    """A policy that is none, one that needs a spool, a batch of nothing, an event for no stream."""
    for options, text in (
        ({"policy": "hope"}, "policy is block, spool or drop_oldest"),
        ({"policy": "spool"}, "needs a spool"),
        ({"batch_events": 0}, "batch_events is a number from 1"),
    ):
        with pytest.raises(ValueError, match=text):
            make(Destination(clock), clock, **options)
    with pytest.raises(ValueError, match="needs a log group and a log stream"):
        make(Destination(clock), clock, stream=None).put("x")


def test_a_ledger_reads_as_a_sentence(destination: Destination, clock: ManualClock) -> None:
    """str() of a ledger says each count that isn't zero."""
    shipper = make(destination, clock)
    shipper.put("a", -5)
    shipper.put("b")
    assert str(shipper.ledger) == "2 accepted, 0 delivered, 1 pending, 1 refused (before 1970)"


def test_a_batch_is_never_more_than_memory_holds() -> None:
    """The least memory there is holds a batch under way and one that waits."""
    assert MEMORY_MIN >= 2 * BATCH_BYTES
