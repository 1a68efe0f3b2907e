"""The dashboard in a browser, on this machine only: textual-serve behind a door of our own.

A dashboard acts: it replays, purges, invokes. So no page from elsewhere may drive it, and no other user of this machine:
requests have to name this address as their Host (and as their Origin, if they have one) and to bring a secret, which the
printed address has once and a cookie from then on.
"""

from __future__ import annotations

import hmac
import secrets
import shlex
from typing import TYPE_CHECKING, Final

from aiohttp import web
from textual_serve.server import Server

from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HOST: Final = "127.0.0.1"
COOKIE: Final = "lambdalog"
# Nothing is fetched from elsewhere (the page asks for a font), and no other page may show this one.
POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws://{address}; frame-ancestors 'none'"
)


class DashboardServer(Server):
    """Serves `command`, a dashboard a browser tab, on loopback."""

    def __init__(self, command: Sequence[str], port: int, say: Callable[[str], None]) -> None:
        super().__init__(shlex.join(command), host=HOST, port=port, title="lambdalog dashboard")
        self.address = f"{HOST}:{port}"
        self.public_url = f"http://{self.address}"
        self._secret = secrets.token_urlsafe(24)
        self._say = say

    @property
    def url(self) -> str:
        """The address that lets in."""
        return f"{self.public_url}/?secret={self._secret}"

    def initialize_logging(self) -> None:
        """Nothing of what is served is printed."""

    async def on_startup(self, app: web.Application) -> None:
        """Say where it is."""
        self._say(f"The dashboard is at {self.url}")
        self._say("Only a browser on this machine gets in, with this address. Ctrl-C stops it.")

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self.door)
        return app

    @web.middleware
    async def door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let in who may come in."""
        if request.headers.get("Host") != self.address:
            raise web.HTTPForbidden(text=f"This is {self.address}, and nothing else.\n")
        if request.headers.get("Origin", self.public_url) != self.public_url:
            raise web.HTTPForbidden(text="Pages from elsewhere can't use the dashboard.\n")
        if request.path == "/" and self._is(request.query.get("secret")):
            response: web.StreamResponse = web.Response(status=303, headers={"Location": "/"})
            response.set_cookie(COOKIE, self._secret, httponly=True, samesite="Strict")
            return response
        if not self._is(request.cookies.get(COOKIE)):
            raise web.HTTPForbidden(text="Open the address that `lambdalog dashboard --web` printed.\n")
        response = await handler(request)
        if not response.prepared:
            response.headers["Content-Security-Policy"] = POLICY.format(address=self.address)
            response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def _is(self, given: str | None) -> bool:
        return given is not None and hmac.compare_digest(given.encode(), self._secret.encode())


def serve(command: Sequence[str], port: int, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C. ConfigError where the port is taken."""
    try:
        DashboardServer(command, port, say).serve()
    except OSError as error:
        raise ConfigError(
            f"port {port} can't be used: {error.strerror or error}; choose another with --port"
        ) from None
