"""InvokeWithResponseStream: a response as it comes."""

from __future__ import annotations

import base64
import contextvars
import queue
import threading
from typing import TYPE_CHECKING, Any

from lambdalog.lineage import caller_trace
from lambdalog.local.event_stream import EventStream
from lambdalog.local.lambda_.invocation import Invocation, decoded_context
from lambdalog.local.lambda_.names import LATEST
from lambdalog.runtime import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What a function that does not stream is given as: Lambda buffers its response, and tells no type of it.
BUFFERED_TYPE = "application/octet-stream"


class _Course:
    """One invocation that runs in a thread of its own: what comes of it, in its order."""

    def __init__(self, run: Callable[[Callable[[bytes, str], None]], Outcome]) -> None:
        self._found: queue.SimpleQueue[tuple[bytes, str] | Outcome | BaseException] = queue.SimpleQueue()
        self._run = run
        self._left = False
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(self._go,), daemon=True, name="lambdalog-response-stream"
        ).start()

    def next(self) -> tuple[bytes, str] | Outcome:
        """The next piece and its content type, or how it ended. Raises what prevented it."""
        found = self._found.get()
        if isinstance(found, BaseException):
            raise found
        return found

    def leave(self) -> None:
        """Nobody listens any more: the function runs to its end, what it answers is dropped."""
        self._left = True

    def _go(self) -> None:
        try:
            self._found.put(self._run(self._hear))
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is read
            self._found.put(error)

    def _hear(self, data: bytes, content_type: str) -> None:
        if not self._left:
            self._found.put((data, content_type))


class Streaming(Invocation):
    """InvokeWithResponseStream."""

    def invoke_with_response_stream(
        self,
        *,
        FunctionName: str,
        InvocationType: str = "RequestResponse",
        LogType: str = "None",
        ClientContext: str | None = None,
        Payload: Any = b"",
        Qualifier: str | None = None,
        TenantId: str | None = None,
    ) -> dict[str, Any]:
        """InvokeWithResponseStream: PayloadChunk for each piece as the function writes it, then InvokeComplete.

        A function that does not stream gives its response in one piece. Its errors are in InvokeComplete.
        """
        del TenantId
        found = self.find(FunctionName, Qualifier, shown=LATEST, kept=True)
        payload = self.checked_payload(Payload, "RequestResponse")
        if InvocationType == "DryRun":
            return {"StatusCode": 204, "EventStream": EventStream(())}
        # Drawn here, as the version has to be told before the answer has come.
        chosen = self.drawn(found)._replace(alias=None)
        trace, context = caller_trace(), decoded_context(ClientContext)
        course = _Course(
            lambda hear: self.run(chosen, payload, client_context=context, trace_id=trace, on_chunk=hear)
        )
        first = course.next()
        return {
            "StatusCode": 200,
            "ExecutedVersion": chosen.config["Version"],
            "ResponseStreamContentType": BUFFERED_TYPE if isinstance(first, Outcome) else first[1],
            "EventStream": EventStream(_events(course, first, tail=LogType == "Tail"), on_close=course.leave),
        }


def _events(course: _Course, first: tuple[bytes, str] | Outcome, *, tail: bool) -> Iterator[dict[str, Any]]:
    found = first
    while not isinstance(found, Outcome):
        yield {"PayloadChunk": {"Payload": found[0]}}
        found = course.next()
    complete: dict[str, str] = {}
    if found.function_error is not None:
        complete["ErrorCode"] = found.function_error
        complete["ErrorDetails"] = found.payload.decode("utf-8", "replace")
    if tail:
        complete["LogResult"] = base64.b64encode(found.log_tail).decode()
    yield {"InvokeComplete": complete}
