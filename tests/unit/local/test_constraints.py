"""The limits of a service model: what breaks them, where, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from lambdalog.local.constraints import Constraints, Violations
from lambdalog.local.lambda_.constraints import violations
from lambdalog.models import service_model


def broken(service: str, operation: str, params: dict[str, Any]) -> str:
    """What most services say of these parameters; nothing where nothing is wrong."""
    shape = service_model(service).operation_model(operation).input_shape
    assert shape is not None
    check = Constraints().compile(shape)
    assert check is not None
    found = Violations()
    check(params, "", found)
    return str(found) if found else ""


def test_a_value_within_its_limits_breaks_none() -> None:
    """Values at either end of their range are right."""
    for limit in (1, 10_000):
        assert broken("logs", "FilterLogEvents", {"logGroupName": "g", "limit": limit}) == ""


@pytest.mark.parametrize(
    ("params", "said"),
    [
        (
            {"limit": 10_001},
            "Value '10001' at 'limit' failed to satisfy constraint: Member must have value less",
        ),
        ({"limit": 0}, "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater"),
        (
            {"logGroupName": "g" * 513},
            f"Value '{'g' * 513}' at 'logGroupName' failed to satisfy constraint: Member must have length less",
        ),
        (
            {"logGroupName": "a b"},
            (
                "Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression "
                r"pattern: [\.\-_/#A-Za-z0-9]+"
            ),
        ),
        (
            {"logStreamNames": ["s", "a:b"]},
            (
                "Value 'a:b' at 'logStreamNames.2.member' failed to satisfy constraint: Member must satisfy regular "
                "expression pattern: [^:*]*"
            ),
        ),
    ],
)
def test_a_broken_limit_is_told_with_its_place(params: dict[str, Any], said: str) -> None:
    """The words are the services' own: the value, where it stands, and what it must be."""
    told = broken("logs", "FilterLogEvents", {"logGroupName": "g"} | params)
    assert told.startswith(f"1 validation error detected: {said}")


def test_a_value_of_an_enumeration_is_named_with_the_others() -> None:
    """Who misspells a name is told those that there are."""
    told = broken("logs", "DescribeLogStreams", {"orderBy": "Name"})
    assert told.endswith("Member must satisfy enum value set: [LogStreamName, LastEventTime]")


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Two broken limits are two errors of one answer."""
    told = broken("logs", "FilterLogEvents", {"logGroupName": "", "limit": 0})
    assert told.startswith("3 validation errors detected: ")
    assert told.count("'logGroupName'") == 2
    assert told.count("'limit'") == 1


def test_lambda_words_lists_and_maps_in_its_own_way() -> None:
    """A list's values are told together, with the rules that one of them breaks."""
    told = violations("CreateFunction", {"Architectures": ["X86_64"]})
    assert list(told) == [
        (
            "Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: "
            "[Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"
        )
    ]


def test_lambda_repeats_no_secret() -> None:
    """The values of environment variables are not in the answer that refuses their names."""
    (told,) = violations("CreateFunction", {"Environment": {"Variables": {"1A": "the secret"}}})
    assert "Map keys must satisfy constraint" in told
    assert "{1A=***}" in told
    assert "the secret" not in told


def test_lambda_names_the_qualifier_first() -> None:
    """The order is that of Lambda's answers, whatever the model's."""
    told = violations("GetFunction", {"FunctionName": "a b", "Qualifier": "c d"})
    assert ["'qualifier'" in line for line in told] == [True, False]


def test_what_lambda_words_elsewhere_is_left_to_it() -> None:
    """Memory and timeout have the limits of the chosen profile, which are not the model's."""
    assert not violations("CreateFunction", {"MemorySize": 1, "Timeout": 0, "Runtime": "cobol"})
