"""The pytest plugin, as other people's tests use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

THEIRS = """
import boto3
import pytest

def test_makes_a_queue(lambdalog_cloud):
    boto3.client("sqs").create_queue(QueueName="q")
    assert boto3.client("sqs").meta.endpoint_url == lambdalog_cloud.url

def test_has_a_cloud_of_its_own(lambdalog_cloud):
    assert "QueueUrls" not in boto3.client("sqs").list_queues()

@pytest.mark.lambdalog(endpoint=False, region="eu-west-1")
def test_in_this_process(lambdalog_cloud):
    assert lambdalog_cloud.url is None
    assert lambdalog_cloud.client("sns").create_topic(Name="t")["TopicArn"] == "arn:aws:sns:eu-west-1:000000000000:t"

def test_without_it(monkeypatch):
    import os
    assert "AWS_ENDPOINT_URL" not in os.environ
"""


def test_the_fixture_is_there_without_asking(pytester: pytest.Pytester) -> None:
    """Installed with lambdalog, with its marker known, for tests that are strict about markers and warnings."""
    pytester.makepyfile(THEIRS)
    result = pytester.runpytest_subprocess("--strict-markers", "-W", "error", "-p", "no:asyncio")
    result.assert_outcomes(passed=4)
