"""The part of AWS's Python runtime client that speaks to the Runtime API, over one plain socket.

It stands in for awslambdaric's native module `runtime_client`, with its four functions: in a process that was forked,
where the native part can't be told another address, and where it isn't installed. Handlers, context, errors and logging
remain AWS's own.
"""

from __future__ import annotations

import os
import socket

_PREFIX = "/2018-06-01/runtime/invocation/"
_DEADLINE = "Lambda-Runtime-Deadline-Ms"
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

    def ask(self, head: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer to a request. RuntimeError if there is none."""
        address = os.environ["AWS_LAMBDA_RUNTIME_API"]
        if self._socket is None or self._owner != os.getpid():
            host, _, port = address.rpartition(":")
            try:
                self._socket = socket.create_connection((host, int(port)))
            except OSError as error:
                raise RuntimeError(f"Failed to reach {address}: {error}") from error
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._owner = os.getpid()
        try:
            self._socket.sendall(f"{head}Host: {address}\r\n\r\n".encode("latin-1") + body)
            return self._answer(self._socket)
        except OSError as error:
            self._socket = None
            raise RuntimeError(f"No Response from endpoint: {error}") from error

    def _answer(self, peer: socket.socket) -> tuple[int, dict[str, str], bytes]:
        data = bytearray()
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more(peer)
        first, *lines = data[:end].decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[_BY_LOWER.get(name.lower(), name)] = value.strip()
        length = int(headers.get("Content-Length", 0))
        body = data[end + 4 :]
        while len(body) < length:
            body += self._more(peer)
        return int(first.split(" ", 2)[1]), headers, bytes(body)

    def _more(self, peer: socket.socket) -> bytes:
        piece = peer.recv(262_144)
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
    """Give the function's response. RuntimeError if it is not taken."""
    del invocation_id
    _post(f"{invoke_id}/response", result, content_type)


def post_error(invoke_id: str, error: str, xray_fault: str, invocation_id: str | None = None) -> None:
    """Give the function's error. RuntimeError if it is not taken."""
    del xray_fault, invocation_id
    _post(f"{invoke_id}/error", error.encode(), "application/json")


def _post(path: str, body: bytes, content_type: str) -> None:
    head = f"POST {_PREFIX}{path} HTTP/1.1\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    status, _, answer = _client.ask(head, body)
    if not 200 <= status < 300:
        raise RuntimeError(f"Failed to post: {status} {answer.decode('utf-8', 'replace')}")
