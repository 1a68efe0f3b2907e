"""A local CloudWatch Logs endpoint that misbehaves as it is told to, and keeps a record of what it really took."""

from __future__ import annotations

import json
import socket
import struct
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable


class Endpoint:
    """Listens on a port of loopback; `mood` says how each PutLogEvents is answered.

    None: as it should be. throttle, stall, reset, fail (500), fail-after (500 after taking it), cut (half an answer),
    die (the server is gone in the middle of the request, and `revive` brings it back).
    """

    def __init__(self, mood: Callable[[int], str | None] = lambda _: None) -> None:
        self.mood = mood
        self.lock = threading.Lock()
        self.record: list[str] = []
        self.refused_streams = False
        self.streams: set[tuple[str, str]] = set()
        self.groups: set[str] = set()
        self.puts = 0
        self.done: dict[str, int] = {}
        self.died = threading.Event()
        self.resume = threading.Event()
        self.port = 0
        # Of its clients. On a loaded machine an answer may take long, and one that is given up is a duplicate.
        self.timeout = 60.0
        self._server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        self.revive()
        return self

    def __exit__(self, *exc: object) -> None:
        self.resume.set()
        self.stop()

    def revive(self) -> None:
        """Listen, on the same port as before."""
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                with suppress(ConnectionError):
                    endpoint.answer(self)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *args: object) -> None:
                """A connection that breaks is what this is for."""

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def client(self) -> Any:
        """boto3's own."""
        return boto3.client(
            "logs",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id="x",
            aws_secret_access_key="y",
            config=Config(
                connect_timeout=self.timeout, read_timeout=self.timeout, retries={"total_max_attempts": 1}
            ),
        )

    # --- answering

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """One request."""
        length = int(request.headers["Content-Length"])
        operation = request.headers["X-Amz-Target"].rpartition(".")[2]
        mood = None
        if operation == "PutLogEvents":
            with self.lock:
                self.puts += 1
                mood = self.mood(self.puts)
                self.done[str(mood)] = self.done.get(str(mood), 0) + 1
        if mood == "die":
            request.rfile.read(length // 2)
            _reset(request)
            threading.Thread(target=self._die, daemon=True).start()
            return
        params = json.loads(request.rfile.read(length))
        status, body = self._do(operation, params, mood)
        if mood == "stall":
            self.resume.wait()
        if mood == "reset":
            _reset(request)
            return
        data = json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/x-amz-json-1.1")
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        if mood == "cut":
            request.wfile.write(data[: len(data) // 2])
            request.wfile.flush()
            _reset(request)
            return
        request.wfile.write(data)

    def _die(self) -> None:
        self.stop()
        self.died.set()

    def _do(self, operation: str, params: dict[str, Any], mood: str | None) -> tuple[int, dict[str, Any]]:
        key = (params.get("logGroupName", ""), params.get("logStreamName", ""))
        with self.lock:
            match operation:
                case "CreateLogGroup":
                    self.groups.add(key[0])
                    return 200, {}
                case "CreateLogStream":
                    if self.refused_streams:
                        return 400, _fault("LimitExceededException", "Resource limit exceeded.")
                    if key[0] not in self.groups:
                        return 400, _fault(
                            "ResourceNotFoundException", "The specified log group does not exist."
                        )
                    self.streams.add(key)
                    return 200, {}
            if mood == "throttle":
                return 400, _fault("ThrottlingException", "Rate exceeded")
            if mood == "fail":
                return 500, _fault("ServiceUnavailableException", "")
            if key not in self.streams:
                return 400, _fault("ResourceNotFoundException", "The specified log stream does not exist.")
            if mood not in {"reset", "stall"}:
                self.record += [event["message"] for event in params["logEvents"]]
            if mood == "fail-after":
                return 500, _fault("InternalFailure", "")
            return 200, {"nextSequenceToken": "1"}


def _fault(code: str, message: str) -> dict[str, Any]:
    return {"__type": code, "message": message}


def _reset(request: BaseHTTPRequestHandler) -> None:
    """The connection ends by RST, not by FIN."""
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.close_connection = True
    request.connection.close()
