"""CloudWatch Logs' contract."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.refusals import refusal

if TYPE_CHECKING:
    from tests.contract.conftest import Backend

DATA = Path(__file__).parents[1] / "unit" / "query" / "data"
CASES, INVALID = DATA / "filter_cases.jsonl", DATA / "filter_invalid.jsonl"


@pytest.fixture
def logs(backend: Backend) -> Any:
    """A client with one group and one stream."""
    client = backend.client("logs")
    client.create_log_group(logGroupName="g")
    client.create_log_stream(logGroupName="g", logStreamName="s")
    return client


def put(logs: Any, now: int, *messages: str, stream: str = "s") -> None:
    """Write messages, a ms apart."""
    events = [{"timestamp": now - 1000 + index, "message": message} for index, message in enumerate(messages)]
    logs.put_log_events(logGroupName="g", logStreamName=stream, logEvents=events)


def texts(response: Any) -> list[str]:
    """The messages in a response."""
    return [event["message"] for event in response["events"]]


def test_a_group_exists_once(logs: Any) -> None:
    """A second group of the name is refused."""
    assert refusal(logs.create_log_group, logGroupName="g") == (
        "ResourceAlreadyExistsException",
        "The specified log group already exists",
    )


@pytest.mark.moto_deviates("moto speaks of a group where it means a stream")
def test_a_stream_exists_once(logs: Any) -> None:
    """A second stream of the name is refused."""
    assert refusal(logs.create_log_stream, logGroupName="g", logStreamName="s") == (
        "ResourceAlreadyExistsException",
        "The specified log stream already exists",
    )


@pytest.mark.moto_deviates("moto speaks of a group where it means a stream")
def test_what_is_not_there(logs: Any, backend: Backend) -> None:
    """Operations on a group or stream that doesn't exist say so."""
    group = ("ResourceNotFoundException", "The specified log group does not exist.")
    stream = ("ResourceNotFoundException", "The specified log stream does not exist.")
    events = [{"timestamp": backend.now, "message": "x"}]
    assert refusal(logs.create_log_stream, logGroupName="no", logStreamName="s") == group
    assert refusal(logs.describe_log_streams, logGroupName="no") == group
    assert refusal(logs.delete_log_group, logGroupName="no") == group
    assert refusal(logs.filter_log_events, logGroupName="no") == group
    assert refusal(logs.get_log_events, logGroupName="g", logStreamName="no") == stream
    assert refusal(logs.put_log_events, logGroupName="g", logStreamName="no", logEvents=events) == stream


def test_groups_are_described(logs: Any) -> None:
    """A group's record has its ARNs, with and without the star; prefixes choose, pages go on."""
    for name in ("g2", "h"):
        logs.create_log_group(logGroupName=name)
    (first,) = logs.describe_log_groups(logGroupNamePrefix="g", limit=1)["logGroups"]
    assert first["logGroupName"] == "g"
    assert first["arn"].endswith(":log-group:g:*")
    names = [
        group["logGroupName"]
        for page in logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 2})
        for group in page["logGroups"]
    ]
    assert names == ["g", "g2", "h"]


def test_a_written_stream_tells_its_times(logs: Any, backend: Backend) -> None:
    """First and last event show once there are events."""
    put(logs, backend.now, "a", "b")
    (stream,) = logs.describe_log_streams(logGroupName="g")["logStreams"]
    assert stream["lastEventTimestamp"] - stream["firstEventTimestamp"] == 1


def test_events_come_back_in_order(logs: Any, backend: Backend) -> None:
    """GetLogEvents gives a stream's events; the newest page first unless told otherwise."""
    put(logs, backend.now, "a", "b", "c")
    assert texts(logs.get_log_events(logGroupName="g", logStreamName="s", startFromHead=True)) == [
        "a",
        "b",
        "c",
    ]
    assert texts(logs.get_log_events(logGroupName="g", logStreamName="s", limit=2)) == ["b", "c"]


def test_tokens_go_both_ways_and_stop_at_the_end(logs: Any, backend: Backend) -> None:
    """The forward token leads on, at the end the same token comes back, and the backward one leads back."""
    put(logs, backend.now, *"abcde")
    where = {"logGroupName": "g", "logStreamName": "s", "startFromHead": True}
    first = logs.get_log_events(**where, limit=3)
    second = logs.get_log_events(**where, limit=3, nextToken=first["nextForwardToken"])
    assert texts(second) == ["d", "e"]
    last = logs.get_log_events(**where, limit=3, nextToken=second["nextForwardToken"])
    assert texts(last) == []
    assert last["nextForwardToken"] == second["nextForwardToken"]
    back = logs.get_log_events(**where, limit=3, nextToken=second["nextBackwardToken"])
    assert texts(back) == ["a", "b", "c"]


def test_a_bad_token_is_refused(logs: Any) -> None:
    """A token that was never given is an error."""
    found = refusal(logs.get_log_events, logGroupName="g", logStreamName="s", nextToken="f/nope")
    assert found == ("InvalidParameterException", "The specified nextToken is invalid.")


@pytest.mark.moto_deviates("moto's endTime of GetLogEvents is inclusive")
def test_the_end_of_get_is_exclusive(logs: Any, backend: Backend) -> None:
    """GetLogEvents leaves out its endTime, FilterLogEvents takes it in."""
    now = backend.now
    logs.put_log_events(
        logGroupName="g",
        logStreamName="s",
        logEvents=[{"timestamp": now - 2, "message": "a"}, {"timestamp": now - 1, "message": "b"}],
    )
    got = logs.get_log_events(logGroupName="g", logStreamName="s", startTime=now - 2, endTime=now - 1)
    assert texts(got) == ["a"]
    assert texts(logs.filter_log_events(logGroupName="g", startTime=now - 2, endTime=now - 1)) == ["a", "b"]


@pytest.mark.moto_deviates("moto does not look at logStreamNamePrefix")
def test_filtering_goes_over_streams(logs: Any, backend: Backend) -> None:
    """FilterLogEvents merges streams by time and takes a pattern, names or a prefix."""
    logs.create_log_stream(logGroupName="g", logStreamName="t")
    now = backend.now
    put(logs, now, "ERROR one", "fine")
    put(logs, now + 500, "ERROR two", stream="t")
    assert texts(logs.filter_log_events(logGroupName="g", filterPattern="ERROR")) == [
        "ERROR one",
        "ERROR two",
    ]
    assert texts(logs.filter_log_events(logGroupName="g", logStreamNames=["t"])) == ["ERROR two"]
    assert texts(logs.filter_log_events(logGroupName="g", logStreamNamePrefix="s")) == ["ERROR one", "fine"]


def test_filter_pages_go_on(logs: Any, backend: Backend) -> None:
    """Pages follow each other without loss, and end without a token."""
    put(logs, backend.now, *"abcdefg")
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="g", PaginationConfig={"PageSize": 3}
    )
    assert [texts(page) for page in pages] == [["a", "b", "c"], ["d", "e", "f"], ["g"]]


def test_events_have_ids_that_stay(logs: Any, backend: Backend) -> None:
    """An event's id is the same at each look, and no other event's."""
    put(logs, backend.now, "a", "b")
    first = [event["eventId"] for event in logs.filter_log_events(logGroupName="g")["events"]]
    assert first == [event["eventId"] for event in logs.filter_log_events(logGroupName="g")["events"]]
    assert len(set(first)) == 2


def test_a_batch_out_of_order_is_refused(logs: Any, backend: Backend) -> None:
    """Events must come in chronological order."""
    now = backend.now
    events = [{"timestamp": now, "message": "b"}, {"timestamp": now - 1, "message": "a"}]
    assert refusal(logs.put_log_events, logGroupName="g", logStreamName="s", logEvents=events) == (
        "InvalidParameterException",
        "Log events in a single PutLogEvents request must be in chronological order.",
    )


def test_too_new_events_are_named(logs: Any, backend: Backend) -> None:
    """An event more than two hours ahead is refused, the call succeeds."""
    events = [{"timestamp": backend.now + 3 * 3_600_000, "message": "x"}]
    response = logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)
    assert response["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 0}


def test_retention_and_tags_are_kept(logs: Any) -> None:
    """What is set shows in the record, and goes when deleted."""
    logs.put_retention_policy(logGroupName="g", retentionInDays=7)
    (group,) = logs.describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 7
    arn = group["arn"].removesuffix(":*")
    logs.tag_resource(resourceArn=arn, tags={"team": "a", "env": "b"})
    logs.untag_resource(resourceArn=arn, tagKeys=["env"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "a"}
    logs.delete_retention_policy(logGroupName="g")
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]


def test_prefix_and_order_exclude_each_other(logs: Any) -> None:
    """Streams can't be ordered by time and chosen by prefix."""
    found = refusal(
        logs.describe_log_streams, logGroupName="g", orderBy="LastEventTime", logStreamNamePrefix="s"
    )
    assert found == ("InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix.")


# --- what a batch may be, and which way events are read


@pytest.mark.moto_deviates("moto asks nothing of a batch's span")
def test_a_batch_that_is_too_long_is_refused(logs: Any, backend: Backend) -> None:
    """Events that lie more than a day apart, and more bytes than a batch may have: the whole batch is refused."""
    now = backend.now
    span = [{"timestamp": now - 86_400_001, "message": "a"}, {"timestamp": now, "message": "b"}]
    assert refusal(logs.put_log_events, logGroupName="g", logStreamName="s", logEvents=span) == (
        "InvalidParameterException",
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
    )
    size = [{"timestamp": now, "message": "x" * 524_288}] * 2
    assert refusal(logs.put_log_events, logGroupName="g", logStreamName="s", logEvents=size)[0] == (
        "InvalidParameterException"
    )
    assert texts(logs.get_log_events(logGroupName="g", logStreamName="s", startFromHead=True)) == []


@pytest.mark.moto_deviates("moto knows no order but the oldest first")
def test_filtering_goes_backwards(logs: Any, backend: Backend) -> None:
    """With startFromHead false the newest events come first, page after page."""
    put(logs, backend.now, *"abcde")
    found: list[str] = []
    token: dict[str, str] = {}
    for _ in range(10):
        page = logs.filter_log_events(logGroupName="g", startFromHead=False, limit=2, **token)
        found += texts(page)
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert found == list("edcba")


@pytest.mark.moto_deviates("moto takes both")
def test_streams_are_named_or_have_a_prefix(logs: Any) -> None:
    """Not both."""
    found = refusal(logs.filter_log_events, logGroupName="g", logStreamNames=["s"], logStreamNamePrefix="s")
    assert found[0] == "InvalidParameterException"


@pytest.mark.moto_deviates("moto has no deletion protection")
def test_a_protected_group_stays(logs: Any) -> None:
    """It is deleted once the protection is taken from it."""
    logs.put_log_group_deletion_protection(logGroupIdentifier="g", deletionProtectionEnabled=True)
    assert logs.describe_log_groups()["logGroups"][0]["deletionProtectionEnabled"] is True
    assert refusal(logs.delete_log_group, logGroupName="g")[0] == "ValidationException"
    logs.put_log_group_deletion_protection(logGroupIdentifier="g", deletionProtectionEnabled=False)
    logs.delete_log_group(logGroupName="g")
    assert logs.describe_log_groups()["logGroups"] == []


# --- metric filters

COUNT = {"metricName": "metric", "metricNamespace": "namespace", "metricValue": "1"}


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


# --- subscription filters


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


# --- live tail and queries


@pytest.mark.moto_deviates("moto has no live tail")
def test_a_live_tail_goes_on(logs: Any, backend: Backend) -> None:
    """One sessionStart, then updates with what is written after the call, whatever client reads."""
    (group,) = logs.describe_log_groups()["logGroups"]
    arn = group["arn"].removesuffix(":*")
    stream = logs.start_live_tail(logGroupIdentifiers=[arn], logEventFilterPattern="ERROR")["responseStream"]
    put(logs, backend.now, "ERROR one", "fine")
    found = []
    try:
        events = iter(stream)
        assert next(events)["sessionStart"]["logGroupIdentifiers"] == [arn]
        for _ in range(30):
            found += next(events)["sessionUpdate"]["sessionResults"]
            if found:
                break
    finally:
        stream.close()
    assert [(event["logStreamName"], event["message"]) for event in found] == [("s", "ERROR one")]


@pytest.mark.moto_deviates("moto evaluates hardly any of the language")
def test_a_query_is_followed_to_its_end(logs: Any, backend: Backend) -> None:
    """StartQuery gives an id, GetQueryResults its rows once it is Complete, DescribeQueries shows it."""
    put(logs, backend.now, '{"level": "ERROR", "ms": 5}', '{"level": "ERROR", "ms": 15}', '{"level": "INFO"}')
    now = backend.now // 1000
    query = "filter level = 'ERROR' | stats count(*) as n, avg(ms) as mean by level"
    query_id = logs.start_query(logGroupName="g", startTime=now - 60, endTime=now + 1, queryString=query)[
        "queryId"
    ]
    until, pause = time.monotonic() + 60, threading.Event()
    while True:
        response = logs.get_query_results(queryId=query_id)
        if response["status"] not in {"Scheduled", "Running"} or time.monotonic() > until:
            break
        pause.wait(0.02)
    assert response["status"] == "Complete"
    assert response["results"] == [
        [
            {"field": "level", "value": "ERROR"},
            {"field": "n", "value": "2"},
            {"field": "mean", "value": "10"},
        ]
    ]
    (described,) = logs.describe_queries(logGroupName="g")["queries"]
    assert described["queryString"] == f'SOURCE "g" START={now - 60}000 END={now + 1}999 | {query}'


@pytest.mark.moto_deviates("moto evaluates hardly any of the language")
def test_a_query_that_cannot_be_is_refused_with_its_place(logs: Any) -> None:
    """MalformedQueryException carries the place beside its message, whatever client reads it."""
    with pytest.raises(ClientError) as info:
        logs.start_query(logGroupName="g", startTime=1, endTime=2, queryString="fields a |")
    response: Any = info.value.response
    assert response["Error"]["Code"] == "MalformedQueryException"
    assert response["queryCompileError"]["location"] == {"startCharOffset": 10, "endCharOffset": 10}
    assert response["queryCompileError"]["message"] in response["Error"]["Message"]


# --- names


def test_names_are_what_they_are(logs: Any, backend: Backend) -> None:
    """Long names, names that differ in case alone, that look like paths, and unicode streams: each is its own."""
    groups = ["a", "A", "a/b", ".", "..", "a/../b", "/", "#", "G", "x" * 512]
    streams = [
        "[$LATEST]",
        "2026/01/02/[$LATEST]0a",
        ".",
        "..",
        "a/b",
        "S",
        "ß",
        "日本語 🎉",
        "a%2Fb",
        "y" * 512,
    ]
    for name in groups:
        logs.create_log_group(logGroupName=name)
    for name in streams:
        logs.create_log_stream(logGroupName="..", logStreamName=name)
        events = [{"timestamp": backend.now, "message": f"of {name}"}]
        logs.put_log_events(logGroupName="..", logStreamName=name, logEvents=events)
    pages = logs.get_paginator("describe_log_groups").paginate()
    assert [each["logGroupName"] for page in pages for each in page["logGroups"]] == sorted([*groups, "g"])
    found = logs.describe_log_streams(logGroupName="..")["logStreams"]
    assert [each["logStreamName"] for each in found] == sorted(streams)
    for name in streams:
        assert texts(logs.get_log_events(logGroupName="..", logStreamName=name)) == [f"of {name}"]
    assert texts(logs.filter_log_events(logGroupName=".")) == []
    logs.delete_log_group(logGroupName=".")
    assert len(logs.filter_log_events(logGroupName="..")["events"]) == len(streams)


LAX = pytest.mark.moto_deviates("moto asks nothing but the length of a name")


@pytest.mark.parametrize(
    "name", ["x" * 513, *(pytest.param(name, marks=LAX) for name in ("aws/lambda", "a b", "é", "a*"))]
)
def test_names_that_cannot_be(logs: Any, name: str) -> None:
    """Too long, reserved, or with characters that groups' names don't have."""
    assert refusal(logs.create_log_group, logGroupName=name)[0] == "InvalidParameterException"


@LAX
@pytest.mark.parametrize("name", ["a:b", "a*b"])
def test_streams_that_cannot_be(logs: Any, name: str) -> None:
    """No colon and no star."""
    assert refusal(logs.create_log_stream, logGroupName="g", logStreamName=name)[0] == (
        "InvalidParameterException"
    )


# --- one pattern, one answer


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


# --- the rest of the operations


@pytest.mark.moto_deviates("moto speaks of a group where it means a stream")
def test_a_stream_is_deleted_once(logs: Any) -> None:
    """With its events; then it isn't there."""
    logs.delete_log_stream(logGroupName="g", logStreamName="s")
    assert logs.describe_log_streams(logGroupName="g")["logStreams"] == []
    assert refusal(logs.delete_log_stream, logGroupName="g", logStreamName="s") == (
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )


def test_tags_by_the_groups_name(logs: Any) -> None:
    """The older operations see what the newer ones do."""
    logs.tag_log_group(logGroupName="g", tags={"team": "shop", "env": "dev"})
    logs.untag_log_group(logGroupName="g", tags=["env"])
    assert logs.list_tags_log_group(logGroupName="g")["tags"] == {"team": "shop"}
    arn = logs.describe_log_groups()["logGroups"][0]["logGroupArn"]
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "shop"}


@pytest.mark.moto_deviates("moto doesn't have ListLogGroups")
def test_groups_are_listed_by_pattern(logs: Any) -> None:
    """By a part of the name."""
    logs.create_log_group(logGroupName="/aws/lambda/orders")
    found = logs.list_log_groups(logGroupNamePattern="orders")["logGroups"]
    assert [group["logGroupName"] for group in found] == ["/aws/lambda/orders"]


@pytest.mark.moto_deviates("moto doesn't have query definitions")
def test_query_definitions_are_kept(logs: Any) -> None:
    """Put, changed under their id, described by prefix, deleted once."""
    made = logs.put_query_definition(name="a/one", queryString="fields a")["queryDefinitionId"]
    logs.put_query_definition(name="a/two", queryString="fields b", queryDefinitionId=made)
    (found,) = logs.describe_query_definitions(queryDefinitionNamePrefix="a/")["queryDefinitions"]
    assert (found["queryDefinitionId"], found["name"], found["queryString"]) == (made, "a/two", "fields b")
    assert logs.delete_query_definition(queryDefinitionId=made)["success"] is True
    assert refusal(logs.delete_query_definition, queryDefinitionId=made)[0] == "ResourceNotFoundException"


def test_resource_policies_are_kept(logs: Any) -> None:
    """Put, described, deleted once."""
    document = '{"Version":"2012-10-17","Statement":[]}'
    logs.put_resource_policy(policyName="p", policyDocument=document)
    (found,) = logs.describe_resource_policies()["resourcePolicies"]
    assert (found["policyName"], found["policyDocument"]) == ("p", document)
    logs.delete_resource_policy(policyName="p")
    assert refusal(logs.delete_resource_policy, policyName="p")[0] == "ResourceNotFoundException"


@pytest.mark.moto_deviates("moto discovers no fields, and its rows point nowhere")
def test_rows_lead_to_their_events(logs: Any, backend: Backend) -> None:
    """A row's pointer gives all fields of its event; a group's fields are told with how many events have them."""
    put(logs, backend.now, '{"n": 1, "deep": {"a": "b"}}')
    window = {"startTime": backend.now // 1000 - 60, "endTime": backend.now // 1000 + 60}
    query_id = logs.start_query(logGroupName="g", queryString="fields n", **window)["queryId"]
    response = logs.get_query_results(queryId=query_id)
    while response["status"] in {"Scheduled", "Running"}:
        response = logs.get_query_results(queryId=query_id)
    (row,) = response["results"]
    record = logs.get_log_record(logRecordPointer={c["field"]: c["value"] for c in row}["@ptr"])["logRecord"]
    assert (record["n"], record["deep.a"]) == ("1", "b")
    fields = logs.get_log_group_fields(logGroupName="g")["logGroupFields"]
    assert {field["name"]: field["percent"] for field in fields}["n"] == 100
    # One that has ended can't be stopped.
    assert refusal(logs.stop_query, queryId=query_id)[0] == "InvalidParameterException"


@pytest.mark.moto_deviates("moto doesn't have deletion protection")
def test_a_protected_group_is_not_deleted(logs: Any) -> None:
    """Until its protection is taken off."""
    logs.put_log_group_deletion_protection(logGroupIdentifier="g", deletionProtectionEnabled=True)
    assert refusal(logs.delete_log_group, logGroupName="g")[0] == "ValidationException"
    logs.put_log_group_deletion_protection(logGroupIdentifier="g", deletionProtectionEnabled=False)
    logs.delete_log_group(logGroupName="g")
