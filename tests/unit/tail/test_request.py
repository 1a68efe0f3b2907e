"""A request's lines, those included that don't name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambdalog.query.pattern import parse
from lambdalog.runtime import platform_text
from lambdalog.store import LogStore
from lambdalog.store.maintenance import maintain
from lambdalog.tail.disk import DiskSource
from lambdalog.tail.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

T0 = 1_700_000_000_000
ONE = "8f507a5b-2c3e-4a31-9f0e-1d2c3b4a5f60"
TWO = "0a0b0c0d-2c3e-4a31-9f0e-1d2c3b4a5f60"


def invocation(request: str, *own: str) -> list[str]:
    """An invocation's lines."""
    report = platform_text.report(
        platform_text.Report(request, duration_ms=1, billed_ms=1, memory_mb=1, max_memory_mb=1)
    )
    return [platform_text.start(request, "$LATEST"), *own, platform_text.end(request), report]


@pytest.fixture
def store(store_path: Path) -> Iterator[LogStore]:
    """Two environments of a function; the first works on ONE between two others, another function names it."""
    with LogStore(store_path) as store:
        for group, streams in {"/aws/lambda/f": "ab", "/aws/lambda/g": "c"}.items():
            store.create_group(group)
            for stream in streams:
                store.create_stream(group, stream)
        write(
            store,
            "/aws/lambda/f",
            "a",
            0,
            [*invocation(TWO, "before"), *invocation(ONE, "printed", f"about {TWO}")],
        )
        write(store, "/aws/lambda/f", "a", 20, ["an extension's", *invocation(TWO, "after"), "later"])
        write(store, "/aws/lambda/f", "b", 5, invocation(TWO, "elsewhere"))
        write(
            store,
            "/aws/lambda/g",
            "c",
            12,
            ["first", f'{{"requestId":"{ONE}","m":"called"}}', f'{{"requestId":"{TWO}"}}', "unnamed"],
        )
        yield store


def write(store: LogStore, group: str, stream: str, offset: int, messages: list[str]) -> None:
    """A millisecond apart."""
    store.append(group, stream, [(T0 + offset + n, text) for n, text in enumerate(messages)])


EXPECTED = [
    f"START RequestId: {ONE} Version: $LATEST\n",
    "printed",
    f"about {TWO}",
    f"END RequestId: {ONE}\n",
    f'{{"requestId":"{ONE}","m":"called"}}',
    "unnamed",
]


@pytest.mark.parametrize("sealed", [False, True])
def test_all_lines_of_a_request_and_no_others(store: LogStore, sealed: bool) -> None:
    """Prints between START and REPORT are the request's; what names another, or comes after, is not."""
    if sealed:
        store.close()
        maintain(store)
    source = DiskSource(store, Wanted(request=ONE))
    lines = [line.message for line in source.lines(None, None)]
    assert sorted(line for line in lines if not line.startswith("REPORT")) == sorted(EXPECTED)
    assert [line.startswith("REPORT") for line in lines].count(True) == 1
    assert [line.message for line in source.lines(None, None, descending=True)] == lines[::-1]
    assert source.page(None, None, 2) == list(source.lines(None, None))[:2]
    assert source.minutes(T0, T0 + 60_000) is None


def test_a_pattern_chooses_among_them(store: LogStore) -> None:
    """Of the request's lines, those that match, whether they name it or not."""
    source = DiskSource(store, Wanted(request=ONE, pattern=parse("printed")))
    assert [line.message for line in source.lines(None, None)] == ["printed"]


def test_a_hostile_id_is_only_a_text(store: LogStore) -> None:
    """Quotes, backslashes and pattern signs mean themselves."""
    write(store, "/aws/lambda/f", "b", 100, ['odd "id\\ ?-%{[ here'])
    source = DiskSource(store, Wanted(request='"id\\ ?-%{['))
    assert [line.message for line in source.lines(None, None)] == ['odd "id\\ ?-%{[ here']
    assert list(DiskSource(store, Wanted(request="nobody")).lines(None, None)) == []


def test_following_a_request(store: LogStore) -> None:
    """As they come, the same lines; a pattern chooses among them."""
    following = DiskSource(store, Wanted(request=ONE)).follow(T0)
    try:
        came = [line.message for line in following.poll(5)]
        assert sorted(line for line in came if not line.startswith("REPORT")) == sorted(EXPECTED)
        store.append(
            "/aws/lambda/g", "c", [(T0 + 200, "still unnamed"), (T0 + 201, "INIT_START x"), (T0 + 202, "y")]
        )
        assert [line.message for line in following.poll(5)] == ["still unnamed"]
    finally:
        following.close()
