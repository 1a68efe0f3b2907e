"""CloudWatch Logs' errors, as AWS was recorded to word them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.refusals import Refusal

if TYPE_CHECKING:
    from tests.contract.errors.conftest import Ask, World

STREAM = {"logGroupName": "g", "logStreamName": "s"}
ONE = "1 validation error detected: "
NUMBERS = [
    {"metricName": f"metric{n}", "metricNamespace": f"namespace{n}", "metricValue": "1"} for n in (1, 2)
]
LONG = "X" * 600


def prepared(w: World) -> World:
    """A group with a stream."""
    w.logs.create_log_group(logGroupName="g")
    w.logs.create_log_stream(**STREAM)
    return w


def put(*ago: int, **params: str) -> Ask:
    """Events of so many milliseconds ago."""
    now = time.time_ns() // 1_000_000
    events = [{"timestamp": now - one, "message": "m"} for one in ago]
    return lambda w: (prepared(w).logs.put_log_events, {**STREAM, "logEvents": events, **params})


CASES: dict[str, tuple[Ask, str, str]] = {
    "token": (
        lambda w: (prepared(w).logs.get_log_events, {**STREAM, "nextToken": "invalid"}),
        "InvalidParameterException",
        "The specified nextToken is invalid.",
    ),
    "no such stream": (
        put(0, logStreamName="none"),
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    ),
    "no such group": (
        put(0, logGroupName="none"),
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    ),
    "out of order": (
        put(0, 1000),
        "InvalidParameterException",
        "Log events in a single PutLogEvents request must be in chronological order.",
    ),
    "group twice": (
        lambda w: (prepared(w).logs.create_log_group, {"logGroupName": "g"}),
        "ResourceAlreadyExistsException",
        "The specified log group already exists",
    ),
    "stream twice": (
        lambda w: (prepared(w).logs.create_log_stream, STREAM),
        "ResourceAlreadyExistsException",
        "The specified log stream already exists",
    ),
    "prefix and pattern": (
        lambda w: (w.logs.describe_log_groups, {"logGroupNamePrefix": "a", "logGroupNamePattern": "b"}),
        "InvalidParameterException",
        "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
    ),
    "a long filter name": (
        lambda w: (prepared(w).logs.delete_metric_filter, {"logGroupName": "g", "filterName": LONG}),
        "InvalidParameterException",
        f"{ONE}Value '{LONG}' at 'filterName' failed to satisfy constraint: Member must have length less than or equal to 512",
    ),
    "a long prefix": (
        lambda w: (
            prepared(w).logs.describe_metric_filters,
            {"logGroupName": "g", "filterNamePrefix": LONG},
        ),
        "InvalidParameterException",
        (
            f"{ONE}Value '{LONG}' at 'filterNamePrefix' failed to satisfy constraint: "
            "Member must have length less than or equal to 512"
        ),
    ),
    "a long metric name": (
        lambda w: (
            prepared(w).logs.describe_metric_filters,
            {"metricName": LONG, "metricNamespace": "n"},
        ),
        "InvalidParameterException",
        (
            f"{ONE}Value '{LONG}' at 'metricName' failed to satisfy constraint: "
            "Member must have length less than or equal to 255"
        ),
    ),
    "two transformations": (
        lambda w: (
            prepared(w).logs.put_metric_filter,
            {
                "logGroupName": "g",
                "filterName": "f",
                "filterPattern": "",
                "metricTransformations": NUMBERS,
            },
        ),
        "InvalidParameterException",
        (
            f"{ONE}Value '[MetricTransformation(metricName=metric1, metricNamespace=namespace1, metricValue=1, "
            "defaultValue=null, unit=null, dimensions=null), MetricTransformation(metricName=metric2, "
            "metricNamespace=namespace2, metricValue=1, defaultValue=null, unit=null, dimensions=null)]' at "
            "'metricTransformations' failed to satisfy constraint: Member must have length less than or equal to 1"
        ),
    ),
    "no such subscription": (
        lambda w: (prepared(w).logs.delete_subscription_filter, {"logGroupName": "g", "filterName": "none"}),
        "ResourceNotFoundException",
        "The specified subscription filter does not exist.",
    ),
    "no group to subscribe": (
        lambda w: (w.logs.delete_subscription_filter, {"logGroupName": "none", "filterName": "f"}),
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_as_by_aws(world: World, name: str) -> None:
    """Code, text and status are AWS's."""
    ask, code, text = CASES[name]
    assert world.refusal(ask) == Refusal(code, text, 400)
