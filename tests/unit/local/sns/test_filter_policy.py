"""Filter policies: what each operator takes, and how bodies are walked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdalog.local.sns.filter_policy import policy
from lambdalog.local.sns.filter_rules import COMBINATIONS_MAX, PolicyError, combinations, read


def body_takes(rules: Any, content: Any) -> bool:
    """Whether a policy on the body takes a content."""
    text = json.dumps(rules)
    read(text, body=True)
    return policy(text, "MessageBody").takes(json.dumps(content), {})


def attributes_take(rules: Any, kind: str, value: str) -> bool:
    """Whether a policy on attributes takes a message whose attribute `k` is this."""
    text = json.dumps(rules)
    read(text, body=False)
    return policy(text, "MessageAttributes").takes("m", {"k": {"DataType": kind, "StringValue": value}})


@pytest.mark.parametrize(
    ("rule", "taken", "passed"),
    [
        ("a", ["a"], ["A", "b", 1, None]),
        (100, [100, 100.0, 100.000001], ["100", 100.1, True]),
        (True, [True], [1, "true", False]),
        (None, [None], ["null", 0, False]),
        ({"prefix": "ab"}, ["ab", "abc"], ["a", "cab", 5]),
        ({"suffix": "ab"}, ["ab", "cab"], ["abc", 5]),
        ({"equals-ignore-case": "TeNNis"}, ["tennis", "TENNIS"], ["tenni", 5]),
        ({"wildcard": "a*c*e"}, ["ace", "abcde", "accce"], ["ac", "ae", "xace"]),
        ({"wildcard": "a\\*b"}, ["a*b"], ["axb"]),
        ({"wildcard": "*"}, ["", "x"], [5]),
        ({"anything-but": ["a", "b"]}, ["c", 1, None], ["a", "b"]),
        ({"anything-but": "a"}, ["b"], ["a"]),
        ({"anything-but": [1, 2]}, [3, "1"], [1, 2.0]),
        ({"anything-but": {"prefix": "ab"}}, ["b", 5], ["abc"]),
        ({"numeric": ["=", 301.5]}, [301.5, 301.500001], [301, "301.5"]),
        ({"numeric": [">", 0, "<=", 100]}, [0.00001, 100], [0, 100.1, -1, True]),
        ({"numeric": ["<", 10]}, [-5], [10]),
        ({"cidr": "10.0.0.0/24"}, ["10.0.0.255"], ["10.0.1.255", "x", 5]),
        (
            {"cidr": "2001:db8:1234:1a00::/64"},
            ["2001:0db8:1234:1a00::1"],
            ["2001:db8:1234:1a01::", "10.0.0.1"],
        ),
        ({"exists": True}, ["", None, 0], []),
    ],
)
def test_each_operator(rule: Any, taken: list[Any], passed: list[Any]) -> None:
    """What it takes, and what not; numbers are compared with five digits."""
    for value in taken:
        assert body_takes({"k": [rule]}, {"k": value}), value
    for value in passed:
        assert not body_takes({"k": [rule]}, {"k": value}), value
    assert not body_takes({"k": [rule]}, {"other": "x"})


def test_a_property_that_must_be_absent() -> None:
    """`exists: false` takes what lacks the property, alone or beside other rules for it."""
    assert body_takes({"k": [{"exists": False}]}, {"j": 1})
    assert not body_takes({"k": [{"exists": False}]}, {"k": None})
    assert body_takes({"k": [{"exists": False}, "x"]}, {"k": "x"})
    assert not body_takes({"k": [{"exists": False}], "j": ["y"]}, {"j": "z"})


def test_message_attributes_as_a_policy_sees_them() -> None:
    """Numbers are numbers, an array is any of its elements, binary ones are not seen."""
    assert attributes_take({"k": [{"numeric": [">=", 5]}]}, "Number", "5")
    assert not attributes_take({"k": [5]}, "String", "5")
    assert attributes_take({"k": ["b"]}, "String.Array", '["a", "b"]')
    assert attributes_take({"k": [True]}, "String.Array", "[true, null]")
    assert attributes_take({"k": ["[no"]}, "String.Array", "[no")
    assert not attributes_take({"k": [{"prefix": ""}]}, "Number", "5")
    binary = {"k": {"DataType": "Binary", "BinaryValue": b"x"}}
    assert not policy('{"k": [{"exists": true}]}', "MessageAttributes").takes("m", binary)


def test_paths_are_the_same_nested_and_with_dots() -> None:
    """`a.b` is b in a, in the policy as in the body."""
    for rules in ({"a": {"b": {"c": ["v"]}}}, {"a.b": {"c": ["v"]}}, {"a.b.c": ["v"]}):
        for content in ({"a": {"b": {"c": "v"}}}, {"a.b": {"c": "v"}}, {"a.b.c": "v"}, {"a": {"b.c": "v"}}):
            assert body_takes(rules, content)


def test_properties_are_looked_for_along_the_same_elements() -> None:
    """Two properties of the elements of a list have to be of one element; an element may be a list again."""
    rules = {"Records": {"name": ["put"], "s3": {"key": [{"prefix": "auto"}]}}}
    assert body_takes(rules, {"Records": [{"name": "put", "s3": {"key": "auto-1"}}, {"name": "x"}]})
    assert body_takes(rules, {"Records": [[{"name": "put", "s3": [[{"key": "auto-1"}]]}]]})
    assert not body_takes(
        rules, {"Records": [{"name": "put", "s3": {"key": "b"}}, {"name": "x", "s3": {"key": "auto"}}]}
    )
    assert body_takes({"to": ["q1"]}, {"to": ["q1", "q2"]})


def test_alternatives() -> None:
    """$or takes what any branch takes, beside the other properties; otherwise it is a name like others."""
    rules = {
        "source": ["aws"],
        "$or": [{"metric": ["cpu", "latency"]}, {"space": ["ec2"], "kind": ["alarm"]}],
    }
    assert body_takes(rules, {"source": "aws", "metric": "cpu"})
    assert body_takes(rules, {"source": "aws", "space": "ec2", "kind": "alarm"})
    assert not body_takes(rules, {"source": "aws", "space": "ec2"})
    assert not body_takes(rules, {"metric": "cpu"})
    assert body_takes({"$or": ["x"]}, {"$or": "x"})
    assert combinations(rules) == 1 * (2 + 1)


def test_how_combinations_are_counted() -> None:
    """AWS's example: three levels deep with four values, two levels with three: 4 x 3 x 3 x 2 = 72."""
    rules = {"a": {"b": {"c": [1, 2, 3, 4]}}, "d": {"e": [1, 2, 3]}}
    assert combinations(rules) == 72
    assert read(json.dumps({"k": list(range(COMBINATIONS_MAX))}), body=True)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[]", "Filter is not an object"),
        ('{"a": ["b"]', "failed to parse JSON. Unexpected end-of-input"),
        ('{"a": [NaN]}', "failed to parse JSON. "),
        ('{"a": ["x"], "a": ["y"]}', "Path `a` cannot be allowed multiple times"),
        ('{"key":[]}', "Empty arrays are not allowed"),
        ('{"a": [{}]}', "Empty objects are not allowed"),
        ('{"a": [10000000000]}', "Value must be between -1.0E9 and 1.0E9, inclusive"),
        ('{"a": [{"anything-but": []}]}', "Empty arrays are not allowed"),
        (
            '{"a": [{"anything-but": ["x", 1]}]}',
            "Inside anything but list, either all values are number or string",
        ),
        (
            '{"a": [{"anything-but": [null]}]}',
            "Inside anything but list, start|null|boolean is not supported.",
        ),
        (
            '{"a": [{"anything-but": {"prefix": "x", "suffix": "y"}}]}',
            "Only one key allowed in match expression",
        ),
        ('{"a": [{"anything-but": true}]}', "Inside anything but list, start|null|boolean is not supported."),
        ('{"a": [{"exists": "yes"}]}', "exists match pattern must be either true or false."),
        ('{"a": [{"wildcard": "a**"}]}', "Consecutive wildcard characters at pos 1"),
        ('{"a": [{"numeric": 5}]}', "Value of numeric must be an array."),
        ('{"a": [{"numeric": []}]}', "Invalid member in numeric match: ]"),
        ('{"a": [{"numeric": ["~", 5]}]}', "Unrecognized numeric range operator: ~"),
        ('{"a": [{"numeric": ["<", 5, ">", 6]}]}', "Too many elements in numeric expression"),
        ('{"a": [{"numeric": [">", 5, "=", 6]}]}', "Bad numeric range operator: ="),
        ('{"a": [{"numeric": [">", 5, "<", 5]}]}', "Bottom must be less than top"),
        ('{"a": [{"numeric": [">", 5, "<", 6, 7]}]}', "Too many terms in numeric range expression"),
        ('{"a": [{"cidr": "10.0.0.0"}]}', "Malformed CIDR, one '/' required"),
        ('{"a": [{"cidr": "bad-filter/64"}]}', "Nonstandard IP address: bad-filter"),
        ('{"a": [{"cidr": "10.0.0.0/bits"}]}', "Malformed CIDR, mask bits must be an integer"),
        ('{"a": [{"cidr": "10.0.0.0/33"}]}', "IPv4 mask bits must be between 0 and 32"),
        ('{"a":' * 200 + '["x"]' + "}" * 200, "Filter policy is too complex"),
        ('{"a":' * 20_000, "failed to parse JSON. "),
        (json.dumps({"a": ["x" * 300_000]}), "Filter policy is too long"),
    ],
)
def test_what_is_no_policy(text: str, error: str) -> None:
    """What is wrong is said; nothing crashes."""
    with pytest.raises(PolicyError) as info:
        read(text, body=True)
    assert str(info.value).startswith(error)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{"key":[{"wrong-operator":true}]}', 1, 31),
        ('{"key":[{"suffix":"value","prefix":"value2"}]}', 1, 37),
        ('{"key":[{"anything-but":{"suffix":"test"}}]}', 1, 36),
        ('{"key":{"suffix":"value"}}', 1, 19),
        ('{"price":[{"numeric":["<","100"]}]}', 1, 28),
        ('{"key":\n  []}', 2, 5),
    ],
)
def test_where_a_policy_is_wrong(text: str, line: int, column: int) -> None:
    """The place is where AWS's parser stands."""
    with pytest.raises(PolicyError) as info:
        read(text, body=True)
    assert str(info.value).endswith(f'\n at [Source: (String)"{text}"; line: {line}, column: {column}]')


def test_no_body_is_too_much() -> None:
    """Bodies that aren't JSON, or deeper than any, match nothing; many lists beside each other cost their length."""
    rules = {name: [{"exists": True}] for name in "abcde"}
    for body in ("", "no", "[" * 100_000, "5", '["a"]', '{"a":' * 500 + "1" + "}" * 500):
        assert not policy(json.dumps(rules), "MessageBody").takes(body, {})
    wide = {name: [{"x": number} for number in range(2000)] for name in "abcde"}
    assert body_takes({name: {"x": [1999]} for name in "abcde"}, wide)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["a", "b", "ab"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def ways(value: Any, path: str = "") -> list[dict[str, Any]]:
    """Every way through a value: for each list one element. The plain definition, exponential."""
    if isinstance(value, dict):
        found: list[dict[str, Any]] = [{}]
        for name, inner in value.items():
            step = ways(inner, f"{path}.{name}" if path else name)
            found = [way | other for way in found for other in step]
        return found
    if isinstance(value, list):
        return [way for inner in value for way in ways(inner, path)] or [{}]
    return [{path: value}]


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3))
def test_a_walk_finds_what_all_ways_find(content: dict[str, Any]) -> None:
    """Two properties are taken exactly where one way through the body has both."""
    rules = {"a": ["a", 1], "b": {"c": [{"anything-but": ["b"]}]}}
    expected = any(
        way.get("a") in ("a", 1) and way.get("a") is not True and "b.c" in way and way["b.c"] != "b"
        for way in ways(content)
    )
    assert body_takes(rules, content) == expected
