"""Tags of log groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lambdalog.local.logs.room import Room, group_name


class Tags(Room):
    """The operations on tags, newer and older."""

    def tag_resource(self, *, resourceArn: str, tags: dict[str, str]) -> dict[str, Any]:
        """TagResource, on a group's ARN without `:*`."""
        return self.tag_log_group(logGroupName=self._tagged_group(resourceArn), tags=tags)

    def untag_resource(self, *, resourceArn: str, tagKeys: list[str]) -> dict[str, Any]:
        """UntagResource."""
        return self.untag_log_group(logGroupName=self._tagged_group(resourceArn), tags=tagKeys)

    def list_tags_for_resource(self, *, resourceArn: str) -> dict[str, Any]:
        """ListTagsForResource."""
        return self.list_tags_log_group(logGroupName=self._tagged_group(resourceArn))

    def tag_log_group(self, *, logGroupName: str, tags: dict[str, str]) -> dict[str, Any]:
        """TagLogGroup, the older operation."""
        self._check_tag_count(self._group(logGroupName).tags | tags)
        self._update(logGroupName, lambda info: replace(info, tags=info.tags | tags))
        return {}

    def untag_log_group(self, *, logGroupName: str, tags: list[str]) -> dict[str, Any]:
        """UntagLogGroup, the older operation."""
        self._update(
            logGroupName,
            lambda info: replace(
                info, tags={key: value for key, value in info.tags.items() if key not in tags}
            ),
        )
        return {}

    def list_tags_log_group(self, *, logGroupName: str) -> dict[str, Any]:
        """ListTagsLogGroup, the older operation."""
        return {"tags": dict(self._group(logGroupName).tags)}

    def _tagged_group(self, arn: str) -> str:
        if not arn.startswith("arn:") or arn.endswith(":*"):
            raise self._invalid("Invalid resourceArn.")
        return group_name(arn)
