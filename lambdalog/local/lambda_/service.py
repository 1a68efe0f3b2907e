"""The Lambda service: all its rooms together, on one store."""

from __future__ import annotations

import os
import random as random_module
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lambdalog.clock import SYSTEM
from lambdalog.local.lambda_.aliases import Aliases
from lambdalog.local.lambda_.catalog import Catalog
from lambdalog.local.lambda_.code import LOCAL_FOLDER
from lambdalog.local.lambda_.concurrency import Concurrency
from lambdalog.local.lambda_.key import StoreKey
from lambdalog.local.lambda_.leftovers import LOOK_SECONDS, sweep
from lambdalog.local.lambda_.limits import profile
from lambdalog.local.lambda_.permissions import Permissions
from lambdalog.local.lambda_.polling import Polling
from lambdalog.local.lambda_.sources.readers import Readers
from lambdalog.local.lambda_.streaming import Streaming
from lambdalog.local.lambda_.tags import Tags
from lambdalog.local.lambda_.throttles import Throttles
from lambdalog.runtime import Runtime
from lambdalog.runtime.async_events import AsyncEvents
from lambdalog.runtime.isolation import isolation
from lambdalog.store.files import Layout

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

    from lambdalog.arn import Scope
    from lambdalog.clock import Clock
    from lambdalog.local.lambda_.limits import Limits
    from lambdalog.local.triggers.service import Triggers

ROLE: Final = "arn:aws:iam::000000000000:role/lambdalog"


class Lambda(Polling, Streaming, Aliases, Permissions, Tags, Concurrency):
    """A boto3-shaped Lambda client. Functions run as processes of this machine; `close` ends all of them."""

    notes: ClassVar[dict[str, str]] = {
        "CreateFunction": f"Code is a ZipFile, or S3Bucket `{LOCAL_FOLDER}` with a folder as S3Key, run in place and "
        "reloaded when a file changes, or with a zip file, which is taken in. The role is kept and not assumed, VPCs and "
        "file systems are kept and not used. Functions are Active at once. Runtimes are python3.11 and newer and "
        "nodejs, if the interpreter is on this machine, and provided.",
        "GetFunction": "Code.Location is the unpacked folder.",
        "GetLayerVersion": "Content.Location is the unpacked folder.",
        "AddPermission": "Asked for triggers and topics. Whoever signs with the store's key may invoke any function.",
        "PublishVersion": "The files of a folder that is run in place are copied.",
        "PutFunctionEventInvokeConfig": "Destinations are queues, topics and functions.",
        "CreateEventSourceMapping": "SQS queues of the store, and DynamoDB streams of AWS or of whom "
        "AWS_ENDPOINT_URL_DYNAMODB_STREAMS names; read while the store is served. Tumbling windows are refused; a shard's "
        "batches run one after another whatever ParallelizationFactor says.",
        "InvokeWithResponseStream": "A function's error is in InvokeComplete: ErrorCode is Unhandled, ErrorDetails the error's "
        "body. A function that does not stream gives one piece.",
        "Invoke": "Reserved concurrency is counted within one process.",
    }

    def __init__(
        self,
        root: Path,
        *,
        scope: Scope,
        clock: Clock = SYSTEM,
        logs: Any,
        sqs: SQSClient,
        sns: Callable[[], SNSClient],
        runtime: Runtime | None = None,
        limits: Limits | None = None,
        random: Callable[[], float] = random_module.random,
        streams: Callable[[str], Any] | None = None,
    ) -> None:
        super().__init__(
            root=root,
            scope=scope,
            clock=clock,
            catalog=Catalog(root),
            key=StoreKey(root / "key"),
            limits=limits or profile(os.environ),
            runtime=runtime or Runtime(logs=logs, clock=clock, confine=isolation(os.environ), hidden=(root,)),
            events=AsyncEvents(root, clock=clock),
            random=random,
            throttles=Throttles(root),
            sqs=sqs,
            sns=sns,
            streams=streams or _boto3_streams,
        )

    def background(self) -> Iterable[tuple[str, Callable[[threading.Event], object]]]:
        """The readers of event source mappings, what fires the triggers, what clears packages and environments away."""
        from lambdalog.local.triggers.loop import TriggerLoop

        locks = Layout(self.root).locks
        problem = lambda name, error: self.note_result(name, f"PROBLEM: {error}")  # noqa: E731
        yield "event-sources", Readers(self.readable, self.reader, problem, locks).run
        loop = TriggerLoop(self.triggers, self._sqs, locks)
        yield "triggers", loop.run
        yield "notifications", loop.notifications.run
        yield "packages", self._clear_packages
        yield "environments", self._runtime.run

    def _clear_packages(self, stop: threading.Event) -> None:
        while True:
            sweep(self.root / "code", self.catalog, time.time())
            if stop.wait(LOOK_SECONDS):
                return

    @property
    def triggers(self) -> Triggers:
        """Schedules, and buckets as folders or queues: what AWS has outside of Lambda."""
        from lambdalog.local.triggers.service import Triggers

        return Triggers(self)

    def close(self) -> None:
        """Kill all environments and close the databases."""
        self._runtime.close()
        self.catalog.close()
        self.throttles.close()
        self._events.close()


def _boto3_streams(region: str) -> Any:
    """DynamoDB Streams of AWS, or of whom AWS_ENDPOINT_URL_DYNAMODB_STREAMS names."""
    import boto3

    return boto3.client("dynamodbstreams", region_name=region)
