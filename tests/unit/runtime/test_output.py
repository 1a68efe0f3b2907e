"""What a function writes, cut into events."""

from __future__ import annotations

import os
import struct

from hypothesis import given
from hypothesis import strategies as st

from lambdalog.runtime.output import LINE_MAX, Frames, Lines, drain

NOW = 1_700_000_000_500


def frame(text: bytes, kind: int = 0xA55A000F, micros: int = 1_700_000_000_000_000) -> bytes:
    """One telemetry frame."""
    return struct.pack(">IIQ", kind, len(text), micros) + text


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1)), st.integers(1, 7)
)
def test_lines_come_whole_however_they_are_cut(texts: list[str], step: int) -> None:
    """A pipe may give any pieces: the lines are those that were written."""
    data = "".join(f"{text}\n" for text in texts).encode()
    lines = Lines(-1)
    found = [
        event.text
        for start in range(0, len(data), step)
        for event in lines.feed(data[start : start + step], 5)
    ]
    assert found == [text for text in texts if text.strip("\n") and text.encode().strip()]
    assert lines.finish(5) == []


@given(
    st.lists(st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: text.rstrip("\n"))),
    st.integers(1, 9),
)
def test_frames_come_whole_with_their_own_time(texts: list[str], step: int) -> None:
    """A frame is one event, line breaks and all, at the time that it bears."""
    data = b"".join(frame(text.encode()) for text in texts)
    frames = Frames(-1)
    found = [
        event for start in range(0, len(data), step) for event in frames.feed(data[start : start + step], NOW)
    ]
    assert [event.text for event in found] == [text.rstrip("\n") for text in texts]
    assert {event.timestamp for event in found} <= {1_700_000_000_000}


def test_a_frame_is_not_from_the_future() -> None:
    """A writer whose clock is ahead gets the time at which it was read."""
    (event,) = Frames(-1).feed(frame(b"x", micros=9_999_999_999_999_999), NOW)
    assert event.timestamp == NOW


def test_what_is_no_frame_is_text() -> None:
    """A function that writes into the descriptor itself loses nothing and breaks nothing."""
    (event,) = Frames(-1).feed(b"not a frame, but twenty bytes", 5)
    assert event.text == "not a frame, but twenty bytes"


def test_an_endless_line_is_cut() -> None:
    """A line of many megabytes becomes events that CloudWatch takes."""
    lines = Lines(-1)
    found = lines.feed(b"x" * (2 * LINE_MAX + 5), 5)
    assert [len(event.text) for event in found] == [LINE_MAX, LINE_MAX]
    assert lines.finish(5)[0].text == "xxxxx"


def test_an_endless_line_is_cut_between_characters() -> None:
    """Where the cut would fall into a character it falls before it; what is no UTF-8 is cut all the same."""
    lines = Lines(-1)
    text = "x" + "\u20ac" * LINE_MAX
    found = [*lines.feed(text.encode(), 5), *lines.finish(5)]
    assert "".join(event.text for event in found) == text
    assert len(lines.feed(b"\x80" * (LINE_MAX + 1), 5)) == 1


def test_a_pipe_is_drained_until_it_is_empty() -> None:
    """Everything that is in the pipe is read, and its end is noticed."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.write(write, b"a\nb\nc")
    lines = Lines(read)
    events, closed = drain(lines, 5)
    assert ([event.text for event in events], closed) == (["a", "b"], False)
    os.close(write)
    assert drain(lines, 5) == ([], True)
    assert lines.finish(5)[0].text == "c"
    os.close(read)
