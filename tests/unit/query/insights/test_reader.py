"""Reading queries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.errors import QueryError
from lambdalog.query.insights import read
from lambdalog.query.insights.reader import LENGTH_MAX
from lambdalog.query.insights.syntax import (
    Binary,
    Call,
    Dedup,
    Field,
    Fields,
    Filter,
    Joined,
    Like,
    Limit,
    Literal,
    Named,
    Parse,
    Regex,
    Sort,
    Stats,
    Unary,
)


def test_commands_are_read_in_their_order() -> None:
    """A pipeline is its commands; columns are named by their aliases, or as they were typed."""
    query = read(
        """
        fields @timestamp, a.b as c, ms / 1000   # seconds
        | filter level = 'ERROR' and not ms < 5 or @message like /x\\/y/
        | sort ms desc, @timestamp
        | dedup level, user
        | limit 20
        """
    )
    assert query.commands == (
        Fields(
            (
                Named("@timestamp", Field("@timestamp")),
                Named("c", Field("a.b")),
                Named("ms / 1000", Binary("/", Field("ms"), Literal(1000))),
            )
        ),
        Filter(
            Joined(
                "or",
                (
                    Joined(
                        "and",
                        (
                            Binary("=", Field("level"), Literal("ERROR")),
                            Unary("not", Binary("<", Field("ms"), Literal(5))),
                        ),
                    ),
                    Like(Field("@message"), Regex("x/y")),
                ),
            )
        ),
        Sort(((Field("ms"), True), (Field("@timestamp"), False))),
        Dedup(("level", "user")),
        Limit(20),
    )


def test_aggregates_are_taken_out_of_their_expressions() -> None:
    """The same aggregate twice is worked out once; an expression over aggregates refers to them."""
    (stats,) = read("stats count(*), sum(ms) / count(*) as mean, pct(ms, 99) by bin(5m) as t, level").commands
    assert isinstance(stats, Stats)
    assert stats.calls == (
        Call("count", ()),
        Call("sum", (Field("ms"),)),
        Call("pct", (Field("ms"), Literal(99))),
    )
    assert [item.name for item in (*stats.items, *stats.by)] == [
        "count(*)",
        "mean",
        "pct(ms, 99)",
        "t",
        "level",
    ]


def test_precedence_is_that_of_arithmetic() -> None:
    """Powers before products before sums before comparisons; parentheses before all."""
    (command,) = read("filter a + b * c ^ 2 > (d - 1) * -3").commands
    assert command == Filter(
        Binary(
            ">",
            Binary("+", Field("a"), Binary("*", Field("b"), Binary("^", Field("c"), Literal(2)))),
            Binary("*", Binary("-", Field("d"), Literal(1)), Literal(-3)),
        )
    )


def test_globs_and_expressions_are_parsed() -> None:
    """A glob names its stars, an expression its groups; the field is @message unless another is named."""
    first, second, third = read(
        'parse "user=* took *ms" as user, ms | parse a.b /x(?<y>\\d+)/ | parse @message /(a)(b)/ as one, two'
    ).commands
    assert isinstance(first, Parse)
    assert isinstance(second, Parse)
    assert isinstance(third, Parse)
    assert (first.source, first.names) == (Field("@message"), ("user", "ms"))
    assert (second.source, second.names) == (Field("a.b"), ("y",))
    assert third.names == ("one", "two")


@pytest.mark.parametrize(
    ("text", "position", "what"),
    [
        ("nothing", 0, "unexpected symbol found nothing at line 1 and position 1: expected fields"),
        ("fields a |", 10, "found the end at line 1 and position 11: expected fields"),
        ("fields a,\n  | limit 1", 12, "found | at line 2 and position 3"),
        ("filter a = ", 11, "expected a field, a value"),
        ("filter a like b", 14, "expected a .text."),
        ('filter a = "x', 11, "a closing"),
        ("filter a like /x", 14, "a closing /"),
        ("filter a like /(/", 14, "not a regular expression"),
        ("filter a like /\ud800/", 14, "not a regular expression: surrogates not allowed"),
        ("filter (a = 1", 13, r"expected \)"),
        ("filter a in 1", 12, r"expected \["),
        ("filter count(*) > 1", 7, "aggregates stand in stats"),
        ("filter nosuch(a)", 7, "no such function"),
        ("filter strlen(a, b)", 7, "strlen takes 1 argument, not 2"),
        ("filter substr(a)", 7, "substr takes 2 to 3 arguments, not 1"),
        ("stats a by b", 6, "expected an aggregate"),
        ("stats sum(count(*))", 10, "not in one another"),
        ("stats pct(a, 101)", 6, "from 0 to 100"),
        ("stats pct(a)", 6, "pct takes 2 arguments"),
        ("stats count(*) by bin(5 parsecs)", 22, "expected a period"),
        ("stats count(*) | stats count(*) | stats count(*)", 34, "at most 2 stats"),
        ("limit 0", 6, "from 1 to 100000"),
        ("limit x", 6, "from 1 to 100000"),
        ('parse "a * b" as x, y', 6, "expected 1 names"),
        ("parse /a/", 6, "named groups"),
        ("parse a", 7, "expected a .glob"),
        ("pattern @message", 0, "not evaluated here"),
        ("fields `a", 7, "a closing `"),
        ("x" * (LENGTH_MAX + 1), LENGTH_MAX, "at most 10000"),
        ("filter " + "(" * 100 + "a" + ")" * 100, 7 + 32, "expressions in one another"),
        ("filter a" + " + a" * 500, 7, "operators in one another"),
        ("stats sum(a" + " + a" * 500 + ")", 10, "operators in one another"),
    ],
)
def test_what_is_no_query_is_refused_with_its_place(text: str, position: int, what: str) -> None:
    """A refusal says what stands where something else should, in AWS's words, and what was expected."""
    with pytest.raises(QueryError, match=what) as info:
        read(text)
    assert info.value.position == position


def test_a_long_list_in_an_expression_is_not_taken_for_repetition() -> None:
    """An expression may be as long as a query: what it is asked for may be a few hundred ids."""
    ids = [f"0f8fad5b-d9cb-469f-a165-{number:012d}"[::-1] for number in range(200)]
    read(f"filter @message like /{'|'.join(ids)}/")
    with pytest.raises(QueryError, match="it repeats too much"):
        read("filter @message like /[a-z]{1,1000}[a-z]{1,1000}/")


@given(st.text(alphabet="fieldstarby |,()[]/\"'`@.*=<>!+-^%#0123456789\n", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but a QueryError comes of what is no query."""
    refused = None
    try:
        read(text)
    except QueryError as error:
        refused = error
    assert refused is None or 0 <= refused.position <= refused.end <= len(text)


def test_long_conditions_are_no_trouble() -> None:
    """Hundreds of alternatives stand beside each other, not in one another."""
    text = "filter " + " or ".join(f"a = {number}" for number in range(700))
    (command,) = read(text).commands
    assert isinstance(command, Filter)
    assert len(command.condition.parts) == 700
