"""SNS's contract: topics, their attributes, tags and policies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.sns.conftest import invalid
from tests.refusals import refused


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
