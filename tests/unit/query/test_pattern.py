"""Filter patterns of terms."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lambdalog.errors import PatternError
from lambdalog.query.pattern import LENGTH_MAX, Term, parse
from lambdalog.query.pattern.condition import Comparison, Joined, Operand
from lambdalog.query.pattern.delimited import Delimited, Field
from lambdalog.query.pattern.json_fields import Item, JsonFields, Member, Selector
from lambdalog.query.pattern.terms import Terms

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")

BAD = "[ERROR 400] BAD REQUEST"
ARGUMENTS = "[ERROR 419] MISSING ARGUMENTS"
UNAUTHORIZED = "[ERROR 401] UNAUTHORIZED REQUEST"


# Cases of AWS's filter pattern documentation.
@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("ERROR", BAD, True),
        ("ERROR", "an error happened", False),
        ("ERROR ARGUMENTS", BAD, False),
        ("ERROR ARGUMENTS", ARGUMENTS, True),
        ("?ERROR ?ARGUMENTS", ARGUMENTS, True),
        ("?ERROR ?ARGUMENTS", "fine", False),
        ("?ERROR ?ARGUMENTS REQUEST", "[INFO] REQUEST FAILED", True),
        ("?ERROR ?ARGUMENTS REQUEST", ARGUMENTS, False),
        ("ERROR -ARGUMENTS", BAD, True),
        ("ERROR -ARGUMENTS", ARGUMENTS, False),
        ('"BAD REQUEST"', BAD, True),
        ('"BAD  REQUEST"', BAD, False),
        ('" "', BAD, True),
        ("%AUTHORIZED%", UNAUTHORIZED, True),
        ("%^[hc]at%", "cat sat", True),
        ("%^[hc]at%", "a cat", False),
        ("%4[0-9]{2}%", BAD, True),
        ("ERROR or WARN", BAD, False),
        ("", "anything", True),
        ("   ", "anything", True),
        ("-ERROR", "fine", True),
        ("-ERROR", BAD, False),
    ],
)
def test_terms_match_as_documented(pattern: str, message: str, expected: bool) -> None:
    """Terms, phrases, optional and excluded terms and regular expressions mean what AWS says."""
    assert parse(pattern).matches(message) is expected


@pytest.mark.parametrize(
    ("pattern", "position", "what"),
    [
        ('a "INTERNAL SERVER', 2, "no closing"),
        ("%abc", 0, "no closing %"),
        ("%%", 0, "empty"),
        ("x %something!%", 12, "'!' can't stand"),
        ("%café%", 4, "'é' can't stand"),
        ("%a(b)%", 2, "can't stand"),
        ("x" * 1025, 1024, "at most 1024"),
        ("{ $.a EXISTS }", 6, "expected an operator.*found 'E'"),
        ("{ $.a IS NOT NULL }", 6, "expected an operator"),
        ("{ $.a IN x }", 6, "expected an operator"),
        ("{ a = 1 }", 2, r"which begins with \$"),
        ("{ $ = 1 }", 3, "expected . or"),
        ("{ $.a = 1 && }", 13, "expected a selector"),
        ("{ $.a = }", 8, "expected a value"),
        ("{ $.a > x }", 8, "expected a number after >"),
        ("{ $.a[*].* = 1 }", 2, "at most one wildcard"),
        ("{ $.a[x] = 1 }", 6, "an index"),
        ("{ $.['a = 1 }", 5, "no closing '"),
        ("{ ($.a = 1 }", 11, r"&&, \|\| or \)"),
        ("{ $.a = 1", 9, "found the end"),
        ("{ $.a = 1 } x", 12, "expected nothing after }"),
        ("{" + "(" * 100 + "$.a = 1" + ")" * 100 + "}", 65, "more than 64 parentheses"),
        ("{ $.a = %a% || $.b = %b% || $.c = %c% }", 0, "at most 2 regular"),
        ("{ $.* = 1 || $.a[*] = 1 || $.b[*] = 1 || $.c[*] = 1 }", 0, "at most 3 selectors"),
        ("[a, b", 5, "expected , or ]"),
        ("[..., a, ...]", 9, "at most once"),
        ("[a = 1 ||]", 9, "expected a field's name"),
        ("[a = 1 || b = 2]", 10, "expected a, of which"),
        ("[a = %x%, b = %x%, c = %x%]", 0, "at most 2 regular"),
        (r"%\q%", 1, "no escape"),
        ("%a|*%", 1, "not a regular expression"),
    ],
)
def test_what_is_no_pattern_is_refused_with_its_place(pattern: str, position: int, what: str) -> None:
    """A refusal says where and what."""
    with pytest.raises(PatternError, match=what) as info:
        parse(pattern)
    assert info.value.position == position


def cases(name: str) -> list[dict[str, Any]]:
    """Cases gathered from AWS's documentation."""
    lines = (Path(__file__).parent / "data" / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("case", cases("filter_cases.jsonl"), ids=lambda case: case["pattern"][:40])
def test_documented_cases(case: dict[str, Any]) -> None:
    """Each documented pattern gives the documented answer, before and after it was printed."""
    pattern = parse(case["pattern"])
    assert pattern.matches(case["message"]) is case["match"]
    printed = parse(str(pattern))
    assert printed.tree == pattern.tree
    assert printed.matches(case["message"]) is case["match"]


@pytest.mark.parametrize("case", cases("filter_invalid.jsonl"), ids=lambda case: case["pattern"][:40])
def test_documented_refusals(case: dict[str, Any]) -> None:
    """What the service refuses is refused."""
    with pytest.raises(PatternError):
        parse(case["pattern"])


@pytest.mark.parametrize("case", cases("filter_extract.jsonl"), ids=lambda case: case["pattern"])
def test_documented_fields(case: dict[str, Any]) -> None:
    """The fields of a message have the documented names and texts."""
    assert parse(case["pattern"]).extract(case["message"]) == case["extractedValues"]


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("{ $.a = 1 }", "not json", False),
        ("{ $.a = 1 }", "", False),
        ("{ $.a = 1 }", "[1]", False),
        ("{ $.a = 1 }", "1", False),
        ("{ $[1] = 2 }", "[1, 2]", True),
        ("{ $.a = 1 }", '{"a": 1.0}', True),
        ("{ $.a = 1 }", '{"a": true}', False),
        ("{ $.a = 1 }", '{"a": "1"}', True),
        ("{ $.a != 1 }", '{"a": "x"}', True),
        ("{ $.a != 1 }", '{"b": 2}', False),
        ("{ $.a != 1 }", '{"a": {}}', False),
        ("{ $.a != 1 }", '{"a": null}', False),
        ("{ $.a = 4* }", '{"a": 404}', True),
        ('{ $.a = "4*" }', '{"a": 404}', False),
        ('{ $.a = "4*" }', '{"a": "404"}', True),
        ("{ $.a = *a*b* }", '{"a": "xaxbx"}', True),
        ("{ $.a = *a*b* }", '{"a": "xbxax"}', False),
        ('{ $.a = "ab*ba" }', '{"a": "aba"}', False),
        ("{ $.a != x* }", '{"a": 3}', True),
        ("{ $.a > 1e2 }", '{"a": 101}', True),
        ("{ $.a >= -0.5 }", '{"a": "3"}', False),
        ("{ $.a IS NULL }", '{"a": null}', True),
        ("{ $.a IS NULL }", "{}", False),
        ("{ $.a NOT EXISTS }", '{"a": null}', False),
        ("{ $.a.b NOT EXISTS }", '{"a": 1}', True),
        ("{ $.a.* = x }", '{"a": {"p": 1, "q": "x"}}', True),
        ("{ $.a[*].b != 1 }", '{"a": [{"b": 1}, {"b": 2}]}', True),
        ("{ $.a[*].b != 1 }", '{"a": [{"b": 1}]}', False),
        (r"{ $.['a\'b'] = 1 }", """{"a'b": 1}""", True),
        (r'{ $.a = "x\"y\\z" }', r'{"a": "x\"y\\z"}', True),
        ('{ $.a = "é" }', r'{"a": "\u00e9"}', True),
        ("{ $.a = %^[0-9]{3}$% }", '{"a": 404}', True),
        ("{$.a=1&&$.b=2}", '{"a":1,"b":2}', True),
        ("{ $.a = 1 }", "[" * 100_000, False),
        ("[a, b]", "one", False),
        ("[a, b]", "one two three", True),
        ("[a, b = two]", "one two three", False),
        ('[a, b = "two three"]', "one two three", True),
        ("[a = 4*, ...]", "404 x y", True),
        ("[..., a > 5]", "x y 6", True),
        ("[..., a > 5]", "x y z", False),
        ("[a != x && a != y]", "z", True),
        ("[(a = x || a = y) && a != y]", "y", False),
        ("[a, , c = 3]", "1 2 3", True),
        ("[...]", "", True),
        ("[a]", "", False),
    ],
)
def test_fields(pattern: str, message: str, expected: bool) -> None:
    """Conditions on fields, at their edges."""
    assert parse(pattern).matches(message) is expected


def test_the_last_field_takes_the_rest() -> None:
    """Whatever white space and brackets are in it."""
    assert parse("[level, rest]").extract('WARN  a [b c]  "d e" ') == {
        "$level": "WARN",
        "$rest": 'a [b c]  "d e"',
    }


def test_json_fields_are_extracted_by_their_selectors() -> None:
    """As TestMetricFilter gives them: texts."""
    pattern = parse("{ $.a = 1 || $.b[0] = x || $.c NOT EXISTS || $.d[*] = 1 }")
    assert pattern.extract('{"a": 1.5, "b": ["y"], "c": {"k": null}, "d": [1]}') == {
        "$.a": "1.5",
        "$.b[0]": "y",
        "$.c": '{"k":null}',
    }


texts = st.text(st.characters(codec="utf-8", exclude_characters='"\\'), min_size=1, max_size=12)
terms = st.builds(Term, texts, st.sampled_from(["required", "optional", "excluded"]), quoted=st.just(True))


words = st.text("abcXYZ019_*", min_size=1, max_size=6)
numbers = st.sampled_from(["0", "-1", "2.5", "1e-3", "+4"])
operands = (
    st.builds(Operand, st.just("text"), texts)
    | st.builds(Operand, st.just("number"), numbers)
    | words.filter(lambda word: not NUMBER.fullmatch(word)).map(lambda word: Operand("bare", word))
    | st.just(Operand("regex", "^a[bc]$"))
)
steps = st.builds(Member, texts) | st.builds(Item, st.integers(0, 99))
selectors = st.lists(steps, min_size=1, max_size=3).map(lambda found: Selector(tuple(found)))


def conditions(fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Comparisons, joined in all ways that differ when they are printed."""
    compared = st.builds(
        Comparison, fields, st.sampled_from(["=", "!="]), operands.filter(lambda o: o.kind != "regex")
    )
    ordered = st.builds(
        Comparison, fields, st.sampled_from(["<", ">="]), st.builds(Operand, st.just("number"), numbers)
    )
    return st.recursive(
        compared | ordered,
        lambda inner: st.builds(
            Joined, st.sampled_from(["&&", "||"]), st.lists(inner, min_size=2, max_size=3).map(tuple)
        ),
        max_leaves=6,
    )


names = st.text("abc_", min_size=1, max_size=3)
columns = names.flatmap(
    lambda name: st.just(Field(name)) | conditions(st.just(name)).map(lambda found: Field(name, found))
)
trees = (
    st.lists(terms, max_size=5).map(lambda found: Terms(tuple(found)))
    | conditions(selectors).map(JsonFields)
    | st.builds(
        Delimited,
        st.lists(columns, max_size=3).map(tuple),
        st.none() | st.lists(columns, max_size=2).map(tuple),
    )
)


@pytest.mark.parametrize(
    ("pattern", "sent"),
    [
        ("timed-out -x@y.z ?a:b", '"timed-out" -"x@y.z" ?"a:b"'),
        ('ERROR "two words" ?a_1', 'ERROR "two words" ?a_1'),
        ("café", '"café"'),
        ("%a.b% c.d", '%a.b% "c.d"'),
    ],
)
def test_a_term_is_printed_as_cloudwatch_takes_it(pattern: str, sent: str) -> None:
    """What has other characters than letters, digits and underscores stands in quotes, or CloudWatch refuses it."""
    assert str(parse(pattern)) == sent


@given(trees)
def test_a_pattern_prints_and_parses_to_itself(tree: Any) -> None:
    """str() gives a pattern that parses to the same tree."""
    assume(len(str(tree)) <= LENGTH_MAX)
    assert parse(str(tree)).tree == tree


@given(
    trees,
    st.text(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3)
        ),
        max_leaves=8,
    ).map(json.dumps),
)
def test_any_message_gets_an_answer(tree: Any, message: str) -> None:
    """Whatever the message, and what a matching one must contain is in it."""
    assume(len(str(tree)) <= LENGTH_MAX)
    pattern = parse(str(tree))
    if pattern.matches(message):
        assert all(literal in message for literal in pattern.literals)
    assert isinstance(pattern.extract(message), dict)


@given(st.text(max_size=40) | st.text("{}[]()$.*'\"%&|=!<>,? ab1", max_size=40))
def test_any_text_is_a_pattern_or_is_refused(text: str) -> None:
    """With a position inside it, and never by another error."""
    position, pattern = 0, None
    try:
        pattern = parse(text)
    except PatternError as error:
        position = error.position
    assert 0 <= position <= len(text)
    if pattern is not None:
        assert isinstance(pattern.matches(text), bool)
        assert parse(str(pattern)).tree == pattern.tree


@given(st.lists(terms, max_size=4), st.lists(texts, max_size=6))
def test_literals_are_in_every_match(found: list[Term], words: list[str]) -> None:
    """What the prefilter looks for stands in each message that matches."""
    pattern = parse(" ".join(map(str, found)))
    message = " ".join(words)
    if pattern.matches(message):
        assert all(literal in message for literal in pattern.literals)


def test_a_hostile_expression_is_linear() -> None:
    """An expression that would take a backtracking engine for ever ends at once."""
    assert not parse("%" + "a*" * 200 + "b%").matches("a" * 5000)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("[a, b, c = x*]", "[ " * 200_000),
        ("[..., c = x*]", '" ' * 200_000 + '"'),
        ("%a*a*a*a*a*a*a*a*b%", "a" * 200_000),
        ("%" + "a?" * 500 + "b%", "a" * 200_000),
        ("%a[ab]{450}[a-z]{450}c%", "a" * 200_000),
        ('{ $.a = "*a*a*a*a*a*a*b" }', '{"a": "' + "a" * 200_000 + '"}'),
        ("{ $.*= %a*a*a*a*a*b% }", '{"a": "' + "a" * 200_000 + '"}'),
        ("{ $.a = 1 }", '{"a":' * 100_000),
        ("{ $.a[*].b = 1 }", '{"a":' + "[" * 100_000),
    ],
)
def test_hostile_patterns_and_messages_end(pattern: str, message: str) -> None:
    """Reading on is linear: these would otherwise take hours."""
    assert parse(pattern).matches(message) is False


@pytest.mark.parametrize(
    "pattern",
    [
        "(" * LENGTH_MAX,
        "{" + "(" * (LENGTH_MAX - 1),
        "[" * LENGTH_MAX,
        "?" * LENGTH_MAX,
        "%" + "[a-z]{1,1000}" * 78 + "%",
        "{" + "$.a=1||" * 140 + "$.a=1}",
        '"' * LENGTH_MAX,
    ],
)
def test_the_longest_patterns_are_read_or_refused(pattern: str) -> None:
    """A thousand characters of anything give a pattern or a PatternError."""
    refused = None
    try:
        parse(pattern)
    except PatternError as error:
        refused = error
    assert refused is None or 0 <= refused.position <= LENGTH_MAX


@pytest.mark.parametrize(
    "body", ["[a-z]{1,1000}[a-z]{1,1000}b", "[a-z]{1,1000}" * 70, "a{1,500}[ab]{1,700}c", ".{1,1000}"]
)
def test_an_expression_that_repeats_too_much_is_refused(body: str) -> None:
    """A few characters may stand for thousands of steps at each byte of a text; the refusal says what to change."""
    with pytest.raises(PatternError, match=r"smaller numbers in its \{m,n\}") as caught:
        parse(f"{{ $.a = %{body}% }}")
    assert caught.value.position == 9
    assert parse("%" + "ab-" * 340 + "%").matches("ab-" * 400)  # long is not too much


def test_regular_expressions_let_lines_go_by() -> None:
    """What an expression can't do without is a literal of its pattern."""
    assert parse("%ERR[0-9]+ at%").literals == ("ERR", " at")
    assert parse("{ $.code = %HTTP4[0-9]{2}% }").literals == ("code", "HTTP4")
    assert parse("{ $.code = %500% }").literals == ("code",)
    assert parse("{ $.code = %500% }").matches('{"code": 5e2}')
    assert parse("-%ERR%").literals == ()
