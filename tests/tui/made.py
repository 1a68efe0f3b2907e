"""Lines, failures, queues, functions and invocations for tests."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lambdalog.failures import Explained, Letter
from lambdalog.failures.groups import Group, grouped
from lambdalog.runtime import platform_text
from lambdalog.tail import Line
from tui.feed.functions import Function
from tui.feed.queues import Message, Queue

if TYPE_CHECKING:
    from lambdalog.failures import marks as failure_marks


def line(
    number: int,
    message: str | None = None,
    *,
    at: int | None = None,
    group: str = "/aws/lambda/orders",
    stream: str = "stream",
) -> Line:
    """The line with this number, a second after the one before it."""
    timestamp = 1_700_000_000_000 + number * 1000 if at is None else at
    return Line(timestamp, timestamp + 5, group, stream, message or f"line {number}", f"{number:056d}")


def queue_of(name: str = "orders-dlq", **known: Any) -> Queue:
    """A queue with three messages, unless said otherwise."""
    given: dict[str, Any] = {"url": f"https://q/{name}", "arn": f"arn:aws:sqs:us-east-1:000000000000:{name}"}
    return Queue(name, **(given | {"ready": 3, "in_flight": 0, "delayed": 0} | known))


def message_of(number: int = 1, body: str = '{"id": 1}', **known: Any) -> Message:
    """A message, sent `number` seconds after a minute before now."""
    given: dict[str, Any] = {"sent": 1_700_000_040_000 + number * 1000, "receives": 0}
    return Message(f"m-{number}", body, **(given | {"attributes": {}, "system": {}} | known))


def ran(
    request: str = "r-1",
    at: int = 1_700_000_050_000,
    *,
    function: str = "payments",
    version: str = "3",
    ms: float = 12.0,
    init: float | None = None,
    error: str = "",
    status: str | None = None,
    memory: int = 64,
    ended: bool = True,
) -> list[Line]:
    """The lines of an invocation, as Lambda writes them."""
    stream = f"2026/01/02/[{version}]0123456789abcdef0123456789abcdef"
    texts = [(at, platform_text.start(request, version))]
    if error:
        texts.append((at + 1, f"[ERROR] {error}: no\nTraceback (most recent call last):\n"))
    if ended:
        report = platform_text.report(
            platform_text.Report(
                request,
                duration_ms=ms,
                billed_ms=math.ceil(ms),
                memory_mb=128,
                max_memory_mb=memory,
                init_ms=init,
                status=status,
            )
        )
        texts += [(at + int(ms), platform_text.end(request)), (at + int(ms), report)]
    return [
        Line(time, time + 5, f"/aws/lambda/{function}", stream, text, f"{time}-{number}")
        for number, (time, text) in enumerate(texts)
    ]


def function_of(name: str = "payments", version: str = "$LATEST", **config: Any) -> Function:
    """A version of a function, of 128 MB on x86 unless said otherwise."""
    given = {
        "FunctionName": name,
        "Version": version,
        "MemorySize": 128,
        "Timeout": 3,
        "Runtime": "python3.12",
    }
    arn = {"FunctionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{name}:{version}"}
    return Function(name, version, f"/aws/lambda/{name}", given | arn | config)


def failures(
    count: int = 1,
    *,
    fingerprint: str = "f" * 16,
    type: str = "GatewayError",  # noqa: A002 - as the field is called
    message: str = "payment p-2 got no answer",
    request_id: str = "r-1",
    at: int = 1_700_000_050_000,
    body: str = '{"id": "p-2"}',
) -> list[Explained]:
    """Failures of one fingerprint, a second apart."""
    return [
        Explained(
            Letter(
                message_id=f"{fingerprint[:4]}-{number}",
                queue="payments-dlq",
                kind="dead-letter",
                body=body,
                event=body,
                sent_at=at + number * 1000,
                request_id=request_id,
                function="payments",
            ),
            type,
            message,
            fingerprint,
            "1",
        )
        for number in range(count)
    ]


def groups(*members: list[Explained], marks: dict[str, failure_marks.Mark] | None = None) -> list[Group]:
    """Groups, as the inbox makes them."""
    return grouped([one for found in members for one in found], marks or {}, 1_700_000_100_000)
