"""An execution environment: one worker process behind a Runtime API of its own, and one log stream.

The thread that invokes does all the work: it answers the worker's requests, drains what it writes, watches its memory
and the clock. Between invocations nothing runs here, as Lambda freezes an environment.
"""

from __future__ import annotations

import select
import socket
import time
from typing import TYPE_CHECKING, Any, Final

from lambdalog.runtime import outcome as outcomes
from lambdalog.runtime import platform_lines
from lambdalog.runtime.http import Connection, Malformed, Request
from lambdalog.runtime.outcome import RESPONSE_MAX, Failed, Outcome
from lambdalog.runtime.output import Frames, Lines, Written, drain
from lambdalog.runtime.process import MB, Worker
from lambdalog.runtime.sink import LogSink, stream_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.clock import Clock
    from lambdalog.runtime.spec import FunctionSpec

PREFIX: Final = "/2018-06-01/runtime"
# "The Init phase is limited to 10 seconds." (Lambda execution environment lifecycle)
INIT_SECONDS: Final = 10.0
WATCH_SECONDS: Final = 0.005
_ACCEPTED: Final = b'{"status":"OK"}\n'


class Environment:
    """Runs one invocation at a time. `usable` is False once it is closed."""

    def __init__(self, spec: FunctionSpec, *, logs: Any, clock: Clock) -> None:
        self.spec = spec
        self.stream = stream_name(clock.now(), spec.version)
        self.usable = True
        self.last_used = clock.monotonic()
        self.sink = LogSink(logs, spec.log_group, self.stream, clock)
        self._clock = clock
        self._worker: Worker | None = None
        self._started_before = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=8)
        self._listener.setblocking(False)
        self._connections: dict[int, Connection] = {}
        self._waiting: Connection | None = None
        self._sources: list[Lines | Frames] = []
        self._poll = select.poll()
        self._poll.register(self._listener, select.POLLIN)

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
        client_context: str | None,
        trace_id: str | None,
        on_line: Callable[[str], None] | None,
    ) -> Outcome:
        """Run one invocation to its end; every line it wrote is in the log before this returns."""
        self.sink.begin()
        self.sink.on_line = on_line
        cold = not self._started_before
        init_ms = None
        failed: Failed | None = None
        result = b""
        if self._worker is None:
            init_ms, failed = self._start()
        self._platform(platform_lines.start(request_id, self.spec.version))
        began = time.perf_counter()
        if failed is None:
            result, failed = self._run(payload, request_id, invoked_arn, client_context, trace_id)
        duration_ms = (time.perf_counter() - began) * 1000
        return self._finish(request_id, result, failed, duration_ms, init_ms if cold else None, cold=cold)

    def close(self) -> None:
        """Kill the worker and close everything."""
        self.usable = False
        self._stop_worker()
        self._listener.close()

    # --- phases

    def _start(self) -> tuple[float, Failed | None]:
        began = time.perf_counter()
        address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._worker = worker = Worker(self.spec, api=address, log_stream=self.stream)
        # What the runtime client says of an error comes last, as it was written last.
        self._sources = [Lines(worker.stdout), Lines(worker.stderr), Frames(worker.telemetry)]
        for source in self._sources:
            self._poll.register(source.fd, select.POLLIN)
        self._started_before = True
        failed = None
        deadline = time.monotonic() + INIT_SECONDS
        while self._waiting is None and failed is None:
            for request, connection in self._turn():
                failed = self._serve_init(request, connection) or failed
            if failed is None and worker.returncode is not None and self._waiting is None:
                failed = outcomes.exited("", worker.returncode)
            elif failed is None and time.monotonic() > deadline:
                failed = Failed(
                    "init",
                    "Sandbox.Timedout",
                    outcomes.timed_out("", INIT_SECONDS).body.replace(b"RequestId:  Error: ", b""),
                )
        init_ms = (time.perf_counter() - began) * 1000
        if failed is not None:
            self._drain()
            self._platform(platform_lines.init_report(init_ms, "error", failed.error_type))
        return init_ms, failed

    def _run(
        self,
        payload: bytes,
        request_id: str,
        invoked_arn: str,
        client_context: str | None,
        trace_id: str | None,
    ) -> tuple[bytes, Failed | None]:
        worker = self._worker
        assert worker is not None
        deadline = time.monotonic() + self.spec.timeout
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + self.spec.timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": invoked_arn,
        }
        if trace_id:
            headers["Lambda-Runtime-Trace-Id"] = trace_id
        if client_context:
            headers["Lambda-Runtime-Client-Context"] = client_context
        limit = self.spec.memory * MB
        sent = False
        while True:
            if not sent and self._waiting is not None:
                self._waiting.send("200 OK", payload, headers)
                self._waiting = None
                sent = True
            for request, connection in self._turn():
                answer = self._serve(request, connection, request_id)
                if answer is not None:
                    return answer
            if worker.memory() > limit:
                worker.kill()
                return b"", outcomes.exited(request_id, -9, memory=True)
            if (returncode := worker.returncode) is not None:
                return b"", outcomes.exited(request_id, returncode)
            if time.monotonic() >= deadline:
                worker.kill()
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
    ) -> Outcome:
        worker = self._worker
        assert worker is not None
        self._drain()
        if failed is None and len(result) > RESPONSE_MAX:
            failed = outcomes.too_large()
        peak = max(1, min(-(-worker.high_water() // MB), self.spec.memory))
        stopped = failed is not None and (failed.status != "error" or worker.returncode is not None)
        if failed is not None and failed.status == "timeout":
            text = outcomes.timeout_text(self.spec.timeout)
            self._platform(platform_lines.timed_out(self._clock.now(), request_id, text))
        elif failed is not None and failed.status in {"exit", "memory"}:
            what = failed.body.split(b'"errorMessage":"', 1)[-1].removesuffix(b'"}').decode()
            self._platform(platform_lines.exited(what, failed.error_type))
        billed = platform_lines.billed(duration_ms, init_ms)
        self._platform(platform_lines.end(request_id))
        self._platform(
            platform_lines.report(
                request_id,
                duration_ms=duration_ms,
                billed_ms=billed,
                memory_mb=self.spec.memory,
                max_memory_mb=peak,
                init_ms=init_ms,
                status=None
                if failed is None or not stopped
                else "timeout"
                if failed.status == "timeout"
                else "error",
                error_type=None if failed is None or failed.status == "timeout" else failed.error_type,
            )
        )
        self.sink.flush()
        if stopped:
            # The environment stays, its log stream too; the process starts anew at the next invocation.
            self._stop_worker()
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
            log_tail=self.sink.tail(),
        )

    # --- the worker's requests

    def _turn(self) -> list[tuple[Request, Connection]]:
        """Wait a moment, take what the worker wrote, and give its requests."""
        requests: list[tuple[Request, Connection]] = []
        readable = {fd for fd, _ in self._poll.poll(WATCH_SECONDS * 1000)}
        if self._listener.fileno() in readable:
            try:
                peer, _ = self._listener.accept()
            except BlockingIOError:
                pass
            else:
                connection = Connection(peer)
                self._connections[connection.fileno()] = connection
                self._poll.register(connection.fileno(), select.POLLIN)
        for source in list(self._sources):
            if source.fd in readable:
                self._take(source)
        for fd in readable & self._connections.keys():
            connection = self._connections[fd]
            try:
                requests += [(request, connection) for request in connection.receive()]
            except Malformed:
                connection.closed = True
            if connection.closed:
                self._hang_up(connection)
        return requests

    def _serve_init(self, request: Request, connection: Connection) -> Failed | None:
        match request.method, request.path:
            case "GET", path if path == f"{PREFIX}/invocation/next":
                self._waiting = connection
                return None
            case "POST", path if path == f"{PREFIX}/init/error":
                connection.send("202 Accepted", _ACCEPTED)
                return outcomes.reported(request.body, "init")
            case _:
                self._refuse(
                    connection, "403 Forbidden", "InvalidStateTransition", "Transition is not allowed"
                )
                return None

    def _serve(
        self, request: Request, connection: Connection, request_id: str
    ) -> tuple[bytes, Failed | None] | None:
        """Answer one request; the result, if it was the one that ends the invocation."""
        match request.method, request.path.removeprefix(f"{PREFIX}/invocation/"):
            case "GET", "next":
                self._waiting = connection
            case "POST", path if path == f"{request_id}/response":
                connection.send("202 Accepted", _ACCEPTED)
                return request.body, None
            case "POST", path if path == f"{request_id}/error":
                connection.send("202 Accepted", _ACCEPTED)
                return b"", outcomes.reported(request.body)
            case "POST", path if path.endswith(("/response", "/error")) and "init" not in path:
                self._refuse(connection, "400 Bad Request", "InvalidRequestID", "Invalid request ID")
            case "POST", _:
                self._refuse(
                    connection, "403 Forbidden", "InvalidStateTransition", "Transition is not allowed"
                )
            case _:
                self._refuse(connection, "404 Not Found", "NotFound", "There is no such path")
        return None

    def _refuse(self, connection: Connection, status: str, kind: str, message: str) -> None:
        connection.send(status, f'{{"errorType":"{kind}","errorMessage":"{message}"}}'.encode())

    # --- what it writes

    def _take(self, source: Lines | Frames) -> None:
        events, closed = drain(source, self._clock.now_ms())
        self.sink.add(events)
        if closed:
            self._poll.unregister(source.fd)
            self._sources.remove(source)
            self.sink.add(source.finish(self._clock.now_ms()))

    def _drain(self) -> None:
        for source in list(self._sources):
            self._take(source)
        for source in self._sources:
            self.sink.add(source.finish(self._clock.now_ms()))

    def _platform(self, text: str) -> None:
        self.sink.add([Written(self._clock.now_ms(), text)])

    # --- letting go

    def _hang_up(self, connection: Connection) -> None:
        if self._waiting is connection:
            self._waiting = None
        self._poll.unregister(connection.fileno())
        del self._connections[connection.fileno()]
        connection.close()

    def _stop_worker(self) -> None:
        for connection in list(self._connections.values()):
            self._hang_up(connection)
        for source in self._sources:
            self._poll.unregister(source.fd)
        self._sources = []
        if self._worker is not None:
            self._worker.close()
            self._worker = None
