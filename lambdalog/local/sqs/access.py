"""The operations of SQS on a queue's tags and permissions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lambdalog.local.sqs import attributes as known
from lambdalog.local.sqs import permissions, schema
from lambdalog.local.sqs.desk import Desk
from lambdalog.store.tables import transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.local.sqs.rules import Breach


class AccessOperations(Desk):
    """Tags and permissions."""

    def tag_queue(self, *, QueueUrl: str, Tags: dict[str, str]) -> dict[str, Any]:
        """TagQueue."""
        with transaction(self._db) as db:
            queue = self._fresh(QueueUrl)
            tags = queue.tags | Tags
            self._check_tags(tags)
            db.execute(schema.SET_TAGS, (json.dumps(tags), queue.id))
        return {}

    def untag_queue(self, *, QueueUrl: str, TagKeys: list[str]) -> dict[str, Any]:
        """UntagQueue."""
        with transaction(self._db) as db:
            queue = self._fresh(QueueUrl)
            left = {key: value for key, value in queue.tags.items() if key not in TagKeys}
            db.execute(schema.SET_TAGS, (json.dumps(left), queue.id))
        return {}

    def list_queue_tags(self, *, QueueUrl: str) -> dict[str, Any]:
        """ListQueueTags."""
        tags = self._fresh(QueueUrl).tags
        return {"Tags": tags} if tags else {}

    def add_permission(
        self, *, QueueUrl: str, Label: str, AWSAccountIds: list[str], Actions: list[str]
    ) -> dict[str, Any]:
        """AddPermission: a statement more in the queue's policy."""
        arn = self.scope.queue(self._fresh(QueueUrl).name)
        self._change_policy(
            QueueUrl, lambda policy: permissions.add(policy, arn, Label, AWSAccountIds, Actions)
        )
        return {}

    def remove_permission(self, *, QueueUrl: str, Label: str) -> dict[str, Any]:
        """RemovePermission: a statement less, by its label."""
        self._change_policy(QueueUrl, lambda policy: permissions.remove(policy, Label))
        return {}

    def _change_policy(self, url: str, change: Callable[[str | None], str | Breach]) -> None:
        with transaction(self._db) as db:
            queue = self._fresh(url)
            policy = change(queue.attributes.get("Policy"))
            if not isinstance(policy, str):
                raise self.error(policy.code, policy.message)
            changed = known.merged(queue.attributes, {"Policy": policy})
            db.execute(schema.SET_ATTRIBUTES, (json.dumps(changed), self.clock.now_ms(), queue.id))
