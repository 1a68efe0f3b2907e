"""What the AWS backend does for the account that it is given, seen on moto."""

from __future__ import annotations

import boto3
import pytest
from moto import mock_aws

from lambdalog.cloud import connect
from tests.contract import account


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


def test_what_was_made_is_taken_away() -> None:
    """All of it, also where a test deleted some; what was there before stays."""
    with mock_aws(), connect("aws:us-east-1") as cloud:
        cloud.logs.create_log_group(logGroupName="before")
        found = account.Account(cloud, boto3.client("sts", "us-east-1"), "123456789012")
        for name in ("a", "b"):
            found.client("logs").create_log_group(logGroupName=name)
        found.client("logs").delete_log_group(logGroupName="a")
        url = found.client("sqs").create_queue(QueueName="q")["QueueUrl"]
        found.client("sqs").send_message(QueueUrl=url, MessageBody="x")
        found.client("sns").create_topic(Name="t")
        found.close()
        groups = cloud.logs.describe_log_groups()["logGroups"]
        assert [group["logGroupName"] for group in groups] == ["before"]
        assert "QueueUrls" not in cloud.sqs.list_queues()
        assert cloud.sns.list_topics()["Topics"] == []


def test_another_account_is_not_touched() -> None:
    """Credentials for an account that isn't the one kept for tests end the test at once."""
    with (
        mock_aws(),
        connect("aws:us-east-1") as cloud,
        pytest.raises(pytest.fail.Exception, match="kept for"),
    ):
        account.Account(cloud, boto3.client("sts", "us-east-1"), "210987654321")


def test_without_an_account_it_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's account is used unasked."""
    monkeypatch.setattr(account, "ACCOUNT", "")
    with pytest.raises(pytest.skip.Exception):
        account.prepare(monkeypatch)
