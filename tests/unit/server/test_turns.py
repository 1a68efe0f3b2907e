"""A connection is one thread's at a time, whoever leads."""

from __future__ import annotations

import socket
import threading

from lambdalog.server.http import HttpServer
from lambdalog.wire import Request, Response


def test_who_loses_the_lead_while_it_reads_keeps_its_connection() -> None:
    """What comes on a connection while a thread still takes apart what came before is read after that, in its order."""
    begun, go = threading.Event(), threading.Event()

    def body_max(_method: str, path: str, _headers: dict[str, str]) -> int:
        if path == "/slow":
            begun.set()
            assert go.wait(30)
        return 1000

    def answer(request: Request) -> Response:
        return Response(200, {}, request.path.encode() + b"=" + request.body)

    def refuse(_request: Request | None, status: int, text: str) -> Response:
        return Response(status, {}, text.encode())

    server = HttpServer(("127.0.0.1", 0), answer, refuse=refuse, body_max=body_max)
    server.start()
    address = (server.host, server.port)
    try:
        with socket.create_connection(address, timeout=30) as slow:
            slow.sendall(b"POST /slow HTTP/1.1\r\nConnection: close\r\nContent-Length: 6\r\n\r\nabc")
            assert begun.wait(30)
            slow.sendall(b"def")
            for _ in range(2):
                with socket.create_connection(address, timeout=30) as other:
                    other.sendall(b"GET /other HTTP/1.1\r\nConnection: close\r\n\r\n")
                    assert other.makefile("rb").read().endswith(b"/other=")
            go.set()
            assert slow.makefile("rb").read().endswith(b"/slow=abcdef")
    finally:
        go.set()
        assert server.stop(1)
