"""Functions to be tested, and pytest to run other people's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

ORDERS = """
import json, os, boto3

def handler(event, context):
    print("order", event["id"])
    boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody=json.dumps(event["id"]))
    return {"charged": event["id"]}

def broken(event, context):
    print("trying", event.get("id"))
    raise ValueError("no such order")

def reads(event, context):
    for record in event["Records"]:
        print("read", record["body"])
        if record["body"] == "poison":
            raise ValueError("poison")
"""


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """A file of functions."""
    file = tmp_path / "functions" / "orders.py"
    file.parent.mkdir()
    file.write_text(ORDERS)
    return file
