"""Signature Version 4, with botocore's signers as the other side."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest import mock
from urllib.parse import quote, urlencode, urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.server.signature import BadSignature, Keys, Unsigned, verify
from lambdalog.wire import Request

KEYS = Keys("LLOGAAAA", "s3cret/+")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


def signed(
    method: str = "POST",
    path: str = "/",
    query: str = "",
    body: bytes = b"{}",
    *,
    keys: Keys = KEYS,
    presigned: int | None = None,
    headers: dict[str, str] | None = None,
) -> Request:
    """A request as botocore signs it at NOW."""
    url = f"http://127.0.0.1:4566{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method, url, headers or {}, body)
    credentials = Credentials(keys.access_key, keys.secret_key)
    auth = (
        SigV4Auth(credentials, "logs", "us-east-1")
        if presigned is None
        else SigV4QueryAuth(credentials, "logs", "us-east-1", expires=presigned)
    )
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        auth.add_auth(request)
    sent = urlsplit(str(request.url))
    found = {name.lower(): str(value) for name, value in request.headers.items()}
    return Request(method, sent.path, sent.query, {"host": "127.0.0.1:4566"} | found, body)


def refusal(request: Request, seconds: float = 0) -> str:
    """Why a request is refused, so long after it was signed."""
    with pytest.raises(BadSignature) as raised:
        verify(request, KEYS, NOW.timestamp() + seconds)
    return raised.value.kind


@given(
    path=st.lists(TEXT, max_size=4).map(lambda parts: "/" + "/".join(quote(part, safe="") for part in parts)),
    query=st.lists(st.tuples(TEXT, TEXT), max_size=4).map(lambda pairs: urlencode(pairs, quote_via=quote)),
    body=st.binary(max_size=50),
    presigned=st.sampled_from([None, 60]),
)
def test_what_botocore_signs_is_verified(path: str, query: str, body: bytes, presigned: int | None) -> None:
    """Whatever path, query and body."""
    if presigned is not None:
        body = b""
    verify(signed("POST", path, query, body, presigned=presigned), KEYS, NOW.timestamp())


@pytest.mark.parametrize("presigned", [None, 60])
def test_any_change_is_a_mismatch(presigned: int | None) -> None:
    """Method, path, query, body and signed headers are all covered."""
    request = signed(query="a=1", body=b"", presigned=presigned, headers={"X-Amz-Target": "Logs.X"})
    verify(request, KEYS, NOW.timestamp())
    assert refusal(request._replace(method="GET")) == "mismatch"
    assert refusal(request._replace(path="/other")) == "mismatch"
    assert refusal(request._replace(query=request.query.replace("a=1", "a=2"))) == "mismatch"
    assert refusal(request._replace(body=b"x")) == "mismatch"
    assert refusal(request._replace(headers={**request.headers, "host": "evil"})) == "mismatch"


def test_another_key_or_secret() -> None:
    """An unknown key is told apart from a wrong secret."""
    assert refusal(signed(keys=Keys("AKIAOTHER", KEYS.secret_key))) == "key"
    assert refusal(signed(keys=Keys(KEYS.access_key, "wrong"))) == "mismatch"


def test_out_of_time() -> None:
    """Five minutes either way; what is presigned, until it expires."""
    for seconds in (-299, 299):
        verify(signed(), KEYS, NOW.timestamp() + seconds)
    for seconds in (-301, 301):
        assert refusal(signed(), seconds) == "expired"
    presigned = signed(body=b"", presigned=3600)
    verify(presigned, KEYS, NOW.timestamp() + 3599)
    assert refusal(presigned, 3601) == "expired"


def test_unsigned_and_incomplete() -> None:
    """No signature is told apart from half of one."""
    with pytest.raises(Unsigned):
        verify(Request("POST", "/"), KEYS, NOW.timestamp())
    whole = signed()
    for text in ("", "AWS4-HMAC-SHA256", "Bearer x", whole.headers["authorization"][:-1]):
        assert refusal(whole._replace(headers={**whole.headers, "authorization": text})) == "missing"
    without = {name: value for name, value in whole.headers.items() if name != "x-amz-date"}
    assert refusal(whole._replace(headers=without)) == "missing"
    assert refusal(Request("GET", "/", "X-Amz-Signature=00")) == "missing"
    scope = whole.headers["authorization"].replace("/aws4_request", "")
    assert refusal(whole._replace(headers={**whole.headers, "authorization": scope})) == "missing"


def test_what_is_no_text() -> None:
    """Bytes that are no UTF-8, in any part of a signature, are a wrong signature like any other."""
    whole = signed()
    for good in (KEYS.access_key, "us-east-1", "logs", "content"):
        if good in whole.headers["authorization"]:
            bad = whole.headers["authorization"].replace(good, "\udce7")
            assert refusal(whole._replace(headers={**whole.headers, "authorization": bad})) in {
                "key",
                "mismatch",
            }
    query = signed(body=b"", presigned=60)
    end = query.query[-64:]
    assert refusal(query._replace(query=query.query.replace(end, "%C3%A9" + end[6:]))) == "mismatch"
    assert refusal(query._replace(query=query.query.replace("us-east-1", "%C3%A9"))) == "mismatch"


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=30))
def test_nothing_else_comes_out(authorization: str, query: str, date: str) -> None:
    """Hostile headers are refused, never an error of ours, never let in."""
    request = Request("GET", "/", query, {"authorization": authorization, "x-amz-date": date})
    with pytest.raises(BadSignature):
        verify(request, KEYS, NOW.timestamp())
