"""The dashboard in a browser: who gets in, and what it shows."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
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


async def test_a_tab_shows_the_dashboard(browser: Browser) -> None:
    """A socket drives a dashboard of its own, which draws its head."""
    url = "/ws?width=120&height=30"
    async with browser.client.ws_connect(url, headers=browser.headers()) as socket:
        drawn = b""
        while "λ".encode() not in drawn:
            message = await socket.receive(timeout=60)
            if isinstance(message.data, bytes):
                drawn += message.data
        await socket.send_str(json.dumps(["stdin", "q"]))
