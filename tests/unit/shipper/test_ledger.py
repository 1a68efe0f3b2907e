"""Where every event went."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from lambdalog.shipper.ledger import EXPIRED, NO_ROOM, TOO_NEW, TOO_OLD, Ledger

COUNTS = st.integers(0, 10**6)


@given(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
def test_the_sums_meet_what_was_accepted(
    delivered: int, spooled: int, old: int, new: int, dropped: int, waiting: int
) -> None:
    """What is none of the others is pending, and what came out of a spool counts for none of them."""
    accepted = delivered + spooled + old + new + dropped + waiting
    ledger = Ledger(
        accepted,
        delivered,
        spooled,
        Counter({TOO_OLD: old, TOO_NEW: new}),
        Counter({NO_ROOM: dropped}),
        recovered=7,
        recovered_refused=Counter({EXPIRED: 5}),
    )
    assert ledger.pending == waiting


def test_a_copy_stands_still() -> None:
    """What is counted afterwards is not in it."""
    ledger = Ledger(3, 1, 1, Counter({TOO_OLD: 1}), Counter(), 1, Counter({EXPIRED: 1}))
    copy = ledger.copy()
    assert copy == ledger
    ledger.accepted += 1
    ledger.refused[TOO_OLD] += 1
    ledger.dropped[NO_ROOM] += 1
    ledger.recovered_refused[EXPIRED] += 1
    assert copy == Ledger(3, 1, 1, Counter({TOO_OLD: 1}), Counter(), 1, Counter({EXPIRED: 1}))


def test_its_text_names_each_count_and_reason() -> None:
    """Accepted and delivered always, the rest where there is any."""
    assert str(Ledger()) == "0 accepted, 0 delivered"
    ledger = Ledger(10, 1, 2, Counter({TOO_OLD: 2}), Counter({NO_ROOM: 1}), 3, Counter({EXPIRED: 1}))
    assert str(ledger) == (
        "10 accepted, 1 delivered, 2 spooled, 4 pending, 2 refused (too old), 1 dropped (no room in memory), "
        "3 delivered out of the spool, 1 of the spool refused (expired)"
    )
