"""Failures for the dashboard: groups, all about one, and what is done about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lambdalog.failures import Desk, Detail, Group, Pace, Plan, Step, where

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from lambdalog.cloud import Cloud

__all__ = ["Detail", "Failures", "Group", "Plan", "Step", "StoreFailures"]


class Failures(Protocol):
    """What failed, and what can be done about it. Methods block."""

    def groups(self) -> list[Group]:
        """All groups, the most recent first."""
        ...

    def notes(self) -> list[str]:
        """What could not be seen at the last look."""
        ...

    def detail(self, group: Group) -> Detail:
        """All about a group's newest failure."""
        ...

    def plans(self, group: Group, *, discard: bool) -> list[Plan]:
        """What a replay or a discard of a group would take, queue by queue. Nothing is changed."""
        ...

    def plan_one(self, group: Group, event: str | None) -> list[Plan]:
        """What a replay of a group's newest failure would do, with its event as it is (None) or as edited."""
        ...

    def replay(self, plans: list[Plan], cancel: threading.Event) -> Iterator[Step | str]:
        """Send exactly the planned failures again: a canary, then more and more. A text at the end: why it stopped early."""
        ...

    def discard(self, plans: list[Plan], reason: str, cancel: threading.Event) -> Iterator[Step]:
        """Delete exactly the planned failures."""
        ...

    def resolve(self, group: Group) -> None:
        """Mark a group as resolved: what fails so again has regressed."""
        ...

    def mute(self, group: Group) -> None:
        """Mark a group as muted, or take that mark away."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class StoreFailures:
    """Acts through a `Desk`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._made: Desk | None = None

    @property
    def _desk(self) -> Desk:
        # Made by the first thread that asks: it opens files.
        if self._made is None:
            self._made = Desk(self._cloud)
        return self._made

    def groups(self) -> list[Group]:
        """All groups, the most recent first."""
        return sorted(self._desk.groups(), key=lambda group: group.last_seen, reverse=True)

    def notes(self) -> list[str]:
        """What could not be seen at the last look."""
        return self._desk.notes

    def detail(self, group: Group) -> Detail:
        """All about a group's newest failure."""
        return self._desk.detail(group.letters[-1])

    def plans(self, group: Group, *, discard: bool) -> list[Plan]:
        """What a replay or a discard of a group would take, queue by queue."""
        chosen = where([group.fingerprint])
        make = self._desk.plan_discard if discard else self._desk.plan
        return [make(queue, where=chosen) for queue in group.queues]

    def plan_one(self, group: Group, event: str | None) -> list[Plan]:
        """What a replay of a group's newest failure would do."""
        letter = group.letters[-1]
        planned = self._desk.plan(letter.queue, where=where([f"id={letter.message_id}"]))
        return [planned if event is None else self._desk.edit(planned, lambda _: event)]

    def replay(self, plans: list[Plan], cancel: threading.Event) -> Iterator[Step | str]:
        """Send exactly the planned failures again; what stops one queue's stops the others' too."""
        for planned in plans:
            if planned.letters and not cancel.is_set():
                run = self._desk.begin(planned, pace=Pace(canary=1))
                yield from self._desk.steps(run.id, cancel=cancel)
                if stopped := self._desk.result(run.id).stopped:
                    yield f"{stopped}; the rest is untouched: lambdalog replay --resume {run.id}"
                    return

    def discard(self, plans: list[Plan], reason: str, cancel: threading.Event) -> Iterator[Step]:
        """Delete exactly the planned failures."""
        for planned in plans:
            if planned.letters and not cancel.is_set():
                run = self._desk.begin_discard(planned, reason=reason)
                yield from self._desk.steps(run.id, cancel=cancel)

    def resolve(self, group: Group) -> None:
        """Mark a group as resolved."""
        self._desk.resolve(group.fingerprint)

    def mute(self, group: Group) -> None:
        """Mark a group as muted, or take that mark away."""
        if group.status == "muted":
            self._desk.reopen(group.fingerprint)
        else:
            self._desk.mute(group.fingerprint)

    def close(self) -> None:
        """Close the desk's files; the cloud is the feed's."""
        if self._made is not None:
            self._made.close()
