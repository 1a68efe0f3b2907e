"""The screens by name. Their modules are loaded when they are first shown: the first of them should be there at once."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.screen import ModeScreen

_PLACES: Final = {
    "logs": ("tui.logs.screen", "LogsScreen"),
    "invocations": ("tui.invocations.screen", "InvocationsScreen"),
    "failures": ("tui.failures.screen", "FailuresScreen"),
    "functions": ("tui.functions.screen", "FunctionsScreen"),
    "queues": ("tui.queues.screen", "QueuesScreen"),
}


def screen_class(name: str) -> type[ModeScreen]:
    """The class of a screen; loads it."""
    module, attribute = _PLACES[name]
    return cast("type[ModeScreen]", getattr(import_module(module), attribute))


def _made(name: str) -> ModeScreen:
    return screen_class(name)()


MODES: Final[dict[str, Callable[[], ModeScreen]]] = {name: partial(_made, name) for name in _PLACES}
