"""The id that ties an event to what caused it, found by a path in the event."""

from __future__ import annotations

import re
from typing import Any, Final

_HEADER_TRACE: Final = ("headers", "x-amzn-trace-id")
# Where the usual sources of events put it.
SOURCES: Final[dict[str, tuple[str | int, ...]]] = {
    "api_gateway": ("requestContext", "requestId"),
    "http_api": ("requestContext", "requestId"),
    "function_url": ("requestContext", "requestId"),
    "websocket": ("requestContext", "requestId"),
    "appsync": ("request", "headers", "x-amzn-trace-id"),
    "alb": _HEADER_TRACE,
    "vpc_lattice": _HEADER_TRACE,
    "eventbridge": ("id",),
    "s3_object_lambda": ("xAmzRequestId",),
    "sqs": ("Records", 0, "messageId"),
    "sns": ("Records", 0, "Sns", "MessageId"),
    "s3": ("Records", 0, "responseElements", "x-amz-request-id"),
    "kinesis": ("Records", 0, "eventID"),
    "dynamodb": ("Records", 0, "eventID"),
    "step_functions": ("Execution", "Id"),
}
# In this order an event is asked by "auto": what a caller set by himself comes first.
_TRIED: Final = (
    ("headers", "x-correlation-id"),
    ("headers", "x-request-id"),
    ("requestContext", "requestId"),
    ("request", "headers", "x-amzn-trace-id"),
    _HEADER_TRACE,
    ("xAmzRequestId",),
    ("detail", "correlationId"),
    ("id",),
)
_PART: Final = re.compile(
    r"""(?:\.?(?:"([^"]+)"|'([^']+)'|([\w-]+))|\[(\d+)\]|\["([^"]+)"\]|\['([^']+)'\])"""
)


def parse(text: str) -> tuple[tuple[str | int, ...], ...]:
    """The paths that a text means: a source's name, "auto", or a path such as `detail.order[0]."x-id"`.

    Raises ValueError for a text that is no path.
    """
    if text == "auto":
        return _TRIED
    if text in SOURCES:
        return (SOURCES[text],)
    found: list[str | int] = []
    at = 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None or (at > 0) != (match.group()[0] in ".["):
            raise ValueError(
                f"no path to a correlation id: {text!r} (at {at}); or one of {', '.join(SOURCES)}, auto"
            )
        quoted, single, plain, index, *inside = match.groups()
        found.append(int(index) if index is not None else quoted or single or plain or inside[0] or inside[1])
        at = match.end()
    if not found:
        raise ValueError("a path to a correlation id can't be empty")
    return (tuple(found),)


def find(event: Any, paths: tuple[tuple[str | int, ...], ...]) -> str | None:
    """The first text or number that one of the paths leads to; header names in any case."""
    for path in paths:
        value = event
        try:
            for part in path:
                # The usual case, at a third of the cost.
                value = value[part] if type(value) is dict and part in value else _step(value, part)
                if value is None:
                    break
        except Exception:  # noqa: BLE001 - an event that isn't JSON, as in a test, is anybody's object
            value = None
        if isinstance(value, (str, int)) and value != "" and type(value) is not bool:
            return str(value)
    return None


def _step(value: Any, part: str | int) -> Any:
    if isinstance(part, int):
        return value[part] if isinstance(value, list) and part < len(value) else None
    if not isinstance(value, dict):
        return None
    if part in value:
        return value[part]
    # HTTP header names come as the caller wrote them.
    if "-" in part:
        wanted = part.lower()
        return next((value[name] for name in value if isinstance(name, str) and name.lower() == wanted), None)
    return None
