"""What HTTP tests have answered, and how they ask."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from lambdalog.wire import Request, Response

if TYPE_CHECKING:
    from lambdalog.server.http import HttpServer


def echo(request: Request) -> Response:
    """What came, told back."""
    text = f"{request.method} {request.path} {request.query} ".encode() + request.body
    return Response(200, {"x-seen": request.headers.get("x-say", "")}, text)


def refuse(request: Request | None, status: int, text: str) -> Response:
    """In plain words, and for whom."""
    return Response(status, {"x-for": "" if request is None else request.path}, text.encode())


def exchange(server: HttpServer, *parts: bytes, close: bool = False) -> bytes:
    """Send parts, and read until the server hangs up."""
    with socket.create_connection((server.host, server.port), timeout=30) as peer:
        for part in parts:
            peer.sendall(part)
        if close:
            peer.shutdown(socket.SHUT_WR)
        data = b""
        try:
            while part := peer.recv(65536):
                data += part
        except ConnectionResetError:
            pass
        return data
