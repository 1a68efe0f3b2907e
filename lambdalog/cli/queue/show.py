"""lambdalog queue list, show."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from lambdalog.cli.options import json_option, open_cloud, store_option
from lambdalog.cli.queue.find import attributes_of, find_queue, queue_name
from lambdalog.cli.records import json_line, show_fields, show_table

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud

_COUNTS = {
    "messages": "ApproximateNumberOfMessages",
    "in flight": "ApproximateNumberOfMessagesNotVisible",
    "delayed": "ApproximateNumberOfMessagesDelayed",
}


@click.command(name="list")
@click.argument("prefix", required=False, default="")
@json_option
@store_option
def list_(prefix: str, as_json: bool, store: str | None) -> None:
    """All queues, or those whose names begin with PREFIX."""
    with open_cloud(store) as cloud:
        pages = cloud.sqs.get_paginator("list_queues").paginate(
            QueueNamePrefix=prefix, PaginationConfig={"PageSize": 1000}
        )
        records = []
        for url in (url for page in pages for url in page.get("QueueUrls", [])):
            # AWS lists a deleted queue for up to a minute.
            with suppress(cloud.sqs.exceptions.QueueDoesNotExist):
                records.append(_record(cloud, url))
    if as_json:
        for record in records:
            json_line(record)
    elif records:
        rows = [
            (record["QueueName"], *(record[name] for name in _COUNTS.values()), _failures(record))
            for record in records
        ]
        show_table(("queue", *_COUNTS, "failures go to"), rows)
    else:
        click.echo(f"No queue begins with {prefix}." if prefix else "There are no queues.")


def _record(cloud: Cloud, url: str) -> dict[str, Any]:
    return {"QueueName": queue_name(url), "QueueUrl": url, **attributes_of(cloud.sqs, url)}


def _failures(record: dict[str, Any]) -> str:
    if "RedrivePolicy" not in record:
        return ""
    policy = json.loads(record["RedrivePolicy"])
    return f"{queue_name(policy['deadLetterTargetArn'])} after {policy['maxReceiveCount']}"


@click.command(name="show")
@click.argument("queue")
@json_option
@store_option
def show(queue: str, as_json: bool, store: str | None) -> None:
    """A queue's attributes, what it holds, its tags, and the queues whose failures it takes."""
    with open_cloud(store) as cloud:
        name, url = find_queue(cloud.sqs, queue)
        record = _record(cloud, url)
        record["Tags"] = cloud.sqs.list_queue_tags(QueueUrl=url).get("Tags", {})
        pages = cloud.sqs.get_paginator("list_dead_letter_source_queues").paginate(
            QueueUrl=url, PaginationConfig={"PageSize": 1000}
        )
        record["Sources"] = [queue_name(source) for page in pages for source in page.get("queueUrls", [])]
    if as_json:
        json_line(record)
        return
    shown = {
        "name": name,
        "arn": record.pop("QueueArn"),
        "url": record.pop("QueueUrl"),
        "created": _moment(record.pop("CreatedTimestamp", None)),
        "changed": _moment(record.pop("LastModifiedTimestamp", None)),
        **{label: record.pop(key, "") for label, key in _COUNTS.items()},
        "failures go to": _failures(record),
        "takes failures of": " ".join(record.pop("Sources")),
        "tags": " ".join(f"{key}={value}" for key, value in sorted(record.pop("Tags").items())),
    }
    for key in ("QueueName", "RedrivePolicy"):
        record.pop(key, None)
    show_fields([*shown.items(), *sorted(record.items())])


def _moment(seconds: str | None) -> str:
    if seconds is None:
        return ""
    return datetime.fromtimestamp(int(seconds)).astimezone().strftime("%Y-%m-%d %H:%M:%S")
