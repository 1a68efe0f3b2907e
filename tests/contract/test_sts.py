"""STS's contract: who one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from lambdalog.local.sts import Sts

if TYPE_CHECKING:
    from tests.contract.conftest import Backend


@pytest.fixture
def sts(backend: Backend) -> Any:
    """A client."""
    return backend.client("sts")


def test_the_caller_has_an_account(sts: Any) -> None:
    """Twelve digits, and an ARN in it."""
    found = sts.get_caller_identity()
    assert (len(found["Account"]), found["Account"].isdigit()) == (12, True)
    assert found["Arn"].split(":")[:2] == ["arn", "aws"]
    assert found["Arn"].split(":")[4] == found["Account"]


def test_arns_are_in_the_callers_account(sts: Any, backend: Backend) -> None:
    """What is made belongs to who one is."""
    topic = backend.client("sns").create_topic(Name="t")["TopicArn"]
    assert topic.split(":")[4] == sts.get_caller_identity()["Account"]


@pytest.mark.moto_deviates("moto gives credentials to anyone")
def test_what_is_not_here_is_no_action(sts: Any, backend: Backend) -> None:
    """As STS says it of what it doesn't know. AWS does know it."""
    if backend.name == "aws":
        pytest.skip("AWS has it")
    with pytest.raises(ClientError) as info:
        sts.get_session_token()
    assert info.value.response["Error"] == {
        "Code": "InvalidAction",
        "Message": "The action GetSessionToken is not valid for this endpoint.",
    } | ({} if isinstance(sts._client, Sts) else {"Type": "Sender"})
