"""Refused invocations are noted, as no log tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.local.lambda_.throttles import Throttle, Throttles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lambdalog.cloud import Cloud


def test_a_refusal_is_noted(manual_cloud: Cloud, make: Callable[..., dict[str, Any]]) -> None:
    """With the function, the time, the reason, and the request id that the caller was given."""
    make("f")
    client: Any = manual_cloud.client("lambda")
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException) as refused:
        client.invoke(FunctionName="f", Payload=b"{}")
    (found,) = client.throttles.since(0)
    assert found == Throttle(
        manual_cloud.clock.now_ms(),
        "f",
        refused.value.response["ResponseMetadata"]["RequestId"],
        "ReservedFunctionConcurrentInvocationLimitExceeded",
    )
    assert client.throttles.since(found.at + 1) == client.throttles.since(0, found.at) == []


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    """The newest stay; a function that is refused all day fills no disk."""
    throttles = Throttles(tmp_path, kept=10)
    for number in range(35):
        throttles.note(Throttle(number, "f", f"r{number}", "x"))
    kept = throttles.since(0)
    assert kept[-1].at == 34
    assert 10 <= len(kept) <= 20
    throttles.close()
