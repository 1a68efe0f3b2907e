"""Answers that are failures though nothing was raised."""

from __future__ import annotations

from typing import Any

from lambdalog.failure import Failure, fingerprint


def failed_answer(result: Any, place: str) -> Failure | None:
    """The failure that an answer tells of: a status of 5xx, or records that it gives back; None for others.

    `place` is the handler's name: what is known of where it came from.
    """
    if not isinstance(result, dict):
        return None
    status = result.get("statusCode")
    if isinstance(status, str) and status.isdecimal():
        status = int(status[:4])
    if type(status) is int and 500 <= status <= 599:
        return _failure("ServerErrorResponse", f"answered {status}", f"{place}: {status}")
    items = result.get("batchItemFailures")
    if isinstance(items, list) and items:
        named = ", ".join(
            str(item.get("itemIdentifier"))[:100] for item in items[:10] if isinstance(item, dict)
        )
        more = f" and {len(items) - 10} more" if len(items) > 10 else ""
        return _failure("BatchItemFailures", f"{len(items)} records failed: {named}{more}", place)
    return None


def _failure(type_: str, message: str, mark: str) -> Failure:
    return Failure(type_, message, fingerprint(type_, "", [_place(mark)]))


def _place(mark: str) -> Any:
    from lambdalog.failure import Frame

    return Frame("answer", 0, mark)
