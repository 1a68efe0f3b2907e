"""The operations of SNS on subscriptions: asked for, confirmed, listed, changed, ended."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.sns import rules, subscription
from lambdalog.local.sns.desk import PAGE, Desk
from lambdalog.local.sns.envelope import Message
from lambdalog.local.sns.subscription import HTTP, TOKEN_MS, Subscription
from lambdalog.store.tables import transaction

if TYPE_CHECKING:
    from lambdalog.local.sns.topic import Topic

# Filter policies of one topic.
FILTERS_MAX: Final = 200
_TOO_MANY_FILTERS: Final = (
    "Filter policy limit exceeded: a topic can have at most 200 subscriptions with a filter policy"
)


class SubscriptionOperations(Desk):
    """Subscriptions."""

    def subscribe(
        self,
        *,
        TopicArn: str,
        Protocol: str,
        Endpoint: str = "",
        Attributes: dict[str, str] | None = None,
        ReturnSubscriptionArn: bool = False,
    ) -> dict[str, Any]:
        """Subscribe: an HTTP endpoint is sent a token first, and gets messages when it has confirmed with it."""
        given = Attributes or {}
        topic = self._topic(TopicArn)
        self._check(
            subscription.check_endpoint(Protocol, Endpoint, fifo=topic.fifo, trusted=self._endpoints.trusted)
        )
        scope = given.get("FilterPolicyScope", subscription.SCOPES[0])
        for name, value in given.items():
            self._check(
                subscription.check_attribute(
                    name,
                    value,
                    protocol=Protocol,
                    endpoint=Endpoint,
                    topic=TopicArn,
                    scope=scope,
                    creating=True,
                )
            )
        kept = subscription.kept(given)
        now = self.clock.now_ms()
        with transaction(self._catalog.db):
            topic = self._topic(TopicArn)
            found = self._catalog.same(TopicArn, Protocol, Endpoint)
            if found is None:
                token = self._new_token() if Protocol in HTTP else None
                arn = f"{TopicArn}:{uuid.uuid4()}"
                found = Subscription(
                    arn, TopicArn, Protocol, Endpoint, kept, token, now, authenticated=token is None
                )
                self._limit_filters(found.topic, kept)
                self._catalog.add(found)
                self._ask(topic, found, now)
            elif any(found.attributes.get(name) != value for name, value in kept.items()):
                raise self._invalid(
                    "Attributes Reason: Subscription already exists with different attributes"
                )
            elif found.pending:
                token = self._new_token()
                self._catalog.ask_again(found.arn, token, now)
                self._ask(topic, self._subscription(found.arn), now)
        shown = not found.pending or ReturnSubscriptionArn
        return {"SubscriptionArn": found.arn if shown else "pending confirmation"}

    def _new_token(self) -> str:
        """A token: it tells its region first, as AWS's do."""
        return self.scope.region.encode().hex() + secrets.token_hex(64)

    def _ask(self, topic: Topic, found: Subscription, now: int) -> None:
        """Send an endpoint its token, if it is to confirm."""
        if found.token is None:
            return
        version = topic.attributes.get("SignatureVersion", "1")
        message = Message(topic.arn, str(uuid.uuid4()), now, "", token=found.token, signature_version=version)
        self._outbox.add(message, [(found.arn, False)], now, ordered=False)

    def _limit_filters(self, topic: str, attributes: dict[str, str]) -> None:
        if "FilterPolicy" not in attributes:
            return
        count = sum("FilterPolicy" in other.attributes for other in self._catalog.subscriptions(topic))
        if count >= FILTERS_MAX:
            raise self.error("FilterPolicyLimitExceeded", _TOO_MANY_FILTERS, status=403)

    def confirm_subscription(
        self, *, TopicArn: str, Token: str, AuthenticateOnUnsubscribe: str = "false"
    ) -> dict[str, Any]:
        """ConfirmSubscription with the token that the endpoint was sent, within two days."""
        self._check(rules.arn("TopicArn", TopicArn, self.scope.region))
        try:
            told = bytes.fromhex(Token).startswith(self.scope.region.encode())
        except ValueError:
            told = False
        if not told:
            raise self.error("InvalidParameter", "Invalid token")
        with transaction(self._catalog.db):
            found = self._catalog.by_token(Token)
            if found is None or found.topic != TopicArn or self.clock.now_ms() - found.asked > TOKEN_MS:
                raise self._invalid("Token")
            self._catalog.confirm(found.arn, authenticated=AuthenticateOnUnsubscribe.lower() == "true")
        return {"SubscriptionArn": found.arn}

    def unsubscribe(self, *, SubscriptionArn: str) -> dict[str, Any]:
        """Unsubscribe; a subscription that isn't there is no error."""
        if not SubscriptionArn:
            raise self._invalid("SubscriptionArn Reason: no value for required parameter")
        self._check_arn(SubscriptionArn)
        with transaction(self._catalog.db):
            self._catalog.remove(SubscriptionArn)
        return {}

    def _check_arn(self, arn: str) -> None:
        self._check(rules.arn("SubscriptionArn", arn, self.scope.region))
        if arn.count(":") != 6:
            raise self._invalid("SubscriptionId")

    def _subscription(self, arn: str) -> Subscription:
        self._check_arn(arn)
        found = self._catalog.find(arn)
        if found is None:
            raise self.error("NotFound", "Subscription does not exist", status=404)
        return found

    def list_subscriptions(self, *, NextToken: str | None = None) -> dict[str, Any]:
        """ListSubscriptions, a hundred a page."""
        return self._page(None, NextToken)

    def list_subscriptions_by_topic(self, *, TopicArn: str, NextToken: str | None = None) -> dict[str, Any]:
        """ListSubscriptionsByTopic, a hundred a page."""
        self._topic(TopicArn)
        return self._page(TopicArn, NextToken)

    def _page(self, topic: str | None, token: str | None) -> dict[str, Any]:
        found = self._catalog.subscriptions(topic, self._after(token), PAGE + 1)
        response: dict[str, Any] = {"Subscriptions": [one.entry(self.scope.account) for one in found[:PAGE]]}
        return response | ({"NextToken": self._token(found[PAGE - 1].arn)} if len(found) > PAGE else {})

    def get_subscription_attributes(self, *, SubscriptionArn: str) -> dict[str, Any]:
        """GetSubscriptionAttributes."""
        found = self._subscription(SubscriptionArn)
        topic = self._catalog.topic(found.topic)
        delivery = None if topic is None else topic.attributes.get("DeliveryPolicy")
        return {"Attributes": found.effective(self.scope.account, delivery)}

    def set_subscription_attributes(
        self, *, SubscriptionArn: str, AttributeName: str, AttributeValue: str = ""
    ) -> dict[str, Any]:
        """SetSubscriptionAttributes: an empty value takes the attribute away."""
        with transaction(self._catalog.db):
            found = self._subscription(SubscriptionArn)
            scope = AttributeValue if AttributeName == "FilterPolicyScope" else found.scope
            changes = {AttributeName: AttributeValue}
            if AttributeName == "FilterPolicyScope" and "FilterPolicy" in found.attributes:
                changes["FilterPolicy"] = found.attributes["FilterPolicy"]
            for name, value in changes.items():
                self._check(
                    subscription.check_attribute(
                        name,
                        value,
                        protocol=found.protocol,
                        endpoint=found.endpoint,
                        topic=found.topic,
                        scope=scope,
                        creating=False,
                    )
                )
            left = {name: value for name, value in found.attributes.items() if name != AttributeName}
            kept = subscription.kept({AttributeName: AttributeValue})
            if AttributeName not in found.attributes:
                self._limit_filters(found.topic, kept)
            self._catalog.set_attributes(SubscriptionArn, left | kept)
        return {}

    def subscription_deliveries(self, *, SubscriptionArn: str) -> dict[str, Any]:
        """Messages on their way to an endpoint, and those it never got, by the reason: nothing of AWS's."""
        found = self._subscription(SubscriptionArn)
        return {"Waiting": self._outbox.waiting(found.arn), "Dropped": self._outbox.dropped(found.arn)}
