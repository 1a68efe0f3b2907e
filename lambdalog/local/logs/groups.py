"""Log groups: made, described, kept for a time, protected."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.logs.filters import METRIC, SUBSCRIPTION, records
from lambdalog.local.logs.room import Room, group_name

if TYPE_CHECKING:
    from lambdalog.store import GroupInfo

RETENTION_DAYS: Final = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
_GROUP_NAME: Final = re.compile(r"[.\-_/#A-Za-z0-9]+")


class Groups(Room):
    """The operations on log groups."""

    def create_log_group(
        self,
        *,
        logGroupName: str,
        tags: dict[str, str] | None = None,
        logGroupClass: str = "STANDARD",
        kmsKeyId: str | None = None,
        deletionProtectionEnabled: bool = False,
    ) -> dict[str, Any]:
        """CreateLogGroup."""
        self._check_group_name(logGroupName)
        self._check_tag_count(tags or {})
        extra = {
            "class": logGroupClass,
            "deletionProtection": deletionProtectionEnabled,
            **({"kmsKeyId": kmsKeyId} if kmsKeyId else {}),
        }
        if not self._try(lambda: self._store.create_group(logGroupName, tags=tags, extra=extra)):
            raise self.error("ResourceAlreadyExistsException", "The specified log group already exists")
        return {}

    def delete_log_group(self, *, logGroupName: str) -> dict[str, Any]:
        """DeleteLogGroup, with all streams and events."""
        info = self._group(logGroupName)
        if info.extra.get("deletionProtection"):
            raise self.error(
                "ValidationException",
                "Cannot delete log group with deletion protection enabled. "
                "Disable deletion protection before deleting the log group.",
            )
        if not self._try(lambda: self._store.delete_group(logGroupName)):
            raise self._missing_group()
        filters = [*records(info, METRIC).values(), *records(info, SUBSCRIPTION).values()]
        self._try(lambda: self._ledger.forget(record["id"] for record in filters))
        return {}

    def describe_log_groups(
        self,
        *,
        accountIdentifiers: list[str] | None = None,
        logGroupNamePrefix: str | None = None,
        logGroupNamePattern: str | None = None,
        nextToken: str | None = None,
        limit: int = 50,
        includeLinkedAccounts: bool = False,
        logGroupClass: str | None = None,
        logGroupIdentifiers: list[str] | None = None,
    ) -> dict[str, Any]:
        """DescribeLogGroups: in ASCII order; by prefix, or by a part of the name, and then with less of each, as AWS answers."""
        del accountIdentifiers, includeLinkedAccounts
        if logGroupNamePrefix is not None and logGroupNamePattern is not None:
            raise self._invalid(
                "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
            )
        named = None if logGroupIdentifiers is None else {group_name(name) for name in logGroupIdentifiers}
        found = [
            info
            for info in self._try(self._store.catalog.groups)
            if info.name.startswith(logGroupNamePrefix or "")
            and (logGroupNamePattern or "") in info.name
            and (logGroupClass is None or info.extra.get("class", "STANDARD") == logGroupClass)
            and (named is None or info.name in named)
        ]
        page, token = self._page(found, [info.name for info in found], limit, nextToken)
        shown = self._group_record if logGroupNamePattern is None else self._short_record
        response: dict[str, Any] = {"logGroups": [shown(info) for info in page]}
        return response | ({"nextToken": token} if token else {})

    def list_log_groups(
        self,
        *,
        logGroupNamePattern: str | None = None,
        logGroupClass: str | None = None,
        includeLinkedAccounts: bool = False,
        accountIdentifiers: list[str] | None = None,
        nextToken: str | None = None,
        limit: int = 50,
        dataSources: list[dict[str, str]] | None = None,
        fieldIndexNames: list[str] | None = None,
        logGroupTags: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """ListLogGroups: by parts of the name (`^` begins it, `|` is or), class and tags."""
        del includeLinkedAccounts, accountIdentifiers
        parts = (logGroupNamePattern or "").split("|")
        found = [
            info
            for info in self._try(self._store.catalog.groups)
            if any(
                info.name.startswith(part[1:]) if part.startswith("^") else part in info.name
                for part in parts
            )
            and (logGroupClass is None or info.extra.get("class", "STANDARD") == logGroupClass)
            and all(
                tag["key"] in info.tags and (not tag.get("values") or info.tags[tag["key"]] in tag["values"])
                for tag in logGroupTags or ()
            )
            # There are neither sources nor indices here.
            and not dataSources
            and not fieldIndexNames
        ]
        page, token = self._page(found, [info.name for info in found], limit, nextToken)
        response: dict[str, Any] = {
            "logGroups": [
                {
                    "logGroupName": info.name,
                    "logGroupArn": self.scope.log_group(info.name),
                    "logGroupClass": info.extra.get("class", "STANDARD"),
                }
                for info in page
            ]
        }
        return response | ({"nextToken": token} if token else {})

    def put_retention_policy(self, *, logGroupName: str, retentionInDays: int) -> dict[str, Any]:
        """PutRetentionPolicy: older events are no longer returned, and removed in time."""
        if retentionInDays not in RETENTION_DAYS:
            raise self._invalid(
                f"1 validation error detected: Value '{retentionInDays}' at 'retentionInDays' failed to satisfy "
                f"constraint: Member must satisfy enum value set: [{', '.join(map(str, RETENTION_DAYS))}]"
            )
        self._update(logGroupName, lambda info: replace(info, retention_days=retentionInDays))
        return {}

    def delete_retention_policy(self, *, logGroupName: str) -> dict[str, Any]:
        """DeleteRetentionPolicy: events never expire."""
        self._update(logGroupName, lambda info: replace(info, retention_days=None))
        return {}

    def put_log_group_deletion_protection(
        self, *, logGroupIdentifier: str, deletionProtectionEnabled: bool
    ) -> dict[str, Any]:
        """PutLogGroupDeletionProtection."""
        self._update(
            group_name(logGroupIdentifier),
            lambda info: replace(info, extra=info.extra | {"deletionProtection": deletionProtectionEnabled}),
        )
        return {}

    def _check_group_name(self, name: str) -> None:
        self._check_length(name)
        if not _GROUP_NAME.fullmatch(name):
            raise self._invalid(
                f"1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy constraint: "
                r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+"
            )
        if name.startswith("aws/"):
            raise self._invalid("Log groups starting with AWS/ are reserved for AWS.")

    def _short_record(self, info: GroupInfo) -> dict[str, Any]:
        arn = self.scope.log_group(info.name)
        return {
            "logGroupName": info.name,
            "creationTime": info.created,
            "metricFilterCount": len(records(info, METRIC)),
            "arn": f"{arn}:*",
            "logGroupClass": info.extra.get("class", "STANDARD"),
            "logGroupArn": arn,
        }

    def _group_record(self, info: GroupInfo) -> dict[str, Any]:
        record = self._short_record(info) | {
            "storedBytes": self._store.stored_bytes(info.name),
            "deletionProtectionEnabled": bool(info.extra.get("deletionProtection")),
        }
        if info.retention_days is not None:
            record["retentionInDays"] = info.retention_days
        if "kmsKeyId" in info.extra:
            record["kmsKeyId"] = info.extra["kmsKeyId"]
        return record
