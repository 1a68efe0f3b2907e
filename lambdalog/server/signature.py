"""Signature Version 4: who signed a request, checked against the store's own key pair. Pure but for the clock it is handed.

The rules are those of "Create a signed AWS API request" (IAM User Guide); header and presigned (query) form.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from lambdalog.wire import Request

ALGORITHM: Final = "AWS4-HMAC-SHA256"
_USUAL_MAX: Final = 1024
# "requests are valid for five minutes"; a presigned one for as long as it says, a week at most.
SKEW_SECONDS: Final = 300
PRESIGNED_MAX: Final = 604_800
_CLAIM: Final = re.compile(r"AWS4-HMAC-SHA256\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*")
_SIGNATURE: Final = re.compile(r"([0-9a-f]{64})\s*")
# A path of which nothing has to be encoded, and none of whose segments is empty or begins with a dot.
_PLAIN: Final = re.compile(r"/|(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)+/?")


class Keys(NamedTuple):
    """A key pair."""

    access_key: str
    secret_key: str


class Unsigned(Exception):
    """The request bears no signature."""


class BadSignature(Exception):
    """The signature is of another kind, of an unknown key, out of time, or wrong. `kind` says which.

    missing: a part of it isn't there; key: the access key is unknown; expired: signed too long ago or ahead;
    mismatch: it was made with another secret or for another request.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class _Signed(NamedTuple):
    credential: str
    headers: list[str]
    signature: str
    date: str
    expires: int | None
    query: list[tuple[str, str]]


def verify(request: Request, keys: Keys, now: float) -> None:
    """Nothing if `keys` signed the request. `now` in epoch seconds. Unsigned or BadSignature otherwise."""
    signed = _found(request)
    access_key, *scope = signed.credential.split("/")
    if len(scope) != 4 or scope[3] != "aws4_request":
        raise BadSignature("missing", "Credential should be scoped to a valid region and service.")
    if not hmac.compare_digest(_bytes(access_key), keys.access_key.encode()):
        raise BadSignature("key", "The security token included in the request is invalid.")
    _check_time(signed, scope[0], now)
    if "host" not in signed.headers:
        raise BadSignature("missing", "'Host' must be a 'SignedHeader' in the AWS Authorization.")
    canonical = _canonical(request, signed)
    text = "\n".join((ALGORITHM, signed.date, "/".join(scope), hashlib.sha256(canonical).hexdigest()))
    expected = _signer(keys.secret_key, *scope[:3]).copy()
    expected.update(_bytes(text))
    if not hmac.compare_digest(expected.hexdigest().encode(), _bytes(signed.signature)):
        raise BadSignature(
            "mismatch",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
            "Key and signing method. Consult the service documentation for details.",
        )


def _found(request: Request) -> _Signed:
    header = request.headers.get("authorization")
    query = _pairs(request.query) if request.query else []
    if header is not None:
        # What stands before the signature is the same in all requests of a client, for a day.
        text, _, signature = header.rpartition("Signature=")
        claim = (_usual_claim if len(text) <= _USUAL_MAX else _claim)(text)
        match = _SIGNATURE.fullmatch(signature)
        date = request.headers.get("x-amz-date")
        if claim is None or match is None or date is None:
            raise BadSignature(
                "missing",
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header, "
                "and of the parameters Credential, SignedHeaders and Signature.",
            )
        return _Signed(claim[0], claim[1], match[1], date, None, query)
    fields = {name: unquote(value) for name, value in query}
    if "X-Amz-Signature" not in fields:
        raise Unsigned
    try:
        expires = int(fields["X-Amz-Expires"])
        rest = [(name, value) for name, value in query if name != "X-Amz-Signature"]
        if fields["X-Amz-Algorithm"] != ALGORITHM or not 0 <= expires <= PRESIGNED_MAX:
            raise ValueError(fields["X-Amz-Algorithm"])
        return _Signed(
            fields["X-Amz-Credential"],
            fields["X-Amz-SignedHeaders"].split(";"),
            fields["X-Amz-Signature"],
            fields["X-Amz-Date"],
            expires,
            rest,
        )
    except (KeyError, ValueError):
        raise BadSignature("missing", "The query-string authentication is incomplete.") from None


def _claim(text: str) -> tuple[str, list[str]] | None:
    """Who says to have signed which headers, in an Authorization header up to its signature; None for no such thing."""
    match = _CLAIM.fullmatch(text)
    return None if match is None else (match[1], match[2].split(";"))


_usual_claim = lru_cache(maxsize=64)(_claim)


def _check_time(signed: _Signed, day: str, now: float) -> None:
    try:
        made = _moment(signed.date)
    except ValueError:
        raise BadSignature(
            "missing", f"Date must be in ISO-8601 'basic format'. Got '{signed.date[:40]}'."
        ) from None
    if not signed.date.startswith(day):
        raise BadSignature(
            "mismatch",
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: '{day[:20]}'.",
        )
    until = SKEW_SECONDS if signed.expires is None else signed.expires
    if not made - SKEW_SECONDS <= now <= made + until:
        raise BadSignature(
            "expired",
            f"Signature expired: {signed.date} is now earlier than {_stamp(now - until)}"
            if now > made
            else f"Signature not yet current: {signed.date} is still later than {_stamp(now + SKEW_SECONDS)}",
        )


@lru_cache(maxsize=256)
def _moment(date: str) -> float:
    return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")


def _canonical(request: Request, signed: _Signed) -> bytes:
    query = "&".join(f"{name}={value}" for name, value in sorted(signed.query))
    path = request.path
    if _PLAIN.fullmatch(path) is None:
        # What was sent encoded is encoded once more, for every service but S3.
        path = quote(_normalized(path), safe="/-_.~")
    get = request.headers.get
    headers = "".join([f"{name}:{' '.join(get(name, '').split())}\n" for name in signed.headers])
    digest = hashlib.sha256(request.body).hexdigest()
    text = "\n".join((request.method, path, query, headers, ";".join(signed.headers), digest))
    return _bytes(text)


def _bytes(text: str) -> bytes:
    """The bytes that a peer sent: those that are no UTF-8 stand in a text as lone surrogates."""
    return text.encode("utf-8", "surrogateescape")


def _normalized(path: str) -> str:
    """A path without empty and dot segments."""
    if not path:
        return "/"
    if "//" not in path and "/." not in path:
        return path
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in {"", "."}:
            kept.append(part)
    return f"/{'/'.join(kept)}{'/' if path.endswith('/') and kept else ''}"


def _pairs(query: str) -> list[tuple[str, str]]:
    """A query's names and values, each encoded as a signature has them."""
    found = []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        found.append((quote(unquote(name), safe="-_.~"), quote(unquote(value), safe="-_.~")))
    return found


@lru_cache(maxsize=64)
def _signer(secret: str, date: str, region: str, service: str) -> hmac.HMAC:
    """What signs texts with the key of a scope, each in a copy of it: to take in the key takes half as long as to sign."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, _bytes(part), "sha256")
    return hmac.new(key, digestmod="sha256")
