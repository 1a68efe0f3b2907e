r"""One event as one line of bytes, and back: `{"t":<13 digits>,"i":<13 digits>,"m":<object or string>}\n`.

`m` is the message itself where that is a JSON object in one line, so that `jq` and DuckDB see its fields and a search
sees it as it was typed; anything else is a JSON string. Either way the text comes back byte for byte. Lines are split on
`\n` alone: other line separators are text.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    # The lines of messages that are all texts or all JSON objects, at these times and with one time of ingestion; None for others.
    _Batch = Callable[[Sequence[int], Sequence[str], int], bytes | None]
    # Lines whose messages are all texts, as rows with `t`, `i` and `m`; one of the refusals for others.
    _Rows = Callable[[bytes], Sequence[Any]]

# Thirteen digits: September 2001 to the year 2286.
TIME_MIN, TIME_MAX = 10**12, 10**13 - 1

_T, _I, _M = slice(5, 18), slice(23, 36), 41
_HEAD = b'{"t":'
_LINE = re.compile(rb'\{"t":(\d{13}),"i":(\d{13}),"m":(.*)\}\n')
_LINE_TEXT = re.compile(_LINE.pattern.decode(), re.ASCII)
# How the message begins that is an object. In a text the quotes would be escaped.
_OBJECT = b'"m":{'
# The bytes of a line, its break included, that are not its message.
AROUND = _M + 2


def _by_msgspec() -> tuple[Callable[[bytes], object], tuple[type[Exception], ...], _Batch, _Rows | None]:
    """What refuses bytes that are no JSON, and how; what writes batches; what reads texts.

    msgspec skips over a value four times faster than orjson builds it.
    """
    try:
        import msgspec
    except ImportError:  # inside a function's package there may be no more than orjson
        return orjson.loads, (orjson.JSONDecodeError,), lambda *_: None, None
    value = msgspec.json.Decoder(msgspec.Raw)
    line: Callable[[int, int, object], object] = msgspec.defstruct("line", ["t", "i", "m"], gc=False)
    lines = msgspec.json.Encoder().encode_lines

    def batch(times: Sequence[int], messages: Sequence[str], ingestion: int) -> bytes | None:
        text = "\n".join(messages)
        written: Sequence[object] = messages
        # A text is searched for one character eight times faster than for two.
        if "{" in text and (text[0] == "{" or "\n{" in text):
            last = len(messages) - 1
            if not (text[0] == "{" and text[-1] == "}" and text.count("\n") == text.count("}\n{") == last):
                return None
            data = text.encode()
            written = value.decode_lines(data)
            # One line may have held two values, and two lines one.
            if len(written) != len(messages) or b"\n".join(written) != data:
                return None
        return lines(list(map(line, times, repeat(ingestion), written)))

    row = msgspec.defstruct("row", [("t", int), ("i", int), ("m", str)], gc=False)
    rows = msgspec.json.Decoder(row).decode_lines
    return value.decode, (msgspec.DecodeError, RecursionError), batch, rows


_validate, _REFUSALS, _batch, _rows = _by_msgspec()
_ODD: tuple[type[Exception], ...] = (*_REFUSALS, UnicodeEncodeError)


def encode_message(message: str) -> bytes:
    """A message as the JSON value that stands for it."""
    try:
        if message[:1] == "{" and message[-1:] == "}" and "\n" not in message:
            raw = message.encode()
            try:
                _validate(raw)
            except _REFUSALS:
                return orjson.dumps(message)
            return raw
        return orjson.dumps(message)
    except (UnicodeEncodeError, orjson.JSONEncodeError):
        # Lone surrogates have no UTF-8; escapes do hold them.
        return json.dumps(message).encode("ascii")


def encode(timestamp: int, ingestion: int, message: str) -> bytes:
    """One event as a line. ValueError for a time that thirteen digits can't hold."""
    if not (TIME_MIN <= timestamp <= TIME_MAX and TIME_MIN <= ingestion <= TIME_MAX):
        raise _out_of_range(timestamp, timestamp, ingestion)
    return b'{"t":%d,"i":%d,"m":%b}\n' % (timestamp, ingestion, encode_message(message))


def encode_all(times: Sequence[int], messages: Sequence[str], ingestion: int) -> bytes:
    """Events as lines: their times, in order, and their messages. ValueError for a time that thirteen digits can't hold."""
    first, last = times[0], times[-1]
    if first < TIME_MIN or last > TIME_MAX or not TIME_MIN <= ingestion <= TIME_MAX:
        raise _out_of_range(first, last, ingestion)
    try:
        lines = _batch(times, messages, ingestion)
    except _ODD:
        lines = None
    if lines is not None:
        return lines
    # What is odd about one of them is seen one by one.
    middle = b',"i":%d,"m":' % ingestion
    return b"".join(
        [
            b'{"t":%d%b%b}\n' % (timestamp, middle, encode_message(message))
            for timestamp, message in zip(times, messages, strict=True)
        ]
    )


def _out_of_range(first: int, last: int, ingestion: int) -> ValueError:
    wrong = first if first < TIME_MIN else last if last > TIME_MAX else ingestion
    return ValueError(f"{wrong} is not a time in milliseconds since 1970, between 2001 and 2286")


def timestamp_of(line: bytes) -> int:
    """The time in a line; ValueError if it is none of ours."""
    if line[:5] != _HEAD:
        raise ValueError("not an event's line")
    return int(line[_T])


def has_time(line: bytes) -> bool:
    """Whether a line, or its first 18 bytes, begins as an event does."""
    return line[:5] == _HEAD and line[_T].isdigit() and len(line) >= 18


def ingestion_of(line: bytes) -> int:
    """The ingestion time in a line."""
    return int(line[_I])


def message_of(line: bytes) -> str:
    """The message in a line without its line break; ValueError if there is none."""
    return text_of(line[_M:-1])


def text_of(value: bytes) -> str:
    """The message that a JSON value stands for; ValueError if it stands for none."""
    if value[:1] == b"{":
        return value.decode()
    if value[:1] != b'"':
        raise ValueError("neither an object nor a text")
    try:
        text: str = orjson.loads(value)
    except orjson.JSONDecodeError:
        text = json.loads(value)  # escaped lone surrogates
    return text


class Columns(NamedTuple):
    """Of lines that are all events: times, times of ingestion, messages, and how many bytes each line takes."""

    times: list[int]
    ingestions: list[int]
    messages: list[str]
    sizes: list[int]


def columns(lines: bytes) -> Columns | None:
    """The events in some lines; None if one is no event, which is then found line by line."""
    if _rows is not None and _OBJECT not in lines:
        with suppress(ValueError, *_REFUSALS):  # what is odd about one of them is seen below
            if (texts := _text_columns(_rows(lines), lines)) is not None:
                return texts
    try:
        text = lines.decode()
        rows = _LINE_TEXT.findall(text)
        times, ingestions, values = zip(*rows, strict=True)
        plain = len(text) == len(lines)
        sizes = [len(value) + AROUND for value in (values if plain else map(str.encode, values))]
        if sum(sizes) != len(lines):
            return None  # the matches leave something out
        numbers: list[int] = orjson.loads(f"[{','.join(times + ingestions)}]")
        return Columns(numbers[: len(times)], numbers[len(times) :], _texts(values), sizes)
    except ValueError:
        return None


def _text_columns(rows: Sequence[Any], lines: bytes) -> Columns | None:
    """What was read of lines as they are written; None if something else stands in them too."""
    messages = [row.m for row in rows]
    # A JSON array has one byte beside each text, and one more.
    if len(lines) - len(rows) * (AROUND - 1) != len(orjson.dumps(messages)) - 1:
        return None
    sizes = [len(line) + 1 for line in lines[:-1].split(b"\n")]
    return Columns([row.t for row in rows], [row.i for row in rows], messages, sizes)


def _texts(values: Sequence[str]) -> list[str]:
    """The messages that JSON values in one line each stand for; ValueError if one stands for none."""
    kinds = {value[:1] for value in values}
    if kinds == {"{"}:
        return list(values)
    if kinds == {'"'}:
        with suppress(orjson.JSONDecodeError):
            # No text goes on in the next line, so as many texts as there are values are one of each.
            found: list[str] = orjson.loads("[" + ",\n".join(values) + "]")
            if len(found) == len(values):
                return found
    return [text_of(value.encode()) for value in values]


def parted(lines: bytes) -> list[tuple[bytes, bytes, bytes]] | None:
    """(time, ingestion time, message as a JSON value) of each line, as they stand; None if one is no event."""
    found = _LINE.findall(lines)
    if sum(len(value) for _, _, value in found) + len(found) * AROUND != len(lines):
        return None  # the matches leave something out
    return found


def is_whole(line: bytes) -> bool:
    """Whether a line without its line break has the shape of an event."""
    return (
        line[:5] == _HEAD
        and line[18:23] == b',"i":'
        and line[36:41] == b',"m":'
        and line[-1:] == b"}"
        and line[5:18].isdigit()
        and line[23:36].isdigit()
    )
