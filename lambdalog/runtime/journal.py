"""What is told of an environment: into its log stream, by format and levels, and to the extensions that have subscribed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lambdalog.level import INFO, NAMES
from lambdalog.runtime import platform_events, platform_text
from lambdalog.runtime.output import Written, application_level
from lambdalog.runtime.sink import LogSink

if TYPE_CHECKING:
    from lambdalog.clock import Clock
    from lambdalog.runtime.platform_events import PlatformEvent
    from lambdalog.runtime.spec import FunctionSpec
    from lambdalog.runtime.telemetry import Subscription, Wish

# A function that floods its log while it starts is not kept whole for extensions that may never subscribe.
EARLY_MAX: Final = 10_000
_LEVELS: Final = {name: level for level, name in NAMES.items()} | {"TRACE": 10}


class Journal:
    """One environment's. `sink` is its log stream."""

    def __init__(self, spec: FunctionSpec, stream: str, *, logs: Any, clock: Clock) -> None:
        self.sink = LogSink(logs, spec.log_group, stream, clock)
        self._clock = clock
        self._subscriptions: list[Subscription] = []
        # What was told since the start of the init phase, for those who subscribe later in it.
        self._early: list[dict[str, Any]] | None = None
        self._json = spec.log_format == "JSON"
        self._system_level = _LEVELS.get(spec.system_log_level or "INFO", INFO)
        self._application_level = _LEVELS.get(spec.application_log_level or "INFO", INFO)

    def written(self, events: list[Written], kind: str) -> None:
        """What a process wrote; `kind` is function or extension."""
        if self._subscriptions or self._early is not None:
            for event in events:
                time = platform_text.iso(event.timestamp / 1000)
                self._tell({"time": time, "type": kind, "record": event.text})
        if self._json:
            events = [event for event in events if application_level(event) >= self._application_level]
        self.sink.add(events)

    def platform(self, *events: PlatformEvent) -> None:
        """What Lambda itself has to tell."""
        now_ms = self._clock.now_ms()
        now = now_ms / 1000
        if self._subscriptions or self._early is not None:
            for event in events:
                self._tell(event.as_json(now))
        if self._json:
            texts = [platform_events.line(event, now=now, level=self._system_level) for event in events]
        else:
            texts = [event.text for event in events]
        self.sink.add([Written(now_ms, text) for text in texts if text is not None])

    def say(self, text: str) -> None:
        """A line for the log alone, whatever its format."""
        self.sink.add([Written(self._clock.now_ms(), text)])

    def begin_init(self, *, subscribers: bool) -> None:
        """The init phase begins. `subscribers`: whoever subscribes in it hears what came before, as on AWS."""
        self._early = [] if subscribers else None

    def end_init(self) -> None:
        """The init phase is over: nobody subscribes any more."""
        self._early = None

    def subscribe(self, name: str, wish: Wish) -> None:
        """Deliver to an extension from now on, in place of what it had subscribed to before."""
        from lambdalog.runtime.telemetry import Subscription

        for old in [found for found in self._subscriptions if found.name == name]:
            old.close()
            self._subscriptions.remove(old)
        subscription = Subscription(name, wish, self._dropped)
        self._subscriptions.append(subscription)
        for event in self._early or ():
            subscription.add(event)
        self.platform(platform_events.telemetry_subscription(name, wish.types))

    def deliver(self, seconds: float) -> None:
        """Give the subscribers what there is, within so many seconds for each."""
        for subscription in self._subscriptions:
            subscription.flush(seconds)

    def unsubscribe(self) -> None:
        """Deliver no more: the extensions have ended."""
        for subscription in self._subscriptions:
            subscription.close()
        self._subscriptions = []

    def _tell(self, event: dict[str, Any]) -> None:
        if self._early is not None and len(self._early) < EARLY_MAX:
            self._early.append(event)
        for subscription in self._subscriptions:
            subscription.add(event)

    def _dropped(self, records: int, size: int) -> dict[str, Any]:
        event = platform_events.logs_dropped(records, size, "Consumer seems to have fallen behind")
        return event.as_json(self._clock.now())
