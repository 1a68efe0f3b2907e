"""PutLogEvents' rules."""

from __future__ import annotations

import pytest

from lambdalog.local.logs.put import BATCH_BYTES, DAY_MS, HOUR_MS, Refused, judge

NOW = 1_700_000_000_000


def events(*times: int) -> list[dict[str, object]]:
    """An event at each time."""
    return [{"timestamp": time, "message": "x"} for time in times]


def test_good_events_are_taken() -> None:
    """Events in order and in range are all accepted."""
    assert judge(events(NOW, NOW, NOW + 1), now=NOW, retention_days=None).rejected == {}


@pytest.mark.parametrize(
    ("batch", "text"),
    [
        (events(NOW, NOW - 1), "Log events in a single PutLogEvents request must be in chronological order."),
        (
            events(NOW - DAY_MS - 1, NOW),
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ),
        ([{"timestamp": NOW, "message": "x" * (BATCH_BYTES - 25)}], "Log event too large"),
        (
            [{"timestamp": NOW, "message": "é" * 300_000}] * 2,
            "Upload too large: 1200052 bytes exceeds limit of 1048576",
        ),
        (events(*[NOW] * 10_001), "less than or equal to 10000"),
    ],
)
def test_a_batch_that_breaks_a_rule_is_refused_whole(batch: list[dict[str, object]], text: str) -> None:
    """Order, span, bytes and count: the text is AWS's."""
    with pytest.raises(Refused, match=text):
        judge(batch, now=NOW, retention_days=None)


def test_old_and_new_events_are_refused_one_by_one() -> None:
    """The indices say where too old ends, expired ends, and too new begins; the rest is accepted."""
    times = [NOW - 15 * DAY_MS, NOW - 4 * DAY_MS, NOW, NOW + 2 * HOUR_MS, NOW + 2 * HOUR_MS + 1]
    judgement = judge(events(*times), now=NOW, retention_days=3)
    assert judgement.times == times[2:4]
    assert judgement.messages == ["x"] * 2
    assert judgement.rejected == {
        "tooNewLogEventStartIndex": 4,
        "tooOldLogEventEndIndex": 1,
        "expiredLogEventEndIndex": 2,
    }
