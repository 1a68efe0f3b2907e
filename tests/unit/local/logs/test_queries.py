"""The operations on queries, their definitions, and what they find."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lambdalog.cloud import connect
from lambdalog.local.logs import queries
from lambdalog.query.insights import Run
from tests.refusals import refusal

if TYPE_CHECKING:
    from lambdalog.clock import ManualClock
    from lambdalog.cloud import Cloud


@pytest.fixture
def logs(manual_cloud: Cloud, clock: ManualClock) -> Any:
    """A client with a group of a hundred events, a second apart, up to now."""
    client = manual_cloud.logs
    client.create_log_group(logGroupName="g")
    client.create_log_stream(logGroupName="g", logStreamName="s")
    now = clock.now_ms()
    client.put_log_events(
        logGroupName="g",
        logStreamName="s",
        logEvents=[
            {"timestamp": now - (99 - number) * 1000, "message": f'{{"n": {number}}}'}
            for number in range(100)
        ],
    )
    return client


def window(clock: ManualClock, seconds: int = 99) -> dict[str, int]:
    """The last seconds, both ends inclusive."""
    now = clock.now_ms() // 1000
    return {"startTime": now - seconds, "endTime": now}


def results(logs: Any, query_id: str) -> dict[str, Any]:
    """A query's results once it has ended."""
    until, pause = time.monotonic() + 60, threading.Event()
    while True:
        response: dict[str, Any] = logs.get_query_results(queryId=query_id)
        if response["status"] not in {"Scheduled", "Running"} or time.monotonic() > until:
            return response
        pause.wait(0.01)


def ask(logs: Any, text: str, **params: Any) -> dict[str, Any]:
    """Start a query and wait for it."""
    return results(logs, logs.start_query(logGroupName="g", queryString=text, **params)["queryId"])


def test_a_query_runs_to_its_end(logs: Any, clock: ManualClock) -> None:
    """Both ends of its time are inclusive seconds; the result has its rows and what it took."""
    response = ask(logs, "filter n >= 50 | stats count(*) as n", **window(clock, 9))
    assert response["results"] == [[{"field": "n", "value": "10"}]]
    assert (response["status"], response["queryLanguage"]) == ("Complete", "CWLI")
    assert response["statistics"]["recordsMatched"] == 10
    assert response["statistics"]["logGroupsScanned"] == 1
    assert len(ask(logs, "fields n", limit=3, **window(clock))["results"]) == 3


def test_rows_point_to_their_events(logs: Any, clock: ManualClock) -> None:
    """GetLogRecord gives all fields of what @ptr names; what is no pointer is refused."""
    (row,) = ask(logs, "fields @timestamp | filter n = 42", **window(clock))["results"]
    pointer = {cell["field"]: cell["value"] for cell in row}["@ptr"]
    record = logs.get_log_record(logRecordPointer=pointer)["logRecord"]
    assert (record["n"], record["@message"], record["@log"]) == ("42", '{"n": 42}', "g")
    assert record["@timestamp"] == str(clock.now_ms() - 57_000)
    assert refusal(logs.get_log_record, logRecordPointer="nonsense")[0] == "InvalidParameterException"
    logs.delete_log_stream(logGroupName="g", logStreamName="s")
    assert refusal(logs.get_log_record, logRecordPointer=pointer)[0] == "ResourceNotFoundException"


def test_results_are_pages_and_are_kept(logs: Any, manual_cloud: Cloud, clock: ManualClock) -> None:
    """Pages lead on by tokens; another process reads them too."""
    query_id = logs.start_query(logGroupName="g", queryString="fields n | sort n", **window(clock))["queryId"]
    results(logs, query_id)
    with connect(str(manual_cloud.target), clock=clock) as other:
        found, token = [], None
        while True:
            more: dict[str, Any] = {} if token is None else {"nextToken": token}
            page = other.logs.get_query_results(queryId=query_id, maxItems=30, **more)
            found += [row[0]["value"] for row in page["results"]]
            token = page.get("nextToken")
            if token is None:
                break
    assert found == [str(number) for number in range(100)]
    assert refusal(logs.get_query_results, queryId="none")[0] == "ResourceNotFoundException"


def test_a_malformed_query_tells_its_place(logs: Any, clock: ManualClock) -> None:
    """The error has what is wrong and where it stands."""
    with pytest.raises(ClientError) as info:
        logs.start_query(logGroupName="g", queryString="fields a | bogus b", **window(clock))
    assert info.value.response["Error"]["Code"] == "MalformedQueryException"
    response: Any = info.value.response
    assert response["queryCompileError"]["location"] == {
        "startCharOffset": 11,
        "endCharOffset": 16,
    }
    assert info.value.response["Error"]["Message"].startswith(
        "unexpected symbol found bogus at line 1 and position 12"
    )


def test_a_query_needs_groups_and_a_time(logs: Any, clock: ManualClock) -> None:
    """None, two ways of naming them, one that isn't there, a time that ends before it begins."""
    start, asked = logs.start_query, {"queryString": "fields a", **window(clock)}
    assert refusal(start, **asked)[0] == "InvalidParameterException"
    assert refusal(start, logGroupName="g", logGroupNames=["g"], **asked)[0] == "InvalidParameterException"
    assert (
        refusal(start, logGroupNames=[f"g{n}" for n in range(51)], **asked)[0] == "InvalidParameterException"
    )
    assert refusal(start, logGroupNames=["g", "none"], **asked) == (
        "ResourceNotFoundException",
        "Log group 'none' does not exist for account ID '000000000000'",
    )
    assert (
        refusal(start, logGroupName="g", queryString="", startTime=2, endTime=1)[0]
        == "InvalidParameterException"
    )
    assert refusal(start, logGroupName="g", queryLanguage="SQL", **asked)[0] == "InvalidParameterException"


def test_a_running_query_is_seen_and_can_be_stopped(
    logs: Any, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it runs it says so; stopped, it ends as Cancelled; ended, it can't be stopped."""
    go = threading.Event()
    rows = Run.rows

    def held(self: Run) -> Any:
        go.wait(60)
        yield from rows(self)

    monkeypatch.setattr(Run, "rows", held)
    query_id = logs.start_query(logGroupName="g", queryString="fields n", **window(clock))["queryId"]
    assert logs.get_query_results(queryId=query_id)["status"] in {"Scheduled", "Running"}
    assert logs.stop_query(queryId=query_id)["success"] is True
    go.set()
    assert results(logs, query_id)["status"] == "Cancelled"
    assert refusal(logs.stop_query, queryId=query_id)[0] == "InvalidParameterException"
    assert logs.describe_queries(status="Complete")["queries"] == []


def test_too_many_at_once_are_refused(logs: Any, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The quota of concurrent queries holds."""
    monkeypatch.setattr(queries, "CONCURRENT_MAX", 0)
    with pytest.raises(ClientError) as info:
        logs.start_query(logGroupName="g", queryString="", **window(clock))
    assert info.value.response["Error"]["Code"] == "LimitExceededException"


def test_what_would_take_too_much_fails(
    logs: Any, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query that is refused while it runs is Failed."""
    monkeypatch.setattr(queries, "RESULT_BYTES_MAX", 10)
    assert ask(logs, "fields @message", **window(clock))["status"] == "Failed"


def test_queries_are_described_as_aws_does(logs: Any, clock: ManualClock) -> None:
    """The newest first, their text with groups and times before it; by group and status."""
    ask(logs, "fields @message", **window(clock))
    (query,) = logs.describe_queries(logGroupName="g")["queries"]
    start, end = window(clock).values()
    assert {key: query[key] for key in query if key != "queryId"} == {
        "queryLanguage": "CWLI",
        "queryString": f'SOURCE "g" START={start}000 END={end}999 | fields @message',
        "status": "Complete",
        "createTime": clock.now_ms(),
        "logGroupName": "g",
    }
    assert logs.describe_queries(logGroupName="g", status="Scheduled")["queries"] == []
    clock.advance(8 * 86_400)
    ask(logs, "fields @message", **window(clock))
    assert len(logs.describe_queries()["queries"]) == 1


def test_fields_of_a_group_are_discovered(logs: Any, clock: ManualClock) -> None:
    """Each with how many of the events have it, the most frequent first."""
    events = [{"timestamp": clock.now_ms(), "message": "plain"}] * 100
    logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)
    fields = {
        each["name"]: each["percent"]
        for each in logs.get_log_group_fields(logGroupName="g")["logGroupFields"]
    }
    assert (fields["@message"], fields["n"]) == (100, 50)
    assert logs.get_log_group_fields(logGroupName="g", time=1_000_000_000)["logGroupFields"] == []


def test_definitions_are_kept(logs: Any) -> None:
    """Put, changed, described by prefix, deleted."""
    first = logs.put_query_definition(name="a/one", queryString="fields a", logGroupNames=["g"])[
        "queryDefinitionId"
    ]
    logs.put_query_definition(name="b", queryString="fields b")
    logs.put_query_definition(name="a/two", queryString="fields c", queryDefinitionId=first)
    (found,) = logs.describe_query_definitions(queryDefinitionNamePrefix="a/")["queryDefinitions"]
    assert (found["name"], found["queryString"], found["logGroupNames"]) == ("a/two", "fields c", [])
    assert len(logs.describe_query_definitions(maxResults=1)["queryDefinitions"]) == 1
    assert logs.delete_query_definition(queryDefinitionId=first)["success"] is True
    assert refusal(logs.delete_query_definition, queryDefinitionId=first)[0] == "ResourceNotFoundException"
    missing = refusal(logs.put_query_definition, name="x", queryString="y", queryDefinitionId=first)
    assert missing[0] == "ResourceNotFoundException"


def test_policies_are_kept(logs: Any) -> None:
    """Ten of them; described, changed, deleted; what is no JSON is refused."""
    for number in range(10):
        logs.put_resource_policy(policyName=f"p{number}", policyDocument="{}")
    logs.put_resource_policy(policyName="p1", policyDocument='{"a": 1}')
    found = logs.describe_resource_policies()["resourcePolicies"]
    assert [each["policyName"] for each in found] == [f"p{number}" for number in range(10)]
    assert found[1]["policyDocument"] == '{"a": 1}'
    put = logs.put_resource_policy
    assert refusal(put, policyName="more", policyDocument="{}")[0] == "LimitExceededException"
    assert refusal(put, policyName="p1", policyDocument="{")[0] == "InvalidParameterException"
    logs.delete_resource_policy(policyName="p1")
    assert refusal(logs.delete_resource_policy, policyName="p1") == (
        "ResourceNotFoundException",
        "Policy with name [p1] does not exist",
    )


def test_groups_are_listed(logs: Any) -> None:
    """By parts of the name, by what it begins with, by tags."""
    logs.create_log_group(logGroupName="/aws/lambda/orders", tags={"team": "a"})
    logs.create_log_group(logGroupName="/aws/lambda/users")

    def listed(**params: Any) -> list[str]:
        return [group["logGroupName"] for group in logs.list_log_groups(**params)["logGroups"]]

    assert listed(logGroupNamePattern="orders|users") == ["/aws/lambda/orders", "/aws/lambda/users"]
    assert listed(logGroupNamePattern="^/aws/lambda/o") == ["/aws/lambda/orders"]
    assert listed(logGroupNamePattern="^lambda") == []
    assert listed(logGroupTags=[{"key": "team", "values": ["a"]}]) == ["/aws/lambda/orders"]
    assert listed(limit=1) == ["/aws/lambda/orders"]
