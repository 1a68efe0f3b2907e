"""The operations of SQS on move tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambdalog.arn import Arn
from lambdalog.local.sqs.desk import Desk
from lambdalog.local.sqs.moves import RATE_MAX, parse_handle

if TYPE_CHECKING:
    from lambdalog.local.sqs.queue import Queue


class MoveOperations(Desk):
    """Moving messages out of a dead-letter queue."""

    def start_message_move_task(
        self,
        *,
        SourceArn: str,
        DestinationArn: str | None = None,
        MaxNumberOfMessagesPerSecond: int | None = None,
    ) -> dict[str, Any]:
        """StartMessageMoveTask from a dead-letter queue of a queue."""
        source = self._by_arn("SourceArn", SourceArn)
        queues = self._exchange.catalog.by_prefix()
        if not any(queue.redrive is not None and queue.redrive.target == SourceArn for queue in queues):
            raise self.error(
                "InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue."
            )
        if DestinationArn is not None:
            destination = self._by_arn("DestinationArn", DestinationArn)
            if destination.id == source.id:
                raise self.error(
                    "InvalidParameterValue", "Source queue arn and destination queue arn cannot be the same."
                )
            if destination.fifo != source.fifo:
                raise self.error(
                    "InvalidParameterValue",
                    "The source queue and destination queue must be of the same queue type.",
                )
        rate = MaxNumberOfMessagesPerSecond
        if rate is not None and not 1 <= rate <= RATE_MAX:
            raise self.error(
                "InvalidParameterValue",
                f"Value {rate} for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be between 1 and "
                f"{RATE_MAX}, if provided.",
            )
        task = self._exchange.moves.start(source, DestinationArn or "", rate, self.clock.now_ms())
        if task is None:
            raise self.error(
                "InvalidParameterValue",
                "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
            )
        return {"TaskHandle": task.handle}

    def cancel_message_move_task(self, *, TaskHandle: str) -> dict[str, Any]:
        """CancelMessageMoveTask: what has moved stays moved."""
        known_handle = parse_handle(TaskHandle)
        if known_handle is None:
            raise self.error("InvalidParameterValue", "Value for parameter TaskHandle is invalid.")
        task_id, source = known_handle
        self._by_arn("SourceArn", source)
        task = self._exchange.moves.find(task_id)
        if task is None:
            raise self.error("ResourceNotFoundException", "Task does not exist.", status=404)
        done = self._exchange.moves.cancel(task, self.clock.now_ms())
        if done is None:
            raise self.error("InvalidParameterValue", "Only active tasks can be cancelled.")
        return {"ApproximateNumberOfMessagesMoved": done.moved}

    def list_message_move_tasks(self, *, SourceArn: str, MaxResults: int = 1) -> dict[str, Any]:
        """ListMessageMoveTasks of a source, newest first."""
        self._by_arn("SourceArn", SourceArn)
        if not 1 <= MaxResults <= 10:
            raise self.error(
                "InvalidParameterValue",
                f"Value {MaxResults} for parameter MaxResults is invalid. Reason: Must be between 1 and 10, if provided.",
            )
        self._exchange.moves.advance(self.clock.now_ms())
        tasks = self._exchange.moves.of_source(SourceArn, MaxResults)
        return {"Results": [task.shape() for task in tasks]} if tasks else {}

    def _by_arn(self, parameter: str, arn: str) -> Queue:
        try:
            parsed = Arn.parse(arn)
        except ValueError:
            parsed = None
        if parsed is None or parsed.service != "sqs":
            raise self.error(
                "InvalidParameterValue",
                f"You must use this format to specify the {parameter}: arn:<partition>:<service>:<region>:<account-id>:<resource-id>",
            )
        queue = self._find(parsed.resource)
        if queue is None or arn != self.scope.queue(queue.name):
            raise self.error(
                "ResourceNotFoundException",
                f"The resource that you specified for the {parameter} parameter doesn't exist.",
                status=404,
            )
        return queue
