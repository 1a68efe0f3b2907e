"""Works off what is due: an attempt, and what follows from it: done, again later, into the dead-letter queue, or dropped.

What takes no time (queues, functions, files in the store) is delivered by whoever publishes, before the publish answers;
the rest, and what has to be tried again, by the loop that runs where a store is served, or by whoever calls `work`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.durability import durably, is_dead_letter
from lambdalog.local.sns.endpoints import Refused, Unreachable, policy_schedule
from lambdalog.local.sns.outbox import Settled
from lambdalog.local.sns.subscription import HTTP
from lambdalog.store.tables import transaction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from threading import Event

    from lambdalog.clock import Clock
    from lambdalog.local.durability import Durability
    from lambdalog.local.sns.catalog import Catalog
    from lambdalog.local.sns.endpoints import Endpoints
    from lambdalog.local.sns.envelope import Message
    from lambdalog.local.sns.outbox import Delivery, Outbox
    from lambdalog.local.sns.subscription import Subscription
    from lambdalog.local.sqs.arrivals import Arrivals

logger = logging.getLogger(__name__)

QUICK: Final = frozenset({"sqs", "lambda", "file"})
# How long the loop waits at most before it looks whether it is to end.
WAIT_SECONDS: Final = 0.5
# The dead-letter queue itself may not be there now.
BURY_AGAIN_SECONDS: Final = 20.0


class Courier:
    """Delivers what lies in the outbox."""

    def __init__(
        self,
        catalog: Catalog,
        outbox: Outbox,
        endpoints: Endpoints,
        *,
        clock: Clock,
        durability: Durability,
    ) -> None:
        self._catalog = catalog
        self._outbox = outbox
        self._endpoints = endpoints
        self._clock = clock
        self._durability = durability

    def work(self, *, quick: bool, stop: Event | None = None) -> int:
        """Try what is due by now, of what takes no time or of the rest, until nothing is; how many attempts that were."""
        attempts = 0
        while deliveries := self._outbox.claim(self._clock.now_ms(), quick=quick):
            for place, delivery in enumerate(deliveries):
                if stop is not None and stop.is_set():
                    self._outbox.release(deliveries[place:], self._clock.now_ms())
                    return attempts
                self._attempt(delivery)
                attempts += 1
        return attempts

    def deliver(self, deliveries: Sequence[Delivery]) -> None:
        """Try what a publish has just put down, and whatever else is due and takes no time."""
        for delivery in deliveries:
            self._attempt(delivery)
        self.work(quick=True)

    def run(self, arrivals: Arrivals, stop: Event, *, quick: bool) -> None:
        """Work until `stop` is set; woken by whatever is written into the database."""
        while not stop.is_set():
            seen = arrivals.seen()
            self.work(quick=quick, stop=stop)
            due = self._outbox.next_due(quick=quick)
            left = WAIT_SECONDS if due is None else (due - self._clock.now_ms()) / 1000
            if left > 0 and not stop.is_set():
                arrivals.wait(seen, min(left, WAIT_SECONDS))

    def _attempt(self, delivery: Delivery) -> None:
        message, to = self._outbox.message(delivery.message), self._catalog.find(delivery.subscription)
        if message is None or to is None:
            self._settle(Settled(delivery), message)
            return
        topic = self._catalog.topic(to.topic)
        policy = to.http_policy(None if topic is None else topic.attributes.get("DeliveryPolicy"))
        try:
            self._endpoints.deliver(message, to, policy if to.protocol in HTTP else {})
        except Refused as error:
            self._undeliverable(delivery, message, to, str(error))
        except Unreachable as error:
            self._again(delivery, message, to, policy, str(error))
        except Exception as error:
            # A store that can't be written to, most often: nothing that the message is to blame for.
            logger.warning("a message for %s was not delivered", to.arn, exc_info=True)
            self._again(delivery, message, to, policy, type(error).__name__)
        else:
            self._settle(Settled(delivery), message)

    def _again(
        self, delivery: Delivery, message: Message, to: Subscription, policy: Mapping[str, Any], why: str
    ) -> None:
        pause = policy_schedule(to, policy).pause(delivery.attempts + 1)
        if pause is None:
            self._undeliverable(delivery, message, to, why)
            return
        self._settle(Settled(delivery, due=self._clock.now_ms() + round(pause * 1000)), message)

    def _undeliverable(self, delivery: Delivery, message: Message, to: Subscription, why: str) -> None:
        """What an endpoint will not get goes to the subscription's dead-letter queue, or is counted as dropped."""
        target = to.redrive
        if target is None or message.token is not None:
            logger.warning("a message for %s was dropped: %s", to.arn, why)
            self._settle(Settled(delivery, dropped=why), message)
            return
        try:
            self._endpoints.bury(message, to, target)
        except Refused as error:
            logger.warning("a message for %s was dropped: %s; its dead-letter queue: %s", to.arn, why, error)
            self._settle(Settled(delivery, dropped=f"{why}; dead-letter queue: {error}"), message)
        except Exception:
            logger.warning("the dead-letter queue of %s could not be written to", to.arn, exc_info=True)
            due = self._clock.now_ms() + round(BURY_AGAIN_SECONDS * 1000)
            self._settle(Settled(delivery, due=due), message)
        else:
            self._settle(Settled(delivery), message)

    def _settle(self, settled: Settled, message: Message | None) -> None:
        full = message is not None and is_dead_letter(message.attributes)
        with durably(self._catalog.db, self._durability, full=full), transaction(self._catalog.db):
            self._outbox.settle([settled], self._clock.now_ms())
