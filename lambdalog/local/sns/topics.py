"""The operations of SNS on topics: made, listed, changed, tagged, permitted, deleted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lambdalog.local.sns import rules
from lambdalog.local.sns import topic as topics
from lambdalog.local.sns.desk import PAGE, Desk
from lambdalog.store.tables import transaction

if TYPE_CHECKING:
    from lambdalog.local.sns.topic import Topic

PROTECTION_MAX = 30_720


class TopicOperations(Desk):
    """Topics."""

    def create_topic(
        self,
        *,
        Name: str,
        Attributes: dict[str, str] | None = None,
        Tags: list[dict[str, str]] | None = None,
        DataProtectionPolicy: str | None = None,
    ) -> dict[str, Any]:
        """CreateTopic: the same name with the same attributes and tags gives the topic that is there."""
        given, tags = Attributes or {}, Tags or []
        fifo = given.get("FifoTopic") == "true"
        self._check(rules.topic_name(Name, fifo=fifo))
        self._check(topics.check_new(given, fifo=fifo))
        self._check(rules.tags(tags))
        if DataProtectionPolicy is not None:
            self._check_protection(DataProtectionPolicy)
        named = {tag["Key"]: tag["Value"] for tag in tags}
        self._check(rules.tag_count(len(named)))
        arn = self.scope.topic(Name)
        with transaction(self._catalog.db):
            there = self._catalog.topic(arn)
            if there is None:
                kept = topics.kept(given)
                self._catalog.add_topic(topics.Topic(arn, kept, named, DataProtectionPolicy or ""))
            elif topics.differs(there.attributes, given):
                raise self._invalid("Attributes Reason: Topic already exists with different attributes")
            elif not named.items() <= there.tags.items():
                raise self._invalid("Tags Reason: Topic already exists with different tags")
        return {"TopicArn": arn}

    def delete_topic(self, *, TopicArn: str) -> dict[str, Any]:
        """DeleteTopic, with its subscriptions and what is on its way to them; one that isn't there is no error."""
        self._check(rules.arn("TopicArn", TopicArn, self.scope.region))
        with transaction(self._catalog.db):
            self._catalog.remove_topic(TopicArn)
        return {}

    def list_topics(self, *, NextToken: str | None = None) -> dict[str, Any]:
        """ListTopics, a hundred a page."""
        found = self._catalog.topics(self._after(NextToken), PAGE + 1)
        response: dict[str, Any] = {"Topics": [{"TopicArn": topic.arn} for topic in found[:PAGE]]}
        return response | ({"NextToken": self._token(found[PAGE - 1].arn)} if len(found) > PAGE else {})

    def get_topic_attributes(self, *, TopicArn: str) -> dict[str, Any]:
        """GetTopicAttributes."""
        topic = self._topic(TopicArn)
        pending = [subscription.pending for subscription in self._catalog.subscriptions(TopicArn)]
        counts = {
            "SubscriptionsConfirmed": str(len(pending) - sum(pending)),
            "SubscriptionsPending": str(sum(pending)),
            "SubscriptionsDeleted": "0",
        }
        return {"Attributes": topic.effective(self.scope.account) | counts}

    def set_topic_attributes(
        self, *, TopicArn: str, AttributeName: str, AttributeValue: str = ""
    ) -> dict[str, Any]:
        """SetTopicAttributes: an empty value brings the default back."""
        with transaction(self._catalog.db):
            topic = self._topic(TopicArn)
            self._check(topics.check_change(AttributeName, AttributeValue, fifo=topic.fifo))
            left = {name: value for name, value in topic.attributes.items() if name != AttributeName}
            changed = left | topics.kept({AttributeName: AttributeValue})
            self._catalog.set_topic(replace(topic, attributes=changed))
        return {}

    # --- tags

    def tag_resource(self, *, ResourceArn: str, Tags: list[dict[str, str]]) -> dict[str, Any]:
        """TagResource."""
        self._check(rules.tags(Tags))
        with transaction(self._catalog.db):
            topic = self._resource(ResourceArn)
            tags = topic.tags | {tag["Key"]: tag["Value"] for tag in Tags}
            self._check(rules.tag_count(len(tags)))
            self._catalog.set_topic(replace(topic, tags=tags))
        return {}

    def untag_resource(self, *, ResourceArn: str, TagKeys: list[str]) -> dict[str, Any]:
        """UntagResource."""
        with transaction(self._catalog.db):
            topic = self._resource(ResourceArn)
            left = {key: value for key, value in topic.tags.items() if key not in TagKeys}
            self._catalog.set_topic(replace(topic, tags=left))
        return {}

    def list_tags_for_resource(self, *, ResourceArn: str) -> dict[str, Any]:
        """ListTagsForResource."""
        tags = self._resource(ResourceArn).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _resource(self, arn: str) -> Topic:
        self._check(rules.arn("ResourceArn", arn, self.scope.region))
        topic = self._catalog.topic(arn)
        if topic is None:
            raise self.error("ResourceNotFound", "Resource does not exist", status=404)
        return topic

    # --- policies

    def add_permission(
        self, *, TopicArn: str, Label: str, AWSAccountId: list[str], ActionName: list[str]
    ) -> dict[str, Any]:
        """AddPermission: a statement more in the topic's policy."""
        with transaction(self._catalog.db):
            topic = self._topic(TopicArn)
            policy = topics.permitted(
                topic.policy(self.scope.account), TopicArn, Label, AWSAccountId, ActionName
            )
            if isinstance(policy, rules.Breach):
                raise self.error(policy.code, policy.message)
            self._set_policy(topic, policy)
        return {}

    def remove_permission(self, *, TopicArn: str, Label: str) -> dict[str, Any]:
        """RemovePermission: a statement less, by its label."""
        with transaction(self._catalog.db):
            topic = self._topic(TopicArn)
            policy = topic.policy(self.scope.account)
            left = [statement for statement in policy["Statement"] if statement.get("Sid") != Label]
            self._set_policy(topic, policy | {"Statement": left})
        return {}

    def _set_policy(self, topic: Topic, policy: dict[str, Any]) -> None:
        self._catalog.set_topic(replace(topic, attributes=topic.attributes | {"Policy": json.dumps(policy)}))

    def put_data_protection_policy(self, *, ResourceArn: str, DataProtectionPolicy: str) -> dict[str, Any]:
        """PutDataProtectionPolicy: kept; an empty one takes it away."""
        self._check_protection(DataProtectionPolicy)
        with transaction(self._catalog.db):
            topic = self._topic(ResourceArn, "ResourceArn")
            self._catalog.set_topic(replace(topic, protection=DataProtectionPolicy))
        return {}

    def get_data_protection_policy(self, *, ResourceArn: str) -> dict[str, Any]:
        """GetDataProtectionPolicy."""
        topic = self._topic(ResourceArn, "ResourceArn")
        return {"DataProtectionPolicy": topic.protection} if topic.protection else {}

    def _check_protection(self, text: str) -> None:
        if not text:
            return
        try:
            right = len(text) <= PROTECTION_MAX and isinstance(json.loads(text), dict)
        except (ValueError, RecursionError):
            right = False
        if not right:
            raise self._invalid(
                "DataProtectionPolicy Reason: must be a JSON object of at most 30720 characters"
            )
