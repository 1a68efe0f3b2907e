"""How one log event becomes a row of text."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.printable import printable
from tests.tui.made import line
from tui.logs.format import clock_text, line_spans, message_spans


def text_of(message: str) -> str:
    """The spans of a message put together."""
    return "".join(span.text for span in message_spans(message))


def test_a_json_line_is_its_message_and_its_keys() -> None:
    """What the function said comes first, then the keys it bound; what the row says elsewhere is left out."""
    message = orjson.dumps(
        {"timestamp": "…", "level": "INFO", "message": "charged", "requestId": "r", "total": "7.70", "n": 2}
    )
    assert text_of(message.decode()) == "charged  total=7.70  n=2"


def test_platform_lines_are_quiet() -> None:
    """START, END and REPORT lines stand back."""
    assert message_spans("START RequestId: x Version: $LATEST")[0].role == "platform"


def test_one_event_is_one_row() -> None:
    """An event of several lines of text stays in one row."""
    assert text_of("Traceback:\n  File") == "Traceback: ⏎   File"


@given(st.text())
def test_nothing_unprintable_is_drawn(message: str) -> None:
    """Any text at all becomes spans that `printable` would not change."""
    for span in line_spans(line(1, message or " ")):
        assert span.text == printable(span.text)


@given(
    st.dictionaries(
        st.text(),
        st.recursive(st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner, max_size=3)),
    )
)
def test_nothing_unprintable_comes_out_of_json(record: dict[str, object]) -> None:
    """Nor does a JSON line smuggle anything through its keys or values."""
    try:
        message = orjson.dumps({"message": "x"} | record).decode()
    except TypeError:  # lone surrogates are no JSON text at all
        return
    for span in message_spans(message):
        assert span.text == printable(span.text)


def test_time_is_to_the_millisecond() -> None:
    """The time of day has its milliseconds."""
    assert clock_text(1_700_000_000_007).endswith(".007")
