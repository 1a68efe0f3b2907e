"""The line codec."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambdalog.store import line

texts = st.text(st.characters(), max_size=200)
objects = st.dictionaries(st.text(), st.integers() | st.text() | st.none(), max_size=4).map(json.dumps)


@given(st.integers(line.TIME_MIN, line.TIME_MAX), st.integers(line.TIME_MIN, line.TIME_MAX), texts | objects)
def test_any_text_comes_back(timestamp: int, ingestion: int, message: str) -> None:
    """Surrogates, control characters, line separators and JSON all come back as they went in."""
    encoded = line.encode(timestamp, ingestion, message)
    assert encoded.count(b"\n") == 1
    assert encoded.endswith(b"\n")
    assert line.is_whole(encoded[:-1])
    assert line.timestamp_of(encoded) == timestamp
    assert line.ingestion_of(encoded) == ingestion
    assert line.message_of(encoded[:-1]) == message


odd = st.sampled_from(
    [
        '"},{"t":',
        '{"',
        "},",
        "]",
        "",
        "\\",
        "{}{}",
        "{},{}",
        '{"a":"}',
        '{"}',
        '{"a":{}',
        "{}\n{}",
        "{} ",
        "{x}",
    ]
)
whole = objects | st.sampled_from(["{}", '{"a": {}}'])


@given(st.one_of(*(st.lists(each, min_size=1, max_size=5) for each in (texts | odd, whole, whole | odd))))
@example(['{"a":{}', '{},"b":{}}'])
@example(['{"a":"}', '{"}'])
@example(["{}{}", "{}"])
@example(["{}", '{"a":{}', "}"])
def test_a_batch_is_written_as_its_events_one_by_one(messages: list[str]) -> None:
    """Whether a batch is written in one go or event by event, its bytes are the same."""
    times = [line.TIME_MIN + n for n in range(len(messages))]
    alone = [line.encode(time, line.TIME_MAX, message) for time, message in zip(times, messages, strict=True)]
    assert line.encode_all(times, messages, line.TIME_MAX) == b"".join(alone)


def test_a_json_object_stays_as_it_was_typed() -> None:
    """An object in one line is embedded verbatim, so that other tools see its fields."""
    message = '{"level": "INFO",  "n": 1e3}'
    assert line.encode(line.TIME_MIN, line.TIME_MIN, message).endswith(b'"m":' + message.encode() + b"}\n")


@pytest.mark.parametrize("message", ['{"a": 1}\n', '{"a": }', "{not json}", '["a"]', ""])
def test_anything_else_is_a_string(message: str) -> None:
    """What is no object in one line is a JSON string that any reader can decode."""
    encoded = line.encode(line.TIME_MIN, line.TIME_MIN, message)
    assert json.loads(encoded)["m"] == message


@pytest.mark.parametrize("value", [b"5", b"null", b"[1]", b"", b" {}", b'"open'])
def test_another_value_stands_for_no_message(value: bytes) -> None:
    """What a hand wrote into a file is told of as damage, and never taken for a message that is no text."""
    with pytest.raises(ValueError, match=r"neither an object nor a text|Unterminated string"):
        line.text_of(value)


@pytest.mark.parametrize("timestamp", [-1, 0, line.TIME_MIN - 1, line.TIME_MAX + 1])
def test_a_time_outside_thirteen_digits_is_refused(timestamp: int) -> None:
    """A time that would break the fixed layout is refused."""
    with pytest.raises(ValueError, match="not a time"):
        line.encode(timestamp, line.TIME_MIN, "x")


values = st.one_of(
    st.text().map(lambda text: json.dumps(text).encode()),
    st.sampled_from(
        [
            b"{}",
            b'{"a":1}',
            b"{x",
            b'"',
            b'"a',
            b'b"',
            b'"a","b"',
            b'"a\\"',
            b'","',
            b'"a"],["b"',
            b"[1",
            b"2]",
            b"1",
            b"",
            b'"\xff"',
        ]
    ),
)


@given(st.lists(values, max_size=6))
@example([b'"a', b'b"', b'"c","d"'])
@example([b'"a"],["b"', b'"c"'])
@example([b"[1", b"2]", b'"a","b"'])
def test_lines_are_read_together_as_one_by_one(written: list[bytes]) -> None:
    """What is read of many lines at once is what each of them says; nothing, if one of them says nothing."""
    lines = [
        b'{"t":%d,"i":%d,"m":%b}\n' % (line.TIME_MIN + n, line.TIME_MAX, value)
        for n, value in enumerate(written)
    ]
    try:
        messages = [line.text_of(value) for value in written]
    except ValueError:
        messages = []
    found = line.columns(b"".join(lines))
    if not messages:
        assert found is None
        return
    times = [line.TIME_MIN + n for n in range(len(lines))]
    assert found == (times, [line.TIME_MAX] * len(lines), messages, list(map(len, lines)))


@pytest.mark.parametrize(
    "lines", [b"", b"x\n", b'{"t":1,"i":1,"m":""}\n', line.encode(line.TIME_MIN, line.TIME_MIN, "a") + b"{"]
)
def test_lines_that_are_no_events_are_not_read_together(lines: bytes) -> None:
    """Where something is between the events they are looked at one by one."""
    assert line.columns(lines) is None
