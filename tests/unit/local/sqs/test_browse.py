"""Looking through a queue, and claiming chosen messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lambdalog.clock import ManualClock
    from lambdalog.cloud import Cloud


@pytest.fixture
def url(manual_cloud: Cloud) -> str:
    """A queue with five messages, the fourth a large one; each has an attribute."""
    sqs = manual_cloud.sqs
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    for number in range(5):
        sqs.send_message(
            QueueUrl=url,
            MessageBody=f"{number}" * (2000 if number == 3 else 1),
            MessageAttributes={"n": {"DataType": "Number", "StringValue": str(number)}},
        )
    return url


def test_browsing_shows_what_lies_there_and_changes_nothing(
    manual_cloud: Cloud, url: str, clock: ManualClock
) -> None:
    """In order, large bodies too, what is in flight too; a receive later is the first one."""
    sqs: Any = manual_cloud.client("sqs")
    sqs.receive_message(QueueUrl=url, VisibilityTimeout=60)
    found = sqs.browse_messages(QueueUrl=url)
    assert [looked.body[0] for looked in found] == list("01234")
    assert len(found[3].body) == 2000
    assert json.loads(found[3].attributes) == {"n": {"DataType": "Number", "StringValue": "3"}}
    assert [looked.visible_at > clock.now_ms() for looked in found] == [True, False, False, False, False]
    received = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["ApproximateReceiveCount"]
    )["Messages"]
    assert {message["Attributes"]["ApproximateReceiveCount"] for message in received} == {"1"}
    assert {message["MessageId"] for message in received} <= {looked.message_id for looked in found}


def test_a_state_tells_that_something_changed(manual_cloud: Cloud, url: str, clock: ManualClock) -> None:
    """It is the same until a message comes, is received, is seen again or goes."""
    sqs: Any = manual_cloud.client("sqs")
    states = [sqs.browse_state(QueueUrl=url)]
    assert sqs.browse_state(QueueUrl=url) == states[0]
    sqs.send_message(QueueUrl=url, MessageBody="another")
    states.append(sqs.browse_state(QueueUrl=url))
    (received,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=60)["Messages"]
    states.append(sqs.browse_state(QueueUrl=url))
    clock.advance(61)
    states.append(sqs.browse_state(QueueUrl=url))
    sqs.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
    states.append(sqs.browse_state(QueueUrl=url))
    assert len(set(states)) == 5


def test_chosen_messages_are_claimed_and_no_others(manual_cloud: Cloud, url: str, clock: ManualClock) -> None:
    """What is asked for is hidden and can be deleted; the rest was never received; what is in flight isn't given out."""
    sqs: Any = manual_cloud.client("sqs")
    ids = [looked.message_id for looked in sqs.browse_messages(QueueUrl=url)]
    first, large = sqs.take_messages(QueueUrl=url, MessageIds={ids[3], ids[1]}, VisibilityTimeout=30)[
        "Messages"
    ]
    assert [first["MessageId"], large["MessageId"]] == [ids[1], ids[3]]
    assert first["MessageAttributes"]["n"]["StringValue"] == "1"
    assert len(large["Body"]) == 2000
    assert sqs.take_messages(QueueUrl=url, MessageIds=ids[1:2], VisibilityTimeout=30)["Messages"] == []
    sqs.delete_message(QueueUrl=url, ReceiptHandle=large["ReceiptHandle"])
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=90)
    clock.advance(60)
    left = sqs.browse_messages(QueueUrl=url)
    assert [(looked.body, looked.receives) for looked in left] == [("0", 0), ("1", 1), ("2", 0), ("4", 0)]
    clock.advance(31)
    (again,) = sqs.take_messages(QueueUrl=url, MessageIds=ids[1:2], VisibilityTimeout=30)["Messages"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


def test_messages_of_a_fifo_queue_keep_their_order(manual_cloud: Cloud) -> None:
    """They can be looked at, not picked."""
    sqs: Any = manual_cloud.client("sqs")
    url = sqs.create_queue(
        QueueName="q.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    )["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="a", MessageGroupId="g")
    (looked,) = sqs.browse_messages(QueueUrl=url)
    assert json.loads(looked.system)["MessageGroupId"] == "g"
    with pytest.raises(sqs.exceptions.ClientError, match="in their order"):
        sqs.take_messages(QueueUrl=url, MessageIds=[looked.message_id], VisibilityTimeout=30)
