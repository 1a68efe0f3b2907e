"""Metric filters, and the values that they find."""

from __future__ import annotations

import datetime as dt
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lambdalog.cloud import connect
from lambdalog.store.maintenance import maintain
from tests.refusals import refusal

if TYPE_CHECKING:
    from lambdalog.clock import ManualClock
    from lambdalog.cloud import Cloud

EXTRACT = Path(__file__).parents[2] / "query" / "data" / "filter_extract.jsonl"
COUNT = {"metricName": "errors", "metricNamespace": "app", "metricValue": "1"}


@pytest.fixture
def logs(manual_cloud: Cloud) -> Any:
    """A client with one group and one stream."""
    client = manual_cloud.logs
    client.create_log_group(logGroupName="g")
    client.create_log_stream(logGroupName="g", logStreamName="s")
    return client


def put_filter(logs: Any, pattern: str, name: str = "f", **transformation: Any) -> None:
    """A filter of the group."""
    logs.put_metric_filter(
        logGroupName="g",
        filterName=name,
        filterPattern=pattern,
        metricTransformations=[COUNT | transformation],
    )


def write(logs: Any, clock: ManualClock, *messages: str) -> None:
    """Messages of this moment."""
    events = [{"timestamp": clock.now_ms(), "message": message} for message in messages]
    logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)


def statistics(cloud: Cloud, name: str = "errors", **more: Any) -> list[dict[str, Any]]:
    """The last hour's values of a metric, by the minute."""
    now = dt.datetime.fromtimestamp(cloud.clock.now(), dt.UTC)
    response = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="app",
        MetricName=name,
        StartTime=now - dt.timedelta(hours=1),
        EndTime=now + dt.timedelta(minutes=1),
        **{"Period": 60, "Statistics": ["Sum", "SampleCount", "Minimum", "Maximum", "Average"], **more},
    )
    return [{key: point[key] for key in point if key != "Timestamp"} for point in response["Datapoints"]]


def test_what_matches_counts_from_the_filter_on(logs: Any, manual_cloud: Cloud, clock: ManualClock) -> None:
    """Only events written after the filter was made count; each once, however often one asks."""
    write(logs, clock, "ERROR before")
    put_filter(logs, "ERROR", unit="Count")
    write(logs, clock, "ERROR a", "fine", "ERROR b")
    for _ in range(2):
        assert statistics(manual_cloud) == [
            {"Sum": 2, "SampleCount": 2, "Minimum": 1, "Maximum": 1, "Average": 1, "Unit": "Count"}
        ]
    clock.advance(60)
    write(logs, clock, "ERROR c")
    assert [point["Sum"] for point in statistics(manual_cloud, Statistics=["Sum"])] == [2, 1]


def test_values_and_dimensions_come_from_fields(logs: Any, manual_cloud: Cloud, clock: ManualClock) -> None:
    """`$.ms` is the value, each value of a dimension's field its own metric; what lacks one of them yields nothing."""
    put_filter(
        logs, "{ $.ms = * }", metricName="ms", metricValue="$.ms", dimensions={"Route": "$.request.route"}
    )
    write(
        logs,
        clock,
        '{"ms": 5, "request": {"route": "/a"}}',
        '{"ms": "7.5", "request": {"route": "/a"}}',
        '{"ms": 100, "request": {"route": "/b"}}',
        '{"ms": 100}',
        '{"ms": "slow", "request": {"route": "/a"}}',
    )
    (point,) = statistics(manual_cloud, "ms", Dimensions=[{"Name": "Route", "Value": "/a"}])
    assert (point["Sum"], point["SampleCount"], point["Minimum"], point["Maximum"]) == (12.5, 2, 5, 7.5)
    assert statistics(manual_cloud, "ms") == []
    metrics = manual_cloud.client("cloudwatch").list_metrics(Namespace="app")["Metrics"]
    assert [metric["Dimensions"] for metric in metrics] == [
        [{"Name": "Route", "Value": "/a"}],
        [{"Name": "Route", "Value": "/b"}],
    ]


def test_a_field_of_a_delimited_line_is_a_value(logs: Any, manual_cloud: Cloud, clock: ManualClock) -> None:
    """`$bytes` names a field of the pattern."""
    put_filter(logs, "[ip, ..., status=5*, bytes]", metricName="bytes", metricValue="$bytes")
    write(logs, clock, "10.0.0.1 - GET 500 1534", "10.0.0.1 - GET 200 1", "10.0.0.1 - GET 503 66")
    (point,) = statistics(manual_cloud, "bytes", Statistics=["Sum"])
    assert point["Sum"] == 1600


def test_a_default_value_fills_minutes_without_a_match(
    logs: Any, manual_cloud: Cloud, clock: ManualClock
) -> None:
    """Where events came and none matched, the default stands, until one matches after all."""
    put_filter(logs, "ERROR", defaultValue=0.0)
    write(logs, clock, "fine")
    assert [point["Sum"] for point in statistics(manual_cloud, Statistics=["Sum"])] == [0]
    write(logs, clock, "ERROR")
    (point,) = statistics(manual_cloud)
    assert (point["Sum"], point["SampleCount"], point["Minimum"]) == (1, 1, 1)
    write(logs, clock, "fine")
    assert statistics(manual_cloud)[0]["SampleCount"] == 1


def test_values_outlive_sealing_the_filter_and_the_group(
    logs: Any, manual_cloud: Cloud, clock: ManualClock
) -> None:
    """Sealing doubles nothing; deleting the filter and its group takes nothing back."""
    put_filter(logs, "ERROR")
    write(logs, clock, "ERROR a")
    assert [point["Sum"] for point in statistics(manual_cloud, Statistics=["Sum"])] == [1]
    write(logs, clock, "ERROR b")
    assert manual_cloud.store is not None
    manual_cloud.store.release(0)
    maintain(manual_cloud.store, everything=True)
    assert [point["Sum"] for point in statistics(manual_cloud, Statistics=["Sum"])] == [2]
    logs.delete_metric_filter(logGroupName="g", filterName="f")
    logs.delete_log_group(logGroupName="g")
    assert [point["Sum"] for point in statistics(manual_cloud, Statistics=["Sum"])] == [2]


def test_readers_at_once_count_once(logs: Any, manual_cloud: Cloud, clock: ManualClock) -> None:
    """Four readers that let the filter catch up together count every event once."""
    put_filter(logs, "ERROR")
    for _ in range(20):
        write(logs, clock, *["ERROR"] * 50)
    assert isinstance(manual_cloud.target, object)
    found: list[float] = []

    def read() -> None:
        with connect(str(manual_cloud.target), clock=clock) as other:
            found.extend(point["Sum"] for point in statistics(other, Statistics=["Sum"]))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found
    assert statistics(manual_cloud)[0]["Sum"] == 1000


def test_changing_a_filter_goes_on_where_it_was(logs: Any, manual_cloud: Cloud, clock: ManualClock) -> None:
    """Putting a filter again replaces its pattern and counts nothing twice."""
    put_filter(logs, "ERROR")
    write(logs, clock, "ERROR a")
    assert statistics(manual_cloud)[0]["Sum"] == 1
    put_filter(logs, "WARN")
    write(logs, clock, "ERROR b", "WARN c")
    assert statistics(manual_cloud)[0]["Sum"] == 2
    assert len(logs.describe_metric_filters(logGroupName="g")["metricFilters"]) == 1


def test_transformations_that_cannot_be_are_refused(logs: Any) -> None:
    """Dimensions beside a default value, more than three of them, a value that is neither number nor field."""
    for transformation, text in (
        ({"defaultValue": 0.0, "dimensions": {"a": "$.a"}}, "mutually exclusive"),
        ({"dimensions": {name: f"$.{name}" for name in "abcd"}}, "at most 3"),
        ({"metricValue": "many"}, "neither a number nor a field"),
        ({"metricValue": "$.a["}, "an index"),
    ):
        with pytest.raises(ClientError, match=text):
            put_filter(logs, "{ $.a = * }", **transformation)
    assert logs.describe_metric_filters(logGroupName="g")["metricFilters"] == []


def test_a_group_has_a_hundred_filters_and_five_with_expressions(logs: Any) -> None:
    """The hundred-and-first filter, and the sixth with a regular expression, are refused; changing one is not."""
    for number in range(100):
        put_filter(logs, "%a%" if number < 5 else "a", name=f"f{number:03}")
    limit = ("LimitExceededException", "Resource limit exceeded.")
    params = {"logGroupName": "g", "filterPattern": "a", "metricTransformations": [COUNT]}
    assert refusal(logs.put_metric_filter, filterName="more", **params) == limit
    assert refusal(logs.put_metric_filter, filterName="f050", **params | {"filterPattern": "%b%"}) == limit
    put_filter(logs, "%b%", name="f001")
    (group,) = logs.describe_log_groups()["logGroups"]
    assert group["metricFilterCount"] == 100
    pages = logs.get_paginator("describe_metric_filters").paginate(logGroupName="g")
    assert [each["filterName"] for page in pages for each in page["metricFilters"]] == [
        f"f{number:03}" for number in range(100)
    ]


@pytest.mark.parametrize(
    "case", [json.loads(line) for line in EXTRACT.read_text().splitlines()], ids=lambda case: case["pattern"]
)
def test_trying_a_pattern_shows_what_it_extracts(logs: Any, case: dict[str, Any]) -> None:
    """TestMetricFilter gives the documented fields, with the number of the message counted from zero."""
    response = logs.test_metric_filter(
        filterPattern=case["pattern"], logEventMessages=["", case["message"]][1:]
    )
    assert response["matches"] == [
        {"eventNumber": 0, "eventMessage": case["message"], "extractedValues": case["extractedValues"]}
    ]


def test_metric_data_goes_by_period(logs: Any, manual_cloud: Cloud, clock: ManualClock) -> None:
    """GetMetricData adds minutes up to periods, newest first unless told otherwise; expressions are refused."""
    put_filter(logs, "ERROR")
    for _ in range(10):
        write(logs, clock, "ERROR")
        clock.advance(60)
    now = dt.datetime.fromtimestamp(clock.now(), dt.UTC)
    metric = {"Namespace": "app", "MetricName": "errors"}
    query = {"Id": "q", "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"}}
    cloudwatch = manual_cloud.client("cloudwatch")
    when = {"StartTime": now - dt.timedelta(minutes=11), "EndTime": now}
    (result,) = cloudwatch.get_metric_data(MetricDataQueries=[query], **when)["MetricDataResults"]
    assert sum(result["Values"]) == 10
    assert result["Timestamps"] == sorted(result["Timestamps"], reverse=True)
    assert refusal(
        cloudwatch.get_metric_data, MetricDataQueries=[{"Id": "e", "Expression": "q / 2"}], **when
    )[0] == ("ValidationError")
    assert refusal(cloudwatch.put_metric_data, Namespace="app", MetricData=[])[0] == "InvalidAction"


def test_queries_of_metric_data_have_aws_s_bounds(manual_cloud: Cloud, clock: ManualClock) -> None:
    """At most 500 at once, and a statistic that there is; the one that is wrong is named by its number."""
    cloudwatch = manual_cloud.client("cloudwatch")
    now = clock.now_ms() / 1000
    when = {"StartTime": now - 60, "EndTime": now}
    metric = {"Namespace": "app", "MetricName": "errors"}

    def query(number: int, stat: str = "Sum") -> dict[str, Any]:
        return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}

    most = [query(number) for number in range(500)]
    assert len(cloudwatch.get_metric_data(MetricDataQueries=most, **when)["MetricDataResults"]) == 500
    assert refusal(cloudwatch.get_metric_data, MetricDataQueries=[*most, query(500)], **when) == (
        "ValidationError",
        "The collection MetricDataQueries must not have a size greater than 500.",
    )
    assert refusal(cloudwatch.get_metric_data, MetricDataQueries=[query(0), query(1, "Most")], **when) == (
        "ValidationError",
        "The value Most for parameter MetricDataQueries.member.2.MetricStat.Stat is not a valid statistic.",
    )
    assert refusal(cloudwatch.get_metric_data, MetricDataQueries=[query(0, "p99.9")], **when) == (
        "ValidationError",
        "Percentiles are not computed here.",
    )
    for stat in ("tm90", "IQM", "PR(:300)", "TM(10%:90%)"):
        assert refusal(cloudwatch.get_metric_data, MetricDataQueries=[query(0, stat)], **when) == (
            "ValidationError",
            f"{stat} is not computed here.",
        )
