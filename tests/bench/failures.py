"""The inbox and replay: a hundred thousand dead letters by fingerprint, and what a replay adds to an invocation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lambdalog.cloud import Cloud, connect
from lambdalog.failures import Desk, Destination, Inbox, Pace
from lambdalog.local.lambda_.deploy import deploy
from lambdalog.runtime.project import Project
from tests.bench.harness import Bench, Figure, Row, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LETTERS = 100_000
KINDS = 200
INVOCATIONS = 300


def letters(cloud: Cloud, count: int) -> None:
    """Dead letters of `pay` in `pay-dlq`, with the line that its handler logged for each."""
    sqs, logs = cloud.client("sqs"), cloud.client("logs")
    url = sqs.create_queue(QueueName="pay-dlq")["QueueUrl"]
    logs.create_log_group(logGroupName="/aws/lambda/pay")
    logs.create_log_stream(logGroupName="/aws/lambda/pay", logStreamName="s")
    now = cloud.clock.now_ms()
    for start in range(0, count, 1000):
        lines = []
        for number in range(start, min(start + 1000, count)):
            kind = number % KINDS
            failure = {
                "type": f"Error{kind}",
                "message": f"order {number} failed",
                "fingerprint": f"{kind:016x}",
                "frames": [{"file": "/var/task/app.py", "line": 7, "function": "handler", "code": "raise x"}]
                * 3,
            }
            record = {
                "level": "ERROR",
                "message": f"Error{kind}: order {number} failed",
                "requestId": f"{number:08d}-0000-4000-8000-000000000000",
                "function": "pay",
                "version": "$LATEST",
                "errorType": f"Error{kind}",
                "failure": failure,
            }
            lines.append(
                {"timestamp": now - count + number, "message": json.dumps(record, separators=(",", ":"))}
            )
        logs.put_log_events(logGroupName="/aws/lambda/pay", logStreamName="s", logEvents=lines)
    with sqs.durably():
        for start in range(0, count, 10):
            entries = [
                {
                    "Id": str(number),
                    "MessageBody": json.dumps({"id": number, "customer": "ada", "items": [1, 2, 3]}),
                    "MessageAttributes": {
                        "RequestID": {
                            "DataType": "String",
                            "StringValue": f"{number:08d}-0000-4000-8000-000000000000",
                        },
                        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
                        "ErrorMessage": {"DataType": "String", "StringValue": f"order {number} failed"},
                    },
                }
                for number in range(start, min(start + 10, count))
            ]
            sqs.send_message_batch(QueueUrl=url, Entries=entries)


def function(cloud: Cloud, folder: Path) -> Any:
    """The function `pay`, which succeeds at once."""
    folder.mkdir()
    (folder / "app.py").write_text("def handler(event, context):\n    return 'ok'\n")
    deploy(cloud.client("lambda"), cloud.sqs, Project("pay", "app.handler", folder))
    return cloud.client("lambda")


def grouping(folder: Path) -> Iterator[Row]:
    """Read the queue and the log, join them, group: the first time, and when the letters are known."""
    with connect(f"disk:{folder / 'store'}") as cloud:
        function(cloud, folder / "code")
        letters(cloud, LETTERS)

        def cold() -> None:
            assert len(Inbox(cloud).groups()) == KINDS

        inbox = Inbox(cloud)
        inbox.groups()
        what = f"inbox: {LETTERS:,} dead letters joined with their log, in {KINDS} groups"
        yield Row(what, Figure(seconds(cold, times=3), "s"))
        yield Row("inbox: the same again, nothing changed", Figure(seconds(inbox.groups, times=3), "s"))

        url = cloud.sqs.get_queue_url(QueueName="pay-dlq")["QueueUrl"]

        def one_more() -> None:
            cloud.sqs.send_message(QueueUrl=url, MessageBody="{}")
            inbox.groups()

        yield Row("inbox: one letter more, the others known", Figure(seconds(one_more, times=3), "s"))


def replaying(folder: Path) -> Iterator[Row]:
    """What journal, lease and deletion add to each invocation."""
    with connect(f"disk:{folder / 'store'}") as cloud, Desk(cloud) as desk:
        client = function(cloud, folder / "code")
        letters(cloud, 2 * INVOCATIONS)
        client.invoke(FunctionName="pay", Payload=b"{}")

        def bare() -> None:
            for _ in range(INVOCATIONS):
                client.invoke(FunctionName="pay", Payload=b'{"id": 1}')["Payload"].read()

        plain = seconds(bare, times=3) / INVOCATIONS
        whole = desk.plan("pay-dlq")
        half = len(whole.letters) // 2
        taken = []
        for part in (whole.letters[:half], whole.letters[half:]):
            run = desk.begin(type(whole)(whole.queue, whole.destination, part), pace=Pace())
            taken.append(seconds(lambda run=run: desk.run(run.id), times=1) / half)  # type: ignore[misc]
        yield Row(
            "replay: one item, with journal (FULL), lease and deletion",
            Figure(min(taken) * 1000, "ms"),
            "the bare invoke",
            Figure(plain * 1000, "ms"),
        )
        yield Row("replay: overhead an item", Figure((min(taken) - plain) * 1000, "ms"))
        letters_again(cloud)
        planned = desk.plan("again-dlq", destination=Destination("queue", "out"))
        run = desk.begin(planned, pace=Pace())
        rate = len(planned.letters) / seconds(lambda: desk.run(run.id), times=1)
        yield Row("replay: messages back to a queue", Figure(rate, "/s"))


def letters_again(cloud: Cloud) -> None:
    """Messages that go to a queue."""
    sqs = cloud.client("sqs")
    for name in ("again-dlq", "out"):
        sqs.create_queue(QueueName=name)
    url = sqs.get_queue_url(QueueName="again-dlq")["QueueUrl"]
    for number in range(2000):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))


def benches() -> list[Bench]:
    """The benches of this room."""
    return [Bench("inbox", grouping), Bench("replay", replaying)]
