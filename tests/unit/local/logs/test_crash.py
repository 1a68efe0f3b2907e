"""Deliveries and metric values under `kill -9`."""

from __future__ import annotations

import base64
import gzip
import json
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.cloud import connect
from lambdalog.store.maintenance import maintain

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud

# Says when it begins, then delivers and counts for ever.
WORKING = """
import sys
from lambdalog.cloud import connect
with connect(sys.argv[1]) as cloud:
    logs = cloud.logs
    print("ready", flush=True)
    while True:
        logs.metrics()
        logs.deliveries.once()
"""


def delivered(cloud: Cloud) -> list[str]:
    """The messages of all log events in the queue, which is emptied."""
    url = cloud.sqs.get_queue_url(QueueName="q")["QueueUrl"]
    found: list[str] = []
    while messages := cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            body = json.loads(gzip.decompress(base64.b64decode(message["Body"])))
            if body["messageType"] == "DATA_MESSAGE":
                found += [event["message"] for event in body["logEvents"]]
            cloud.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


@pytest.mark.parametrize("trials", [3, pytest.param(100, marks=pytest.mark.long)])
def test_nothing_is_lost_when_who_delivers_is_killed(store_path: Path, trials: int) -> None:
    """Killed anywhere: each event is delivered at least once, and counts in its metric exactly once."""
    rnd = random.Random(trials)
    target = f"disk:{store_path}"
    written: list[str] = []
    with connect(target) as cloud:
        logs: Any = cloud.logs
        logs.create_log_group(logGroupName="g")
        for stream in "abc":
            logs.create_log_stream(logGroupName="g", logStreamName=stream)
        queue = cloud.sqs.create_queue(QueueName="q")["QueueUrl"]
        arn = cloud.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        logs.put_subscription_filter(
            logGroupName="g", filterName="f", filterPattern="event", destinationArn=arn
        )
        logs.put_metric_filter(
            logGroupName="g",
            filterName="m",
            filterPattern="event",
            metricTransformations=[{"metricName": "n", "metricNamespace": "app", "metricValue": "1"}],
        )
        found: list[str] = []
        for trial in range(trials):
            with subprocess.Popen([sys.executable, "-c", WORKING, target], stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                process.stdout.readline()
                for number in range(rnd.randrange(1, 30)):
                    texts = [f"event {trial} {number} {each}" for each in range(rnd.randrange(1, 200))]
                    written += texts
                    now = time.time_ns() // 10**6
                    logs.put_log_events(
                        logGroupName="g",
                        logStreamName=rnd.choice("abc"),
                        logEvents=[{"timestamp": now, "message": text} for text in texts],
                    )
                process.kill()
            if trial % 2:
                assert cloud.store is not None
                cloud.store.release(0)
                maintain(cloud.store, everything=True)
            found += delivered(cloud)
        logs.deliveries.once()
        found += delivered(cloud)
        assert set(found) == set(written)
        values = logs.metric_values("app", "n", 0, 10**13)
        assert sum(value.sum for value in values) == len(written)
