"""SNS's contract: filter policies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.sns.conftest import POLICY, bodies, queue, subscribe
from tests.refusals import refused

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
