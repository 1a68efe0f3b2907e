"""Answers that are failures."""

from __future__ import annotations

from typing import Any

import pytest

from lambdalog.instrument.outcome import failed_answer


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"statusCode": 500}, ("ServerErrorResponse", "answered 500")),
        ({"statusCode": "503", "body": ""}, ("ServerErrorResponse", "answered 503")),
        ({"batchItemFailures": [{"itemIdentifier": "m-1"}]}, ("BatchItemFailures", "1 records failed: m-1")),
        (
            {"batchItemFailures": [{"itemIdentifier": f"m-{n}"} for n in range(12)]},
            (
                "BatchItemFailures",
                "12 records failed: m-0, m-1, m-2, m-3, m-4, m-5, m-6, m-7, m-8, m-9 and 2 more",
            ),
        ),
        ({"statusCode": 499}, None),
        ({"statusCode": 600}, None),
        ({"statusCode": True}, None),
        ({"statusCode": None}, None),
        ({"statusCode": "5" * 5000}, None),
        ({"statusCode": "abc"}, None),
        ({"batchItemFailures": []}, None),
        ({"batchItemFailures": None}, None),
        ("500", None),
        (None, None),
        ([500], None),
    ],
)
def test_an_answer_is_judged(result: Any, expected: tuple[str, str] | None) -> None:
    """5xx and records given back are failures; everything else is an answer."""
    found = failed_answer(result, "app.handler")
    assert (None if found is None else (found.type, found.message)) == expected


def test_answers_have_fingerprints() -> None:
    """By handler and status: which records failed makes no other failure of it."""
    first = failed_answer({"statusCode": 500}, "a")
    other = failed_answer({"statusCode": 502}, "a")
    elsewhere = failed_answer({"statusCode": 500}, "b")
    assert first is not None
    assert other is not None
    assert elsewhere is not None
    assert len({first.fingerprint, other.fingerprint, elsewhere.fingerprint}) == 3
    batches = [failed_answer({"batchItemFailures": [{"itemIdentifier": name}]}, "a") for name in ("x", "y")]
    assert len({found.fingerprint for found in batches if found is not None}) == 1
