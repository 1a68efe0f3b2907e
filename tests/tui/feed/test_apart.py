"""A room of the feed in a process of its own, over real failures of a real store."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tui.feed import StoreFeed
from tui.feed.apart import PART, Apart, Asked
from tui.feed.failures import ApartFailures
from tui.trouble import ExplainedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from queue import SimpleQueue

    from lambdalog.cloud import Cloud
    from tests.unit.failures.conftest import Pay
    from tui.feed.apart import Answered


# Neither reads what it is told nor ends with it.
DEAF = "import signal; signal.pause()"
ASKING = """
import signal, sys
from tui.feed.failures import ApartFailures
room = ApartFailures(sys.argv[1])
room.groups()
print(room._apart._begun().process.pid, flush=True)
signal.pause()
"""

COUNTING = """
import sys
from multiprocessing.connection import Connection
from tui.feed import apart
class Room:
    def counted(self, count):
        return list(range(count))
    def failing(self):
        raise OSError("no room")
apart._Server(Room(), Connection(int(sys.argv[-1]))).serve()
"""


def process_of(failures: ApartFailures) -> subprocess.Popen[bytes]:
    """The one that answers."""
    return failures._apart._begun().process


@pytest.fixture
def failures(cloud: Cloud) -> Iterator[ApartFailures]:
    """The room that the feed has for a store."""
    feed = StoreFeed(cloud)
    assert isinstance(feed.failures, ApartFailures)
    yield feed.failures
    feed.close()


def test_failures_are_read_marked_and_replayed_elsewhere(pay: Pay, failures: ApartFailures) -> None:
    """What the other process finds and does is what the room itself would; each step is told as it comes."""
    pay.fail({"id": "o-1"}, {"id": "o-2"})
    (group,) = failures.groups()
    assert (group.type, group.count, group.newest.body, failures.notes()) == ("Declined", 2, "", [])
    assert failures.detail(group).letter.event == '{"id": "o-2"}'
    failures.mute(group)
    (group,) = failures.groups()
    assert group.status == "muted"
    pay.repair()
    plans = failures.plans(group, discard=False)
    assert [(planned.count, planned.where) for planned in plans] == [(2, f"fingerprint={group.fingerprint}")]
    steps = list(failures.replay(plans, threading.Event()))
    assert [getattr(step, "done", step) for step in steps] == [1, 2]
    assert pay.left() == []


def test_letters_of_a_request_and_of_a_function(pay: Pay, failures: ApartFailures) -> None:
    """Other screens are told which letters a request has, without their text, and of a function the newest with it."""
    first, second = pay.fail({"id": "o-1"}, {"id": "o-2"})
    (letter,), unseen = failures.of_request(first)
    assert (letter.queue, letter.request_id, letter.body, unseen) == ("pay-dlq", first, "", [])
    newest = failures.newest_of("pay")
    assert newest is not None
    assert (newest.request_id, newest.event) == (second, '{"id": "o-2"}')
    assert failures.newest_of("other") is None


def test_a_stream_is_stopped_from_here(pay: Pay, failures: ApartFailures) -> None:
    """What is cancelled ends early: the rest is where it was."""
    pay.fail(*({"id": f"o-{number}"} for number in range(30)))
    (group,) = failures.groups()
    cancel = threading.Event()
    steps = failures.discard(failures.plans(group, discard=True), "a test", cancel)
    cancel.set()
    assert len(list(steps)) + len(pay.left()) == 30


def test_what_can_not_be_done_is_told(pay: Pay, failures: ApartFailures) -> None:
    """An error comes back in words."""
    pay.fail({"id": "o-1"})
    (group,) = failures.groups()
    list(failures.discard(failures.plans(group, discard=True), "a test", threading.Event()))
    assert failures.groups() == []
    with pytest.raises(ExplainedError, match=f"no failure of the group {group.fingerprint} is left"):
        failures.detail(group)


def test_a_process_that_ended_is_begun_anew(
    pay: Pay, failures: ApartFailures, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for it is told; the next question is answered by another process."""
    pay.fail({"id": "o-1"})
    assert len(failures.groups()) == 1
    line = failures._apart._begun()
    process, really = line.process, line.ask
    os.kill(process.pid, signal.SIGSTOP)
    waiting = threading.Event()
    told: list[str] = []

    def noted(asked: Asked) -> SimpleQueue[Answered]:
        box = really(asked)
        waiting.set()
        return box

    monkeypatch.setattr(line, "ask", noted)

    def ask() -> None:
        with pytest.raises(ExplainedError, match="begun anew") as caught:
            failures.groups()
        told.append(str(caught.value))

    asking = threading.Thread(target=ask)
    asking.start()
    assert waiting.wait(60)  # who asks after the end was noticed asks the next one
    os.kill(process.pid, signal.SIGKILL)
    asking.join(60)
    assert told
    assert len(failures.groups()) == 1
    assert process.wait(10) == -signal.SIGKILL


def test_what_a_process_planned_that_ended_is_not_done(pay: Pay, failures: ApartFailures) -> None:
    """Whatever the next process planned meanwhile, it isn't taken for what was said yes to."""
    pay.fail({"id": "o-1"})
    (group,) = failures.groups()
    plans = failures.plans(group, discard=True)
    failures.close()
    pay.fail({"id": "o-2"})
    (group,) = failures.groups()
    failures.plans(group, discard=True)
    with pytest.raises(ExplainedError, match="plan it anew"):
        list(failures.discard(plans, "a test", threading.Event()))
    assert len(pay.left()) == 2


def test_who_leaves_waits_for_nothing(failures: ApartFailures) -> None:
    """Whoever waits for a process that doesn't answer is told when the dashboard is left."""
    failures.groups()
    process = process_of(failures)
    os.kill(process.pid, signal.SIGSTOP)
    box = failures._apart._begun().ask(Asked(-1, "groups"))
    failures.leave()
    assert box.get(timeout=60).kind == "failed"
    os.kill(process.pid, signal.SIGCONT)
    assert process.wait(10) == 0


def test_a_mark_is_set_though_its_answer_is_not_waited_for(pay: Pay, failures: ApartFailures) -> None:
    """Who mutes a group and leaves at once has muted it."""
    pay.fail({"id": "o-1"})
    (group,) = failures.groups()
    failures._apart._begun().ask(Asked(-1, "mute", (group,), lasts=True))
    failures.close()
    (group,) = failures.groups()
    assert group.status == "muted"


def test_modules_of_the_folder_that_the_user_is_in_are_not_loaded(
    pay: Pay, failures: ApartFailures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function's source may have a module that is called like one of Python's."""
    pay.fail({"id": "o-1"})
    (tmp_path / "queue.py").write_text("raise SystemExit('mine')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert len(failures.groups()) == 1


def test_a_long_list_comes_in_pieces() -> None:
    """Whoever draws never waits for all of it to be unpickled; what is given back is the same list, however long."""
    apart = Apart("", "", "")
    apart._command = ["-c", COUNTING]
    try:
        for count in (0, 1, PART, PART + 1, 3 * PART, 3 * PART + 7):
            assert apart.call("counted", count) == list(range(count))
        line = apart._begun()
        box = line.ask(Asked(-1, "counted", (2 * PART + 1,)))
        assert [len(box.get(timeout=60).value) for _ in range(3)] == [PART, PART, 1]
        with pytest.raises(ExplainedError, match="no room"):
            apart.call("failing")
    finally:
        apart.close()


def test_it_ends_with_who_asks(cloud: Cloud, failures: ApartFailures) -> None:
    """Closing leaves no process behind; a room that has none closes, too."""
    failures.close()
    failures.groups()
    process = process_of(failures)
    failures.close()
    assert process.poll() == 0


def test_it_ends_whatever_it_is_at(failures: ApartFailures) -> None:
    """A process that was stopped goes on and ends; one that ends by nothing is killed. Either is waited for."""
    failures.groups()
    stopped = process_of(failures)
    os.kill(stopped.pid, signal.SIGSTOP)
    failures.close()
    assert stopped.returncode == 0
    deaf = Apart("failures", "StoreFailures", "disk:/nowhere")
    deaf._command = ["-c", DEAF]
    line = deaf._begun()
    deaf.close()
    assert line.process.returncode == -signal.SIGKILL


@pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="only Linux tells when a process ends that is nobody's child"
)
def test_it_ends_with_a_dashboard_that_is_killed(cloud: Cloud) -> None:
    """Whoever asks may be gone without a word: the connection's end is enough."""
    asking = subprocess.Popen([sys.executable, "-c", ASKING, str(cloud.target)], stdout=subprocess.PIPE)
    assert asking.stdout is not None
    answering = os.pidfd_open(int(asking.stdout.readline()))
    try:
        asking.kill()
        asking.wait()
        readable, _, _ = select.select([answering], [], [], 60)
        assert readable == [answering]
    finally:
        os.close(answering)
        asking.stdout.close()
