"""Published versions: numbered, immutable, each with an ARN of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.lambda_ import configuration
from lambdalog.local.lambda_.code import Code, frozen
from lambdalog.local.lambda_.room import paged
from lambdalog.local.lambda_.shown import Shown

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.local.lambda_.catalog import Record

# What may differ between `$LATEST` and the version that was published last without there being anything to publish.
_STAMPS: Final = (
    "CodeSize",
    "CodeSha256",
    "RevisionId",
    "LastModified",
    "FunctionArn",
    "Version",
    "Description",
    "State",
    "LastUpdateStatus",
)


class Versions(Shown):
    """PublishVersion, ListVersionsByFunction."""

    root: Path

    def publish_version(
        self,
        *,
        FunctionName: str,
        CodeSha256: str | None = None,
        Description: str | None = None,
        RevisionId: str | None = None,
        PublishTo: str | None = None,
    ) -> dict[str, Any]:
        """PublishVersion; the version that was published last comes back if nothing has changed since."""
        if PublishTo is not None:
            raise self.invalid("PublishTo: there are no capacity providers here.")
        named = self.named(FunctionName)
        record = self.catalog.get("function", named.name)
        if record is None:
            raise self.no_function(named.name)
        config = record["config"]
        if RevisionId is not None and RevisionId != config["RevisionId"]:
            raise self.stale()
        if CodeSha256 and CodeSha256 != config["CodeSha256"]:
            raise self.invalid(
                f"CodeSHA256 ({CodeSha256}) is different from current CodeSHA256 in $LATEST ({config['CodeSha256']}). Please try "
                "again with the CodeSHA256 in $LATEST."
            )
        return self.shown(self.publish(named.name, description=Description), named.name)

    def list_versions_by_function(
        self, *, FunctionName: str, Marker: str | None = None, MaxItems: int | None = None
    ) -> dict[str, Any]:
        """ListVersionsByFunction: `$LATEST` first, then by number."""
        found = self.find(FunctionName)
        records = [self.latest(found.record), *self.versions_of(found.name)]
        page, marker = paged(records, Marker, MaxItems)
        response: dict[str, Any] = {
            "Versions": [configuration.listed(self.shown(record, found.name)) for record in page]
        }
        if marker is not None:
            response["NextMarker"] = marker
        return response

    def versions_of(self, name: str) -> list[Record]:
        """A function's versions by number."""
        found = self.catalog.of("version", name)
        return [found[number] for number in sorted(found, key=int)]

    def publish(self, name: str, *, description: str | None) -> Record:
        """Publish `$LATEST` as it is, a folder's files too; the version's record."""
        before = self.catalog.get("function", name)
        if before is None:
            raise self.no_function(name)
        config = before["config"]
        code = frozen(self, self.root, Code(before["code"], config["CodeSize"], config["CodeSha256"]))
        with self.catalog.transaction():
            record = self.catalog.get("function", name)
            if record is None or record["code"] != before["code"]:
                raise self.conflict(
                    "The operation cannot be performed at this time. An update is in progress for resource: "
                    f"{self.scope.function(name)}"
                )
            last = self.catalog.get("version", name, str(record["next_version"] - 1))
            if last is not None and last["code"] == code.where and self._unchanged(last, record, name):
                return last
            number = str(record["next_version"])
            config = record["config"] | {
                "FunctionArn": self.scope.function(name, number),
                "Version": number,
                "RevisionId": self.new_revision(),
                "LastModified": self.now_text(),
                "CodeSize": code.size,
                "CodeSha256": code.sha256,
            }
            if description is not None:
                config["Description"] = description
            version = {
                "config": config,
                "code": code.where,
                "described": record["config"]["Description"],
            }
            if "environment" in record:
                version["environment"] = record["environment"]
            self.catalog.put("version", name, number, version)
            record["next_version"] += 1
            # Publishing gives `$LATEST` a new revision too.
            record["config"]["RevisionId"] = self.new_revision()
            self.catalog.put("function", name, "", record)
        return version

    def remove_version(self, name: str, number: str) -> None:
        """Remove a version that no alias needs; one that isn't there is no error."""
        with self.catalog.transaction():
            using = [
                alias
                for alias, record in self.catalog.of("alias", name).items()
                if number == record["version"] or number in record["weights"]
            ]
            if using:
                raise self.conflict(
                    f"Unable to delete version because the following aliases reference it: [{', '.join(using)}]"
                )
            self.catalog.remove("version", name, number)
            self.catalog.remove("event_config", name, number)
            self.catalog.remove("policy", name, number)

    def _unchanged(self, last: Record, record: Record, name: str) -> bool:
        return (
            configuration.same(last["config"], record["config"], _STAMPS)
            and last["described"] == record["config"]["Description"]
            and self.same_variables(last, record, name)
        )
