"""The part of AWS's Python runtime client that speaks to the Runtime API, over one plain socket.

It stands in for awslambdaric's native module `runtime_client`, with its four functions: in a process that was forked,
where the native part can't be told another address, and where it isn't installed. Handlers, context, errors and logging
remain AWS's own.
"""

from __future__ import annotations

import os
import resource
import socket
import sys

_PREFIX = "/2018-06-01/runtime/invocation/"
_DEADLINE = "Lambda-Runtime-Deadline-Ms"
# Says that the next request follows at once: its answer tells that this one was taken, an error that it was not.
AHEAD = "Lambdalog-Ahead"
# Tells the most memory that this process ever took, in bytes: to look at that from outside takes twenty times as long.
PEAK = "Lambdalog-Peak"
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
# A response that may be too large has its answer waited for.
_AHEAD_MAX = 1024 * 1024
_NAMES = (
    "Lambda-Runtime-Aws-Request-Id",
    "Lambda-Runtime-Trace-Id",
    "Lambda-Runtime-Invoked-Function-Arn",
    _DEADLINE,
    "Lambda-Runtime-Client-Context",
    "Lambda-Runtime-Cognito-Identity",
    "Lambda-Runtime-Aws-Tenant-Id",
    "Lambda-Runtime-Invocation-Id",
    "Content-Type",
)
_BY_LOWER = {name.lower(): name for name in _NAMES}


class _Client:
    """One connection, made again if the other side has closed it."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._owner = 0
        self._buffer = bytearray()
        # A request that goes with the next one, ahead of it.
        self._ahead = b""
        self._address = ""

    def ask(self, head: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer to a request. RuntimeError if there is none."""
        ahead, self._ahead = self._ahead, b""
        peer = self._send(ahead + self._request(head, body))
        try:
            answer = self._answer(peer)
        except OSError as error:
            self._socket = None
            raise RuntimeError(f"No Response from endpoint: {error}") from error
        if ahead:
            _check(answer)
        return answer

    def send_ahead(self, head: str, body: bytes) -> None:
        """Send a request with the next one: neither side need wake the other for it."""
        self._ahead = self._request(head, body)

    def _request(self, head: str, body: bytes) -> bytes:
        # A worker has one address for its life.
        self._address = self._address or os.environ["AWS_LAMBDA_RUNTIME_API"]
        return f"{head}Host: {self._address}\r\n\r\n".encode("latin-1") + body

    def _send(self, data: bytes) -> socket.socket:
        if self._socket is None or self._owner != os.getpid():
            host, _, port = self._address.rpartition(":")
            try:
                self._socket = socket.create_connection((host, int(port)))
            except OSError as error:
                raise RuntimeError(f"Failed to reach {self._address}: {error}") from error
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._owner = os.getpid()
            self._buffer.clear()
        try:
            self._socket.sendall(data)
        except OSError as error:
            self._socket = None
            raise RuntimeError(f"No Response from endpoint: {error}") from error
        return self._socket

    def _answer(self, peer: socket.socket) -> tuple[int, dict[str, str], bytes]:
        data = self._buffer
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more(peer)
        first, *lines = data[:end].decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[_BY_LOWER.get(name.lower(), name)] = value.strip()
        whole = end + 4 + int(headers.get("Content-Length", 0))
        while len(data) < whole:
            data += self._more(peer, 262_144)
        body = bytes(data[end + 4 : whole])
        del data[:whole]
        return int(first.split(" ", 2)[1]), headers, body

    def _more(self, peer: socket.socket, size: int = 32_768) -> bytes:
        # More at once than the allocator has at hand would be mapped and unmapped each time.
        piece = peer.recv(size)
        if not piece:
            self._socket = None
            raise RuntimeError("No Response from endpoint")
        return piece


_client = _Client()


def initialize_client(user_agent: str) -> None:
    """Nothing: the address is read when it is needed."""
    del user_agent


def next() -> tuple[bytes, dict[str, str | int]]:  # noqa: A001 - the name of the native module's
    """Wait for an event: its bytes, and the headers by their usual names."""
    status, headers, body = _client.ask(f"GET {_PREFIX}next HTTP/1.1\r\n")
    if status != 200:
        raise RuntimeError(f"Failed to get next event: {status}")
    # The one header that the native module gives as a number.
    return body, headers | {_DEADLINE: int(headers.get(_DEADLINE, 0))}


def post_invocation_result(
    invoke_id: str, result: bytes, content_type: str, invocation_id: str | None = None
) -> None:
    """Give the function's response. RuntimeError if it is not taken: here, or from `next` after it."""
    del invocation_id
    path = f"{invoke_id}/response"
    if len(result) > _AHEAD_MAX:
        _check(_client.ask(_head(path, result, content_type), result))
    else:
        # What follows in AWS's client, always, is to ask for the next event.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _PEAK_UNIT
        more = f"{AHEAD}: yes\r\n{PEAK}: {peak}\r\n"
        _client.send_ahead(_head(path, result, content_type, more), result)


def post_error(invoke_id: str, error: str, xray_fault: str, invocation_id: str | None = None) -> None:
    """Give the function's error. RuntimeError if it is not taken."""
    del xray_fault, invocation_id
    body = error.encode()
    _check(_client.ask(_head(f"{invoke_id}/error", body, "application/json"), body))


def _head(path: str, body: bytes, content_type: str, more: str = "") -> str:
    return f"POST {_PREFIX}{path} HTTP/1.1\r\n{more}Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"


def _check(answer: tuple[int, dict[str, str], bytes]) -> None:
    status, _, body = answer
    if not 200 <= status < 300:
        raise RuntimeError(f"Failed to post: {status} {body.decode('utf-8', 'replace')}")
