"""Event source mappings: which queue or stream is read for which function."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lambdalog.arn import Arn
from lambdalog.local.lambda_ import mapping_rules
from lambdalog.local.lambda_.asynchronous import Asynchronous
from lambdalog.local.lambda_.configuration import Invalid
from lambdalog.local.lambda_.room import paged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.local.lambda_.catalog import Record
    from lambdalog.local.lambda_.room import Found

_MISSING: Final = "The resource you requested does not exist."
# Who changed a mapping, as Lambda says it by the kind of source.
_REASONS: Final = {"sqs": "USER_INITIATED", "dynamodb": "User action"}


class Mappings(Asynchronous):
    """Create-, Get-, List-, Update- and DeleteEventSourceMapping(s)."""

    def create_event_source_mapping(
        self,
        *,
        FunctionName: str,
        EventSourceArn: str | None = None,
        Enabled: bool = True,
        Tags: dict[str, str] | None = None,
        **params: Any,
    ) -> dict[str, Any]:
        """CreateEventSourceMapping. The answer says Creating, as Lambda's; it is enabled when it is looked at again."""
        with self._mapping_rules():
            kind = mapping_rules.kind_of(EventSourceArn)
        assert EventSourceArn is not None
        with self._mapping_rules():
            settings = mapping_rules.new(EventSourceArn, params)
        found = self._mapped(FunctionName)
        if kind == "sqs":
            self._check_queue(EventSourceArn, found)
        record: Record = {
            "kind": kind,
            "source": EventSourceArn,
            "function": found.name,
            "qualifier": found.qualifier,
            "enabled": Enabled,
            "settings": _jsonable(settings),
            "modified": self.clock.now(),
            "tags": Tags or {},
            "result": "No records processed",
        }
        with self.catalog.transaction():
            self._check_duplicate(record, kind)
            name = str(uuid.uuid4())
            self.catalog.put("mapping", name, "", record)
        return self._mapping_shown(name, record, "Creating" if Enabled else "Disabled")

    def get_event_source_mapping(self, *, UUID: str) -> dict[str, Any]:
        """GetEventSourceMapping."""
        return self._mapping_shown(UUID, self._mapping(UUID))

    def list_event_source_mappings(
        self,
        *,
        EventSourceArn: str | None = None,
        FunctionName: str | None = None,
        Marker: str | None = None,
        MaxItems: int | None = None,
    ) -> dict[str, Any]:
        """ListEventSourceMappings, of a source, of a function, or all."""
        wanted = None if FunctionName is None else self.named(FunctionName)
        mappings = [
            self._mapping_shown(name, record)
            for name, _, record in self.catalog.all("mapping")
            if EventSourceArn in {None, record["source"]}
            and (
                wanted is None
                or (record["function"] == wanted.name and wanted.qualifier in {None, record["qualifier"]})
            )
        ]
        page, marker = paged(mappings, Marker, MaxItems, default=100)
        return {"EventSourceMappings": page} | ({} if marker is None else {"NextMarker": marker})

    def update_event_source_mapping(
        self,
        *,
        UUID: str,
        FunctionName: str | None = None,
        Enabled: bool | None = None,
        **params: Any,
    ) -> dict[str, Any]:
        """UpdateEventSourceMapping: merges."""
        before = self._mapping(UUID)
        with self._mapping_rules():
            mapping_rules.check(before["source"], params)
        found = None if FunctionName is None else self._mapped(FunctionName)
        if found is not None and before["kind"] == "sqs":
            self._check_queue(before["source"], found)

        def change(record: Record) -> None:
            with self._mapping_rules():
                record["settings"] = _jsonable(
                    mapping_rules.merged(record["kind"], record["settings"], params)
                )
            if found is not None:
                record |= {"function": found.name, "qualifier": found.qualifier}
            if Enabled is not None:
                record["enabled"] = Enabled
            record["modified"] = self.clock.now()

        record = self.catalog.change("mapping", UUID, "", change)
        if record is None:
            raise self.not_found(_MISSING)
        state = "Updating" if record["enabled"] else "Disabled"
        if record["enabled"] != before["enabled"]:
            state = "Enabling" if record["enabled"] else "Disabling"
        return self._mapping_shown(UUID, record, state)

    def delete_event_source_mapping(self, *, UUID: str) -> dict[str, Any]:
        """DeleteEventSourceMapping, with where its reader stood."""
        with self.catalog.transaction():
            record = self._mapping(UUID)
            self.catalog.remove("mapping", UUID)
            self.catalog.remove_all("checkpoint", UUID)
        return self._mapping_shown(UUID, record, "Deleting")

    # --- within this room

    def _mapping(self, name: str) -> Record:
        record = self.catalog.get("mapping", name)
        if record is None:
            raise self.not_found(_MISSING)
        return record

    def _mapped(self, text: str) -> Found:
        """The function of a mapping; these operations have words of their own for one that isn't there."""
        try:
            return self.find(text)
        except self.exceptions.ResourceNotFoundException as error:
            if "not reachable" in str(error):
                raise
            raise self.invalid("Function does not exist") from None

    def _check_queue(self, arn: str, found: Found) -> None:
        """The queue must be there, and hide a message for as long as the function may take."""
        name = Arn.parse(arn).resource
        try:
            url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
            attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        except ClientError as error:
            what = error.response["Error"]
            raise self.invalid(
                f"Error occurred while ReceiveMessage. SQS Error Code: {what['Code']}. SQS Error Message: {what['Message']}"
            ) from None
        visibility = int(attributes["Attributes"]["VisibilityTimeout"])
        if visibility < found.config["Timeout"]:
            raise self.invalid(
                f"Queue visibility timeout: {visibility} seconds is less than Function timeout: {found.config['Timeout']} seconds"
            )

    def _check_duplicate(self, record: Record, kind: str) -> None:
        for name, _, other in self.catalog.all("mapping"):
            if other["source"] != record["source"] or other["function"] != record["function"]:
                continue
            source, function = record["source"], record["function"]
            if kind == "sqs":
                raise self.conflict(
                    f'An event source mapping with SQS arn (" {source} ") and function (" {function} ") already exists. Please '
                    f"update or delete the existing mapping with UUID {name}"
                )
            raise self.conflict(
                f'The event source arn (" {source} ") and function (" {function} ") provided mapping already exists. Please '
                f"update or delete the existing mapping with UUID {name}"
            )

    def _mapping_shown(self, name: str, record: Record, state: str | None = None) -> dict[str, Any]:
        arn = Arn("lambda", self.scope.region, self.scope.account, f"event-source-mapping:{name}")
        shown: dict[str, Any] = {
            "UUID": name,
            "EventSourceMappingArn": str(arn),
            "EventSourceArn": record["source"],
            "FunctionArn": self.scope.function(record["function"], record["qualifier"]),
            "LastModified": datetime.fromtimestamp(record["modified"], UTC),
            "State": state or ("Enabled" if record["enabled"] else "Disabled"),
            "StateTransitionReason": _REASONS[record["kind"]],
            **record["settings"],
        }
        if record["kind"] == "dynamodb":
            shown["LastProcessingResult"] = record["result"]
        return shown

    @contextmanager
    def _mapping_rules(self) -> Iterator[None]:
        try:
            yield
        except Invalid as error:
            raise self.invalid(str(error)) from None


def _jsonable(settings: dict[str, Any]) -> dict[str, Any]:
    """Without the starting time, which no source here takes."""
    return {key: value for key, value in settings.items() if key != "StartingPositionTimestamp"}
