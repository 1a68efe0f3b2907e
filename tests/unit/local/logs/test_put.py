"""PutLogEvents' rules."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.local.logs.put import BATCH_BYTES, DAY_MS, HOUR_MS, Columns, Refused, judge, read

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


@given(
    st.lists(
        st.fixed_dictionaries({"timestamp": st.integers(0, NOW), "message": st.text(min_size=1)}), max_size=5
    )
)
def test_a_plain_body_is_read_as_its_events(batch: list[dict[str, object]]) -> None:
    """The events of a body are the columns of the events that it was made of."""
    asked = {"logGroupName": "g", "logStreamName": "s", "logEvents": batch}
    expected = asked | {"logEvents": Columns.of(batch)}
    assert read(json.dumps(asked | {"sequenceToken": "t"}).encode()) == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"logEvents": [{"timestamp": NOW}]},
        {"logEvents": [{"timestamp": NOW, "message": None}]},
        {"logEvents": [{"timestamp": NOW, "message": ""}]},
        {"logEvents": [{"timestamp": NOW, "message": "\ud800"}]},
        {"logEvents": [{"timestamp": -1, "message": "x"}]},
        {"logEvents": [{"timestamp": 2**63, "message": "x"}]},
        {"logEvents": [{"timestamp": str(NOW), "message": "x"}]},
        {"logEvents": [{"timestamp": True, "message": "x"}]},
        {"logEvents": None},
        {"logGroupName": 1},
        {"entity": {"keyAttributes": {"Type": "Service"}}},
        {"logStream": "s"},
    ],
)
def test_any_other_body_is_left_to_the_usual_way(changed: dict[str, object]) -> None:
    """What has to be held against the model, or refused in its words, is not read here."""
    asked = {"logGroupName": "g", "logStreamName": "s", "logEvents": events(NOW)}
    assert read(json.dumps(asked | changed).encode()) is None
