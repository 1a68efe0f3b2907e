"""The readers of a store's event source mappings: made from what stands in them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lambdalog.arn import Arn
from lambdalog.errors import LambdalogError
from lambdalog.local.lambda_.mappings import Mappings
from lambdalog.local.lambda_.sources.failure import invocation_record
from lambdalog.local.lambda_.sources.queue import (
    CONCURRENCY,
    Busy,
    QueueReader,
    QueueSource,
    Refused,
)
from lambdalog.local.lambda_.sources.records import Filters
from lambdalog.local.lambda_.sources.stream import StreamReader, StreamSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.local.lambda_.catalog import Catalog, Record
    from lambdalog.local.lambda_.sources.failure import Exhausted
    from lambdalog.runtime import Outcome

logger = logging.getLogger(__name__)


class Polling(Mappings):
    """Makes the readers of mappings."""

    def __init__(self, *, streams: Callable[[str], Any], **shared: Any) -> None:
        super().__init__(**shared)
        self._streams = streams

    def reader(self, name: str) -> QueueReader | StreamReader:
        """The reader of a mapping, by its UUID. ResourceNotFoundException if it, its function or its queue is gone."""
        record = self._mapping(name)
        found = self.find(record["function"], record["qualifier"])
        if record["kind"] == "dynamodb":
            return self._stream_reader(name, record)
        settings = record["settings"]
        url = self._sqs.get_queue_url(QueueName=Arn.parse(record["source"]).resource)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        source = QueueSource(
            arn=record["source"],
            url=url,
            batch_size=settings["BatchSize"],
            window=settings["MaximumBatchingWindowInSeconds"],
            filters=Filters(settings.get("FilterCriteria")),
            report_failures="ReportBatchItemFailures" in settings["FunctionResponseTypes"],
            concurrency=settings.get("ScalingConfig", {}).get("MaximumConcurrency", CONCURRENCY),
            visibility=float(attributes["Attributes"]["VisibilityTimeout"]),
            function_timeout=float(found.config["Timeout"]),
        )
        return QueueReader(self._sqs, source, self._source_invoke(record), clock=self.clock)

    def readable(self) -> dict[str, tuple[object, ...]]:
        """The mappings that are to be read now, by UUID, with what they must agree in to be read on as they are."""
        wanted: dict[str, tuple[object, ...]] = {}
        for name, _, record in self.catalog.all("mapping"):
            function = self.catalog.get("function", record["function"])
            if record["enabled"] and function is not None:
                wanted[name] = (record["modified"], record["function"], function["config"]["Timeout"])
        return wanted

    def note_result(self, name: str, result: str) -> None:
        """Keep a mapping's LastProcessingResult."""

        def change(record: Record) -> None:
            record["result"] = result

        if (self.catalog.get("mapping", name) or {}).get("result", result) != result:
            self.catalog.change("mapping", name, "", change)

    def _stream_reader(self, name: str, record: Record) -> StreamReader:
        settings = record["settings"]
        source = StreamSource(
            arn=record["source"],
            start=settings["StartingPosition"],
            batch_size=settings["BatchSize"],
            window=settings["MaximumBatchingWindowInSeconds"],
            filters=Filters(settings.get("FilterCriteria")),
            report_failures="ReportBatchItemFailures" in settings["FunctionResponseTypes"],
            retries=settings["MaximumRetryAttempts"],
            max_age=settings["MaximumRecordAgeInSeconds"],
            bisect=settings["BisectBatchOnFunctionError"],
        )
        return StreamReader(
            self._streams(Arn.parse(record["source"]).region),
            source,
            self._source_invoke(record),
            MappingCheckpoints(self.catalog, name),
            lambda exhausted: self._give_up(name, record, exhausted),
            progress=lambda result: self.note_result(name, result),
            clock=self.clock,
        )

    def _source_invoke(self, record: Record) -> Callable[[bytes, str | None], Outcome]:
        def invoke(payload: bytes, trace: str | None) -> Outcome:
            try:
                found = self.find(record["function"], record["qualifier"])
                return self.run(found, payload, trace_id=trace)
            except self.exceptions.TooManyRequestsException as error:
                raise Busy(str(error)) from None
            except (ClientError, LambdalogError) as error:
                raise Refused(str(error)) from error

        return invoke

    def _give_up(self, name: str, record: Record, exhausted: Exhausted) -> None:
        """Send what is known of a stream's records to the mapping's destination; counted in any case."""
        target = record["settings"]["DestinationConfig"]["OnFailure"].get("Destination")
        function = self.scope.function(record["function"], record["qualifier"])
        text = invocation_record(exhausted, function, self.clock.now())
        if not target:
            logger.error(
                "%d records were given up, and %s has no destination: %s", exhausted.size, name, text
            )
        elif Arn.parse(target).service == "sns":
            self._sns().publish(TopicArn=target, Message=text)
        else:
            url = self._sqs.get_queue_url(QueueName=Arn.parse(target).resource)["QueueUrl"]
            self._sqs.send_message(QueueUrl=url, MessageBody=text)

        def change(found: Record) -> None:
            found["given_up"] = found.get("given_up", 0) + exhausted.size

        self.catalog.change("mapping", name, "", change)


@dataclass(frozen=True, slots=True)
class MappingCheckpoints:
    """Where a mapping's shards stand, in the catalog."""

    catalog: Catalog
    mapping: str

    def load(self, shard: str) -> dict[str, Any] | None:
        """What was saved last."""
        return self.catalog.get("checkpoint", self.mapping, shard)

    def save(self, shard: str, checkpoint: dict[str, Any]) -> None:
        """Keep it past a restart, unless the mapping was deleted meanwhile."""
        with self.catalog.transaction():
            if self.catalog.get("mapping", self.mapping) is not None:
                self.catalog.put("checkpoint", self.mapping, shard, checkpoint)
