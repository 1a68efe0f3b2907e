"""SNS's contract: FIFO topics."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.contract.sns.conftest import invalid, receive, subscribe
from tests.refusals import refused


@pytest.fixture
def fifo(sns: Any) -> str:
    """A FIFO topic."""
    found: str = sns.create_topic(Name="t.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    return found


@pytest.mark.moto_deviates("moto gives no sequence numbers, and knows no duplicates")
def test_a_fifo_topic_keeps_order_and_takes_a_message_once(sns: Any, sqs: Any, fifo: str) -> None:
    """Group, deduplication id and order reach the queue; a duplicate within five minutes does not."""
    url, _ = subscribe(sns, sqs, fifo, "q.fifo", RawMessageDelivery="true")
    for n in (1, 2, 3, 1):
        sent = sns.publish(TopicArn=fifo, Message=f"m{n}", MessageGroupId="g", MessageDeduplicationId=f"d{n}")
        assert sent["SequenceNumber"].isdecimal()
    found = receive(sqs, url)
    assert [message["Body"] for message in found] == ["m1", "m2", "m3"]
    assert found[0]["Attributes"].items() >= {"MessageGroupId": "g", "MessageDeduplicationId": "d1"}.items()


@pytest.mark.moto_deviates("moto signs what comes through a FIFO topic")
def test_the_envelope_of_a_fifo_topic(sns: Any, sqs: Any, fifo: str) -> None:
    """It has the sequence number, and no signature; the same content is the same message."""
    sns.set_topic_attributes(TopicArn=fifo, AttributeName="ContentBasedDeduplication", AttributeValue="true")
    url, _ = subscribe(sns, sqs, fifo, "q.fifo")
    sent = sns.publish(TopicArn=fifo, Message="Test", MessageGroupId="g")
    assert sns.publish(TopicArn=fifo, Message="Test", MessageGroupId="h")["MessageId"] == sent["MessageId"]
    (message,) = receive(sqs, url)
    found = json.loads(message["Body"])
    assert list(found) == [
        "Type", "MessageId", "SequenceNumber", "TopicArn", "Message", "Timestamp", "UnsubscribeURL",
    ]  # fmt: skip
    assert found["SequenceNumber"] == sent["SequenceNumber"]
    assert message["Attributes"]["MessageDeduplicationId"] == hashlib.sha256(b"Test").hexdigest()


@pytest.mark.moto_deviates("moto asks for the parameters in another order")
def test_what_a_fifo_topic_asks_for(sns: Any, fifo: str) -> None:
    """A group, and a deduplication id unless the content tells."""
    assert refused(sns.publish, TopicArn=fifo, Message="m") == invalid(
        "The MessageGroupId parameter is required for FIFO topics"
    )
    assert refused(sns.publish, TopicArn=fifo, Message="m", MessageGroupId="g") == invalid(
        "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
    )
