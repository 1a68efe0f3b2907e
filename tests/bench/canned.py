"""A server that answers whatever it is asked with the bytes it was started with: what is left is what the client takes.

`python -m tests.bench.canned PORT FILE`: the file holds the body of the answer.
"""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path


def answer(peer: socket.socket, reply: bytes) -> None:
    """Give each of a peer's requests the reply, until it hangs up."""
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = b""
    with peer:
        while True:
            while (at := data.find(b"\r\n\r\n")) < 0:
                if not (part := peer.recv(262_144)):
                    return
                data += part
            length = data[:at].lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
            left = int(length or 0) - (len(data) - at - 4)
            data = data[len(data) + left :] if left < 0 else b""
            while left > 0:
                if not (part := peer.recv(262_144)):
                    return
                left -= len(part)
            peer.sendall(reply)


def main(port: str, file: str) -> None:
    """Listen until it is ended."""
    body = Path(file).read_bytes()
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with socket.create_server(("127.0.0.1", int(port)), backlog=64) as listener:
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=answer, args=(peer, reply), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
