"""CloudWatch Logs' contract: filter patterns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.logs.conftest import COUNT, put, texts
from tests.refusals import refusal

if TYPE_CHECKING:
    from tests.contract.conftest import Backend


DATA = Path(__file__).parents[2] / "unit" / "query" / "data"


CASES, INVALID = DATA / "filter_cases.jsonl", DATA / "filter_invalid.jsonl"


@pytest.mark.moto_deviates("moto doesn't have TestMetricFilter")
def test_patterns_can_be_tried(logs: Any) -> None:
    """TestMetricFilter numbers the messages from zero and shows what it extracts."""
    matches = logs.test_metric_filter(
        filterPattern="[level, ..., ms > 10]", logEventMessages=["INFO a 5", "WARN b c 50", "ERROR x 11"]
    )["matches"]
    assert [(match["eventNumber"], match["extractedValues"]) for match in matches] == [
        (1, {"$level": "WARN", "$2": "b", "$3": "c", "$ms": "50"}),
        (2, {"$level": "ERROR", "$2": "x", "$ms": "11"}),
    ]
    assert refusal(logs.test_metric_filter, filterPattern='"', logEventMessages=["a"])[0] == (
        "InvalidParameterException"
    )


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("%" + "a*" * 400 + "b%", "a" * 20_000),
        ("{ $.a = %" + "a*" * 300 + "b% }", json.dumps({"a": "a" * 20_000})),
        ('{ $.a = "' + "*a" * 400 + '*b" }', json.dumps({"a": "a" * 20_000})),
        ("{" + "(" * 60 + "$.a = 1" + ")" * 60 + "}", '{"a":' * 5_000),
        ("[..., a = x*]", '" ' * 20_000),
    ],
    ids=["regex", "regex-in-json", "wildcards", "parentheses", "quotes"],
)
@pytest.mark.moto_deviates("moto doesn't have TestMetricFilter")
def test_a_hostile_pattern_holds_nobody_up(logs: Any, backend: Backend, pattern: str, message: str) -> None:
    """What would keep a backtracking engine busy for ever is answered, by a search as by a test of the pattern."""
    put(logs, backend.now, message, "fine")
    assert texts(logs.filter_log_events(logGroupName="g", filterPattern=pattern)) == []
    assert logs.test_metric_filter(filterPattern=pattern, logEventMessages=[message])["matches"] == []


@pytest.mark.moto_deviates("of the documented patterns moto answers two thirds as AWS does")
def test_the_documented_patterns_give_the_documented_answers(logs: Any, backend: Backend) -> None:
    """FilterLogEvents finds what TestMetricFilter finds, and what the documentation says."""
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    messages = list(dict.fromkeys(case["message"] for case in cases))
    put(logs, backend.now, *messages)
    answers = {
        pattern: set(texts(logs.filter_log_events(logGroupName="g", filterPattern=pattern)))
        for pattern in dict.fromkeys(case["pattern"] for case in cases)
    }
    for case in cases:
        assert (case["pattern"], case["message"] in answers[case["pattern"]]) == (
            case["pattern"],
            case["match"],
        )
        tried = logs.test_metric_filter(filterPattern=case["pattern"], logEventMessages=[case["message"]])
        assert bool(tried["matches"]) is case["match"]


@pytest.mark.moto_deviates("moto takes most patterns that AWS refuses")
def test_patterns_that_cannot_be_are_refused(logs: Any) -> None:
    """With the code of the documentation."""
    for line in INVALID.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        found = refusal(logs.filter_log_events, logGroupName="g", filterPattern=case["pattern"])
        assert (case["pattern"], found[0]) == (case["pattern"], case["error"])


@pytest.mark.moto_deviates("moto takes most patterns that AWS refuses")
def test_a_refused_pattern_says_where(logs: Any) -> None:
    """The text says what was expected, what stands there, and at which character."""
    expected = (
        "InvalidParameterException",
        "Invalid filter pattern: expected a value: a number, a word, \"text\" or %regex%, found '}', at character 9",
    )
    pattern = "{ $.a = }"
    assert refusal(logs.filter_log_events, logGroupName="g", filterPattern=pattern) == expected
    assert refusal(logs.test_metric_filter, filterPattern=pattern, logEventMessages=["a"]) == expected
    assert (
        refusal(
            logs.put_metric_filter,
            logGroupName="g",
            filterName="f",
            filterPattern=pattern,
            metricTransformations=[COUNT],
        )
        == expected
    )
    (group,) = logs.describe_log_groups()["logGroups"]
    arn = group["arn"].removesuffix(":*")
    assert refusal(logs.start_live_tail, logGroupIdentifiers=[arn], logEventFilterPattern=pattern) == expected
