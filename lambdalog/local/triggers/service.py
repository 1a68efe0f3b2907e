"""The triggers of a store: made, listed, switched, deleted, and fired.

What a trigger fires is an asynchronous invocation: it is on disk before the trigger goes on, is retried by Lambda's
rules, and ends in the function's dead-letter queue or destination like any other.
"""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lambdalog.errors import ConfigError
from lambdalog.local.events.bucket import ObjectChange, notification
from lambdalog.local.events.schedule import scheduled
from lambdalog.local.triggers.definition import (
    SERVICES,
    Folder,
    Notifications,
    Schedule,
    Trigger,
    check_name,
    chosen,
    read,
)
from lambdalog.local.triggers.expression import missed, parse
from lambdalog.local.triggers.folder import Seen, compare, etag, files

if TYPE_CHECKING:
    from lambdalog.local.lambda_ import Lambda

logger = logging.getLogger(__name__)

# A schedule that comes so late was missed, not merely waited for.
LATE_SECONDS: Final = 60.0


class Triggers:
    """The triggers of one store, fired at the functions of its Lambda."""

    def __init__(self, functions: Lambda) -> None:
        self.functions = functions
        self._catalog = functions.catalog
        self._clock = functions.clock
        self._scope = functions.scope
        self._unsettled: dict[str, dict[str, Seen]] = {}
        self._told: dict[str, tuple[tuple[float, float | None], dict[str, Seen]]] = {}

    # --- made and changed

    def add(self, trigger: Trigger) -> Trigger:
        """Make a trigger. ConfigError if it can't be or is there; ClientError if its function isn't, or forbids it.

        What lies in a watched folder already is not told of, as S3 doesn't.
        """
        check_name(trigger.name)
        trigger.source.check()
        found = self.functions.find(trigger.function, trigger.qualifier)
        trigger = replace(trigger, function=found.name, qualifier=found.qualifier, made=self._clock.now())
        self._check_addable(trigger)
        there = {}
        if isinstance(trigger.source, Folder):
            there = self._files(trigger.source)
        with self._catalog.transaction():
            if not self._catalog.add("trigger", trigger.name, "", trigger.record()):
                raise ConfigError(
                    f"there is a trigger {trigger.name} already; delete it, or give another name"
                )
            for key, seen in there.items():
                self._catalog.put("checkpoint", _place(trigger.name), key, seen._asdict())
        return trigger

    def get(self, name: str) -> Trigger:
        """A trigger. ConfigError if there is none of that name."""
        record = self._catalog.get("trigger", name)
        if record is None:
            raise ConfigError(
                f"there is no trigger {name}; `lambdalog trigger list` shows those that are there"
            )
        return read(name, record)

    def all(self) -> list[Trigger]:
        """All triggers by name."""
        return [read(name, record) for name, key, record in self._catalog.all("trigger") if not key]

    def switch(self, name: str, *, enabled: bool) -> Trigger:
        """Enable or disable a trigger. One that is enabled again begins anew: what was missed meanwhile stays missed."""
        trigger = self.get(name)
        if trigger.enabled == enabled:
            return trigger
        trigger = replace(trigger, enabled=enabled)
        there = self._files(trigger.source) if enabled and isinstance(trigger.source, Folder) else {}
        with self._catalog.transaction():
            self._catalog.put("trigger", name, "", trigger.record())
            if enabled:
                self._catalog.put(
                    "trigger", name, "state", self.state(name) | {"due": None, "since": self._clock.now()}
                )
                self._catalog.remove_all("checkpoint", _place(name))
                for key, seen in there.items():
                    self._catalog.put("checkpoint", _place(name), key, seen._asdict())
        return trigger

    def remove(self, name: str) -> None:
        """Delete a trigger and where it stood. ConfigError if there is none."""
        with self._catalog.transaction():
            self.get(name)
            self._catalog.remove_all("trigger", name)
            self._catalog.remove_all("checkpoint", _place(name))

    def state(self, name: str) -> dict[str, Any]:
        """How a trigger is doing: {"due"?, "fired"?, "missed"?, "refused"?, "error"?}; due is epoch seconds."""
        return self._catalog.get("trigger", name, "state") or {}

    def next_due(self, trigger: Trigger) -> float | None:
        """When a schedule comes due next; None for other triggers, and for one that never does again."""
        if not isinstance(trigger.source, Schedule) or not trigger.enabled:
            return None
        state = self.state(trigger.name)
        if state.get("due") is not None:
            return float(state["due"])
        if state.get("over"):
            return None
        expression = parse(trigger.source.expression, trigger.source.zone)
        return expression.after(state.get("since", trigger.made), trigger.made)

    # --- fired

    def step(self) -> int:
        """Fire the schedules that are due, and tell of what has changed in folders; how many events there were."""
        fired = 0
        for trigger in self.all():
            if not trigger.enabled:
                continue
            try:
                if isinstance(trigger.source, Schedule):
                    fired += self._tick(trigger, trigger.source)
                elif isinstance(trigger.source, Folder):
                    fired += self._look(trigger, trigger.source)
            except (ConfigError, ClientError, OSError) as error:
                # The others go on; what this one could not tell of it tells of next time.
                self.note_error(trigger.name, str(error))
        return fired

    def deliver(self, trigger: Trigger, notified: dict[str, Any]) -> bool:
        """Fire a notification that S3 sent, if it is one for this trigger; whether it was."""
        source = trigger.source
        assert isinstance(source, Notifications)
        records = [
            record
            for record in notified["Records"]
            if record["s3"]["bucket"]["name"] == source.bucket
            and chosen(_key(record), source.prefix, source.suffix)
        ]
        if not records:
            return False
        with self._catalog.transaction():
            self._fire(trigger, notified | {"Records": records})
        return True

    def note_error(self, name: str, error: str) -> None:
        """Keep what went wrong with a trigger, for those who look; the same is logged once."""
        if self.state(name).get("error") != error:
            logger.warning("trigger %s: %s", name, error)
            self._note(name, error=error)

    def _tick(self, trigger: Trigger, source: Schedule) -> int:
        due, now = self.next_due(trigger), self._clock.now()
        if due is None or due > now:
            return 0
        expression = parse(source.expression, source.zone)
        with self._catalog.transaction():
            # Asked once more: another process may have fired it in between.
            if self._catalog.get("trigger", trigger.name) is None or self.next_due(trigger) != due:
                return 0
            last, count = missed(expression, due, now, trigger.made)
            late = count > 1 or now - due > LATE_SECONDS
            fire = not late or source.missed == "once" or now - last <= LATE_SECONDS
            if fire:
                self._fire(trigger, self._scheduled(trigger, source, last))
            following = expression.after(max(last, now), trigger.made)
            self._note(
                trigger.name,
                due=following,
                over=following is None,
                missed=self.state(trigger.name).get("missed", 0) + count - fire,
            )
        return int(fire)

    def _scheduled(self, trigger: Trigger, source: Schedule, at: float) -> Any:
        if source.input is not None:
            return json.loads(source.input)
        return scheduled(
            event_id=str(uuid.uuid4()),
            rule_arn=trigger.source_arn(self._scope),
            at=at,
            region=self._scope.region,
            account=self._scope.account,
        )

    def _look(self, trigger: Trigger, source: Folder) -> int:
        known = self._known(trigger)
        now = self._clock.now()
        found = compare(
            known, self._files(source), self._unsettled.get(trigger.name, {}), int(now * 1_000_000_000)
        )
        self._unsettled[trigger.name] = found.unsettled
        told = 0
        for key, seen in sorted(found.put.items(), key=lambda item: item[1].changed):
            told += self._put(trigger, source, key, seen)
            known[key] = seen
        for key in found.deleted:
            told += self._deleted(trigger, source, key, known[key])
            del known[key]
        return told

    def _known(self, trigger: Trigger) -> dict[str, Seen]:
        """The files that a trigger has told of: read once, and again when it was switched on anew."""
        place, since = _place(trigger.name), (trigger.made, self.state(trigger.name).get("since"))
        cached = self._told.get(trigger.name)
        if cached is None or cached[0] != since:
            found = {key: Seen(**seen) for key, seen in self._catalog.of("checkpoint", place).items()}
            self._told[trigger.name] = cached = (since, found)
        return cached[1]

    def _put(self, trigger: Trigger, source: Folder, key: str, seen: Seen) -> int:
        """Fire for a file that was put, kept together with having seen it; whether there was an event."""
        place, wanted = _place(trigger.name), "ObjectCreated" in source.events
        event = self._changed(trigger, source, key, seen) if wanted else None
        with self._catalog.transaction():
            if self._catalog.get("checkpoint", place, key) == seen._asdict():
                return 0  # another process was faster
            if event is not None:
                self._fire(trigger, event)
            self._catalog.put("checkpoint", place, key, seen._asdict())
        return int(wanted)

    def _deleted(self, trigger: Trigger, source: Folder, key: str, before: Seen) -> int:
        """The same for a file that is gone."""
        wanted = "ObjectRemoved" in source.events
        with self._catalog.transaction():
            if not self._catalog.remove("checkpoint", _place(trigger.name), key):
                return 0
            if wanted:
                self._fire(trigger, self._changed(trigger, source, key, None, before=before))
        return int(wanted)

    def _changed(
        self, trigger: Trigger, source: Folder, key: str, seen: Seen | None, before: Seen | None = None
    ) -> dict[str, Any]:
        stamp = seen or before
        change = ObjectChange(
            bucket=source.bucket,
            key=key,
            event="ObjectCreated:Put" if seen is not None else "ObjectRemoved:Delete",
            at=seen.changed / 1_000_000_000 if seen is not None else self._clock.now(),
            size=seen.size if seen is not None else 0,
            etag=etag(Path(source.folder) / key) if seen is not None else "",
            sequencer=f"{stamp.changed if stamp is not None else 0:018X}",
        )
        return notification(
            [change], region=self._scope.region, account=self._scope.account, configuration=trigger.name
        )

    def _files(self, source: Folder) -> dict[str, Seen]:
        folder = Path(source.folder)
        if not folder.is_dir():
            # A folder that is gone for a moment is not a bucket whose objects were all deleted.
            raise ConfigError(f"the folder {folder} is not there")
        found = files(folder, but=self.functions.root)
        return {key: seen for key, seen in found.items() if chosen(key, source.prefix, source.suffix)}

    def _fire(self, trigger: Trigger, event: Any) -> None:
        """Accept the event for the function. What Lambda refuses is counted, and not tried again: so do EventBridge and S3."""
        arguments: dict[str, Any] = {"FunctionName": trigger.function, "InvocationType": "Event"}
        if trigger.qualifier is not None:
            arguments["Qualifier"] = trigger.qualifier
        try:
            self._check_allowed(trigger)
            self.functions.invoke(**arguments, Payload=json.dumps(event).encode())
        except ClientError as error:
            self.note_error(trigger.name, str(error))
            self._note(trigger.name, refused=self.state(trigger.name).get("refused", 0) + 1)
            return
        self._note(trigger.name, fired=self.state(trigger.name).get("fired", 0) + 1, error=None)

    def _check_addable(self, trigger: Trigger) -> None:
        """S3 asks for leave when notifications are configured, with words of its own; EventBridge when it invokes."""
        try:
            self._check_allowed(trigger)
        except ClientError:
            if isinstance(trigger.source, Schedule):
                raise
            raise self.functions.error(
                "InvalidArgument", "Unable to validate the following destination configurations"
            ) from None

    def _check_allowed(self, trigger: Trigger) -> None:
        service, source = SERVICES[trigger.kind], trigger.source_arn(self._scope)
        if not self.functions.may_invoke(trigger.function, trigger.qualifier, service, source):
            function = self._scope.function(trigger.function, trigger.qualifier)
            raise self.functions.error(
                "AccessDeniedException",
                f"User: {service} is not authorized to perform: lambda:InvokeFunction on resource: {function} because no "
                "resource-based policy allows the lambda:InvokeFunction action",
                status=403,
            )

    def _note(self, name: str, **news: Any) -> None:
        if self._catalog.get("trigger", name) is not None:
            self._catalog.put("trigger", name, "state", self.state(name) | news)


def _key(record: dict[str, Any]) -> str:
    from urllib.parse import unquote_plus

    return unquote_plus(str(record["s3"]["object"]["key"]))


def _place(name: str) -> str:
    """Where a folder's files are remembered: no mapping's UUID begins so."""
    return f"trigger/{name}"
