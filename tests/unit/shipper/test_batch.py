"""Events as batches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lambdalog.shipper.batch import BATCH_BYTES, BATCH_EVENTS, BATCH_MS, Entry, batches, parts, size

T0 = 1_700_000_000_000
entries = st.builds(
    lambda moment, message, counted: Entry(moment, message, None, size(message) if counted else 0),
    st.integers(T0, T0 + 3 * BATCH_MS),
    st.sampled_from(["x", "é" * 100, "y" * 90_000, "z" * 400_000]),
    st.booleans(),
)


@given(st.lists(entries, max_size=30))
def test_every_batch_is_one_that_cloudwatch_takes(found: list[Entry]) -> None:
    """Sorted, within the bytes, the count and the 24 hours; nothing lost, nothing doubled."""
    made = list(batches(found))
    assert sorted(entry[:2] for batch in made for entry in batch) == sorted(entry[:2] for entry in found)
    for batch in made:
        assert [entry.timestamp for entry in batch] == sorted(entry.timestamp for entry in batch)
        assert sum(size(entry.message) for entry in batch) <= BATCH_BYTES
        assert batch[-1].timestamp - batch[0].timestamp <= BATCH_MS


def test_a_batch_has_a_largest_count() -> None:
    """The ten thousand and first event begins a new batch."""
    assert [len(batch) for batch in batches([Entry(T0, "x")] * (BATCH_EVENTS + 1))] == [BATCH_EVENTS, 1]


def test_long_messages_are_cut_into_marked_parts() -> None:
    """Parts say which of how many they are, and hold the text whole, never half a character."""
    message = "né" * 1_000_000
    found = parts(message)
    assert all(size(part) <= BATCH_BYTES for part in found)
    assert [part.partition("] ")[0] for part in found] == [
        f"[part {n} of {len(found)}" for n in range(1, len(found) + 1)
    ]
    assert "".join(part.partition("] ")[2] for part in found) == message
    assert parts("") == [" "]
    assert parts("short") == ["short"]
