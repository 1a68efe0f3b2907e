"""lambdalog event: sample events, as AWS's services make them."""

from __future__ import annotations

import json
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

import click

from lambdalog.cli.lazy import Group
from lambdalog.cli.options import write_line
from lambdalog.cli.records import pairs
from lambdalog.settings import LOCAL_ACCOUNT, region

if TYPE_CHECKING:
    from collections.abc import Callable

_WHERE = (
    click.option("--region", "where", metavar="REGION", help="[default: AWS_REGION, or us-east-1]"),
    click.option("--account", default=LOCAL_ACCOUNT, show_default=True, metavar="NUMBER"),
    click.option("--at", metavar="TIME", help="2026-01-02T03:04:05, in UTC.  [default: now]"),
)


def _placed(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_WHERE):
        function = option(function)
    return function


@click.group(name="event", cls=Group)
def command() -> None:
    """Print a sample event, to be given to `lambdalog invoke FUNCTION --event -`."""


@command.command(name="s3")
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--bucket", default="sample-bucket", show_default=True)
@click.option("--delete", "deleted", is_flag=True, help="The objects were deleted, not put.")
@click.option("--size", type=click.IntRange(0), default=1024, show_default=True, metavar="BYTES")
@_placed
def s3(
    keys: tuple[str, ...],
    bucket: str,
    deleted: bool,
    size: int,
    where: str | None,
    account: str,
    at: str | None,
) -> None:
    """S3: objects KEY were put into a bucket, or deleted from it."""
    from lambdalog.local.events.bucket import ObjectChange, notification

    moment = _moment(at)
    changes = [
        ObjectChange(
            bucket=bucket,
            key=key,
            event="ObjectRemoved:Delete" if deleted else "ObjectCreated:Put",
            at=moment,
            size=size,
            etag=uuid.uuid4().hex,
            sequencer=f"{int(moment * 1e9):018X}",
        )
        for key in keys or ("folder/sample.png",)
    ]
    _print(
        notification(
            changes, region=where or region(), account=account, request_id=uuid.uuid4().hex[:16].upper()
        )
    )


@command.command(name="dynamodb")
@click.option("--table", default="sample-table", show_default=True)
@click.option("--keys", default='{"id": "1"}', show_default=True, metavar="JSON", help="The item's keys.")
@click.option("--new", metavar="JSON", help="The item as it is now; plain JSON.")
@click.option("--old", metavar="JSON", help="The item as it was; plain JSON.")
@_placed
def dynamodb(
    table: str, keys: str, new: str | None, old: str | None, where: str | None, account: str, at: str | None
) -> None:
    """A DynamoDB stream: an insert with --new, a removal with --old, a change with both (an insert with neither)."""
    from datetime import UTC, datetime

    from lambdalog.local.events.dynamodb import Change, stream_event

    key = _object(keys, "--keys")
    after = None if new is None else key | _object(new, "--new")
    before = None if old is None else key | _object(old, "--old")
    change: Change = "MODIFY"
    if before is None:
        after, change = after or key, "INSERT"
    elif after is None:
        change = "REMOVE"
    moment, placed = _moment(at), where or region()
    label = f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT00:00:00.000}"
    _print(
        stream_event(
            change,
            stream_arn=f"arn:aws:dynamodb:{placed}:{account}:table/{table}/stream/{label}",
            keys=key,
            old=before,
            new=after,
            at=moment,
            region=placed,
            sequence=int(moment * 1000),
            event_id=uuid.uuid4().hex,
        )
    )


@command.command(name="schedule")
@click.option("--rule", default="sample-rule", show_default=True)
@_placed
def schedule(rule: str, where: str | None, account: str, at: str | None) -> None:
    """EventBridge: a rule's time has come."""
    from lambdalog.local.events.schedule import scheduled

    placed = where or region()
    arn = f"arn:aws:events:{placed}:{account}:rule/{rule}"
    _print(
        scheduled(event_id=str(uuid.uuid4()), rule_arn=arn, at=_moment(at), region=placed, account=account)
    )


@command.command(name="sqs")
@click.argument("bodies", nargs=-1, metavar="[BODY]...")
@click.option("--queue", default="sample-queue", show_default=True)
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="Of each message.")
@_placed
def sqs(
    bodies: tuple[str, ...],
    queue: str,
    attributes: tuple[str, ...],
    where: str | None,
    account: str,
    at: str | None,
) -> None:
    """SQS: a batch of messages; a BODY of - is read from standard input."""
    from lambdalog.local.events.messages import queue_event

    texts = [sys.stdin.read() if body == "-" else body for body in bodies or ('{"sample": true}',)]
    _print(
        queue_event(
            texts,
            queue_arn=f"arn:aws:sqs:{where or region()}:{account}:{queue}",
            at=_moment(at),
            message_ids=[str(uuid.uuid4()) for _ in texts],
            attributes=pairs(attributes, "--attribute"),
        )
    )


@command.command(name="sns")
@click.argument("message", default='{"sample": true}')
@click.option("--topic", default="sample-topic", show_default=True)
@click.option("--subject", metavar="TEXT")
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=VALUE")
@_placed
def sns(
    message: str,
    topic: str,
    subject: str | None,
    attributes: tuple[str, ...],
    where: str | None,
    account: str,
    at: str | None,
) -> None:
    """SNS: a message was published; a MESSAGE of - is read from standard input."""
    from lambdalog.local.events.messages import topic_event

    _print(
        topic_event(
            sys.stdin.read() if message == "-" else message,
            topic_arn=f"arn:aws:sns:{where or region()}:{account}:{topic}",
            at=_moment(at),
            message_id=str(uuid.uuid4()),
            subject=subject,
            attributes=pairs(attributes, "--attribute"),
        )
    )


@command.command(name="apigw")
@click.option(
    "--version", type=click.Choice(["1", "2"]), default="2", show_default=True, help="1: REST, 2: HTTP."
)
@click.option("--method", default="POST", show_default=True)
@click.option("--path", default="/sample", show_default=True)
@click.option(
    "--query", multiple=True, metavar="NAME=VALUE", help="May be given several times, for a name too."
)
@click.option("--header", "headers", multiple=True, metavar="NAME=VALUE")
@click.option("--body", metavar="TEXT", help="- reads standard input.")
@_placed
def apigw(
    version: str,
    method: str,
    path: str,
    query: tuple[str, ...],
    headers: tuple[str, ...],
    body: str | None,
    where: str | None,
    account: str,
    at: str | None,
) -> None:
    """API Gateway: a request to an API, as a proxy integration gives it."""
    from lambdalog.local.events.api_gateway import Call, version_1, version_2

    if not path.startswith("/"):
        raise click.UsageError(f"--path {path}: a path begins with /")
    call = Call(
        method=method.upper(),
        path=path,
        body=sys.stdin.read() if body == "-" else body,
        at=_moment(at),
        request_id=str(uuid.uuid4()),
        account=account,
        region=where or region(),
        query=tuple(next(iter(pairs([text], "--query").items())) for text in query),
        headers=pairs(headers, "--header"),
    )
    _print(version_1(call) if version == "1" else version_2(call))


def _moment(at: str | None) -> float:
    from datetime import UTC, datetime

    if at is None:
        return time.time()
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise click.UsageError(f"--at {at}: write a time as 2026-01-02T03:04:05") from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _object(text: str, option: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"{option} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise click.UsageError(f'{option} is no object; write {{"name": "value"}}')
    return found


def _print(event: dict[str, Any]) -> None:
    write_line(json.dumps(event, indent=2))
