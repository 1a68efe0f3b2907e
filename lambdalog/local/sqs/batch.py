"""The answer to a batch: what succeeded, and what failed for itself. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambdalog.local.sqs.rules import Breach


def failed(entry_id: str, breach: Breach) -> dict[str, Any]:
    """An entry that failed."""
    return {"Id": entry_id, "SenderFault": True, "Code": breach.code, "Message": breach.message}


def each(entries: Sequence[dict[str, Any]], breaches: Sequence[Breach | None]) -> dict[str, Any]:
    """The answer, by what was wrong with each entry."""
    pairs = list(zip(entries, breaches, strict=True))
    return result(
        [{"Id": entry["Id"]} for entry, breach in pairs if breach is None],
        [failed(entry["Id"], breach) for entry, breach in pairs if breach is not None],
    )


def result(successful: list[Any], failures: list[Any]) -> dict[str, Any]:
    """The answer; a list that is empty is left out, as AWS does."""
    return ({"Successful": successful} if successful else {}) | ({"Failed": failures} if failures else {})
