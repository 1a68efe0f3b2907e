"""CloudWatch Logs' contract: metric filters and subscription filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.logs.conftest import COUNT
from tests.refusals import refusal

if TYPE_CHECKING:
    from tests.contract.conftest import Backend


@pytest.mark.moto_deviates("moto's records lack applyOnTransformedLogs")
def test_metric_filters_are_described(logs: Any) -> None:
    """Put, described by group and by metric, deleted; their number shows in the group's record."""
    params = {"logGroupName": "g", "filterPattern": "pattern", "metricTransformations": [COUNT]}
    for name in ("b", "a"):
        logs.put_metric_filter(filterName=name, **params)
    first, second = logs.describe_metric_filters(logGroupName="g")["metricFilters"]
    assert (first["filterName"], second["filterName"]) == ("a", "b")
    assert first.pop("creationTime") > 0
    assert first == {
        "filterName": "a",
        "filterPattern": "pattern",
        "metricTransformations": [COUNT],
        "logGroupName": "g",
        "applyOnTransformedLogs": False,
    }
    found = logs.describe_metric_filters(metricName="metric", metricNamespace="namespace")["metricFilters"]
    assert len(found) == 2
    assert logs.describe_log_groups()["logGroups"][0]["metricFilterCount"] == 2
    logs.delete_metric_filter(logGroupName="g", filterName="a")
    assert len(logs.describe_metric_filters(filterNamePrefix="b")["metricFilters"]) == 1


@pytest.mark.moto_deviates("moto words some of these in its own way")
def test_metric_filters_that_cannot_be(logs: Any) -> None:
    """Names that are too long, two transformations, a filter that isn't there: AWS's texts."""
    code, name = "InvalidParameterException", "X" * 600
    too_long = "Member must have length less than or equal to 512"
    assert refusal(logs.delete_metric_filter, logGroupName="g", filterName=name) == (
        code,
        f"1 validation error detected: Value '{name}' at 'filterName' failed to satisfy constraint: {too_long}",
    )
    assert refusal(logs.describe_metric_filters, filterNamePrefix=name)[1].endswith(
        "at 'filterNamePrefix' failed to satisfy constraint: Member must have length less than or equal to 512"
    )
    assert refusal(logs.describe_metric_filters, metricName=name, metricNamespace="n")[1].endswith(
        "at 'metricName' failed to satisfy constraint: Member must have length less than or equal to 255"
    )
    several = [
        {"metricName": f"metric{n}", "metricNamespace": f"namespace{n}", "metricValue": "1"} for n in (1, 2)
    ]
    found = refusal(
        logs.put_metric_filter,
        logGroupName="g",
        filterName="f",
        filterPattern="",
        metricTransformations=several,
    )
    shown = ", ".join(
        f"MetricTransformation(metricName=metric{n}, metricNamespace=namespace{n}, metricValue=1, defaultValue=null, "
        "unit=null, dimensions=null)"
        for n in (1, 2)
    )
    text = "Member must have length less than or equal to 1"
    assert found == (
        code,
        f"1 validation error detected: Value '[{shown}]' at 'metricTransformations' failed to satisfy constraint: {text}",
    )
    assert refusal(logs.delete_metric_filter, logGroupName="g", filterName="none") == (
        "ResourceNotFoundException",
        "The specified metric filter does not exist.",
    )


@pytest.fixture
def queue(backend: Backend) -> str:
    """A queue's ARN, where there may be a filter's destination."""
    client = backend.client("sqs")
    url = client.create_queue(QueueName="q")["QueueUrl"]
    found: str = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    return found


@pytest.mark.moto_deviates("moto, as AWS, knows no queues as destinations")
def test_subscription_filters_are_described(logs: Any, queue: str) -> None:
    """A record has its destination, distribution and time."""
    assert logs.describe_subscription_filters(logGroupName="g")["subscriptionFilters"] == []
    logs.put_subscription_filter(logGroupName="g", filterName="test", filterPattern="", destinationArn=queue)
    (found,) = logs.describe_subscription_filters(logGroupName="g")["subscriptionFilters"]
    assert found.pop("creationTime") > 0
    assert found == {
        "filterName": "test",
        "logGroupName": "g",
        "filterPattern": "",
        "destinationArn": queue,
        "distribution": "ByLogStream",
        "applyOnTransformedLogs": False,
    }
    logs.delete_subscription_filter(logGroupName="g", filterName="test")
    assert logs.describe_subscription_filters(logGroupName="g")["subscriptionFilters"] == []


def test_subscription_filters_that_are_not_there(logs: Any) -> None:
    """A filter, or its group, that doesn't exist: AWS's texts."""
    group = ("ResourceNotFoundException", "The specified log group does not exist.")
    assert refusal(logs.describe_subscription_filters, logGroupName="no") == group
    assert refusal(logs.delete_subscription_filter, logGroupName="no", filterName="f") == group
    assert refusal(logs.delete_subscription_filter, logGroupName="g", filterName="f") == (
        "ResourceNotFoundException",
        "The specified subscription filter does not exist.",
    )
