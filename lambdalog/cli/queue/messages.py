"""lambdalog queue send, look, receive."""

from __future__ import annotations

import itertools
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from lambdalog.cli.options import interactive, json_option, open_cloud, store_option, write_line
from lambdalog.cli.queue.find import find_queue
from lambdalog.cli.records import json_line, pairs
from lambdalog.errors import ConfigError
from lambdalog.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lambdalog.clock import Clock

BATCH: Final = 10
# A body is shown in one line of this length, unless it is asked for whole.
SHOWN: Final = 120


@click.command(name="send")
@click.argument("queue")
@click.argument("body", required=False)
@click.option("--lines", is_flag=True, help="Each line of standard input is a message.")
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="A String attribute.")
@click.option("--delay", type=click.IntRange(0, 900), metavar="SECONDS", help="Hide it for so long first.")
@click.option("--group", metavar="ID", help="Message group; a FIFO queue needs one.")
@click.option("--dedup", metavar="ID", help="Deduplication id, of a FIFO queue.")
@json_option
@store_option
def send(
    queue: str,
    body: str | None,
    lines: bool,
    attributes: tuple[str, ...],
    delay: int | None,
    group: str | None,
    dedup: str | None,
    as_json: bool,
    store: str | None,
) -> None:
    """Send BODY, or standard input if it is - or missing; with --lines a message for each line."""
    if lines and body not in {None, "-"}:
        raise click.UsageError("--lines reads standard input; leave BODY out")
    if lines and dedup is not None:
        raise click.UsageError("--dedup is of one message; with --lines the queue's content has to tell")
    more: dict[str, Any] = {
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value}
            for name, value in pairs(attributes, "--attribute").items()
        },
        "DelaySeconds": delay,
        "MessageGroupId": group,
        "MessageDeduplicationId": dedup,
    }
    more = {name: value for name, value in more.items() if value not in ({}, None)}
    with open_cloud(store) as cloud:
        _, url = find_queue(cloud.sqs, queue)
        if lines:
            count = _send_lines(cloud.sqs, url, (line.rstrip("\r\n") for line in sys.stdin), more)
            click.echo(f"{count:,} message{'s' * (count != 1)} sent", err=True)
            return
        text = sys.stdin.read() if body in {None, "-"} else body
        sent = cloud.sqs.send_message(QueueUrl=url, MessageBody=str(text), **more)
    if as_json:
        json_line({name: value for name, value in sent.items() if name != "ResponseMetadata"})
    else:
        write_line(sent["MessageId"])


def _send_lines(sqs: Any, url: str, lines: Iterable[str], more: dict[str, Any]) -> int:
    """Send lines in batches; how many. ConfigError at the first that is refused, saying how many were sent."""
    count = 0
    full = (line for line in lines if line)
    while batch := list(itertools.islice(full, BATCH)):
        entries = [{"Id": str(number), "MessageBody": line, **more} for number, line in enumerate(batch)]
        response = sqs.send_message_batch(QueueUrl=url, Entries=entries)
        count += len(response.get("Successful", []))
        for entry in response.get("Failed", []):
            raise ConfigError(
                f"line {printable(batch[int(entry['Id'])][:40])!r} was refused: {entry.get('Message', entry['Code'])} "
                f"({count:,} were sent)"
            )
    return count


@click.command(name="look")
@click.argument("queue")
@click.option("--limit", "-n", type=click.IntRange(1), default=20, show_default=True, help="At most so many.")
@click.option("--whole", is_flag=True, help="Bodies as they are, not their beginnings.")
@click.option("--yes", is_flag=True, help="On AWS: don't ask where looks move messages away in the end.")
@json_option
@store_option
def look(queue: str, limit: int, whole: bool, yes: bool, as_json: bool, store: str | None) -> None:
    """Messages of a queue, oldest first, in flight or not; nothing is taken, hidden or counted.

    SQS itself can't do that: on AWS messages are received and given back at once, which counts as a receive. A queue that
    has a redrive policy moves its messages away after so many, so there it asks first.
    """
    with open_cloud(store) as cloud:
        sqs: Any = cloud.sqs
        name, url = find_queue(sqs, queue)
        found: Iterable[dict[str, Any]] = (
            _sample(sqs, name, url, limit, cloud.clock, sure=yes) if cloud.root is None else _peek(sqs, url)
        )
        _show(itertools.islice(found, limit), as_json=as_json, whole=whole)


def _peek(sqs: Any, url: str) -> Iterator[dict[str, Any]]:
    token: dict[str, Any] = {}
    while True:
        page = sqs.peek_messages(QueueUrl=url, **token)
        yield from page["Messages"]
        if "NextToken" not in page:
            return
        token = {"NextToken": page["NextToken"]}


def _sample(sqs: Any, queue: str, url: str, limit: int, clock: Clock, *, sure: bool) -> list[dict[str, Any]]:
    """Messages of a queue on AWS, oldest first: received and given back, once it is sure that they may be."""
    from lambdalog.failures.look import counts_receives, receive_and_give_back

    if not sure and counts_receives(sqs, url):
        _ask(queue)
    else:
        click.echo("On AWS each look counts as a receive.", err=True)
    received = receive_and_give_back(sqs, url, clock, most=limit)
    if received.note:
        click.echo(received.note, err=True)
    return sorted(
        received.messages, key=lambda message: int(message.get("Attributes", {}).get("SentTimestamp", 0))
    )


def _ask(queue: str) -> None:
    """Go on only if the look may count. UsageError if nobody can be asked, Abort if it may not."""
    why = (
        f"{printable(queue)} has a redrive policy of its own: each look counts as a receive, and in the end moves "
        "its messages away"
    )
    if not interactive(sys.stdin):
        raise click.UsageError(f"{why}; say --yes if it shall")
    click.confirm(f"{why}. Look all the same?", abort=True, err=True)


@click.command(name="receive")
@click.argument("queue")
@click.option("--limit", "-n", type=click.IntRange(1), default=1, show_default=True, help="At most so many.")
@click.option("--delete", is_flag=True, help="Delete each when it has been printed.")
@click.option(
    "--visibility",
    type=click.IntRange(0, 43_200),
    metavar="SECONDS",
    help="Hide them from others for so long.",
)
@click.option("--wait", type=click.IntRange(0, 20), default=0, metavar="SECONDS", help="Wait for the first.")
@click.option("--whole", is_flag=True, help="Bodies as they are, not their beginnings.")
@json_option
@store_option
def receive(
    queue: str,
    limit: int,
    delete: bool,
    visibility: int | None,
    wait: int,
    whole: bool,
    as_json: bool,
    store: str | None,
) -> None:
    """Receive messages: they are hidden from others for a while, and counted. Exit status 1 if there are none."""
    hidden: dict[str, Any] = {} if visibility is None else {"VisibilityTimeout": visibility}
    count = 0
    with open_cloud(store) as cloud:
        _, url = find_queue(cloud.sqs, queue)
        while count < limit:
            found: Any = cloud.sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(BATCH, limit - count),
                WaitTimeSeconds=0 if count else wait,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
                **hidden,
            ).get("Messages", [])
            if not found:
                break
            for message in found:
                _show([message], as_json=as_json, whole=whole)
                if delete:
                    cloud.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            count += len(found)
    if not count:
        click.echo("No message can be received.", err=True)
        raise SystemExit(1)


def _show(messages: Iterable[dict[str, Any]], *, as_json: bool, whole: bool) -> None:
    for message in messages:
        if as_json:
            json_line(message)
            continue
        if whole:
            for line in message["Body"].split("\n"):
                write_line(printable(line))
            continue
        system = message.get("Attributes", {})
        sent = datetime.fromtimestamp(int(system.get("SentTimestamp", 0)) / 1000).astimezone()
        body = message["Body"][: SHOWN + 1]
        short = f"{body[:SHOWN]}…" if len(body) > SHOWN else body
        times = system.get("ApproximateReceiveCount", "0")
        write_line(f"{sent:%Y-%m-%d %H:%M:%S}  {message['MessageId']}  {times:>3}x  {printable(short)}")
