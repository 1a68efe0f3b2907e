"""A function that can be triggered, on a manual clock."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.local.lambda_ import LOCAL_FOLDER
from lambdalog.local.triggers.service import Triggers

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud

CODE = "def handler(event, context):\n    if event == 'fail':\n        raise ValueError('no')\n"
ROLE = "arn:aws:iam::000000000000:role/r"


@pytest.fixture
def client(manual_cloud: Cloud, tmp_path: Path) -> Any:
    """A Lambda with function `f`, which S3 and EventBridge may invoke."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "app.py").write_text(CODE)
    found: Any = manual_cloud.client("lambda")
    code = {"S3Bucket": LOCAL_FOLDER, "S3Key": str(folder)}
    found.create_function(FunctionName="f", Role=ROLE, Handler="app.handler", Code=code)
    for service in ("s3", "events"):
        found.add_permission(
            FunctionName="f",
            StatementId=service,
            Action="lambda:InvokeFunction",
            Principal=f"{service}.amazonaws.com",
        )
    return found


@pytest.fixture
def triggers(client: Any) -> Triggers:
    """The triggers of the store."""
    return Triggers(client)


def accepted(client: Any) -> list[Any]:
    """The events that wait for the function, oldest first."""
    rows = client.events._tables.connection.execute("SELECT payload FROM events ORDER BY seq").fetchall()
    return [json.loads(payload) for (payload,) in rows]
