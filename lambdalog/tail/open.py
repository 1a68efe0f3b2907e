"""The source over the groups that are asked for, wherever their logs are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdalog.tail.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambdalog.cloud import Cloud
    from lambdalog.query.pattern import Pattern
    from lambdalog.tail.source import Source


def open_source(
    cloud: Cloud,
    *,
    groups: Sequence[str] = (),
    streams: str | tuple[str, ...] = "",
    pattern: Pattern | None = None,
    request: str | None = None,
    live: bool = True,
) -> Source:
    """A source over groups by name or glob (`/aws/lambda/*`, or just `orders`); none of them means all.

    `streams`: what the streams' names begin with, or a glob over them (`*` and `?`), or whole names; empty means all.
    `live` False keeps from StartLiveTail, which AWS charges by the minute.
    """
    wanted = Wanted(tuple(groups), streams, pattern, request)
    if cloud.store is not None:
        from lambdalog.tail.disk import DiskSource

        return DiskSource(cloud.store, wanted)
    from lambdalog.tail.aws import AwsSource
    from lambdalog.tail.filtered import budget_of

    return AwsSource(cloud.logs, wanted, clock=cloud.clock, budget=budget_of(cloud), live=live)
