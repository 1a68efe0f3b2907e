"""Tags, of functions and of event source mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lambdalog.arn import Arn
from lambdalog.local.lambda_.room import Room

if TYPE_CHECKING:
    from lambdalog.local.lambda_.catalog import Kind, Record

TAGS_MAX: Final = 50


class Tags(Room):
    """TagResource, UntagResource, ListTags."""

    def tag_resource(self, *, Resource: str, Tags: dict[str, str]) -> dict[str, Any]:
        """TagResource: adds and overwrites."""
        kind, name = self._tagged(Resource)
        self._tagged_record(Resource, kind, name)
        if not Tags:
            raise self.invalid("An error occurred and the request cannot be processed.")

        def change(record: Record) -> None:
            tags = record.get("tags", {}) | Tags
            if len(tags) > TAGS_MAX:
                raise self.invalid("Number of tags exceeds resource tag limit.")
            record["tags"] = tags

        self.catalog.change(kind, name, "", change)
        return {}

    def untag_resource(self, *, Resource: str, TagKeys: list[str]) -> dict[str, Any]:
        """UntagResource; tags that aren't there are no error."""
        kind, name = self._tagged(Resource)
        self._tagged_record(Resource, kind, name)

        def change(record: Record) -> None:
            record["tags"] = {
                key: value for key, value in record.get("tags", {}).items() if key not in TagKeys
            }

        self.catalog.change(kind, name, "", change)
        return {}

    def list_tags(self, *, Resource: str) -> dict[str, Any]:
        """ListTags."""
        kind, name = self._tagged(Resource)
        return {"Tags": self._tagged_record(Resource, kind, name).get("tags", {})}

    def _tagged(self, arn: str) -> tuple[Kind, str]:
        sort, name, *qualifier = Arn.parse(arn).resource.split(":")
        if sort == "event-source-mapping":
            return "mapping", name
        if sort != "function":
            raise self.not_found(f"{sort.replace('-', ' ').capitalize()} not found: {arn}")
        if qualifier:
            raise self.invalid(
                "Tags on function aliases and versions are not supported. Please specify a function ARN."
            )
        return "function", name

    def _tagged_record(self, arn: str, kind: Kind, name: str) -> Record:
        record = self.catalog.get(kind, name)
        if record is None:
            what = "Function" if kind == "function" else "Event source mapping"
            raise self.not_found(f"{what} not found: {arn}")
        return record
