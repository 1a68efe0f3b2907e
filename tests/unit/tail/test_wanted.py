"""Which groups are meant."""

from __future__ import annotations

import pytest

from lambdalog.tail.wanted import Wanted, matcher, prefixes


@pytest.mark.parametrize(
    ("groups", "name", "expected"),
    [
        ([], "anything", True),
        (["orders"], "/aws/lambda/orders", True),
        (["ord*"], "/aws/lambda/orders", True),
        (["/aws/*/orders"], "/aws/lambda/orders", True),
        (["orders"], "/aws/lambda/orders-2", False),
        (["[x"], "[x", True),
    ],
)
def test_a_group_is_meant_by_name_or_glob(groups: list[str], name: str, expected: bool) -> None:
    """Whole names, functions' names, and globs over either."""
    assert matcher(groups)(name) is expected


@pytest.mark.parametrize(
    ("streams", "prefix"),
    [
        (("2026/11/26/[7]ab", "2026/11/25/[7]ab"), "2026/11/2"),
        (("a", "ab"), "a"),
        (("only",), "only"),
        (("x", "y"), None),
    ],
)
def test_streams_by_their_whole_names(streams: tuple[str, ...], prefix: str | None) -> None:
    """Just these are meant, whatever begins like them; AWS is asked for what they have in common."""
    wanted = Wanted(streams=streams)
    assert wanted.stream is not None
    assert all(wanted.stream(name) for name in streams)
    assert not wanted.stream(f"{streams[0]}x")
    assert (wanted.stream_prefix, wanted.glob, wanted.everything) == (prefix, True, False)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (["orders"], ["/aws/lambda/orders", "orders"]),
        (["/aws/lambda/or*"], ["/aws/lambda/or"]),
        (["a*", "ab"], ["/aws/lambda/a", "a"]),
        (["*x"], [""]),
        (["x", "?"], [""]),
        (["[ab]c"], [""]),
    ],
)
def test_aws_is_asked_for_prefixes(groups: list[str], expected: list[str]) -> None:
    """No name that is meant begins otherwise; what one prefix covers is not asked for twice."""
    assert prefixes(groups) == expected


@pytest.mark.parametrize(
    ("streams", "name", "expected"),
    [
        ("2026/11/26/", "2026/11/26/[$LATEST]ab", True),
        ("2026/11/26/", "2026/11/25/[$LATEST]ab", False),
        ("[$LATEST]", "2026/11/26/[$LATEST]ab", False),
        ("*[$LATEST]*", "2026/11/26/[$LATEST]ab", True),
        ("*[$LATEST]*", "2026/11/26/[7]ab", False),
        ("2026/11/2?/[[]7]*", "2026/11/26/[7]ab", False),
        ("2026/11/2?/[7]*", "2026/11/26/[7]ab", True),
        ("*ab", "2026/11/26/[7]ab", True),
        ("*ab", "2026/11/26/[7]abc", False),
        ("*", "two\nlines", True),
        ("*a" * 40 + "*!", "a" * 512, False),
    ],
)
def test_a_stream_is_meant_by_its_beginning_or_a_glob(streams: str, name: str, expected: bool) -> None:
    """Lambda's own names have brackets, which are no glob's; nobody's stars hold a reader up."""
    wanted = Wanted(streams=streams)
    assert wanted.stream is not None
    assert wanted.stream(name) is expected
    assert name.startswith(wanted.stream_prefix or "") or not expected


def test_without_a_word_on_streams_all_are_meant() -> None:
    """Then nothing is asked of any of them."""
    assert Wanted().stream is None
    assert Wanted().stream_prefix is None
    assert Wanted().everything
    assert not Wanted(streams="*").everything
