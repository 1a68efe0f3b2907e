"""What is served to an environment's processes: the Runtime API, and with it the Extensions and the Telemetry API.

Who asks for the next invocation, and whose response is streaming in, is kept here; sockets are somebody else's.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from lambdalog.runtime import extensions as extension_api
from lambdalog.runtime import outcome as outcomes
from lambdalog.runtime.extensions import Extensions, Refused
from lambdalog.runtime.http import Piece, Request
from lambdalog.runtime.outcome import RESPONSE_MAX, Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lambdalog.runtime.http import Connection
    from lambdalog.runtime.journal import Journal
    from lambdalog.runtime.spec import FunctionSpec

PREFIX: Final = "/2018-06-01/runtime"
# A response after which a request for the next event follows at once, as `workers/transport.py` sends it: that one's answer
# tells that it was taken. What follows one that was refused is not meant any more: whoever sent it ends with the refusal.
_AHEAD: Final = "lambdalog-ahead"
# The most memory that the runtime's process ever took, in bytes, where it tells that itself.
_PEAK: Final = "lambdalog-peak"
_PEAK_DIGITS: Final = 15
_ACCEPTED: Final = b'{"status":"OK"}\n'

Ended = tuple[bytes, Failed | None]


class RuntimeApi:
    """One environment's. `waiting` is the connection on which the runtime asks for its next invocation.

    `peak`: the most memory that the runtime says it ever took, in bytes; 0 if it said nothing in this invocation.

    `reachable`: whether what an extension listens on can be reached from here, which telemetry wants.
    """

    def __init__(self, spec: FunctionSpec, journal: Journal, *, reachable: bool = True) -> None:
        self.waiting: Connection | None = None
        self.peak = 0
        self.extensions = Extensions(spec, ())
        self._spec = spec
        self._journal = journal
        self._reachable = reachable
        # The streamed response that is coming in: where from, what of it, and who hears it.
        self._stream: Connection | None = None
        self._streamed = bytearray()
        self._on_chunk: Callable[[bytes, str], None] | None = None
        self._content_type = ""

    def start(self, extensions: Iterable[str] = ()) -> None:
        """Processes begin anew, with external extensions of these names."""
        self.extensions = Extensions(self._spec, extensions)

    def begin(self, on_chunk: Callable[[bytes, str], None] | None) -> None:
        """An invocation begins, whose response `on_chunk(bytes, content type)` hears."""
        self.peak = 0
        self._on_chunk = on_chunk

    def end(self) -> None:
        """An invocation has ended: what still streams in is nobody's."""
        self._stream = None
        self._streamed.clear()
        self._on_chunk = None

    def forget(self, connection: Connection) -> None:
        """A connection has ended."""
        if self.waiting is connection:
            self.waiting = None
        if self._stream is connection:
            self._stream = None
        self.extensions.forget(connection)

    def give(self, payload: bytes, headers: dict[str, str]) -> bool:
        """Give the runtime the invocation that it waits for; False while it does not wait."""
        if self.waiting is None:
            return False
        self.waiting.send("200 OK", payload, headers)
        self.waiting = None
        return True

    def serve_init(self, item: Request | Piece, connection: Connection) -> Failed | None:
        """Answer a request of the init phase; why it failed, if the runtime tells that."""
        if not isinstance(item, Request):
            return None
        match item.method, item.path:
            case "GET", path if path == f"{PREFIX}/invocation/next":
                self.waiting = connection
            case "POST", path if path == f"{PREFIX}/init/error":
                connection.send("202 Accepted", _ACCEPTED)
                return outcomes.reported(item.body, "init")
            case _ if not self._serve_extension(item, connection):
                _refuse_transition(connection)
        return None

    def serve(self, item: Request | Piece, connection: Connection, request_id: str) -> Ended | None:
        """Answer one request, or take a piece of its body; the result, if it was what ends the invocation.

        `request_id` is empty while no answer is waited for.
        """
        if not isinstance(item, Request):
            return self._take_piece(item, connection)
        if connection.spoiled:
            return None
        if not item.path.startswith(f"{PREFIX}/"):
            if not self._serve_extension(item, connection):
                _refuse(connection, "404 Not Found", "NotFound", "There is no such path")
            return None
        match item.method, item.path.removeprefix(f"{PREFIX}/"):
            case "GET", "invocation/next":
                self.waiting = connection
            case "POST", path if request_id and path == f"invocation/{request_id}/response":
                return self._take_response(item, connection)
            case "POST", path if request_id and path == f"invocation/{request_id}/error":
                connection.send("202 Accepted", _ACCEPTED)
                return b"", outcomes.reported(item.body)
            case "POST", path if request_id and path.startswith("invocation/"):
                connection.spoiled = _AHEAD in item.headers
                _refuse(connection, "400 Bad Request", "InvalidRequestID", "Invalid request ID")
            case "POST", _:
                connection.spoiled = _AHEAD in item.headers
                _refuse_transition(connection)
            case _:
                _refuse(connection, "404 Not Found", "NotFound", "There is no such path")
        return None

    def serve_shutdown(self, item: Request | Piece, connection: Connection) -> None:
        """Answer a request of the shutdown phase: there will be no next invocation."""
        if not isinstance(item, Request):
            return
        if item.path == f"{PREFIX}/invocation/next":
            self.waiting = connection
        elif not self._serve_extension(item, connection):
            _refuse_transition(connection)

    def _take_response(self, request: Request, connection: Connection) -> Ended | None:
        self._content_type = request.headers.get("content-type", "application/octet-stream")
        if request.streaming:
            self._stream = connection
            self._streamed.clear()
            return None
        if len(request.body) > RESPONSE_MAX:
            failed = outcomes.too_large()
            message = outcomes.message_of(failed.body)
            _refuse(connection, "413 Request Entity Too Large", "RequestEntityTooLarge", message)
            return b"", failed
        if _AHEAD not in request.headers:
            connection.send("202 Accepted", _ACCEPTED)
        self.peak = _bytes(request.headers.get(_PEAK, ""))
        if self._on_chunk is not None and request.body:
            self._on_chunk(request.body, self._content_type)
        return request.body, None

    def _take_piece(self, piece: Piece, connection: Connection) -> Ended | None:
        """A piece of a streamed response; the result, at its end."""
        if connection is not self._stream:
            if piece.trailers is not None:  # the end of one that nobody waits for
                _refuse_transition(connection)
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
                self.extensions.handle(request, connection)
                return True
            if request.method == "PUT" and request.path in extension_api.TELEMETRY_PATHS:
                self._subscribe(request, connection)
                return True
        except Refused as refused:
            connection.send(refused.status, refused.body)
            return True
        return False

    def _subscribe(self, request: Request, connection: Connection) -> None:
        from lambdalog.runtime.telemetry import read_wish

        extension = self.extensions.by_header(request)
        if self.extensions.closed:
            raise Refused(
                "403 Forbidden",
                "Telemetry.SubscriptionClosed",
                "Telemetry API subscription is closed already",
            )
        if not self._reachable:
            raise Refused(
                "403 Forbidden", "Telemetry.NotSupported", "an environment without a network can't be sent to"
            )
        wish = read_wish(request.body)
        self._journal.subscribe(extension.name, wish)
        connection.send("200 OK", b'"OK"')


def event_headers(
    request_id: str, *, deadline_ms: int, arn: str, trace_id: str | None, client_context: str | None
) -> dict[str, str]:
    """What goes to the runtime beside the event. `deadline_ms` is epoch ms, `arn` the one that was called."""
    headers = {
        "Lambda-Runtime-Aws-Request-Id": request_id,
        "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
        "Lambda-Runtime-Invoked-Function-Arn": arn,
    }
    if trace_id:
        headers["Lambda-Runtime-Trace-Id"] = _header(trace_id)
    if client_context:
        headers["Lambda-Runtime-Client-Context"] = _header(client_context)
    return headers


def _refuse_transition(connection: Connection) -> None:
    _refuse(connection, "403 Forbidden", "InvalidStateTransition", "Transition is not allowed")


def _refuse(connection: Connection, status: str, kind: str, message: str) -> None:
    connection.send(status, f'{{"errorMessage":"{message}","errorType":"{kind}"}}'.encode())


def _header(value: str) -> str:
    """A caller's text as a header's value: what would end the line is gone."""
    return value.replace("\r", "").replace("\n", "")


def _bytes(text: str) -> int:
    """A size that a function's process told: 0 for what is none."""
    return int(text) if len(text) <= _PEAK_DIGITS and text.isascii() and text.isdigit() else 0
