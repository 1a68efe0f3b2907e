"""SNS's contract."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.refusals import refused

if TYPE_CHECKING:
    from tests.contract.conftest import Backend

# Attribute n, a Number, 99.12, as SQS digests it.
NUMBER_99 = b"\0\0\0\x01n\0\0\0\x06Number\x01\0\0\0\x0599.12"
POLICY = "Invalid parameter: Attributes Reason: FilterPolicy: "


@pytest.fixture
def sns(backend: Backend) -> Any:
    """A client."""
    return backend.client("sns")


@pytest.fixture
def sqs(backend: Backend) -> Any:
    """A client of the queues that are subscribed."""
    return backend.client("sqs")


@pytest.fixture
def topic(sns: Any) -> str:
    """A topic."""
    found: str = sns.create_topic(Name="t")["TopicArn"]
    return found


def invalid(what: str) -> tuple[str, str, int]:
    """InvalidParameter as SNS words it."""
    return "InvalidParameter", f"Invalid parameter: {what}", 400


def queue(sqs: Any, name: str = "q") -> tuple[str, str]:
    """(URL, ARN) of a new queue."""
    attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def subscribe(sns: Any, sqs: Any, topic: str, name: str = "q", **attributes: str) -> tuple[str, str]:
    """A new queue that is subscribed: (URL, subscription's ARN)."""
    url, arn = queue(sqs, name)
    response = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    return url, response["SubscriptionArn"]


def receive(sqs: Any, url: str) -> list[Any]:
    """The messages of a queue, with all attributes."""
    found: list[Any] = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    ).get("Messages", [])
    return found


def bodies(sqs: Any, url: str) -> list[str]:
    """The bodies of the messages of a queue."""
    return [message["Body"] for message in receive(sqs, url)]


# --- topics


@pytest.mark.moto_deviates("moto's delivery policy has no `http`")
def test_a_topic_has_attributes_by_default(sns: Any, topic: str) -> None:
    """GetTopicAttributes tells owner, policies and counts; setting one changes only that."""
    found = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert found["TopicArn"] == topic
    assert found["DisplayName"] == ""
    assert {name: found[name] for name in found if name.startswith("Subscriptions")} == {
        "SubscriptionsConfirmed": "0",
        "SubscriptionsPending": "0",
        "SubscriptionsDeleted": "0",
    }
    (statement,) = json.loads(found["Policy"])["Statement"]
    assert statement["Sid"] == "__default_statement_ID"
    retry = json.loads(found["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"]
    assert (retry["numRetries"], retry["minDelayTarget"], retry["maxDelayTarget"]) == (3, 20, 20)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="Alarms")
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"] == "Alarms"


def test_the_same_topic_can_be_created_again(sns: Any) -> None:
    """The same attributes and tags give the same topic."""
    tags = [{"Key": "k", "Value": "v"}]
    made = sns.create_topic(Name="t", Attributes={"DisplayName": "a"}, Tags=tags)["TopicArn"]
    assert sns.create_topic(Name="t", Attributes={"DisplayName": "a"}, Tags=tags)["TopicArn"] == made
    assert sns.create_topic(Name="t")["TopicArn"] == made
    assert [found["TopicArn"] for found in sns.list_topics()["Topics"]] == [made]


@pytest.mark.moto_deviates("moto gives the topic that is there, whatever it is asked for")
def test_a_topic_is_not_created_again_otherwise(sns: Any) -> None:
    """Other attributes or tags are refused."""
    sns.create_topic(Name="t", Attributes={"DisplayName": "a"}, Tags=[{"Key": "k", "Value": "v"}])
    for other in ({"DisplayName": "b"}, {"SignatureVersion": "2"}):
        assert refused(sns.create_topic, Name="t", Attributes=other) == invalid(
            "Attributes Reason: Topic already exists with different attributes"
        )
    assert refused(sns.create_topic, Name="t", Tags=[{"Key": "k", "Value": "w"}]) == invalid(
        "Tags Reason: Topic already exists with different tags"
    )


@pytest.mark.moto_deviates("moto explains the rule")
def test_names_of_topics(sns: Any) -> None:
    """1 to 256 letters, digits, hyphens and underscores; .fifo at the end of FIFO topics, and only there."""
    for name, fifo in [("a.fifo", False), ("a", True), ("", False), ("a b", False), ("a" * 257, False)]:
        attributes = {"FifoTopic": "true"} if fifo else {}
        assert refused(sns.create_topic, Name=name, Attributes=attributes) == invalid("Topic Name")


@pytest.mark.moto_deviates("moto says NotFound of whatever is no topic")
def test_what_is_not_there(sns: Any, topic: str) -> None:
    """An ARN that is none, of another region, or of no topic."""
    get = sns.get_topic_attributes
    assert refused(get, TopicArn="x:y") == invalid(
        "TopicArn Reason: An ARN must have at least 6 elements, not 2"
    )
    assert refused(get, TopicArn=topic.replace("us-east-1", "eu-west-1")) == invalid("TopicArn")
    assert refused(get, TopicArn=f"{topic}2") == ("NotFound", "Topic does not exist", 404)
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn=f"{topic}2", Message="m")
    sns.delete_topic(TopicArn=f"{topic}2")


def test_tags_of_a_topic(sns: Any, topic: str) -> None:
    """Tags are added, changed in place, and taken away."""
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "a", "Value": "3"}])
    found = sns.list_tags_for_resource(ResourceArn=topic)["Tags"]
    assert found == [{"Key": "a", "Value": "3"}, {"Key": "b", "Value": "2"}]
    sns.untag_resource(ResourceArn=topic, TagKeys=["a", "none"])
    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "b", "Value": "2"}]


@pytest.mark.moto_deviates("moto takes a key twice, and words other limits in its own way")
def test_tags_have_limits(sns: Any, topic: str) -> None:
    """No key twice, at most fifty, on a topic that is there."""
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    assert refused(sns.tag_resource, ResourceArn=topic, Tags=twice) == invalid(
        "Duplicated keys are not allowed."
    )
    many = [{"Key": str(n), "Value": "v"} for n in range(51)]
    code, text, _ = refused(sns.tag_resource, ResourceArn=topic, Tags=many)
    assert (code, text) == (
        "TagLimitExceeded",
        "Could not complete request: tag quota of per resource exceeded",
    )
    assert refused(sns.list_tags_for_resource, ResourceArn=f"{topic}2")[0] == "ResourceNotFound"


def test_permissions_are_statements_of_the_policy(sns: Any, topic: str) -> None:
    """AddPermission adds a statement by its label, RemovePermission takes it away."""
    sns.add_permission(
        TopicArn=topic, Label="l", AWSAccountId=["111122223333"], ActionName=["Publish", "GetTopicAttributes"]
    )
    _, added = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])["Statement"]
    assert added == {
        "Sid": "l",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": ["SNS:Publish", "SNS:GetTopicAttributes"],
        "Resource": topic,
    }
    again = {"TopicArn": topic, "Label": "l", "AWSAccountId": ["111122223333"], "ActionName": ["Publish"]}
    assert refused(sns.add_permission, **again)[1].endswith("Statement already exists")
    assert refused(sns.add_permission, **{**again, "Label": "m", "ActionName": ["Dance"]})[1].endswith(
        "Policy statement action out of service scope!"
    )
    sns.remove_permission(TopicArn=topic, Label="l")
    assert len(json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])["Statement"]) == 1


@pytest.mark.moto_deviates("moto has no data protection policies, and takes any attribute")
def test_policies_are_kept_and_checked(sns: Any, topic: str) -> None:
    """Data protection and delivery policies come back; what is none is refused and changes nothing."""
    protection = json.dumps({"Name": "p", "Version": "2021-06-01", "Statement": []})
    sns.put_data_protection_policy(ResourceArn=topic, DataProtectionPolicy=protection)
    assert sns.get_data_protection_policy(ResourceArn=topic)["DataProtectionPolicy"] == protection
    assert refused(sns.put_data_protection_policy, ResourceArn=topic, DataProtectionPolicy="x")[0] == (
        "InvalidParameter"
    )
    set_one = {"TopicArn": topic, "AttributeName": "DeliveryPolicy"}
    retry = {"minDelayTarget": 5, "maxDelayTarget": 6, "numRetries": 1}
    sns.set_topic_attributes(
        **set_one, AttributeValue=json.dumps({"http": {"defaultHealthyRetryPolicy": retry}})
    )
    found = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert json.loads(found["DeliveryPolicy"]) == {
        "http": {"disableSubscriptionOverrides": False, "defaultHealthyRetryPolicy": retry}
    }
    effective = json.loads(found["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"]
    assert effective.items() >= retry.items()
    bad = json.dumps({"http": {"defaultHealthyRetryPolicy": retry | {"numRetries": 101}}})
    assert refused(sns.set_topic_attributes, **set_one, AttributeValue=bad)[0] == "InvalidParameter"
    for name in ("FifoTopic", "ContentBasedDeduplication", "Nonsense"):
        assert refused(
            sns.set_topic_attributes, TopicArn=topic, AttributeName=name, AttributeValue="false"
        ) == invalid("AttributeName")
    sns.set_topic_attributes(**set_one, AttributeValue="")
    assert "DeliveryPolicy" not in sns.get_topic_attributes(TopicArn=topic)["Attributes"]


# --- subscriptions


@pytest.mark.moto_deviates("moto counts no subscriptions")
def test_a_queue_is_subscribed_at_once(sns: Any, sqs: Any, topic: str) -> None:
    """A queue needs no confirmation; subscribed again it is the same subscription; it is listed everywhere."""
    _, arn = subscribe(sns, sqs, topic)
    assert subscribe(sns, sqs, topic)[1] == arn
    (found,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert sns.list_subscriptions()["Subscriptions"] == [found]
    assert (found["SubscriptionArn"], found["Protocol"], found["TopicArn"]) == (arn, "sqs", topic)
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    expected = {"PendingConfirmation": "false", "RawMessageDelivery": "false", "TopicArn": topic}
    assert attributes.items() >= expected.items()
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "1"
    sns.unsubscribe(SubscriptionArn=arn)
    sns.unsubscribe(SubscriptionArn=arn)
    assert sns.list_subscriptions()["Subscriptions"] == []
    code, text, status = refused(sns.get_subscription_attributes, SubscriptionArn=arn)
    assert (code, text, status) == ("NotFound", "Subscription does not exist", 404)


ENDPOINTS: list[Any] = [
    ("nonsense", "x", "Amazon SNS does not support this protocol string: nonsense"),
    ("sqs", "https://sqs.us-east-1.amazonaws.com/000000000000/q", "SQS endpoint ARN"),
    ("lambda", "f", "Lambda endpoint ARN"),
    ("http", "https://example.com/", "Endpoint must match the specified protocol"),
    (
        "sqs",
        "arn:aws:sqs:us-east-1:000000000000:q.fifo",
        "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
    ),
]


@pytest.mark.moto_deviates("moto subscribes whatever it is given")
def test_an_endpoint_suits_its_protocol(sns: Any, topic: str) -> None:
    """What can't be delivered to is not subscribed."""
    for protocol, endpoint, text in ENDPOINTS:
        found = refused(sns.subscribe, TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
        assert found == invalid(text), protocol
    assert sns.list_subscriptions()["Subscriptions"] == []


BAD_ATTRIBUTES: list[Any] = [
    ({"Nonsense": "x"}, "Attributes Reason: AttributeName"),
    (
        {"RawMessageDelivery": "maybe"},
        "Attributes Reason: RawMessageDelivery: Invalid value [maybe]. Must be true or false.",
    ),
    (
        {"FilterPolicyScope": "Body"},
        (
            "Attributes Reason: FilterPolicyScope: Invalid value [Body]. Please use either MessageBody or "
            "MessageAttributes"
        ),
    ),
    ({"RedrivePolicy": "{"}, "Attributes Reason: RedrivePolicy: failed to parse JSON."),
    (
        {"RedrivePolicy": '{"deadLetterTargetArn": "q"}'},
        "Attributes Reason: RedrivePolicy: deadLetterTargetArn is an invalid arn",
    ),
    (
        {"FilterPolicy": '{"a": {"b": ["c"]}}'},
        "Filter policy scope MessageAttributes does not support nested filter policy",
    ),
]


@pytest.mark.moto_deviates("moto has other texts, or none")
def test_attributes_of_a_subscription_are_checked(sns: Any, sqs: Any, topic: str) -> None:
    """Each in SNS's words; nothing is subscribed."""
    where = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": queue(sqs)[1]}
    for attributes, text in BAD_ATTRIBUTES:
        assert refused(sns.subscribe, **where, Attributes=attributes) == invalid(text)
    assert sns.list_subscriptions()["Subscriptions"] == []


@pytest.mark.moto_deviates("moto has other texts")
def test_a_subscription_is_named_by_its_arn(sns: Any, topic: str) -> None:
    """An ARN that is none, or is a topic's."""
    reason = "SubscriptionArn Reason: An ARN must have at least 6 elements, not {}"
    assert refused(sns.unsubscribe, SubscriptionArn="x") == invalid(reason.format(1))
    assert refused(sns.unsubscribe, SubscriptionArn="arn:aws:sns:us-east-1:x") == invalid(reason.format(5))
    assert refused(sns.unsubscribe, SubscriptionArn=topic) == invalid("SubscriptionId")


def test_a_web_endpoint_has_to_confirm(sns: Any, topic: str) -> None:
    """Over HTTP a subscription is pending; its ARN is told only if asked for."""
    where = {"TopicArn": topic, "Protocol": "https", "Endpoint": "https://example.com/hook"}
    arn = sns.subscribe(**where, ReturnSubscriptionArn=True)["SubscriptionArn"]
    assert arn.startswith(f"{topic}:")


@pytest.mark.moto_deviates("moto confirms at once, with any token")
def test_a_confirmation_needs_the_token(sns: Any, topic: str) -> None:
    """Without it the subscription stays pending."""
    where = {"TopicArn": topic, "Protocol": "https", "Endpoint": "https://example.com/hook"}
    assert sns.subscribe(**where)["SubscriptionArn"] == "pending confirmation"
    (found,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert found["SubscriptionArn"] == "PendingConfirmation"
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsPending"] == "1"
    assert refused(sns.confirm_subscription, TopicArn=topic, Token="x") == (
        "InvalidParameter",
        "Invalid token",
        400,
    )
    other = b"us-east-1".hex() + "00" * 64
    assert refused(sns.confirm_subscription, TopicArn=topic, Token=other) == invalid("Token")


# --- publishing


def test_a_queue_gets_the_envelope(sns: Any, sqs: Any, topic: str) -> None:
    """Keys, types and values as SNS has them; binary attributes as base64."""
    url, _ = subscribe(sns, sqs, topic)
    attributes = {
        "n": {"DataType": "Number", "StringValue": "99.12"},
        "b": {"DataType": "Binary", "BinaryValue": b"\x02\x03\x04"},
    }
    sent = sns.publish(TopicArn=topic, Message="naïve", Subject="s", MessageAttributes=attributes)
    (body,) = bodies(sqs, url)
    found = json.loads(body)
    assert found["Type"] == "Notification"
    assert (found["MessageId"], found["TopicArn"]) == (sent["MessageId"], topic)
    assert (found["Message"], found["Subject"]) == ("naïve", "s")
    assert found["MessageAttributes"] == {
        "n": {"Type": "Number", "Value": "99.12"},
        "b": {"Type": "Binary", "Value": "AgME"},
    }
    assert {"Timestamp", "SignatureVersion", "Signature", "SigningCertURL"} <= found.keys()
    assert f"Action=Unsubscribe&SubscriptionArn={topic.rpartition(':')[0]}" in found["UnsubscribeURL"]


def test_raw_delivery(sns: Any, sqs: Any, topic: str) -> None:
    """The message itself; its attributes are the queue's."""
    url, arn = subscribe(sns, sqs, topic, RawMessageDelivery="true")
    attributes = {"n": {"DataType": "Number", "StringValue": "99.12"}}
    sns.publish(TargetArn=topic, Message="m", MessageAttributes=attributes)
    (found,) = receive(sqs, url)
    assert (found["Body"], found["MessageAttributes"]) == ("m", attributes)
    assert found["MD5OfMessageAttributes"] == hashlib.md5(NUMBER_99, usedforsecurity=False).hexdigest()
    sns.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="false"
    )
    sns.publish(TopicArn=topic, Message="m")
    assert json.loads(bodies(sqs, url)[0])["Message"] == "m"


def test_a_message_for_each_protocol(sns: Any, sqs: Any, topic: str) -> None:
    """With MessageStructure json an endpoint gets the text of its protocol, or the default."""
    url, _ = subscribe(sns, sqs, topic, RawMessageDelivery="true")
    for texts in ({"default": "d", "sqs": "for a queue"}, {"default": "d", "lambda": "no"}):
        sns.publish(TopicArn=topic, Message=json.dumps(texts), MessageStructure="json")
    assert sorted(bodies(sqs, url)) == ["d", "for a queue"]


BAD_MESSAGES: list[Any] = [
    ({"Message": ""}, "Empty message"),
    ({"Message": "m", "Subject": ""}, "Subject"),
    ({"Message": "m", "Subject": "s" * 100}, "Subject"),
    ({"Message": "m", "Subject": "a\nb"}, "Subject"),
    ({"Message": "x" * 262_145}, "Message too long"),
    (
        {"Message": "{", "MessageStructure": "json"},
        "Message Structure - JSON message body failed to parse",
    ),
    (
        {"Message": '{"sqs": "x"}', "MessageStructure": "json"},
        "Message Structure - No default entry in JSON message body",
    ),
    (
        {"Message": '{"default": 1}', "MessageStructure": "json"},
        "Message Structure - No default entry in JSON message body",
    ),
    (
        {"Message": "m", "MessageDeduplicationId": "d"},
        (
            "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for "
            "this topic type"
        ),
    ),
]


@pytest.mark.moto_deviates("moto has other texts, or none")
def test_a_message_that_is_not_taken(sns: Any, sqs: Any, topic: str) -> None:
    """Each broken rule has its text, and nothing is delivered."""
    url, _ = subscribe(sns, sqs, topic)
    for params, text in BAD_MESSAGES:
        assert refused(sns.publish, TopicArn=topic, **params) == invalid(text)
    assert bodies(sqs, url) == []


BAD_MESSAGE_ATTRIBUTES: list[Any] = [
    (
        "attr1",
        {"DataType": "Binary", "StringValue": "x"},
        "The message attribute 'attr1' with type 'Binary' must use field 'Binary'.",
    ),
    (
        "attr1",
        {"DataType": "Number", "BinaryValue": b"x"},
        "The message attribute 'attr1' with type 'Number' must use field 'String'.",
    ),
    (
        "attr1",
        {"DataType": "String", "StringValue": ""},
        (
            "The message attribute 'attr1' must contain non-empty message attribute value for message attribute type "
            "'String'."
        ),
    ),
    (
        "attr1",
        {"DataType": "String"},
        (
            "The message attribute 'attr1' must contain non-empty message attribute value for message attribute type "
            "'String'."
        ),
    ),
    (
        "attr1",
        {"DataType": "Stringprefixed", "StringValue": "x"},
        (
            "The message attribute 'attr1' has an invalid message attribute type, the set of supported type prefixes is "
            "Binary, Number, and String."
        ),
    ),
    (
        "attr^1",
        {"DataType": "String", "StringValue": "x"},
        (
            "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include "
            "alphanumeric characters, hyphens, underscores, or dots."
        ),
    ),
    (
        ".attr1",
        {"DataType": "String", "StringValue": "x"},
        "Invalid message attribute name starting with character '.' was found.",
    ),
    (
        "attr1.",
        {"DataType": "String", "StringValue": "x"},
        "Invalid message attribute name ending with character '.' was found.",
    ),
    (
        "a..b",
        {"DataType": "String", "StringValue": "x"},
        "Message attribute name can not have successive '.' character.",
    ),
    (
        "a" * 257,
        {"DataType": "String", "StringValue": "x"},
        "Length of message attribute name must be less than 256 bytes.",
    ),
]


@pytest.mark.moto_deviates("moto checks names by another pattern")
def test_message_attributes_are_checked(sns: Any, topic: str) -> None:
    """One by one and in batches, in SNS's words."""
    for name, value, text in BAD_MESSAGE_ATTRIBUTES:
        expected = ("ParameterValueInvalid", text, 400)
        entry = {"Message": "m", "MessageAttributes": {name: value}}
        assert refused(sns.publish, TopicArn=topic, **entry) == expected
        batch = [{"Id": "1"} | entry]
        assert refused(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=batch) == expected


def test_a_batch_is_published(sns: Any, sqs: Any, topic: str) -> None:
    """Each entry has an id of its own in the answer, and arrives."""
    url, _ = subscribe(sns, sqs, topic, RawMessageDelivery="true")
    entries = [{"Id": str(n), "Message": f"m{n}"} for n in range(10)]
    told = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert [entry["Id"] for entry in told["Successful"]] == [str(n) for n in range(10)]
    assert told["Failed"] == []
    assert sorted(bodies(sqs, url)) == [f"m{n}" for n in range(10)]


@pytest.mark.moto_deviates("moto words an empty batch, and sizes, in its own way")
def test_a_batch_that_is_not_taken(sns: Any, topic: str) -> None:
    """Number, ids and size of a batch."""

    def batch(*ids: str, message: str = "m") -> str:
        entries = [{"Id": entry, "Message": message} for entry in ids]
        return refused(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=entries)[1]

    assert batch() == "The batch request doesn't contain any entries."
    assert batch(*(str(n) for n in range(11))) == "The batch request contains more entries than permissible."
    assert batch("a", "a") == "Two or more batch entries in the request have the same Id."
    assert batch("a b") == "The Id of a batch entry in a batch request doesn't abide by the specification."
    assert batch("a", "b", message="x" * 140_000) == (
        "The length of all the messages put together is more than the limit."
    )


# --- FIFO


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


# --- filters


POLICIES: list[Any] = [
    ({"store": ["a", "b"]}, "MessageAttributes", [{"store": "a"}], [{"store": "c"}, {}]),
    ({"price": [{"numeric": [">", 0, "<=", 100]}]}, "MessageAttributes", [{"price": 99}], [{"price": 101}]),
    ({"s": [{"anything-but": ["x"]}]}, "MessageAttributes", [{"s": "y"}], [{"s": "x"}, {}]),
    ({"o": {"k": [{"prefix": "auto-"}]}}, "MessageBody", [{"o": {"k": "auto-1"}}], [{"o": {"k": "x"}}, {}]),
    ({"s": [{"exists": False}]}, "MessageBody", [{}], [{"s": "y"}]),
]


def test_a_filter_policy_chooses(sns: Any, sqs: Any, topic: str) -> None:
    """Only what matches the policy reaches the queue."""
    for number, (policy, scope, taken, passed) in enumerate(POLICIES):
        rules = {"FilterPolicyScope": scope, "FilterPolicy": json.dumps(policy)}
        url, arn = subscribe(sns, sqs, topic, f"q{number}", RawMessageDelivery="true", **rules)
        for content in [*passed, *taken]:
            attributes = {
                name: {
                    "DataType": "String" if isinstance(value, str) else "Number",
                    "StringValue": str(value),
                }
                for name, value in content.items()
                if scope == "MessageAttributes"
            }
            sns.publish(TopicArn=topic, Message=json.dumps(content), MessageAttributes=attributes)
        assert [json.loads(body) for body in bodies(sqs, url)] == taken
        shown = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        assert (json.loads(shown["FilterPolicy"]), shown["FilterPolicyScope"]) == (policy, scope)
        sns.unsubscribe(SubscriptionArn=arn)


BAD_POLICIES: list[Any] = [
    (
        "invalid",
        (
            "failed to parse JSON. Unrecognized token 'invalid': was expecting (JSON String, Number, Array, Object or "
            "token 'null', 'true' or 'false')\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` "
            "disabled); line: 1, column: 8]"
        ),
    ),
    (
        '{"key":[["value"]]}',
        (
            "Match value must be String, number, true, false, or null\n at [Source: "
            '(String)"{"key":[["value"]]}"; line: 1, column: 10]'
        ),
    ),
    (
        json.dumps({str(n): ["x"] for n in range(6)}),
        "Filter policy can not have more than 5 keys",
    ),
    (json.dumps({"k": list(range(151))}), "Filter policy is too complex"),
]


@pytest.mark.moto_deviates("moto's texts have no place")
def test_a_filter_policy_that_is_not_taken(sns: Any, sqs: Any, topic: str) -> None:
    """What is wrong, and where, in SNS's words."""
    where = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": queue(sqs)[1]}
    for policy, text in BAD_POLICIES:
        found = refused(sns.subscribe, **where, Attributes={"FilterPolicy": policy})
        assert found == ("InvalidParameter", POLICY + text, 400)
    assert sns.list_subscriptions()["Subscriptions"] == []


@pytest.mark.moto_deviates("moto looks at no token")
def test_a_token_that_is_none_confirms_nothing(sns: Any, topic: str) -> None:
    """Whoever makes one up is refused."""
    assert refused(sns.confirm_subscription, TopicArn=topic, Token="a" * 64) == (
        "InvalidParameter",
        "Invalid token",
        400,
    )
