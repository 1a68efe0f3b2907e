"""Powertools for AWS Lambda, in a function."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

from tests.clients.conftest import installed, recipes

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.testing import LocalCloud

ROLE = "arn:aws:iam::000000000000:role/any"
RUNTIME = "python3.11"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:orders"


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip file of these."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def layer(folder: Path) -> bytes:
    """What is installed in a folder, as a layer."""
    return zipped(
        {
            f"python/{path.relative_to(folder)}": path.read_bytes()
            for path in sorted(folder.rglob("*.py"))
            if "tests" not in path.parts
        }
    )


def test_the_recipe(cloud: LocalCloud) -> None:
    """With Powertools as a layer: it tells which of a batch failed, its log lines and its metrics are in the log."""
    powertools = layer(installed("powertools"))
    functions = cloud.client("lambda")
    published = functions.publish_layer_version(
        LayerName="powertools", Content={"ZipFile": powertools}, CompatibleRuntimes=[RUNTIME]
    )
    functions.create_function(
        FunctionName="charge",
        Runtime=RUNTIME,
        Handler="app.handler",
        Role=ROLE,
        Timeout=60,
        Layers=[published["LayerVersionArn"]],
        Code={"ZipFile": zipped({"app.py": recipes("Powertools for AWS Lambda", "python")[0].encode()})},
    )
    records = [
        {"messageId": str(number), "receiptHandle": "h", "body": json.dumps({"id": number, "amount": amount})}
        for number, amount in ((1, 5), (2, -1), (3, 7))
    ]
    common = {"attributes": {}, "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "us-east-1"}
    event = {"Records": [record | common | {"md5OfBody": "", "eventSourceARN": QUEUE} for record in records]}
    answer = functions.invoke(FunctionName="charge", Payload=json.dumps(event))
    assert json.load(answer["Payload"]) == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    lines = [json.loads(text) for text in cloud.messages("charge", "{ $.message = charged }")]
    assert [line["order_id"] for line in lines] == [1, 3]
    assert {(line["service"], line["function_name"]) for line in lines} == {("shop", "charge")}
    (metrics,) = cloud.messages("charge", "{ $._aws.Timestamp > 0 }")
    assert json.loads(metrics)["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Shop"
