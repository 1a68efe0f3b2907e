"""Handing one message to one endpoint: a queue, a function, HTTP, a file, a command.

Each raises `Refused` where AWS would not try again (the endpoint is gone, or says no), `Unreachable` where it would.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lambdalog.arn import Arn
from lambdalog.lineage import current_trace
from lambdalog.local.durability import is_dead_letter
from lambdalog.local.sns import envelope, schedule
from lambdalog.local.sns.subscription import HTTP, command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

    from lambdalog.arn import Scope
    from lambdalog.local.sns.envelope import Message
    from lambdalog.local.sns.subscription import Subscription

# AWS gives an HTTP endpoint fifteen seconds.
HTTP_SECONDS: Final = 15.0
COMMAND_SECONDS: Final = 30.0
# As much of what a command says is repeated.
SAID_MAX: Final = 200


class Refused(Exception):
    """The endpoint will never take it."""


class Unreachable(Exception):
    """The endpoint did not take it now."""


class Endpoints:
    """The ways out. `trusted`: commands may be run, and files written anywhere."""

    def __init__(
        self,
        *,
        scope: Scope,
        sqs: SQSClient,
        lambda_: Callable[[], LambdaClient] | None,
        outbox: Path,
        trusted: bool,
    ) -> None:
        self._scope = scope
        self._sqs = sqs
        self._lambda = lambda_
        self._outbox = outbox
        self.trusted = trusted
        # Where SNS is served; whoever serves it says where.
        self.home = f"https://sns.{scope.region}.amazonaws.com"

    def deliver(self, message: Message, to: Subscription, policy: Mapping[str, Any]) -> None:
        """Hand it over. `policy`: the delivery policy, for HTTP. Refused, Unreachable."""
        try:
            match to.protocol:
                case "sqs":
                    self._queue(message, to, to.endpoint)
                case "lambda":
                    self._function(message, to)
                case "http" | "https":
                    self._http(message, to, policy)
                case "file":
                    self._file(message, to)
                case _:
                    self._command(message, to)
        except ClientError as error:
            raise _sorted(error) from error
        except OSError as error:
            raise Unreachable(error.strerror or type(error).__name__) from error

    def bury(self, message: Message, to: Subscription, target: str) -> None:
        """Put what an endpoint did not take into its dead-letter queue, as the endpoint would have got it.

        It outlives a power cut, as all that reaches a dead-letter queue.
        """
        try:
            self._queue(message, to, target, dead=True)
        except ClientError as error:
            raise _sorted(error) from error

    def _text(self, message: Message, to: Subscription) -> str:
        if to.raw and message.token is None:
            return message.text_for(to.protocol)
        return json.dumps(envelope.envelope(message, to.protocol, to.arn, self.home), ensure_ascii=False)

    def _queue(self, message: Message, to: Subscription, arn: str, *, dead: bool = False) -> None:
        name = arn.rpartition(":")[2]
        if arn != self._scope.queue(name):
            raise Refused("the queue is of another account or region")
        url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        entry: dict[str, Any] = {"QueueUrl": url, "MessageBody": self._text(message, to)}
        if to.raw and message.attributes:
            entry["MessageAttributes"] = message.attributes
        if message.trace is not None:
            entry["MessageSystemAttributes"] = {
                "AWSTraceHeader": {"DataType": "String", "StringValue": message.trace}
            }
        if name.endswith(".fifo"):
            entry |= {"MessageGroupId": message.group, "MessageDeduplicationId": message.dedup}
        elif message.group is not None and message.sequence is None:
            entry["MessageGroupId"] = message.group
        durably = getattr(self._sqs, "durably", None)
        if durably is not None and (dead or is_dead_letter(message.attributes)):
            with durably():
                self._sqs.send_message(**entry)
        else:
            self._sqs.send_message(**entry)

    def _function(self, message: Message, to: Subscription) -> None:
        if self._lambda is None:
            raise Refused("there are no functions here")
        arn = Arn.parse(to.endpoint)
        if (arn.region, arn.account) != (self._scope.region, self._scope.account):
            raise Refused("the function is of another account or region")
        functions = self._lambda()
        # A function of this store lets in whom its policy names; AWS asks its own.
        may_invoke = getattr(functions, "may_invoke", None)
        _, name, *qualifier = arn.resource.split(":")
        if may_invoke is not None and not may_invoke(
            name, qualifier[0] if qualifier else None, "sns.amazonaws.com", message.topic
        ):
            raise Refused(
                f"User: sns.amazonaws.com is not authorized to perform: lambda:InvokeFunction on resource: {to.endpoint} "
                "because no resource-based policy allows the lambda:InvokeFunction action"
            )
        event = json.dumps(envelope.lambda_event(message, to.arn, self.home)).encode()
        token = current_trace.set(message.trace)
        try:
            functions.invoke(FunctionName=to.endpoint, InvocationType="Event", Payload=event)
        finally:
            current_trace.reset(token)

    def _http(self, message: Message, to: Subscription, policy: Mapping[str, Any]) -> None:
        import urllib3
        from urllib3.exceptions import HTTPError

        headers = {
            "User-Agent": "Amazon Simple Notification Service Agent",
            "Content-Type": policy["requestPolicy"].get("headerContentType", schedule.CONTENT_TYPE),
            "x-amz-sns-message-type": message.type,
            "x-amz-sns-message-id": message.id,
            "x-amz-sns-topic-arn": message.topic,
        }
        if message.token is None:
            headers["x-amz-sns-subscription-arn"] = to.arn
            if to.raw:
                headers["x-amz-sns-rawdelivery"] = "true"
        try:
            with urllib3.PoolManager(num_pools=1) as pool:
                response = pool.request(
                    "POST",
                    to.endpoint,
                    body=self._text(message, to).encode(),
                    headers=headers,
                    timeout=urllib3.Timeout(total=HTTP_SECONDS),
                    retries=False,
                    redirect=False,
                    preload_content=False,
                )
                response.close()
        except HTTPError as error:
            raise Unreachable(f"the endpoint can't be reached ({type(error).__name__})") from error
        # Answers that mean "not now" are tried again; a redirection or a refusal is final.
        if not 200 <= response.status < 300:
            text = f"the endpoint answered {response.status}"
            again = response.status >= 500 or response.status < 200 or response.status == 429
            raise Unreachable(text) if again else Refused(text)

    def _file(self, message: Message, to: Subscription) -> None:
        path = self._outbox / to.endpoint
        if to.endpoint.startswith("/"):
            if not self.trusted:
                # Another process may be allowed to.
                raise Unreachable("files outside of the store are not allowed")
        else:
            self._outbox.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.open(path, flags, 0o600)
        try:
            data = f"{self._text(message, to)}\n".encode()
            if os.write(file, data) != len(data):
                raise Unreachable("the file could not be written whole")
            os.fsync(file)
        finally:
            os.close(file)

    def _command(self, message: Message, to: Subscription) -> None:
        arguments = command(to.endpoint)
        if not self.trusted or arguments is None:
            raise Unreachable("commands are not allowed")
        # No shell; what was published comes on standard input only.
        environment = os.environ | {"SNS_TOPIC_ARN": message.topic, "SNS_MESSAGE_ID": message.id}
        try:
            done = subprocess.run(
                arguments,
                input=self._text(message, to).encode(),
                capture_output=True,
                timeout=COMMAND_SECONDS,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unreachable(f"the command took more than {COMMAND_SECONDS:.0f} seconds") from None
        if done.returncode:
            said = done.stderr[:SAID_MAX].decode("utf-8", "replace").strip()
            raise Unreachable(f"the command ended with status {done.returncode}{': ' if said else ''}{said}")


def policy_schedule(to: Subscription, policy: Mapping[str, Any]) -> schedule.Schedule:
    """When what this endpoint did not take is tried again."""
    if to.protocol in HTTP:
        return schedule.of_http(dict(policy["healthyRetryPolicy"]))
    return schedule.MANAGED if to.protocol in {"sqs", "lambda"} else schedule.CUSTOMER


def _sorted(error: ClientError) -> Refused | Unreachable:
    """AWS tries again what failed on the server's side, and what was throttled."""
    details: Any = error.response
    status = details.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    text = str(details.get("Error", {}).get("Code", "Unknown")).removeprefix("AWS.SimpleQueueService.")
    final = 400 <= status < 500 and status != 429 and text != "OverLimit"
    return Refused(text) if final else Unreachable(text)
