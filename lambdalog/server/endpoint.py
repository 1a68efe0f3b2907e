"""The store's endpoint: whoever may come in, and their requests to the doubles."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lambdalog.clock import SYSTEM
from lambdalog.lineage import current_trace
from lambdalog.server.guard import objection, simple
from lambdalog.server.signature import BadSignature, Unsigned, verify
from lambdalog.wire import Exchange, Malformed, Request, Response
from lambdalog.wire.bodies import BODY_MAX
from lambdalog.wire.route import NotRouted, find_service, is_confirmation
from lambdalog.wire.scalars import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from lambdalog.clock import Clock
    from lambdalog.server.signature import Keys
    from lambdalog.wire.json_protocol import Reader

logger = logging.getLogger(__name__)

# Codes by protocol: AWS JSON and REST have one set of names, the query protocol an older one.
_CODES = {
    "json": {
        "unsigned": ("MissingAuthenticationTokenException", 400),
        "missing": ("IncompleteSignatureException", 400),
        "key": ("UnrecognizedClientException", 400),
        "expired": ("InvalidSignatureException", 400),
        "mismatch": ("InvalidSignatureException", 400),
        "denied": ("AccessDeniedException", 400),
    },
    "rest-json": {
        "unsigned": ("MissingAuthenticationTokenException", 403),
        "missing": ("IncompleteSignatureException", 403),
        "key": ("UnrecognizedClientException", 403),
        "expired": ("InvalidSignatureException", 403),
        "mismatch": ("InvalidSignatureException", 403),
        "denied": ("AccessDeniedException", 403),
    },
    "query": {
        "unsigned": ("MissingAuthenticationToken", 403),
        "missing": ("IncompleteSignature", 400),
        "key": ("InvalidClientTokenId", 403),
        "expired": ("SignatureDoesNotMatch", 403),
        "mismatch": ("SignatureDoesNotMatch", 403),
        "denied": ("AccessDenied", 403),
    },
}
_UNASKED = (
    "A request without a signature has to name its operation in the X-Amz-Target header, or bear any AWS4-HMAC-SHA256 "
    "Authorization header: a web page could send this one."
)


@dataclass(frozen=True, slots=True)
class Door:
    """Who may come in. `keys` None: anyone on this machine (`--anonymous`); `hosts`: names besides loopback's."""

    keys: Keys | None
    hosts: Collection[str] = ()

    def authorize(self, protocol: str, request: Request, now: float) -> None:
        """Malformed, with the service's code, if the request may not come in."""
        if (refused := objection(request, self.hosts)) is not None:
            raise _refusal(protocol, "denied", refused)
        if is_confirmation(request):
            return  # SNS asks for no signature here: the token tells who was sent it
        if self.keys is None:
            if simple(request):
                raise _refusal(protocol, "unsigned", _UNASKED)
            return
        try:
            verify(request, self.keys, now)
        except Unsigned:
            raise _refusal(protocol, "unsigned", "Missing Authentication Token") from None
        except BadSignature as bad:
            raise _refusal(protocol, bad.kind, str(bad)) from None


class Endpoint:
    """Answers requests from a door with the doubles of a cloud."""

    def __init__(
        self,
        dispatch: Callable[[str, str, dict[str, Any]], Mapping[str, Any]],
        door: Door,
        *,
        clock: Clock = SYSTEM,
        reader: Callable[[str, str], Reader | None] | None = None,
    ) -> None:
        self._door = door
        self._clock = clock
        self._exchange = Exchange(dispatch, self._authorize, reader)
        self._asked = threading.local()
        # The threads that answer.
        self._busy: set[int] = set()

    def answer(self, request: Request) -> Response:
        """The response to a request."""
        if request.method == "OPTIONS":
            return self.refuse(request, 403, "requests from web pages are not taken")
        begin = time.perf_counter()
        self._asked.host = None
        # A function's SDK says by it in which chain of events it calls.
        traced = current_trace.set(clean(request.headers.get("x-amzn-trace-id", "")))
        me = threading.get_ident()
        self._busy.add(me)
        try:
            response = self._exchange.answer(request)
        finally:
            self._busy.discard(me)
            current_trace.reset(traced)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                "request",
                extra={
                    "method": request.method,
                    "path": request.path,
                    "target": request.headers.get("x-amz-target", ""),
                    "status": response.status,
                    "milliseconds": round((time.perf_counter() - begin) * 1000, 3),
                },
            )
        return response

    @property
    def asked_at(self) -> str | None:
        """The address by which the request that this thread answers came in: where its client will find queues too."""
        host = getattr(self._asked, "host", None)
        return f"http://{host}" if host else None

    @property
    def answering(self) -> int:
        """How many requests are being answered now."""
        return len(self._busy)

    def refuse(self, request: Request | None, status: int, text: str) -> Response:
        """The answer to what is not taken at all."""
        return self._exchange.refuse(request, status, text)

    def _authorize(self, service: str, protocol: str, request: Request) -> None:
        del service
        self._door.authorize(protocol, request, self._clock.now())
        self._asked.host = request.headers["host"]


def body_max(method: str, path: str, headers: dict[str, str]) -> int:
    """How long the body of a request may be, by what its head tells."""
    try:
        service, _ = find_service(Request(method, path, "", headers))
    except NotRouted:
        return BODY_MAX["sns"]  # it may still say in its body that it is for SNS or SQS
    return BODY_MAX[service]


def _refusal(protocol: str, kind: str, text: str) -> Malformed:
    code, status = _CODES[protocol][kind]
    return Malformed(code, text, status)
