"""What a web page could send: refused by Host and Origin, whoever signed it. Pure."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

    from lambdalog.wire import Request

# A host, and perhaps a port: what is told back in queue URLs.
_AUTHORITY: Final = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")


def objection(request: Request, hosts: Collection[str]) -> str | None:
    """Why a request is not taken; None if it may come in.

    A name that an attacker made to point here is a foreign Host (DNS rebinding); a page elsewhere sends an Origin. `hosts`
    are names, besides loopback's, by which this endpoint is known.
    """
    host = request.headers.get("host")
    if host is None:
        return "the Host header is missing"
    if not (_AUTHORITY.fullmatch(host) and _ours(host, hosts)):
        return "the Host header names another machine"
    origin = request.headers.get("origin")
    if origin is not None and not _ours(origin.partition("://")[2] or origin, hosts):
        return "requests from web pages are not taken"
    if request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        return "requests from web pages are not taken"
    return None


def simple(request: Request) -> bool:
    """Whether a page could send this without being asked: no header in it needs a browser's preflight."""
    return "authorization" not in request.headers and "x-amz-target" not in request.headers


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether a name or address, without a port, can only be this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _ours(authority: str, hosts: Collection[str]) -> bool:
    host = authority.rpartition("]")[0] + "]" if authority.startswith("[") else authority.partition(":")[0]
    return is_loopback(host) or host.strip("[]").lower() in hosts
