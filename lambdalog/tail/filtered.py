"""FilterLogEvents page after page; on AWS out of the budget of calls that all of an account's readers share."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lambdalog.tail.budget import Budget
from lambdalog.tail.line import line_of_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.cloud import Cloud
    from lambdalog.tail.line import Line


def budget_of(cloud: Cloud) -> Budget:
    """The budget of all who read the logs of this cloud."""
    found: Budget = cloud.shared("logs budget", lambda: Budget(cloud.clock))
    return found


def filtered(cloud: Cloud, group: str, **params: Any) -> Iterator[Line]:
    """All lines of a group that FilterLogEvents gives for `params`, its own; pages may be empty. ClientError, as it raises."""
    ask: Any = cloud.client("logs").filter_log_events
    if cloud.store is None:
        ask = partial(budget_of(cloud).call, ask)
    token: str | None = None
    while True:
        more = {"nextToken": token} if token else {}
        answer = ask(logGroupName=group, **params, **more)
        for event in answer.get("events", ()):
            yield line_of_answer(group, event)
        token = answer.get("nextToken")
        if not token:
            return
