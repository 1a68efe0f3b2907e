"""Lines that are followed as they are stored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lambdalog.level import level_of
from lambdalog.store import LogStore
from lambdalog.tail.disk import DiskSource
from lambdalog.tail.undecoded import StoredLine
from lambdalog.tail.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.tail import Line

AT = 1_700_000_000_000
GROUP = "/aws/lambda/orders"
MESSAGES = [
    "plain",
    "[ERROR]\tof a text",
    'a "quoted" line\nand another',
    "2023-01-01 Task timed out after 3.00 seconds",
    '{"timestamp":"2023-11-14T22:13:20.000Z","level":"INFO","message":"calm"}',
    '{"timestamp": "2023-11-14T22:13:20Z", "level": "WARN", "message": "so so"}',
    '{"timestamp":"2023-11-14T22:13:20.000Z","level":"ERROR","message":"bad"}',
    '{"level":"WARNING","message":"as logging calls it"}',
    '{"level":"DEBUG","message":"quiet"}',
    '{"level":"TRACE","message":"quieter"}',
    '{"event":"structlog","level":"error"}',
    '{"timestamp":"level","level":"CRITICAL"}',
    '{"timestamp":"\\"","level":"DEBUG","level":"ERROR"}',
    "漢字 und \u202e",
    "\ud800 half",
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LogStore]:
    """With a group of one stream."""
    with LogStore(tmp_path / "store") as made:
        made.create_group(GROUP)
        made.create_stream(GROUP, "s/1%d")
        made.create_stream(GROUP, "other")
        yield made


def followed(store: LogStore, *, undecoded: bool, streams: str = "") -> list[Line]:
    """What following from the first line on gives."""
    following = DiskSource(store, Wanted(streams=streams)).follow(AT, undecoded=undecoded)
    try:
        lines = []
        while found := following.poll(0):
            lines += found
        return lines
    finally:
        following.close()


def told(lines: list[Line]) -> list[tuple[object, ...]]:
    """All that lines say, field by field."""
    return [
        (one.timestamp, one.ingestion, one.group, one.stream, one.message, one.id, one.order) for one in lines
    ]


def test_they_are_the_lines_that_are_decoded(store: LogStore) -> None:
    """Asked for by name, each field is what it is of a decoded line, the message and the place on disk too."""
    store.append(GROUP, "s/1%d", [(AT + number, message) for number, message in enumerate(MESSAGES)])
    lines = followed(store, undecoded=True)
    assert told(lines) == told(followed(store, undecoded=False))
    assert [one.message for one in lines] == MESSAGES
    assert {type(one) for one in lines} == {StoredLine}


def test_their_level_is_that_of_their_text(store: LogStore) -> None:
    """The quick look at the bytes never says another level than `level_of` the message."""
    store.append(GROUP, "s/1%d", [(AT + number, message) for number, message in enumerate(MESSAGES)])
    assert [one.level for one in followed(store, undecoded=True)] == [level_of(text) for text in MESSAGES]


def test_only_the_wanted_streams_are_followed(store: LogStore) -> None:
    """A stream whose name begins otherwise is left out."""
    for stream in ("s/1%d", "other"):
        store.append(GROUP, stream, [(AT, stream)])
    assert [one.message for one in followed(store, undecoded=True, streams="s/")] == ["s/1%d"]


def test_what_is_before_the_beginning_is_left_out(store: LogStore) -> None:
    """Following begins at a time: earlier lines of the same file aren't handed over."""
    store.append(GROUP, "s/1%d", [(AT - 5, "before"), (AT, "then")])
    assert [one.message for one in followed(store, undecoded=True)] == ["then"]


def test_what_is_damaged_is_shown_or_told_of(store: LogStore) -> None:
    """A line that is no event is passed over and told of; a message that isn't UTF-8 is shown as far as it is."""
    store.append(GROUP, "s/1%d", [(AT, "whole")])
    (file,) = store.layout.group(GROUP).live.iterdir()
    with file.open("ab") as out:
        out.write(b'{"t":%d,"i":%d,"m":{"broken":"\xff\xfe"}}\n' % (AT + 1, AT + 1))
    assert [one.message for one in followed(store, undecoded=True)] == ["whole", '{"broken":"\ufffd\ufffd"}']
    with file.open("ab") as out:
        out.write(b"garbage\n")
    assert [one.message for one in followed(store, undecoded=True)] == ["whole"]
    assert {damage.group for damage in store.damage} == {GROUP}


def test_a_message_of_any_json_is_whole(store: LogStore) -> None:
    """What stands in a message can't be taken for the end of its line."""
    messages = [
        json.dumps({"level": "INFO", "message": text}) for text in ('"}\n{"t":', "}}}", "\\", '","m":')
    ]
    store.append(GROUP, "s/1%d", [(AT + number, message) for number, message in enumerate(messages)])
    assert [one.message for one in followed(store, undecoded=True)] == messages
