"""An execution environment: a runtime and its extensions behind a Runtime API of their own, and one log stream.

The thread that invokes does all the work: it answers their requests, drains what they write, watches memory and the
clock. Between invocations nothing runs here, as Lambda freezes an environment; what was written meanwhile is read at
the next invocation, or when the environment is closed.
"""

from __future__ import annotations

import base64
import os
import select
import signal
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from lambdalog.runtime import extensions as extension_api
from lambdalog.runtime import outcome as outcomes
from lambdalog.runtime import platform_events, platform_lines
from lambdalog.runtime.extensions import Extensions, Refused
from lambdalog.runtime.http import Connection, Malformed, Piece, Request
from lambdalog.runtime.journal import Journal
from lambdalog.runtime.launch import launch, runtime_version
from lambdalog.runtime.outcome import RESPONSE_MAX, Failed, Outcome
from lambdalog.runtime.output import Frames, Lines, drain
from lambdalog.runtime.process import MB, RUNTIME, TELEMETRY_FD, Processes
from lambdalog.runtime.sink import stream_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lambdalog.clock import Clock
    from lambdalog.runtime.spawner import Spawner
    from lambdalog.runtime.spec import FunctionSpec

PREFIX: Final = "/2018-06-01/runtime"
# "The Init phase is limited to 10 seconds." (Lambda execution environment lifecycle)
INIT_SECONDS: Final = 10.0
WATCH_SECONDS: Final = 0.005
# The runtime's own memory is looked at each WATCH_SECONDS, that of what it started each so many times.
_TREE_EVERY: Final = 20
# "Shutdown phase": 2 s with external extensions, of which the runtime has 300 ms; 500 ms with internal ones; else none.
SHUTDOWN_SECONDS: Final = 2.0
RUNTIME_SHUTDOWN_SECONDS: Final = 0.3
INTERNAL_SHUTDOWN_SECONDS: Final = 0.5
_ACCEPTED: Final = b'{"status":"OK"}\n'


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
        self.stream = stream_name(clock.now(), spec.version)
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
        self._api = _listen()
        self._listener = self._api
        self._connections: dict[int, Connection] = {}
        self._waiting: Connection | None = None
        self._sources: dict[int, tuple[Lines | Frames, str]] = {}
        self._extensions = Extensions(spec, ())
        self._poll = select.poll()
        self._poll.register(self._listener, select.POLLIN)
        self._turns = 0
        # The streamed response that is coming in: where from, what of it, and who hears it.
        self._stream: Connection | None = None
        self._streamed = bytearray()
        self._on_chunk: Callable[[bytes, str], None] | None = None
        self._content_type = ""

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
        self._on_chunk = on_chunk
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
        self._journal.platform(platform_events.start(request_id, self.spec.version))
        result = b""
        if failed is None:
            result, failed = self._run(payload, request_id, invoked_arn, client_context, trace_id, deadline)
        duration_ms = (time.perf_counter() - began) * 1000
        return self._finish(request_id, result, failed, duration_ms, init_ms, cold=cold, trace_id=trace_id)

    def close(self) -> None:
        """End the processes, extensions after they were told, and close everything. What they still wrote is logged."""
        self.usable = False
        self.sink.on_line = None
        self._stop("spindown")
        self._api.close()

    # --- phases

    def _init(self, request_id: str, phase: str, seconds: float) -> tuple[float, Failed | None]:
        """Start the processes and wait until they are ready; ms it took, and why it failed."""
        began = time.perf_counter()
        deadline = time.monotonic() + seconds
        spec = self.spec
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
        self._drain()
        self._extensions.closed = True
        for extension in self._extensions.all:
            self._journal.platform(
                platform_events.extension(extension.name, extension.events, extension.failed)
            )
        if failed is None:
            self._journal.platform(platform_events.init_runtime_done(phase=phase, status="success"))
            self._journal.platform(platform_events.init_report(init_ms, phase=phase, status="success"))
        else:
            status = "timeout" if failed.status == "timeout" else "error"
            error_type = None if status == "timeout" else failed.error_type
            self._journal.platform(
                platform_events.init_runtime_done(phase=phase, status=status, error_type=error_type)
            )
            self._journal.platform(
                platform_events.init_report(init_ms, phase=phase, status=status, error_type=error_type)
            )
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
        host, port = self._api.getsockname()[:2]
        self._processes = processes = Processes(
            self.spec,
            launched,
            self._spawner,
            api=f"{host}:{port}",
            confine=self._confine,
            hidden=self._hidden,
        )
        if processes.listener is not None:
            # The environment has a network of its own, and its Runtime API listens in there.
            self._poll.unregister(self._listener)
            self._listener = processes.listener
            self._listener.setblocking(False)
            self._poll.register(self._listener, select.POLLIN)
        self._poll.register(processes, select.POLLIN)
        # What the runtime client says of an error comes last, as it was written last.
        for name, (out, err) in processes.outputs.items():
            self._sources[out] = (Lines(out), name)
            self._sources[err] = (Lines(err), name)
        self._sources[processes.telemetry] = (Frames(processes.telemetry), RUNTIME)
        for fd in self._sources:
            self._poll.register(fd, select.POLLIN)
        self._extensions = Extensions(self.spec, (name for name in processes.outputs if name != RUNTIME))

    def _get_ready(self, request_id: str, deadline: float, seconds: float, phase: str) -> Failed | None:
        processes = self._processes
        assert processes is not None
        while self._waiting is None or not self._extensions.ready():
            for item, connection in self._turn():
                if isinstance(item, Request) and (failed := self._serve_init(item, connection)):
                    return failed
            if self._waiting is not None and self._extensions.ready():
                return None
            if (failed := self._watch(request_id)) is not None:
                return failed
            if time.monotonic() > deadline:
                if phase == "invoke":
                    return outcomes.timed_out(request_id, self.spec.timeout)
                return outcomes.timed_out(request_id, seconds)
        return None

    def _run(
        self,
        payload: bytes,
        request_id: str,
        invoked_arn: str,
        client_context: str | None,
        trace_id: str | None,
        deadline: float,
    ) -> tuple[bytes, Failed | None]:
        deadline_ms = int((time.time() + deadline - time.monotonic()) * 1000)
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invoked_arn,
        }
        if trace_id:
            headers["Lambda-Runtime-Trace-Id"] = _header(trace_id)
        if client_context:
            headers["Lambda-Runtime-Client-Context"] = _header(client_context)
        if self._extensions.any:
            self._extensions.tell(extension_api.invoke_event(request_id, deadline_ms, invoked_arn, trace_id))
        sent = False
        answer: tuple[bytes, Failed | None] | None = None
        while True:
            if not sent and self._waiting is not None:
                self._waiting.send("200 OK", payload, headers)
                self._waiting = None
                sent = True
            for item, connection in self._turn():
                found = (
                    self._serve(item, connection, request_id if sent and answer is None else "")
                    if isinstance(item, Request)
                    else self._take_piece(item, connection)
                )
                answer = answer or found
            if answer is not None and (self._extensions.idle() or answer[1] is not None):
                return answer
            failed = self._watch(request_id)
            if failed is not None:
                if answer is not None:
                    return (
                        answer  # the caller has been answered, so to say; the runtime starts anew next time
                    )
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

    def _finish(
        self,
        request_id: str,
        result: bytes,
        failed: Failed | None,
        duration_ms: float,
        init_ms: float | None,
        *,
        cold: bool,
        trace_id: str | None,
    ) -> Outcome:
        processes = self._processes
        self._drain()
        peak = 1
        if processes is not None:
            peak = max(1, min(-(-processes.high_water() // MB), self.spec.memory))
        stopped = processes is None or (
            failed is not None and (failed.status != "error" or processes.returncode is not None)
        )
        status, error_type = "success", None
        if failed is not None:
            status = "timeout" if failed.status == "timeout" else "error"
            error_type = None if failed.status == "timeout" else failed.error_type
            if failed.status == "timeout":
                text = outcomes.timeout_text(self.spec.timeout)
                self._journal.say(platform_lines.timed_out(self._clock.now(), request_id, text))
            elif failed.status in {"exit", "memory"}:
                self._journal.say(platform_lines.exited(outcomes.message_of(failed.body), failed.error_type))
        billed = platform_lines.billed(duration_ms, init_ms)
        self._journal.platform(
            platform_events.runtime_done(
                request_id,
                status=status,
                duration_ms=duration_ms,
                produced=len(result),
                error_type=error_type,
            )
        )
        self._journal.platform(
            platform_events.report(
                request_id,
                duration_ms=duration_ms,
                billed_ms=billed,
                memory_mb=self.spec.memory,
                max_memory_mb=peak,
                init_ms=init_ms,
                status=status,
                error_type=error_type,
                shown=stopped,
                trace=trace_id,
            )
        )
        self.sink.flush()
        tail = self.sink.tail()
        if stopped:
            # The environment stays, its log stream too; the process starts anew at the next invocation.
            self._stop("timeout" if status == "timeout" else "failure")
        self._stream = None
        self._streamed.clear()
        self._on_chunk = None
        self.last_used = self._clock.monotonic()
        return Outcome(
            request_id=request_id,
            status="success" if failed is None else failed.status,
            payload=result if failed is None else failed.body,
            executed_version=self.spec.version,
            log_stream=self.stream,
            duration_ms=duration_ms,
            billed_ms=billed,
            memory_mb=self.spec.memory,
            max_memory_mb=peak,
            init_ms=init_ms,
            cold_start=cold,
            function_error=None if failed is None else "Unhandled",
            error_type=None if failed is None else failed.error_type,
            log_tail=tail,
            trace_header=trace_id,
        )

    def _look_after(self) -> None:
        """See what happened since the last invocation: a runtime that has ended meanwhile starts anew."""
        if self._processes is None:
            return
        for item, connection in self._turn(0):
            if isinstance(item, Request):
                self._serve(item, connection, "")
        if self._processes.returncode is not None:
            self._stop("failure")
        if self._waiting is not None and (self._waiting.receive() or self._waiting.closed):
            # It has ended, and its keeper has not said so yet; or it asks for more before it was answered.
            self._hang_up(self._waiting)

    def _end_runtime(self) -> None:
        """Kill the function with all it started; extensions live on, to be told why."""
        if self._processes is not None:
            if self._extensions.external:
                self._processes.signal(signal.SIGKILL)
            else:
                self._processes.kill()

    def _watch(self, request_id: str) -> Failed | None:
        """Why the processes can't go on: they ended, an extension failed, or they take too much memory."""
        processes = self._processes
        assert processes is not None
        limit = self.spec.memory * MB
        if processes.memory() > limit or (self._turns % _TREE_EVERY == 0 and processes.over(limit)):
            self._end_runtime()
            return outcomes.exited(request_id, -signal.SIGKILL, memory=True)
        if (returncode := processes.returncode) is not None:
            return outcomes.exited(request_id, returncode)
        if self._extensions.any:
            for extension in self._extensions.all:
                if extension.failed is not None:
                    processes.kill()
                    return outcomes.extension_failed(request_id, extension.failed)
            for name in self._extensions.external & processes.ended.keys():
                processes.kill()
                return outcomes.extension_crashed(request_id, processes.ended[name])
        return None

    # --- their requests

    def _turn(self, seconds: float = WATCH_SECONDS) -> list[tuple[Request | Piece, Connection]]:
        """Wait a moment, take what they wrote, and give their requests."""
        requests: list[tuple[Request | Piece, Connection]] = []
        self._turns += 1
        for fd, _ in self._poll.poll(seconds * 1000):
            if (connection := self._connections.get(fd)) is not None:
                try:
                    requests += [(item, connection) for item in connection.receive()]
                except Malformed:
                    connection.closed = True
                if connection.closed:
                    self._hang_up(connection)
            elif (source := self._sources.get(fd)) is not None:
                self._take(*source)
            elif fd == self._listener.fileno():
                with suppress(BlockingIOError, ConnectionError):
                    connection = Connection(self._listener.accept()[0])
                    self._connections[connection.fileno()] = connection
                    self._poll.register(connection.fileno(), select.POLLIN)
            elif self._processes is not None and fd == self._processes.fileno():
                self._processes.listen()
                if self._processes.gone:
                    self._poll.unregister(fd)
        return requests

    def _serve_init(self, request: Request, connection: Connection) -> Failed | None:
        match request.method, request.path:
            case "GET", path if path == f"{PREFIX}/invocation/next":
                self._waiting = connection
            case "POST", path if path == f"{PREFIX}/init/error":
                connection.send("202 Accepted", _ACCEPTED)
                return outcomes.reported(request.body, "init")
            case _ if not self._serve_extension(request, connection):
                self._refuse(
                    connection, "403 Forbidden", "InvalidStateTransition", "Transition is not allowed"
                )
        return None

    def _serve(
        self, request: Request, connection: Connection, request_id: str
    ) -> tuple[bytes, Failed | None] | None:
        """Answer one request; the result, if it was the one that ends the invocation.

        `request_id` is empty while no answer is waited for.
        """
        if not request.path.startswith(f"{PREFIX}/"):
            if not self._serve_extension(request, connection):
                self._refuse(connection, "404 Not Found", "NotFound", "There is no such path")
            return None
        match request.method, request.path.removeprefix(f"{PREFIX}/"):
            case "GET", "invocation/next":
                self._waiting = connection
            case "POST", path if request_id and path == f"invocation/{request_id}/response":
                return self._take_response(request, connection)
            case "POST", path if request_id and path == f"invocation/{request_id}/error":
                connection.send("202 Accepted", _ACCEPTED)
                return b"", outcomes.reported(request.body)
            case "POST", path if request_id and path.startswith("invocation/"):
                self._refuse(connection, "400 Bad Request", "InvalidRequestID", "Invalid request ID")
            case "POST", _:
                self._refuse(
                    connection, "403 Forbidden", "InvalidStateTransition", "Transition is not allowed"
                )
            case _:
                self._refuse(connection, "404 Not Found", "NotFound", "There is no such path")
        return None

    def _take_response(self, request: Request, connection: Connection) -> tuple[bytes, Failed | None] | None:
        self._content_type = request.headers.get("content-type", "application/octet-stream")
        if request.streaming:
            self._stream = connection
            self._streamed.clear()
            return None
        if len(request.body) > RESPONSE_MAX:
            failed = outcomes.too_large()
            self._refuse(
                connection,
                "413 Request Entity Too Large",
                "RequestEntityTooLarge",
                outcomes.message_of(failed.body),
            )
            return b"", failed
        connection.send("202 Accepted", _ACCEPTED)
        if self._on_chunk is not None and request.body:
            self._on_chunk(request.body, self._content_type)
        return request.body, None

    def _take_piece(self, piece: Piece, connection: Connection) -> tuple[bytes, Failed | None] | None:
        """A piece of a streamed response; the result, at its end."""
        if connection is not self._stream:
            if piece.trailers is not None:  # the end of one that nobody waits for
                self._refuse(
                    connection, "403 Forbidden", "InvalidStateTransition", "Transition is not allowed"
                )
            return None
        if piece.trailers is None:
            if self._on_chunk is not None:
                self._on_chunk(piece.data, self._content_type)
            elif len(self._streamed) + len(piece.data) > RESPONSE_MAX:
                self._stream = None  # a caller that wants it whole gets no more than of any response
                return b"", outcomes.too_large()
            else:
                self._streamed += piece.data
            return None
        connection.send("202 Accepted", _ACCEPTED)
        self._stream = None
        if error_type := piece.trailers.get("lambda-runtime-function-error-type"):
            try:
                body = base64.b64decode(piece.trailers.get("lambda-runtime-function-error-body", ""))
            except ValueError:
                body = b""
            return b"", outcomes.streamed_error(error_type, body)
        return bytes(self._streamed), None

    def _serve_extension(self, request: Request, connection: Connection) -> bool:
        """Answer a request to the Extensions or the Telemetry API; False if it is to neither."""
        try:
            if request.path.startswith(extension_api.PREFIX):
                self._extensions.handle(request, connection)
                return True
            if request.method == "PUT" and request.path in {"/2022-07-01/telemetry", "/2020-08-15/logs"}:
                self._subscribe(request, connection)
                return True
        except Refused as refused:
            connection.send(refused.status, refused.body)
            return True
        return False

    def _subscribe(self, request: Request, connection: Connection) -> None:
        from lambdalog.runtime.telemetry import read_wish

        extension = self._extensions.by_header(request)
        if self._extensions.closed:
            raise Refused(
                "403 Forbidden",
                "Telemetry.SubscriptionClosed",
                "Telemetry API subscription is closed already",
            )
        if "network" in self._confine:
            raise Refused(
                "403 Forbidden", "Telemetry.NotSupported", "an environment without a network can't be sent to"
            )
        wish = read_wish(request.body)
        self._journal.subscribe(extension.name, wish)
        connection.send("200 OK", b'"OK"')

    def _refuse(self, connection: Connection, status: str, kind: str, message: str) -> None:
        connection.send(status, f'{{"errorMessage":"{message}","errorType":"{kind}"}}'.encode())

    # --- what they write

    def _take(self, source: Lines | Frames, name: str) -> None:
        events, closed = drain(source, self._clock.now_ms())
        if closed:
            self._poll.unregister(source.fd)
            del self._sources[source.fd]
            events += source.finish(self._clock.now_ms())
        if events:
            self._journal.written(events, "function" if name == RUNTIME else "extension")

    def _drain(self) -> None:
        for source, name in list(self._sources.values()):
            self._take(source, name)
        for source, name in self._sources.values():
            if rest := source.finish(self._clock.now_ms()):
                self._journal.written(rest, "function" if name == RUNTIME else "extension")

    # --- letting go

    def _hang_up(self, connection: Connection) -> None:
        if self._waiting is connection:
            self._waiting = None
        if self._stream is connection:
            self._stream = None
        self._extensions.forget(connection)
        self._poll.unregister(connection.fileno())
        del self._connections[connection.fileno()]
        connection.close()

    def _stop(self, reason: str) -> None:
        """End all processes; extensions are told why, and have their time."""
        processes = self._processes
        if processes is not None:
            if self._extensions.all and not processes.gone:
                self._shut_down(processes, reason)
            processes.kill()
            self._drain()
            if not self.usable or self.sink.on_line is None:
                self.sink.flush()
        for connection in list(self._connections.values()):
            self._hang_up(connection)
        self._journal.deliver(0.5)
        self._journal.unsubscribe()
        for fd in self._sources:
            self._poll.unregister(fd)
        self._sources = {}
        self._extensions = Extensions(self.spec, ())
        if processes is not None:
            with suppress(KeyError):
                self._poll.unregister(processes)
            if self._listener is not self._api:
                self._poll.unregister(self._listener)
                self._listener.close()
                self._listener = self._api
                self._poll.register(self._listener, select.POLLIN)
            processes.close()
            self._processes = None

    def _shut_down(self, processes: Processes, reason: str) -> None:
        external = [extension for extension in self._extensions.all if extension.external]
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
        self._extensions.tell(extension_api.shutdown_event(reason, deadline_ms))
        names = {extension.name for extension in external}
        self._serve_until(time.monotonic() + left, lambda: names <= processes.ended.keys())

    def _serve_until(self, deadline: float, done: Callable[[], bool]) -> None:
        while not done() and time.monotonic() < deadline:
            for item, connection in self._turn():
                if not isinstance(item, Request):
                    continue
                if item.path == f"{PREFIX}/invocation/next":
                    self._waiting = connection  # there will be none
                elif not self._serve_extension(item, connection):
                    self._refuse(
                        connection, "403 Forbidden", "InvalidStateTransition", "Transition is not allowed"
                    )


def _listen() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0), backlog=16)
    listener.setblocking(False)
    return listener


def _header(value: str) -> str:
    """A caller's text as a header's value: what would end the line is gone."""
    return value.replace("\r", "").replace("\n", "")
