"""boto3's paginators and waiters, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.cloud import SERVICES
from tests.clients.test_powertools import ROLE, RUNTIME, zipped

if TYPE_CHECKING:
    from lambdalog.testing import LocalCloud

CODE = zipped({"app.py": b"def handler(event, context): return event\n"})
GROUP = {"logGroupName": "/g/0"}


@pytest.fixture
def filled(cloud: LocalCloud) -> LocalCloud:
    """Three of everything."""
    logs, sqs, sns, functions = (cloud.client(name) for name in SERVICES)
    now = cloud.store.clock.now_ms()
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": 3}}'
    functions.create_function(
        FunctionName="f0", Runtime=RUNTIME, Handler="app.handler", Role=ROLE, Code={"ZipFile": CODE}
    )
    for n in range(3):
        logs.create_log_group(logGroupName=f"/g/{n}")
        logs.create_log_stream(**GROUP, logStreamName=f"s{n}")
        events = [{"timestamp": now, "message": f"m{n}"}]
        logs.put_log_events(**GROUP, logStreamName=f"s{n}", logEvents=events)
        change = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
        logs.put_metric_filter(**GROUP, filterName=f"m{n}", filterPattern="", metricTransformations=[change])
        sqs.create_queue(QueueName=f"q{n}", Attributes={"RedrivePolicy": redrive})
        topic = sns.create_topic(Name=f"t{n}")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        for kind in ("b", "c"):
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"{arn[:-4]}q{n}{kind}")
        if n:
            functions.create_function(
                FunctionName=f"f{n}",
                Runtime=RUNTIME,
                Handler="app.handler",
                Role=ROLE,
                Code={"ZipFile": CODE},
            )
        functions.create_alias(FunctionName="f0", Name=f"a{n}", FunctionVersion="$LATEST")
        functions.publish_layer_version(LayerName="l", Content={"ZipFile": zipped({f"python/{n}.py": b""})})
        source = arn.replace("dead", f"q{n}")
        functions.create_event_source_mapping(FunctionName="f0", EventSourceArn=source, Enabled=False)
    return cloud


# (service, paginator, arguments, what is counted, how many there are)
PAGES: list[tuple[str, str, dict[str, Any], str, int]] = [
    ("logs", "describe_log_groups", {}, "logGroups", 3),
    ("logs", "describe_log_streams", GROUP, "logStreams", 3),
    ("logs", "filter_log_events", GROUP, "events", 3),
    ("logs", "describe_metric_filters", GROUP, "metricFilters", 3),
    ("sqs", "list_queues", {}, "QueueUrls", 4),
    ("sqs", "list_dead_letter_source_queues", {"QueueUrl": "dead"}, "queueUrls", 3),
    ("sns", "list_topics", {}, "Topics", 3),
    ("sns", "list_subscriptions", {}, "Subscriptions", 9),
    ("lambda", "list_functions", {}, "Functions", 3),
    ("lambda", "list_aliases", {"FunctionName": "f0"}, "Aliases", 3),
    ("lambda", "list_versions_by_function", {"FunctionName": "f0"}, "Versions", 1),
    ("lambda", "list_layer_versions", {"LayerName": "l"}, "LayerVersions", 3),
    ("lambda", "list_event_source_mappings", {}, "EventSourceMappings", 3),
]


def test_paginators(filled: LocalCloud) -> None:
    """Page by page, each with one entry where the operation takes a page's size, they find everything once."""
    for service, name, params, member, count in PAGES:
        client = filled.client(service)
        arguments = dict(params)
        if "QueueUrl" in params:
            arguments["QueueUrl"] = client.get_queue_url(QueueName=params["QueueUrl"])["QueueUrl"]
        paginator = client.get_paginator(name)
        sized = "limit_key" in paginator._pagination_cfg
        config = {"PageSize": 1} if sized else {}
        pages = list(paginator.paginate(**arguments, PaginationConfig=config))
        found = [repr(entry) for page in pages for entry in page.get(member, [])]
        assert (len(found), len(set(found))) == (count, count), name
        assert not sized or all(len(page.get(member, [])) <= 1 for page in pages), name


def test_waiters(filled: LocalCloud) -> None:
    """Each waiter that Lambda's client has comes to its end."""
    functions = filled.client("lambda")
    functions.publish_version(FunctionName="f0")
    assert len(functions.waiter_names) >= 6
    for name in functions.waiter_names:
        version = {"Qualifier": "1"} if name.startswith("published") else {}
        functions.get_waiter(name).wait(FunctionName="f0", **version)
