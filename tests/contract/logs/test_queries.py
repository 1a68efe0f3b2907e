"""CloudWatch Logs' contract: queries and live tail."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.logs.conftest import put
from tests.refusals import refusal

if TYPE_CHECKING:
    from tests.contract.conftest import Backend


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
    assert described == {
        "createTime": described["createTime"],
        "logGroupName": "g",
        "queryId": query_id,
        "queryLanguage": "CWLI",
        "queryString": f'SOURCE "g" START={now - 60}000 END={now + 1}999 | {query}',
        "status": "Complete",
    }
    assert logs.describe_queries(logGroupName="g", status="Scheduled")["queries"] == []


@pytest.mark.moto_deviates("moto evaluates hardly any of the language")
def test_a_query_that_cannot_be_is_refused_with_its_place(logs: Any) -> None:
    """MalformedQueryException carries the place beside its message, whatever client reads it."""
    with pytest.raises(ClientError) as info:
        logs.start_query(logGroupName="g", startTime=1, endTime=2, queryString="fields a |")
    response: Any = info.value.response
    assert response["Error"]["Code"] == "MalformedQueryException"
    assert response["queryCompileError"]["location"] == {"startCharOffset": 10, "endCharOffset": 10}
    assert response["queryCompileError"]["message"] in response["Error"]["Message"]


@pytest.mark.moto_deviates("moto doesn't have query definitions")
def test_query_definitions_are_kept(logs: Any) -> None:
    """Put, changed under their id, described by prefix, deleted once."""
    made = logs.put_query_definition(name="a/one", queryString="fields a")["queryDefinitionId"]
    logs.put_query_definition(name="a/two", queryString="fields b", queryDefinitionId=made)
    (found,) = logs.describe_query_definitions(queryDefinitionNamePrefix="a/")["queryDefinitions"]
    assert (found["queryDefinitionId"], found["name"], found["queryString"]) == (made, "a/two", "fields b")
    assert logs.delete_query_definition(queryDefinitionId=made)["success"] is True
    assert refusal(logs.delete_query_definition, queryDefinitionId=made)[0] == "ResourceNotFoundException"


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
