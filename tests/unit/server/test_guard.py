"""Host and Origin."""

from __future__ import annotations

import pytest

from lambdalog.server.guard import is_loopback, objection, simple
from lambdalog.wire import Request


def asked(**headers: str) -> str | None:
    """What is said to a request with these headers."""
    return objection(Request("POST", "/", "", {k.replace("_", "-"): v for k, v in headers.items()}), {"box"})


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:4566",
        "localhost:1",
        "sqs.localhost",
        "[::1]:80",
        "[::1]",
        "box:4566",
        "LOCALHOST",
    ],
)
def test_own_hosts_come_in(host: str) -> None:
    """Loopback by any of its names, and the names that were allowed."""
    assert asked(host=host) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
        "10.0.0.1",
        "[::2]",
        "",
        "0.0.0.0",
    ],
)
def test_foreign_hosts_do_not(host: str) -> None:
    """A name that was made to point here is refused."""
    assert asked(host=host) == "the Host header names another machine"


def test_a_host_there_must_be() -> None:
    """HTTP/1.0 without Host could be anything."""
    assert asked() == "the Host header is missing"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://"]
)
def test_pages_do_not_come_in(origin: str) -> None:
    """A page elsewhere sends its Origin."""
    assert asked(host="localhost", origin=origin) == "requests from web pages are not taken"


def test_a_cross_site_fetch_without_origin() -> None:
    """Images and scripts send no Origin, but browsers tell where they are from."""
    assert asked(host="localhost", sec_fetch_site="cross-site") is not None
    assert asked(host="localhost", sec_fetch_site="same-origin", origin="http://localhost:4566") is None


def test_simple_requests() -> None:
    """A form or an image bears neither of the headers that SDKs send."""
    assert simple(Request("POST", "/", "", {"content-type": "application/x-www-form-urlencoded"}))
    assert not simple(Request("POST", "/", "", {"x-amz-target": "Logs_20140328.X"}))
    assert not simple(Request("POST", "/", "", {"authorization": "AWS4-HMAC-SHA256"}))


def test_loopback() -> None:
    """Only what can't be another machine."""
    assert is_loopback("127.8.8.8")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("example.com")
