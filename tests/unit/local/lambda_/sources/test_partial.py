"""Partial batch responses: which records failed, or all of them."""

from __future__ import annotations

import pytest

from lambdalog.local.lambda_.sources.partial import failed_items


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", frozenset()),
        (b"null", frozenset()),
        (b'""', frozenset()),
        (b"{}", frozenset()),
        (b'{"batchItemFailures": []}', frozenset()),
        (b'{"batchItemFailures": null}', frozenset()),
        (b'{"batchItemFailures": [{"itemIdentifier": "1"}]}', frozenset({"1"})),
        (b'{"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]}', frozenset({"1", "2"})),
        (b'{"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "9"}]}', None),
        (b'{"batchItemFailures": [{"itemIdentifier": ""}]}', None),
        (b'{"batchItemFailures": [{"itemIdentifier": null}]}', None),
        (b'{"batchItemFailures": [{"foo": "1"}]}', None),
        (b'{"batchItemFailures": [null]}', None),
        (b'{"batchItemFailures": "1"}', None),
        (b'"(^_^)"', None),
        (b"[1]", None),
        (b"{no json", None),
    ],
)
def test_a_response_names_what_failed(payload: bytes, expected: frozenset[str] | None) -> None:
    """Success, some, or the whole batch, as the developer guide lists them."""
    assert failed_items(payload, {"1", "2"}) == expected
