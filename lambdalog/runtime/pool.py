"""The environments of all functions: warm ones are used again, new ones made up to the limit."""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Self

from lambdalog.clock import SYSTEM
from lambdalog.runtime.environment import Environment
from lambdalog.runtime.spawner import Spawner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lambdalog.clock import Clock
    from lambdalog.runtime.outcome import Outcome
    from lambdalog.runtime.spec import FunctionSpec

# "The default regional concurrency quota starts at 1,000": far more processes than one machine wants.
CONCURRENCY: Final = 50
# AWS keeps idle environments for some minutes; it says neither how long nor promises any.
IDLE_SECONDS: Final = 600.0


# How often idle environments are looked at where a store is served.
REAP_SECONDS: Final = 5.0


class Throttled(Exception):
    """All the environments that a limit allows are busy; `reserved` tells whether it is the function's own."""

    def __init__(self, limit: int, *, reserved: bool) -> None:
        super().__init__(f"{limit} invocations run already")
        self.reserved = reserved


class Runtime:
    """Invokes functions; thread-safe. Close it, or use it in a `with`: nothing it started outlives it.

    `warm`: Python functions are forked from a warm process. `confine`: how environments are shut in, see `confinement`;
    `hidden` are folders that those with files of their own don't see.
    """

    def __init__(
        self,
        *,
        logs: Any,
        clock: Clock = SYSTEM,
        concurrency: int = CONCURRENCY,
        idle_seconds: float = IDLE_SECONDS,
        warm: bool = True,
        confine: Sequence[str] = (),
        hidden: Sequence[Path] = (),
    ) -> None:
        self._logs = logs
        self._clock = clock
        self._concurrency = concurrency
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._idle: defaultdict[str, list[Environment]] = defaultdict(list)
        self._busy: set[Environment] = set()
        self._closed = False
        self._confine = tuple(confine)
        self._hidden = tuple(hidden)
        self._spawner = Spawner(warm=warm)
        self.observer: Callable[[FunctionSpec, Outcome], None] | None = None
        """Told of every finished invocation."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def invoke(
        self,
        spec: FunctionSpec,
        payload: bytes,
        *,
        request_id: str | None = None,
        invoked_arn: str | None = None,
        client_context: str | None = None,
        trace_id: str | None = None,
        on_line: Callable[[str], None] | None = None,
        on_chunk: Callable[[bytes, str], None] | None = None,
        reserved: int | None = None,
    ) -> Outcome:
        """Run the function and wait for its end. `on_line` hears each log line as it comes, `on_chunk` the response.

        Throttled when the concurrency limit, or the function's `reserved` one, is reached; ConfigError if the function can't be started.
        """
        environment = self._take(spec, reserved)
        try:
            outcome = environment.invoke(
                payload,
                request_id=request_id or str(uuid.uuid4()),
                invoked_arn=invoked_arn or spec.arn,
                client_context=client_context,
                trace_id=trace_id,
                on_line=on_line,
                on_chunk=on_chunk,
            )
        except BaseException:
            environment.close()
            raise
        finally:
            self._give_back(environment)
        if self.observer is not None:
            self.observer(spec, outcome)
        return outcome

    def close(self) -> None:
        """Kill every environment. Running invocations end as killed."""
        with self._lock:
            self._closed = True
            idle = [environment for environments in self._idle.values() for environment in environments]
            self._idle.clear()
        _close(idle)
        self._spawner.close()

    def reap(self) -> None:
        """End the environments that were idle for long."""
        with self._lock:
            stale = self._reap(None)
        _close(stale)

    def run(self, stop: threading.Event) -> None:
        """Reap until `stop` is set; for a thread beside a served store."""
        while not self._clock.wait(stop, min(REAP_SECONDS, self._idle_seconds)):
            self.reap()

    def _take(self, spec: FunctionSpec, reserved: int | None) -> Environment:
        with self._lock:
            if self._closed:
                raise RuntimeError("the runtime is closed")
            if reserved is not None and self._running(spec.arn) >= reserved:
                raise Throttled(reserved, reserved=True)
            if len(self._busy) >= self._concurrency:
                raise Throttled(self._concurrency, reserved=False)
            key = spec.key
            stale = self._reap((spec.arn, spec.version, key))
            environment = (
                self._pop(key)
                if key in self._idle
                else Environment(
                    spec,
                    logs=self._logs,
                    clock=self._clock,
                    spawner=self._spawner,
                    confine=self._confine,
                    hidden=self._hidden,
                )
            )
            self._busy.add(environment)
        _close(stale)
        return environment

    def _pop(self, key: str) -> Environment:
        """The environment that was used last; to be asked under the lock."""
        warm = self._idle[key]
        environment = warm.pop()
        if not warm:
            del self._idle[key]
        return environment

    def _running(self, arn: str) -> int:
        """How many invocations of a function run now; to be asked under the lock."""
        return sum(1 for environment in self._busy if environment.spec.arn == arn)

    def _give_back(self, environment: Environment) -> None:
        with self._lock:
            self._busy.discard(environment)
            if environment.usable and not self._closed:
                self._idle[environment.key].append(environment)
                return
        environment.close()

    def _reap(self, wanted: tuple[str, str, str] | None) -> list[Environment]:
        """Take out environments that were idle for long, or whose function has changed since.

        `wanted`: ARN, version and key of the function that is to run.
        """
        now = self._clock.monotonic()
        stale = []
        for key, environments in list(self._idle.items()):
            spec = environments[0].spec
            replaced = wanted is not None and (spec.arn, spec.version) == wanted[:2] and key != wanted[2]
            # Who was used last stands last.
            while environments and (replaced or now - environments[0].last_used > self._idle_seconds):
                stale.append(environments.pop(0))
            if not environments:
                del self._idle[key]
        return stale


def _close(environments: list[Environment]) -> None:
    """Close all at once: each may give its extensions two seconds."""
    if len(environments) == 1:
        environments[0].close()
    elif environments:
        with ThreadPoolExecutor(min(len(environments), 32)) as closing:
            list(closing.map(Environment.close, environments))
