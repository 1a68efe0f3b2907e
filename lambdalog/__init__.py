"""lambdalog: logs and failures of Lambda functions, on one machine or on AWS.

The names below are loaded on first use: importing this package costs a function's cold start next to nothing.

    from lambdalog import handler, get_logger     # in a function
    cloud = lambdalog.connect()                   # at a desk: boto3-shaped clients on the local store, or AWS
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud, connect
    from lambdalog.instrument import get_logger, handler

__version__ = "0.1.0"
__all__ = ["Cloud", "connect", "get_logger", "handler"]

_HOMES = {
    "Cloud": "lambdalog.cloud",
    "connect": "lambdalog.cloud",
    "get_logger": "lambdalog.instrument",
    "handler": "lambdalog.instrument",
}


def __getattr__(name: str) -> object:
    """Load a public name from its module, once."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
