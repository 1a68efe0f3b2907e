"""Partial batch responses: which records of a batch a function says it failed on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


def failed_items(payload: bytes, known: Collection[str]) -> frozenset[str] | None:
    """The identifiers in a response's `batchItemFailures`; None if the whole batch counts as failed.

    Null, an empty object and an empty or null list mean success; a response that is none, and an identifier that is
    empty, null or not in the batch fail all of it (Lambda developer guide, "Success and failure conditions").
    """
    try:
        response = json.loads(payload) if payload else None
    except ValueError:
        return None
    if response is None or response == "":
        return frozenset()
    if not isinstance(response, dict):
        return None
    items = response.get("batchItemFailures")
    if items is None:
        return frozenset()
    if not isinstance(items, list):
        return None
    identifiers = set()
    for item in items:
        identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
        if not isinstance(identifier, str) or not identifier or identifier not in known:
            return None
        identifiers.add(identifier)
    return frozenset(identifiers)
