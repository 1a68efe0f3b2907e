"""The dashboard in a browser: who gets in, and what it shows."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientConnectorError, ClientSession, CookieJar
from aiohttp.test_utils import TestClient, TestServer

from tui.web import COOKIE, HOST, DashboardServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class Browser:
    """A client of a served dashboard, and the server."""

    def __init__(self, server: DashboardServer, client: TestClient[Any, Any]) -> None:
        self.server, self.client = server, client

    def headers(self, **more: str) -> dict[str, str]:
        """What a browser that has the cookie sends."""
        return {"Host": self.server.address, "Cookie": f"{COOKIE}={self.server._secret}"} | more


@pytest.fixture
async def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Browser]:
    """A dashboard on an empty store, served in this process."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for name in ("COVERAGE_PROCESS_START", "COV_CORE_SOURCE"):
        monkeypatch.delenv(name, raising=False)
    command = [sys.executable, "-m", "lambdalog", "dashboard", "--store", f"disk:{tmp_path / 'store'}"]
    said: list[str] = []
    server = DashboardServer(command, 8765, said.append)
    app = await server._make_app()
    async with TestClient(TestServer(app, host=HOST)) as client:
        assert server.url in said[0]
        yield Browser(server, client)


async def test_the_printed_address_lets_in(browser: Browser) -> None:
    """The secret of the address becomes a cookie that only this page has, and the page fetches nothing from elsewhere."""
    path = browser.server.url.removeprefix(browser.server.public_url)
    host = {"Host": browser.server.address}
    first = await browser.client.get(path, headers=host, allow_redirects=False)
    assert first.status == 303
    cookie = first.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    page = await browser.client.get("/", headers=browser.headers())
    assert page.status == 200
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": ""},
        {"Cookie": f"{COOKIE}=wrong"},
        {"Host": "evil.example"},
        {"Host": "localhost:8765"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/ws", "/static/js/textual.js", "/?secret=wrong"])
async def test_no_one_else_gets_in(browser: Browser, headers: dict[str, str], path: str) -> None:
    """Without the cookie, or by another name, or from a page elsewhere, nothing is served: not the socket, not a file."""
    sent = browser.headers() | headers
    if not sent["Cookie"]:
        del sent["Cookie"]
    answer = await browser.client.get(path, headers=sent, allow_redirects=False)
    assert answer.status == 403


async def _status(browser: ClientSession, url: str) -> int:
    """How a page answers; the address is printed a moment before the port is open."""
    for _ in range(600):
        try:
            async with browser.get(url) as page:
                return page.status
        except ClientConnectorError:
            await asyncio.sleep(0.05)
    raise AssertionError("the port was never opened")


async def test_a_tab_shows_the_dashboard(tmp_path: Path) -> None:
    """As a user starts it: the printed address opens a page whose socket drives a dashboard; Ctrl-C ends all of it."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-m", "lambdalog", "dashboard", "--web", "--port", str(port)]
    served = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs here meanwhile
        [*command, "--store", f"disk:{tmp_path / 'store'}"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment | {"XDG_STATE_HOME": str(tmp_path)},
    )
    try:
        assert served.stdout is not None
        url = served.stdout.readline().split(" at ")[1].strip()
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser:
            assert await _status(browser, url) == 200
            async with browser.ws_connect(f"http://{HOST}:{port}/ws?width=120&height=30") as tab:
                drawn = b""
                while "λ".encode() not in drawn:
                    message = await tab.receive(timeout=120)
                    if isinstance(message.data, bytes):
                        drawn += message.data
                await tab.send_str(json.dumps(["stdin", "q"]))
        served.send_signal(signal.SIGINT)
        assert served.wait(timeout=60) == 0
    finally:
        served.kill()
        served.wait()
        if served.stdout is not None:
            served.stdout.close()
