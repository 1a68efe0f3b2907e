"""Queue URLs as clients of the endpoint see them: at the endpoint's address, where old SDKs send their requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_LISTS = ("QueueUrls", "queueUrls")


def inward(params: Mapping[str, Any], own: str) -> dict[str, Any]:
    """Parameters with the queue's URL as the double has it; `own` is the double's address, without a path."""
    if "QueueUrl" not in params or not isinstance(params["QueueUrl"], str):
        return dict(params)
    return {**params, "QueueUrl": _moved(params["QueueUrl"], own)}


def outward(answer: Mapping[str, Any], address: str) -> dict[str, Any]:
    """A response with its queue URLs at `address`."""
    found = dict(answer)
    if "QueueUrl" in found:
        found["QueueUrl"] = _moved(found["QueueUrl"], address)
    for name in _LISTS:
        if name in found:
            found[name] = [_moved(url, address) for url in found[name]]
    return found


def _moved(url: str, address: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url  # the service says what is wrong with it
    return f"{address}{parts.path}" if parts.scheme in {"http", "https"} and parts.netloc else url
