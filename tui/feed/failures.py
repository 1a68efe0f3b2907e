"""Failures for the dashboard: groups, all about one, and what is done about them."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, replace
from itertools import count
from secrets import randbits
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import structs

from lambdalog.failures import Desk, Detail, Group, Pace, Plan, Step, where
from tui.feed.apart import Apart

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambdalog.cloud import Cloud
    from lambdalog.failures import Letter
    from lambdalog.failures.plan import Count

__all__ = ["ApartFailures", "Detail", "Failures", "Group", "Letters", "Planned", "Step", "StoreFailures"]

MESSAGE_MAX: Final = 1000
# Letters of all queues are read no more often, however fast a cursor moves.
LETTERS_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan for a queue as it is asked about: how many, which, where to. Who made it has the ids of its letters, frozen.

    `left`: why letters are left alone, and how many. `where`: which failures were meant, as it would be typed.
    """

    key: int
    queue: str
    destination: str
    where: str
    count: int
    total: int
    kinds: tuple[Count, ...]
    left: dict[str, int]
    edited: int
    notes: tuple[str, ...]


class Failures(Protocol):
    """What failed, and what can be done about it. Methods block."""

    def groups(self) -> list[Group]:
        """All groups, the most recent first; what their newest letters say is their details'."""
        ...

    def notes(self) -> list[str]:
        """What could not be seen at the last look."""
        ...

    def detail(self, group: Group) -> Detail:
        """All about a group's newest failure."""
        ...

    def plans(self, group: Group, *, discard: bool) -> list[Planned]:
        """What a replay or a discard of a group would take, queue by queue. Nothing is changed."""
        ...

    def plan_one(self, letter: Letter, event: str | None) -> list[Planned]:
        """What a replay of one failure would do, with its event as it is (None) or as edited."""
        ...

    def replay(self, plans: Sequence[Planned], cancel: threading.Event) -> Iterator[Step | str]:
        """Send exactly the planned failures again: a canary, then more and more. A text at the end: why it stopped early."""
        ...

    def discard(self, plans: Sequence[Planned], reason: str, cancel: threading.Event) -> Iterator[Step]:
        """Delete exactly the planned failures."""
        ...

    def resolve(self, group: Group) -> None:
        """Mark a group as resolved: what fails so again has regressed."""
        ...

    def mute(self, group: Group) -> None:
        """Mark a group as muted, or take that mark away."""
        ...

    def leave(self) -> None:
        """Let nobody wait for an answer any longer, where that can be."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class Letters(Protocol):
    """What lies in queues that get failures, as other screens ask for it. Methods block."""

    def of_request(self, request_id: str) -> tuple[list[Letter], list[str]]:
        """A request's letters without their text, and what could not be seen. Looked for every five seconds at most."""
        ...

    def newest_of(self, function: str) -> Letter | None:
        """The newest letter with an event of a function, among those in its queues."""
        ...


class StoreFailures:
    """Acts through a `Desk`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._made: Desk | None = None
        self._making = threading.Lock()
        self._newest: dict[str, Letter] = {}
        # Those of the last question: the ones that can be said yes to. No other process numbers its plans alike.
        self._plans: dict[int, Plan] = {}
        self._numbers = count(randbits(62))
        self._looking = threading.Lock()
        self._looked = float("-inf")
        self._letters: list[Letter] = []

    @property
    def _desk(self) -> Desk:
        # Made by the first thread that asks: it opens files.
        with self._making:
            if self._made is None:
                self._made = Desk(self._cloud)
            return self._made

    def groups(self) -> list[Group]:
        """All groups, the most recent first."""
        found = sorted(self._desk.groups(), key=lambda group: group.last_seen, reverse=True)
        self._newest = {group.fingerprint: group.newest for group in found}
        return [_light(group) for group in found]

    def notes(self) -> list[str]:
        """What could not be seen at the last look."""
        return self._desk.notes

    def of_request(self, request_id: str) -> tuple[list[Letter], list[str]]:
        """A request's letters without their text, and what could not be seen."""
        with self._looking:
            now = self._cloud.clock.monotonic()
            if now - self._looked > LETTERS_SECONDS:
                self._letters = self._desk.inbox.letters()
                self._looked = now
            found = [_bare(letter) for letter in self._letters if letter.request_id == request_id]
            return found, list(self._desk.notes)

    def newest_of(self, function: str) -> Letter | None:
        """The newest letter with an event of a function, among those in its queues."""
        inbox = self._desk.inbox
        found = [
            letter
            for queue, functions in inbox.queues().items()
            if function in functions
            for letter in inbox.letters(queue)
            if letter.event is not None and letter.function in {"", function}
        ]
        return max(found, key=lambda letter: letter.sent_at, default=None)

    def _letter(self, group: Group) -> Letter:
        """A group's newest letter. LookupError for a group that is gone."""
        try:
            return self._newest[group.fingerprint]
        except KeyError:
            raise LookupError(f"no failure of the group {group.fingerprint} is left") from None

    def detail(self, group: Group) -> Detail:
        """All about a group's newest failure."""
        return self._desk.detail(self._letter(group))

    def plans(self, group: Group, *, discard: bool) -> list[Planned]:
        """What a replay or a discard of a group would take, queue by queue."""
        text = f"fingerprint={group.fingerprint}"
        make = self._desk.plan_discard if discard else self._desk.plan
        return self._kept([make(queue, where=where([text])) for queue in group.queues], text)

    def plan_one(self, letter: Letter, event: str | None) -> list[Planned]:
        """What a replay of one failure would do."""
        text = f"id={letter.message_id}"
        planned = self._desk.plan(letter.queue, where=where([text]))
        return self._kept([planned if event is None else self._desk.edit(planned, lambda _: event)], text)

    def _kept(self, plans: list[Plan], meant: str) -> list[Planned]:
        self._plans = dict(zip(self._numbers, plans, strict=False))
        return [told(key, planned, meant) for key, planned in self._plans.items()]

    def _chosen(self, plans: Sequence[Planned]) -> list[Plan]:
        """What was planned. LookupError for plans that other ones, or another process, came after."""
        made = self._plans
        if any(planned.key not in made for planned in plans):
            raise LookupError("nothing is known any longer of what was planned; plan it anew")
        return [made[planned.key] for planned in plans if planned.count]

    def replay(self, plans: Sequence[Planned], cancel: threading.Event) -> Iterator[Step | str]:
        """Send exactly the planned failures again; what stops one queue's stops the others' too."""
        for planned in self._chosen(plans):
            if not cancel.is_set():
                run = self._desk.begin(planned, pace=Pace(canary=1))
                yield from self._desk.steps(run.id, cancel=cancel)
                if stopped := self._desk.result(run.id).stopped:
                    yield f"{stopped}; the rest is untouched: lambdalog replay --resume {run.id}"
                    return

    def discard(self, plans: Sequence[Planned], reason: str, cancel: threading.Event) -> Iterator[Step]:
        """Delete exactly the planned failures."""
        for planned in self._chosen(plans):
            if not cancel.is_set():
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

    def leave(self) -> None:
        """What runs here ends by itself."""

    def close(self) -> None:
        """Close the desk's files; the cloud is the feed's."""
        if self._made is not None:
            self._made.close()


class ApartFailures:
    """The failures of a store, read by a process of its own: there may be a hundred thousand."""

    def __init__(self, target: str) -> None:
        self._apart = Apart("failures", "StoreFailures", target)

    def groups(self) -> list[Group]:
        """All groups, the most recent first."""
        found: list[Group] = self._apart.call("groups")
        return found

    def notes(self) -> list[str]:
        """What could not be seen at the last look."""
        found: list[str] = self._apart.call("notes")
        return found

    def of_request(self, request_id: str) -> tuple[list[Letter], list[str]]:
        """A request's letters without their text, and what could not be seen."""
        found: tuple[list[Letter], list[str]] = self._apart.call("of_request", request_id)
        return found

    def newest_of(self, function: str) -> Letter | None:
        """The newest letter with an event of a function."""
        found: Letter | None = self._apart.call("newest_of", function)
        return found

    def detail(self, group: Group) -> Detail:
        """All about a group's newest failure."""
        found: Detail = self._apart.call("detail", group)
        return found

    def plans(self, group: Group, *, discard: bool) -> list[Planned]:
        """What a replay or a discard of a group would take, queue by queue."""
        found: list[Planned] = self._apart.call("plans", group, discard=discard)
        return found

    def plan_one(self, letter: Letter, event: str | None) -> list[Planned]:
        """What a replay of one failure would do."""
        found: list[Planned] = self._apart.call("plan_one", letter, event)
        return found

    def replay(self, plans: Sequence[Planned], cancel: threading.Event) -> Iterator[Step | str]:
        """Send exactly the planned failures again."""
        return self._apart.stream("replay", plans, cancel=cancel)

    def discard(self, plans: Sequence[Planned], reason: str, cancel: threading.Event) -> Iterator[Step]:
        """Delete exactly the planned failures."""
        return self._apart.stream("discard", plans, reason, cancel=cancel)

    def resolve(self, group: Group) -> None:
        """Mark a group as resolved."""
        self._apart.act("resolve", group)

    def mute(self, group: Group) -> None:
        """Mark a group as muted, or take that mark away."""
        self._apart.act("mute", group)

    def leave(self) -> None:
        """End the process, and wait for nothing."""
        self._apart.leave()

    def close(self) -> None:
        """End the process."""
        self._apart.close()


def told(key: int, planned: Plan, meant: str) -> Planned:
    """A plan as it is asked about. `meant`: which failures, as it would be typed."""
    return Planned(
        key,
        planned.queue,
        planned.destination.described,
        meant,
        len(planned.letters),
        planned.total,
        tuple(planned.by_fingerprint()),
        dict(Counter(left.reason for left in planned.left)),
        len(planned.edits),
        planned.notes,
    )


def _light(group: Group) -> Group:
    """Without the newest letter's text, of which there may be a megabyte: it is in the detail."""
    return replace(group, newest=_bare(group.newest), message=group.message[:MESSAGE_MAX])


def _bare(letter: Letter) -> Letter:
    return structs.replace(letter, body="", event=None, response=None, typed=None, system={})
