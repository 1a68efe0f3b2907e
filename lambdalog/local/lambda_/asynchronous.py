"""Asynchronous events: tried, retried, and sent where what failed or succeeded goes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lambdalog.arn import Arn
from lambdalog.deadletter import DeadLetter, DeadLetters, destination_record
from lambdalog.lineage import current_trace
from lambdalog.local.lambda_.event_config import EventConfig
from lambdalog.local.lambda_.invocation import Invocation
from lambdalog.runtime.event_rules import Attempt, Policy, Response
from lambdalog.runtime.event_worker import Worker
from lambdalog.runtime.outcome import message_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

    from lambdalog.local.lambda_.room import Found
    from lambdalog.runtime.event_rules import Event, Target


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
            outcome = self.run(
                found, event.payload, request_id=event.request_id, trace_id=event.trace or None
            )
        except self.exceptions.RecursiveInvocationException as error:
            return Attempt("stopped", error.response["Error"]["Message"])
        except self.exceptions.InvalidRuntimeException as error:
            return Attempt("error", error.response["Error"]["Message"])
        except ClientError as error:
            return Attempt("throttled", error.response["Error"]["Message"])
        response = Response(outcome.executed_version, outcome.function_error, outcome.payload)
        if outcome.function_error is None:
            return Attempt("ok", response=response)
        return Attempt("error", message_of(outcome.payload), response)

    def policy(self, event: Event) -> Policy:
        """The event-invoke configuration of an event's function; no retries for one that is gone."""
        found = self._found(event)
        if found is None:
            return Policy(retries=0)
        config = self.event_config(event.function, event.qualifier)
        destinations = config.get("DestinationConfig", {})
        policy = Policy(
            dead_letter=found.config.get("DeadLetterConfig", {}).get("TargetArn") or None,
            on_success=destinations.get("OnSuccess", {}).get("Destination") or None,
            on_failure=destinations.get("OnFailure", {}).get("Destination") or None,
        )
        if "MaximumRetryAttempts" in config:
            policy = replace(policy, retries=config["MaximumRetryAttempts"])
        if "MaximumEventAgeInSeconds" in config:
            policy = replace(policy, max_age=config["MaximumEventAgeInSeconds"])
        return policy

    def send(self, event: Event, policy: Policy, target: Target) -> None:
        """Send the dead letter, or the destination's record, of an event that has ended; as part of its chain."""
        token = current_trace.set(event.trace or None)
        try:
            if target == "dead_letter":
                assert policy.dead_letter is not None
                self._send_letter(event, policy.dead_letter)
            else:
                assert event.ending is not None
                where = policy.destination(event.ending)
                assert where is not None
                self._send_record(event, where)
        finally:
            current_trace.reset(token)

    def _send_letter(self, event: Event, target: str) -> None:
        letter = DeadLetter(
            body=event.payload.decode("utf-8", "replace"),
            request_id=event.request_id,
            error_message=event.error_message or str(event.ending),
            error_code=200 if event.ending == "RetriesExhausted" else 429,
        )
        DeadLetters(self._sqs, self._sns() if ":sns:" in target else None).send(target, letter)

    def _send_record(self, event: Event, target: str) -> None:
        response, ending = event.response, event.ending
        assert ending is not None
        record = destination_record(
            now=self.clock.now(),
            request_id=event.request_id,
            function_arn=self.scope.function(event.function, event.qualifier),
            condition=ending,
            invoke_count=event.failures + (ending == "Success"),
            request_payload=event.payload,
            executed_version="$LATEST" if response is None else response.version,
            function_error=None if response is None else response.function_error,
            response_payload=None if response is None else response.payload,
        )
        arn = Arn.parse(target)
        if arn.service == "lambda":
            self.invoke(FunctionName=target, InvocationType="Event", Payload=record.encode())
        elif arn.service == "sns":
            self._sns().publish(TopicArn=target, Message=record)
        else:
            url = self._sqs.get_queue_url(QueueName=arn.resource)["QueueUrl"]
            self._sqs.send_message(QueueUrl=url, MessageBody=record)

    def _found(self, event: Event) -> Found | None:
        """The function of an event, None if it or its qualifier is gone."""
        try:
            return self.find(event.function, event.qualifier, kept=True)
        except self.exceptions.ResourceNotFoundException:
            return None
