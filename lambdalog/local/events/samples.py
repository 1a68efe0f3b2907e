"""Sample events by the names of `lambdalog event`'s commands, with what these take where nothing is said."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.events.api_gateway import Call, version_1, version_2
from lambdalog.local.events.bucket import ObjectChange, notification
from lambdalog.local.events.dynamodb import stream_event
from lambdalog.local.events.messages import queue_event, topic_event
from lambdalog.local.events.schedule import scheduled

if TYPE_CHECKING:
    from collections.abc import Callable

_BODY: Final = '{"sample": true}'


def s3(at: float, region: str, account: str) -> dict[str, Any]:
    """An object was put into a bucket."""
    change = ObjectChange(
        bucket="sample-bucket",
        key="folder/sample.png",
        event="ObjectCreated:Put",
        at=at,
        size=1024,
        etag=uuid.uuid4().hex,
        sequencer=f"{int(at * 1e9):018X}",
    )
    return notification([change], region=region, account=account, request_id=uuid.uuid4().hex[:16].upper())


def dynamodb(at: float, region: str, account: str) -> dict[str, Any]:
    """An item was put into a table."""
    label = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT00:00:00.000}"
    return stream_event(
        "INSERT",
        stream_arn=f"arn:aws:dynamodb:{region}:{account}:table/sample-table/stream/{label}",
        keys={"id": "1"},
        old=None,
        new={"id": "1"},
        at=at,
        region=region,
        sequence=int(at * 1000),
        event_id=uuid.uuid4().hex,
    )


def schedule(at: float, region: str, account: str) -> dict[str, Any]:
    """A rule's time has come."""
    arn = f"arn:aws:events:{region}:{account}:rule/sample-rule"
    return scheduled(event_id=str(uuid.uuid4()), rule_arn=arn, at=at, region=region, account=account)


def sqs(at: float, region: str, account: str) -> dict[str, Any]:
    """A message of a queue."""
    return queue_event(
        [_BODY],
        queue_arn=f"arn:aws:sqs:{region}:{account}:sample-queue",
        at=at,
        message_ids=[str(uuid.uuid4())],
        attributes={},
    )


def sns(at: float, region: str, account: str) -> dict[str, Any]:
    """A message of a topic."""
    return topic_event(
        _BODY,
        topic_arn=f"arn:aws:sns:{region}:{account}:sample-topic",
        at=at,
        message_id=str(uuid.uuid4()),
        subject=None,
        attributes={},
    )


def _call(at: float, region: str, account: str) -> Call:
    return Call(
        method="POST",
        path="/sample",
        body=None,
        at=at,
        request_id=str(uuid.uuid4()),
        account=account,
        region=region,
    )


def apigw(at: float, region: str, account: str) -> dict[str, Any]:
    """A request to an HTTP API."""
    return version_2(_call(at, region, account))


def apigw_rest(at: float, region: str, account: str) -> dict[str, Any]:
    """A request to a REST API."""
    return version_1(_call(at, region, account))


SAMPLES: Final[dict[str, Callable[[float, str, str], dict[str, Any]]]] = {
    "s3": s3,
    "sqs": sqs,
    "sns": sns,
    "dynamodb": dynamodb,
    "schedule": schedule,
    "apigw": apigw,
    "apigw --version 1": apigw_rest,
}
"""By how the command that prints it is called; each takes epoch seconds, a region and an account."""
