"""An execution environment: a runtime and its extensions behind a Runtime API of their own, and one log stream.

The thread that invokes does all the work: it answers their requests, drains what they write, watches memory and the
clock. Between invocations nothing runs here, as Lambda freezes an environment; what was written meanwhile is read at
the next invocation, or when the environment is closed.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any, Final

from lambdalog.runtime import extensions as extension_api
from lambdalog.runtime import outcome as outcomes
from lambdalog.runtime import platform_events
from lambdalog.runtime.channels import Channels
from lambdalog.runtime.conclusion import Run, conclude, status_of
from lambdalog.runtime.http import Request
from lambdalog.runtime.journal import Journal
from lambdalog.runtime.launch import extensions as extensions_of
from lambdalog.runtime.launch import launch, runtime_version
from lambdalog.runtime.process import MB, TELEMETRY_FD, Processes
from lambdalog.runtime.runtime_api import RuntimeApi, event_headers
from lambdalog.runtime.sink import stream_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lambdalog.clock import Clock
    from lambdalog.runtime.outcome import Failed, Outcome
    from lambdalog.runtime.runtime_api import Ended
    from lambdalog.runtime.spawner import Spawner
    from lambdalog.runtime.spec import FunctionSpec

# "The Init phase is limited to 10 seconds." (Lambda execution environment lifecycle)
INIT_SECONDS: Final = 10.0
# The runtime's own memory is looked at each WATCH_SECONDS, that of what it started each so many times.
_TREE_EVERY: Final = 20
# "Shutdown phase": 2 s with external extensions, of which the runtime has 300 ms; 500 ms with internal ones; else none.
SHUTDOWN_SECONDS: Final = 2.0
RUNTIME_SHUTDOWN_SECONDS: Final = 0.3
INTERNAL_SHUTDOWN_SECONDS: Final = 0.5


class Environment:
    """Runs one invocation at a time. `usable` is False once it is closed."""

    def __init__(
        self,
        spec: FunctionSpec,
        *,
        logs: Any,
        clock: Clock,
        spawner: Spawner,
        confine: Sequence[str] = (),
        hidden: Sequence[Path] = (),
    ) -> None:
        self.spec = spec
        self.key = spec.key
        shared = spec.log_group != f"/aws/lambda/{spec.name}"
        self.stream = stream_name(clock.now(), spec.version, named=spec.name if shared else "")
        self.usable = True
        self.last_used = clock.monotonic()
        self._journal = Journal(spec, self.stream, logs=logs, clock=clock)
        self.sink = self._journal.sink
        self._clock = clock
        self._spawner = spawner
        self._confine = confine
        self._hidden = hidden
        self._processes: Processes | None = None
        self._initialized = False
        self._api = RuntimeApi(spec, self._journal, reachable="network" not in confine)
        self._channels = Channels(self._journal, clock, self._api.forget)

    @property
    def lost(self) -> int:
        """Log events that could not be written."""
        return self.sink.lost

    def invoke(
        self,
        payload: bytes,
        *,
        request_id: str,
        invoked_arn: str,
        client_context: str | None = None,
        trace_id: str | None = None,
        on_line: Callable[[str], None] | None = None,
        on_chunk: Callable[[bytes, str], None] | None = None,
    ) -> Outcome:
        """Run one invocation to its end; every line it wrote is in the log before this returns.

        `on_chunk(bytes, content type)` is given the response as it comes, of a function that streams it, or else at once.
        """
        self.sink.on_line = on_line
        self._api.begin(on_chunk)
        cold = not self._initialized
        init_ms: float | None = None
        failed: Failed | None = None
        self.sink.begin()
        self._look_after()
        if cold:
            self._initialized = True
            init_ms, failed = self._init(request_id, "init", INIT_SECONDS)
        began = time.perf_counter()
        deadline = time.monotonic() + self.spec.timeout
        if failed is not None:
            # "If the Init phase fails, Lambda retries it at the time of the first invocation", within its timeout.
            init_ms = None
        if self._processes is None:
            failed = self._init(request_id, "invoke", self.spec.timeout)[1]
        result = b""
        if failed is None:
            result, failed = self._run(payload, request_id, invoked_arn, client_context, trace_id, deadline)
        else:
            self._start(request_id)
        duration_ms = (time.perf_counter() - began) * 1000
        self._channels.drain()
        processes = self._processes
        peak = 1
        if processes is not None:
            peak = max(1, min(-(-processes.high_water(self._api.peak) // MB), self.spec.memory))
        stopped = processes is None or (
            failed is not None and (failed.status != "error" or processes.returncode is not None)
        )
        run = Run(request_id, result, failed, duration_ms, init_ms, peak, stopped, cold, trace_id)
        outcome = conclude(run, spec=self.spec, journal=self._journal, now=self._clock.now())
        if stopped:
            # The environment stays, its log stream too; the process starts anew at the next invocation.
            self._stop("timeout" if outcome.status == "timeout" else "failure")
        self._api.end()
        self.last_used = self._clock.monotonic()
        return outcome

    def close(self) -> None:
        """End the processes, extensions after they were told, and close everything. What they still wrote is logged."""
        self.usable = False
        self.sink.on_line = None
        self._stop("spindown")
        self._channels.close()

    # --- phases

    def _init(self, request_id: str, phase: str, seconds: float) -> tuple[float, Failed | None]:
        """Start the processes and wait until they are ready; ms it took, and why it failed."""
        began = time.perf_counter()
        deadline = time.monotonic() + seconds
        spec = self.spec
        self._journal.begin_init(subscribers=bool(extensions_of(spec)))
        self._journal.platform(
            platform_events.init_start(
                name=spec.name,
                version=spec.version,
                runtime_version=runtime_version(spec.runtime),
                region=spec.region,
                phase=phase,
            )
        )
        self._launch()
        failed = self._get_ready(request_id, deadline, seconds, phase)
        init_ms = (time.perf_counter() - began) * 1000
        self._channels.drain()
        self._api.extensions.closed = True
        self._journal.end_init()
        for extension in self._api.extensions.all:
            self._journal.platform(
                platform_events.extension(extension.name, extension.events, extension.failed)
            )
        status, error_type = status_of(failed)
        self._journal.platform(
            platform_events.init_runtime_done(phase=phase, status=status, error_type=error_type)
        )
        self._journal.platform(
            platform_events.init_report(init_ms, phase=phase, status=status, error_type=error_type)
        )
        if failed is not None:
            self._stop("timeout" if status == "timeout" else "failure")
        return init_ms, failed

    def _launch(self) -> None:
        launched = launch(
            self.spec,
            log_stream=self.stream,
            telemetry_fd=TELEMETRY_FD,
            warm=self.spec.runtime.startswith("python") and self._spawner.warm(),
            outer=os.environ,
        )
        self._processes = Processes(
            self.spec,
            launched,
            self._spawner,
            api=self._channels.address,
            confine=self._confine,
            hidden=self._hidden,
        )
        self._channels.attach(self._processes)
        self._api.start(self._processes.extensions)

    def _get_ready(self, request_id: str, deadline: float, seconds: float, phase: str) -> Failed | None:
        while not self._ready():
            for item, connection in self._channels.turn():
                if (failed := self._api.serve_init(item, connection)) is not None:
                    return failed
            if self._ready():
                return None
            if (failed := self._watch(request_id)) is not None:
                return failed
            if time.monotonic() > deadline:
                return outcomes.timed_out(request_id, self.spec.timeout if phase == "invoke" else seconds)
        return None

    def _ready(self) -> bool:
        return self._api.waiting is not None and self._api.extensions.ready()

    def _run(
        self,
        payload: bytes,
        request_id: str,
        invoked_arn: str,
        client_context: str | None,
        trace_id: str | None,
        deadline: float,
    ) -> Ended:
        deadline_ms = int((time.time() + deadline - time.monotonic()) * 1000)
        headers = event_headers(
            request_id,
            deadline_ms=deadline_ms,
            arn=invoked_arn,
            trace_id=trace_id,
            client_context=client_context,
        )
        if self._api.extensions.any:
            self._api.extensions.tell(
                extension_api.invoke_event(request_id, deadline_ms, invoked_arn, trace_id)
            )
        sent = self._api.give(payload, headers)
        # What the function writes is read later than this, which is done while it begins.
        self._start(request_id)
        answer: Ended | None = None
        while True:
            sent = sent or self._api.give(payload, headers)
            for item, connection in self._channels.turn():
                waited_for = request_id if sent and answer is None else ""
                found = self._api.serve(item, connection, waited_for)
                answer = answer or found
            if answer is not None and (self._api.extensions.idle() or answer[1] is not None):
                return answer
            failed = self._watch(request_id)
            if failed is not None:
                if answer is not None:
                    # The caller has been answered, so to say; the runtime starts anew next time.
                    return answer
                if sent or failed.status == "memory":
                    return b"", failed
                # It ended before it was given the event: after the answer to the last one, or while it stood idle.
                self._stop("failure")
                again = self._init(request_id, "invoke", max(deadline - time.monotonic(), 0.001))[1]
                if again is not None:
                    return b"", again
            elif time.monotonic() >= deadline:
                self._end_runtime()
                return b"", outcomes.timed_out(request_id, self.spec.timeout)
            self.sink.flush_due()

    def _start(self, request_id: str) -> None:
        self._journal.platform(platform_events.start(request_id, self.spec.version))

    def _look_after(self) -> None:
        """See what happened since the last invocation: a runtime that has ended meanwhile starts anew."""
        if self._processes is None:
            return
        for item, connection in self._channels.turn(0):
            if isinstance(item, Request):
                self._api.serve(item, connection, "")
        if self._processes.returncode is not None:
            self._stop("failure")

    def _end_runtime(self) -> None:
        """Kill the function with all it started; extensions live on, to be told why."""
        if self._processes is not None:
            if self._api.extensions.external:
                self._processes.signal(signal.SIGKILL)
            else:
                self._processes.kill()

    def _watch(self, request_id: str) -> Failed | None:
        """Why the processes can't go on: they ended, an extension failed, or they take too much memory."""
        processes = self._processes
        assert processes is not None
        limit = self.spec.memory * MB
        if processes.memory() > limit or (self._channels.turns % _TREE_EVERY == 0 and processes.over(limit)):
            self._end_runtime()
            return outcomes.exited(request_id, -signal.SIGKILL, memory=True)
        if (returncode := processes.returncode) is not None:
            return outcomes.exited(request_id, returncode)
        extensions = self._api.extensions
        if extensions.any:
            for extension in extensions.all:
                if extension.failed is not None:
                    processes.kill()
                    return outcomes.extension_failed(request_id, extension.failed)
            for name in extensions.external & processes.ended.keys():
                processes.kill()
                return outcomes.extension_crashed(request_id, processes.ended[name])
        return None

    # --- letting go

    def _stop(self, reason: str) -> None:
        """End all processes; extensions are told why, and have their time."""
        processes = self._processes
        if processes is not None:
            if self._api.extensions.all and not processes.gone:
                self._shut_down(processes, reason)
            processes.kill()
            self._channels.drain()
            if not self.usable or self.sink.on_line is None:
                self.sink.flush()
        self._channels.hang_up_all()
        self._journal.deliver(0.5)
        self._journal.unsubscribe()
        self._channels.detach()
        self._api.start()
        if processes is not None:
            processes.close()
            self._processes = None

    def _shut_down(self, processes: Processes, reason: str) -> None:
        external = [extension for extension in self._api.extensions.all if extension.external]
        began = time.monotonic()
        first = RUNTIME_SHUTDOWN_SECONDS if external else INTERNAL_SHUTDOWN_SECONDS
        if reason == "spindown":
            processes.signal(signal.SIGTERM)
            self._serve_until(began + first, lambda: processes.returncode is not None)
        if processes.returncode is None:
            processes.signal(signal.SIGKILL)
        if not external:
            return
        self._journal.deliver(0.5)
        left = max(SHUTDOWN_SECONDS - (time.monotonic() - began), 0.5)
        deadline_ms = int((time.time() + left) * 1000)
        self._api.extensions.tell(extension_api.shutdown_event(reason, deadline_ms))
        names = {extension.name for extension in external}
        self._serve_until(time.monotonic() + left, lambda: names <= processes.ended.keys())

    def _serve_until(self, deadline: float, done: Callable[[], bool]) -> None:
        while not done() and time.monotonic() < deadline:
            for item, connection in self._channels.turn():
                self._api.serve_shutdown(item, connection)
