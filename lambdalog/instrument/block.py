"""Keys for a `with` block: `with log.block(order=1):`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambdalog.instrument.invocation import CURRENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Block:
    """`with log.block(order=1):` — see Logger.block."""

    __slots__ = ("_keys", "_leave")

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self._keys = keys
        self._leave: list[Callable[[], None]] = []

    def __enter__(self) -> None:
        self._leave.append(CURRENT.enter(self._keys))

    def __exit__(self, *exc: object) -> None:
        self._leave.pop()()
