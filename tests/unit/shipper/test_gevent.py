"""The shipper under gevent, where that is installed: what docs/shipper.md says of it."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

from tests.unit.shipper.program import FORKS, messages, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(importlib.util.find_spec("gevent") is None, reason="gevent is not installed")

PATCHED = "from gevent import monkey; monkey.patch_all()\n"


def test_patched_its_thread_is_a_greenlet_that_sends_while_others_wait(tmp_path: Path) -> None:
    """Greenlets put by the thousand and flush at once; when code yields, what waits is sent without a flush."""
    done = run(
        """
import gevent
shipper.close()
shipper = Shipper(cloud.logs, group="g", stream="s", interval=0.01)
def work(name):
    for number in range(200):
        shipper.put(f"{name} {number}")
        gevent.sleep(0)
    shipper.flush(60)
gevent.joinall([gevent.spawn(work, name) for name in range(8)], raise_error=True)
assert shipper.ledger.delivered == 1600, shipper.ledger
shipper.put("alone")
with gevent.Timeout(60):
    while shipper.ledger.pending:
        gevent.sleep(0.01)
assert monkey.is_module_patched("threading")
shipper.close(60)
""",
        tmp_path,
        before=PATCHED,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(messages(tmp_path)) == sorted(
        ["alone", *(f"{name} {number}" for name in range(8) for number in range(200))]
    )


def test_patched_an_exit_sends_what_waits(tmp_path: Path) -> None:
    """A program that ends without a word loses nothing."""
    done = run('shipper.put("a")\nraise SystemExit(3)\n', tmp_path, before=PATCHED)
    assert done.returncode == 3, done.stderr
    assert messages(tmp_path) == ["a"]


def test_patched_a_forked_child_sends_its_own_events_alone(tmp_path: Path) -> None:
    """What waited at fork() is the parent's."""
    done = run(FORKS, tmp_path, before=PATCHED)
    assert done.returncode == 0, done.stderr
    assert sorted(messages(tmp_path)) == ["child's", "parent's"]


def test_unpatched_its_thread_is_a_real_one(tmp_path: Path) -> None:
    """It sends while a greenlet computes and never yields."""
    done = run(
        """
import gevent, time
shipper.close()
shipper = Shipper(cloud.logs, group="g", stream="s", interval=0.01)
def compute():
    shipper.put("a")
    until = time.monotonic() + 60
    while shipper.ledger.pending and time.monotonic() < until:
        pass
    assert shipper.ledger.delivered == 1
gevent.joinall([gevent.spawn(compute)], raise_error=True)
""",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert messages(tmp_path) == ["a"]
