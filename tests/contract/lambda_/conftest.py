"""The role and the functions of Lambda's contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.contract import account
from tests.functions import RUNTIME, zipped

if TYPE_CHECKING:
    from tests.contract.conftest import Backend


@pytest.fixture
def role(backend: Backend) -> str:
    """An execution role; moto and AWS want it to be there."""
    if backend.name == "aws":
        return account.ROLE or pytest.skip("LAMBDALOG_AWS_ROLE names no role for functions")
    if backend.name != "moto":
        return "arn:aws:iam::000000000000:role/r"
    iam = boto3.client("iam", region_name="us-east-1")
    found: str = iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    return found


def create(client: Any, role: str, code: str, name: str = "f", **settings: Any) -> None:
    """Make a function of `handler` in this code."""
    client.create_function(
        FunctionName=name,
        Role=role,
        Runtime=RUNTIME,
        Handler="app.handler",
        Code={"ZipFile": zipped(app=code)},
        **settings,
    )
