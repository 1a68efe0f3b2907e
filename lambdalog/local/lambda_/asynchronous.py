"""Asynchronous events: tried, retried, and sent where what failed or succeeded goes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lambdalog.deadletter import DeadLetter, DeadLetters
from lambdalog.local.lambda_.event_config import EventConfig
from lambdalog.local.lambda_.invocation import Invocation
from lambdalog.runtime.async_events import Attempt, Policy, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

    from lambdalog.local.lambda_.room import Found
    from lambdalog.runtime.async_events import Ending, Event


class Asynchronous(Invocation, EventConfig):
    """What a worker of the queue of events needs of the service."""

    def __init__(self, *, sqs: SQSClient, sns: Callable[[], SNSClient], **shared: Any) -> None:
        super().__init__(**shared)
        self._sqs = sqs
        self._sns = sns

    def worker(self, *, delay_scale: float = 1.0) -> Worker:
        """A worker that drains the asynchronous events; whoever serves the store runs some."""
        return Worker(self._events, self, clock=self.clock, delay_scale=delay_scale)

    def attempt(self, event: Event) -> Attempt:
        """Invoke an event's function, once."""
        found = self._found(event)
        if found is None:
            return Attempt(
                "error", f"Function not found: {self.scope.function(event.function, event.qualifier)}"
            )
        if found.record.get("concurrency") == 0:
            return Attempt("off", "The function's reserved concurrency is zero.")
        try:
            outcome = self.run(found, event.payload, request_id=event.request_id)
        except ClientError as error:
            return Attempt("throttled", error.response["Error"]["Message"])
        if outcome.function_error is None:
            return Attempt("ok")
        return Attempt("error", _error_message(outcome.payload))

    def policy(self, event: Event) -> Policy:
        """The event-invoke configuration of an event's function; no retries for one that is gone."""
        found = self._found(event)
        if found is None:
            return Policy(retries=0)
        config = self.event_config(event.function, event.qualifier)
        policy = Policy(dead_letter=found.config.get("DeadLetterConfig", {}).get("TargetArn") or None)
        if "MaximumRetryAttempts" in config:
            policy = replace(policy, retries=config["MaximumRetryAttempts"])
        if "MaximumEventAgeInSeconds" in config:
            policy = replace(policy, max_age=config["MaximumEventAgeInSeconds"])
        return policy

    def bury(self, event: Event, policy: Policy, ending: Ending, error_message: str) -> bool:
        """Send an event's dead letter to its function's target; False if it has none."""
        if policy.dead_letter is None:
            return False
        letter = DeadLetter(
            body=event.payload.decode("utf-8", "replace"),
            request_id=event.request_id,
            error_message=error_message or ending,
            error_code=200 if ending == "RetriesExhausted" else 429,
        )
        DeadLetters(self._sqs, self._sns() if ":sns:" in policy.dead_letter else None).send(
            policy.dead_letter, letter
        )
        return True

    def _found(self, event: Event) -> Found | None:
        """The function of an event, None if it or its qualifier is gone."""
        try:
            return self.find(event.function, event.qualifier)
        except self.exceptions.ResourceNotFoundException:
            return None


def _error_message(payload: bytes) -> str:
    try:
        found = json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")
    return str(found.get("errorMessage", "")) if isinstance(found, dict) else str(found)
