"""A Lambda with one function, and how a refusal is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.local.lambda_ import LOCAL_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lambdalog.cloud import Cloud

CODE = """
import os
def handler(event, context):
    if event.get("fail"):
        raise ValueError(event["fail"])
    return {"event": event, "mine": os.environ.get("MINE"), "store": os.environ["LAMBDALOG_STORE"]}
"""
ROLE = "arn:aws:iam::000000000000:role/r"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the function."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "app.py").write_text(CODE)
    return folder


@pytest.fixture
def make(manual_cloud: Cloud, folder: Path) -> Callable[..., dict[str, Any]]:
    """Creates functions of the folder's code."""

    def create(name: str, **settings: Any) -> dict[str, Any]:
        code = {"S3Bucket": LOCAL_FOLDER, "S3Key": str(folder)}
        given = {"Role": ROLE, "Handler": "app.handler", "Runtime": "python3.11", "Code": code} | settings
        found: dict[str, Any] = manual_cloud.client("lambda").create_function(FunctionName=name, **given)
        return found

    return create


@pytest.fixture
def client(manual_cloud: Cloud, make: Callable[..., Any]) -> Any:
    """A Lambda with one function, `f`, on a manual clock."""
    make("f")
    return manual_cloud.client("lambda")
