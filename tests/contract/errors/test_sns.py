"""SNS's errors, as AWS was recorded to word them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.refusals import Refusal

if TYPE_CHECKING:
    from tests.contract.errors.conftest import Ask, World

INVALID = "Invalid parameter: "
ELEMENTS = "Reason: An ARN must have at least 6 elements, not"


def published(**params: Any) -> Ask:
    """A message published to a topic."""
    return lambda w: (w.sns.publish, {"TopicArn": w.topic(), "Message": "m", **params})


def published_to(arn: str) -> Ask:
    """A message published to what is no topic."""
    return lambda w: (w.sns.publish, {"TopicArn": arn, "Message": "m"})


def attributed(name: str = "attr1", **value: Any) -> Ask:
    """A message with one attribute."""
    return published(MessageAttributes={name: value})


def batch(entries: list[dict[str, Any]], *, fifo: bool = False) -> Ask:
    """Messages published together."""

    def ask(w: World) -> tuple[Any, dict[str, Any]]:
        arn = w.topic("t.fifo", FifoTopic="true") if fifo else w.topic()
        return w.sns.publish_batch, {"TopicArn": arn, "PublishBatchRequestEntries": entries}

    return ask


def subscribed(**params: Any) -> Ask:
    """A queue subscribed to a topic."""

    def ask(w: World) -> tuple[Any, dict[str, Any]]:
        endpoint = {"Protocol": "sqs", "Endpoint": w.arn("sqs", "q")}
        return w.sns.subscribe, {"TopicArn": w.topic(), **endpoint, **params}

    return ask


def filtered(policy: Any, **attributes: str) -> Ask:
    """A queue subscribed with a filter policy."""
    text = policy if isinstance(policy, str) else json.dumps(policy, separators=(",", ":"))
    return subscribed(Attributes={"FilterPolicy": text, **attributes})


def unsubscribed(arn: str) -> Ask:
    """A subscription that is none, ended."""
    return lambda w: (w.sns.unsubscribe, {"SubscriptionArn": arn})


def permitted(first: str, second: str, action: str = "Publish") -> Ask:
    """A permission given after another."""

    def ask(w: World) -> tuple[Any, dict[str, Any]]:
        asked = {"TopicArn": w.topic(), "AWSAccountId": ["000000000000"]}
        w.sns.add_permission(**asked, Label=first, ActionName=["Publish"])
        return w.sns.add_permission, {**asked, "Label": second, "ActionName": [action]}

    return ask


def again(**params: Any) -> Ask:
    """A topic made once more, otherwise."""

    def ask(w: World) -> tuple[Any, dict[str, Any]]:
        w.topic()
        return w.sns.create_topic, {"Name": "t", **params}

    return ask


def confirmed(token: str, topic: str = "t") -> Ask:
    """A subscription confirmed with a token of none."""

    def ask(w: World) -> tuple[Any, dict[str, Any]]:
        w.topic()
        return w.sns.confirm_subscription, {"TopicArn": w.arn("sns", topic), "Token": token}

    return ask


def _many(count: int) -> list[dict[str, Any]]:
    return [{"Id": str(number), "Message": "m"} for number in range(count)]


TAGS = [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]
# A token as they are, with their region at its head: of no subscription.
TOKEN = b"us-east-1".hex() + "0" * 240
# What is refused: how it is asked, the error's code, its text.
CASES: dict[str, tuple[Ask, str, str]] = {
    "structure, no JSON": (
        published(MessageStructure="json", Message="{"),
        "InvalidParameter",
        f"{INVALID}Message Structure - JSON message body failed to parse",
    ),
    "structure, no default": (
        published(MessageStructure="json", Message='{"sqs": "m"}'),
        "InvalidParameter",
        f"{INVALID}Message Structure - No default entry in JSON message body",
    ),
    "structure, default is no text": (
        published(MessageStructure="json", Message='{"default": {"a": 1}}'),
        "InvalidParameter",
        f"{INVALID}Message Structure - No default entry in JSON message body",
    ),
    "empty subject": (published(Subject=""), "InvalidParameter", f"{INVALID}Subject"),
    "no ARN": (published_to(""), "InvalidParameter", f"{INVALID}TopicArn {ELEMENTS} 1"),
    "a word": (published_to("randomstring"), "InvalidParameter", f"{INVALID}TopicArn {ELEMENTS} 1"),
    "two words": (published_to("random:string"), "InvalidParameter", f"{INVALID}TopicArn {ELEMENTS} 2"),
    "no such topic": (
        published_to("arn:aws:sns:us-east-1:000000000000:none"),
        "NotFound",
        "Topic does not exist",
    ),
    "another region's": (
        published_to("arn:aws:sns:eu-west-3:000000000000:t"),
        "InvalidParameter",
        f"{INVALID}TopicArn",
    ),
    "batch too long": (
        batch([{"Id": str(n), "Message": "a" * 140_000} for n in range(2)]),
        "BatchRequestTooLong",
        "The length of all the messages put together is more than the limit.",
    ),
    "batch, one id": (
        batch([{"Id": "1", "Message": "m"}] * 2),
        "BatchEntryIdsNotDistinct",
        "Two or more batch entries in the request have the same Id.",
    ),
    "batch of eleven": (
        batch(_many(11)),
        "TooManyEntriesInBatchRequest",
        "The batch request contains more entries than permissible.",
    ),
    "batch in order, no group": (
        batch(_many(1), fifo=True),
        "InvalidParameter",
        f"{INVALID}The MessageGroupId parameter is required for FIFO topics",
    ),
    "batch in order, no deduplication": (
        batch([{"Id": "1", "Message": "m", "MessageGroupId": "g"}], fifo=True),
        "InvalidParameter",
        (
            f"{INVALID}The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        ),
    ),
    "binary as text": (
        attributed(DataType="Binary", StringValue="x"),
        "ParameterValueInvalid",
        "The message attribute 'attr1' with type 'Binary' must use field 'Binary'.",
    ),
    "text as binary": (
        attributed(DataType="String", BinaryValue=b"x"),
        "ParameterValueInvalid",
        "The message attribute 'attr1' with type 'String' must use field 'String'.",
    ),
    "number as binary": (
        attributed(DataType="Number", BinaryValue=b"1"),
        "ParameterValueInvalid",
        "The message attribute 'attr1' with type 'Number' must use field 'String'.",
    ),
    "empty text": (
        attributed(DataType="String", StringValue=""),
        "ParameterValueInvalid",
        "The message attribute 'attr1' must contain non-empty message attribute value for message attribute type 'String'.",
    ),
    "empty binary": (
        attributed(DataType="Binary", BinaryValue=b""),
        "ParameterValueInvalid",
        "The message attribute 'attr1' must contain non-empty message attribute value for message attribute type 'Binary'.",
    ),
    "another type": (
        attributed(DataType="InvalidType", StringValue="x"),
        "ParameterValueInvalid",
        (
            "The message attribute 'attr1' has an invalid message attribute type, the set of supported type prefixes is Binary, "
            "Number, and String."
        ),
    ),
    "a name with a hat": (
        attributed("attr^1", DataType="String", StringValue="x"),
        "ParameterValueInvalid",
        (
            "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include alphanumeric "
            "characters, hyphens, underscores, or dots."
        ),
    ),
    "a name that begins with a dot": (
        attributed(".attr", DataType="String", StringValue="x"),
        "ParameterValueInvalid",
        "Invalid message attribute name starting with character '.' was found.",
    ),
    "a name that ends with a dot": (
        attributed("attr.", DataType="String", StringValue="x"),
        "ParameterValueInvalid",
        "Invalid message attribute name ending with character '.' was found.",
    ),
    "a name with two dots": (
        attributed("a..b", DataType="String", StringValue="x"),
        "ParameterValueInvalid",
        "Message attribute name can not have successive '.' character.",
    ),
    "a long name": (
        attributed("a" * 257, DataType="String", StringValue="x"),
        "ParameterValueInvalid",
        "Length of message attribute name must be less than 256 bytes.",
    ),
    "a token": (confirmed("randomtoken"), "InvalidParameter", "Invalid token"),
    "a token of another": (confirmed(TOKEN), "InvalidParameter", f"{INVALID}Token"),
    "a token, no topic": (confirmed(TOKEN, "none"), "InvalidParameter", f"{INVALID}Token"),
    "another protocol": (
        subscribed(Protocol="test-protocol"),
        "InvalidParameter",
        f"{INVALID}Amazon SNS does not support this protocol string: test-protocol",
    ),
    "to five words": (
        subscribed(TopicArn="arn:aws:sns:us-east-1:t"),
        "InvalidParameter",
        f"{INVALID}TopicArn {ELEMENTS} 5",
    ),
    "to none": (
        subscribed(TopicArn="arn:aws:sns:us-east-1:000000000000:none"),
        "NotFound",
        "Topic does not exist",
    ),
    "a queue's URL": (
        subscribed(Endpoint="http://localhost/000000000000/q"),
        "InvalidParameter",
        f"{INVALID}SQS endpoint ARN",
    ),
    "unsubscribe a word": (
        unsubscribed("randomstring"),
        "InvalidParameter",
        f"{INVALID}SubscriptionArn {ELEMENTS} 1",
    ),
    "unsubscribe five": (
        unsubscribed("arn:aws:sns:us-east-1:random"),
        "InvalidParameter",
        f"{INVALID}SubscriptionArn {ELEMENTS} 5",
    ),
    "unsubscribe six": (
        unsubscribed("arn:aws:sns:us-east-1:111111111111:random"),
        "InvalidParameter",
        f"{INVALID}SubscriptionId",
    ),
    "unsubscribe nothing": (
        unsubscribed(""),
        "InvalidParameter",
        f"{INVALID}SubscriptionArn Reason: no value for required parameter",
    ),
    "other tags": (
        again(Tags=TAGS[:1]),
        "InvalidParameter",
        f"{INVALID}Tags Reason: Topic already exists with different tags",
    ),
    "a tag twice": (
        lambda w: (w.sns.tag_resource, {"ResourceArn": w.topic(), "Tags": TAGS}),
        "InvalidParameter",
        f"{INVALID}Duplicated keys are not allowed.",
    ),
    "other attributes": (
        again(Attributes={"DisplayName": "d"}),
        "InvalidParameter",
        f"{INVALID}Attributes Reason: Topic already exists with different attributes",
    ),
    "a name without .fifo": (
        lambda w: (w.sns.create_topic, {"Name": "t", "Attributes": {"FifoTopic": "true"}}),
        "InvalidParameter",
        f"{INVALID}Topic Name",
    ),
    "a name with a question mark": (
        lambda w: (w.sns.create_topic, {"Name": "t?"}),
        "InvalidParameter",
        f"{INVALID}Topic Name",
    ),
    "of another kind": (
        lambda w: (
            w.sns.set_topic_attributes,
            {"TopicArn": w.topic(), "AttributeName": "FifoTopic", "AttributeValue": "false"},
        ),
        "InvalidParameter",
        f"{INVALID}AttributeName",
    ),
    "a label twice": (permitted("l", "l"), "InvalidParameter", f"{INVALID}Statement already exists"),
    "another action": (
        permitted("l", "m", "CreateTopic"),
        "InvalidParameter",
        f"{INVALID}Policy statement action out of service scope!",
    ),
    "policy, six keys": (
        filtered({f"k{n}": ["v"] for n in range(6)}),
        "InvalidParameter",
        f"{INVALID}Attributes Reason: FilterPolicy: Filter policy can not have more than 5 keys",
    ),
    "policy, too complex": (
        filtered(
            {"a": {"b": {"c": {"d": ["v"] * 30}}}, "e": {"f": ["v"] * 40}}, FilterPolicyScope="MessageBody"
        ),
        "InvalidParameter",
        f"{INVALID}Attributes Reason: FilterPolicy: Filter policy is too complex",
    ),
    "policy, nested": (
        filtered({"a": {"b": ["v"]}}),
        "InvalidParameter",
        f"{INVALID}Filter policy scope MessageAttributes does not support nested filter policy",
    ),
    "policy, a list in a list": (
        filtered({"key": [["value"]]}),
        "InvalidParameter",
        (
            f"{INVALID}Attributes Reason: FilterPolicy: Match value must be String, number, true, false, or null\n"
            ' at [Source: (String)"{"key":[["value"]]}"; line: 1, column: 10]'
        ),
    ),
    "policy, an empty list": (
        filtered({"key": []}),
        "InvalidParameter",
        (
            f"{INVALID}Attributes Reason: FilterPolicy: Empty arrays are not allowed\n"
            ' at [Source: (String)"{"key":[]}"; line: 1, column: 10]'
        ),
    ),
    "policy, a number as suffix": (
        filtered({"key": [{"suffix": 100}]}),
        "InvalidParameter",
        (
            f"{INVALID}Attributes Reason: FilterPolicy: suffix match pattern must be a string\n"
            ' at [Source: (String)"{"key":[{"suffix":100}]}"; line: 1, column: 22]'
        ),
    ),
    "policy, no CIDR": (
        filtered({"key": [{"cidr": "bad-filter"}]}),
        "InvalidParameter",
        f"{INVALID}Attributes Reason: FilterPolicy: Malformed CIDR, one '/' required",
    ),
    "policy, no address": (
        filtered({"key": [{"cidr": "xx.11.xx/8"}]}),
        "InvalidParameter",
        f"{INVALID}Attributes Reason: FilterPolicy: Nonstandard IP address: xx.11.xx",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_as_by_aws(world: World, name: str) -> None:
    """Code, text and status are AWS's."""
    ask, code, text = CASES[name]
    assert world.refusal(ask) == Refusal(code, text, 404 if code == "NotFound" else 400)
