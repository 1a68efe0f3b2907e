"""What can go wrong, as a tree. A docstring's first line is the error's default message.

LambdalogError
├── ConfigError
├── StoreError
│   ├── CorruptSegment
│   ├── StoreLocked
│   └── NewerFormat
├── ShipError
├── ReplayError
├── PatternError         (.position)
├── QueryError           (.position, .end)
└── PackageError

The doubles of AWS's services raise botocore's errors, never these.
"""

from __future__ import annotations

import inspect


class LambdalogError(Exception):
    """lambdalog failed."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (inspect.getdoc(type(self)) or "").partition("\n")[0])


class ConfigError(LambdalogError):
    """A setting can't be used."""


class ArgumentError(ConfigError):
    """An argument can't be understood."""


class TimeError(ArgumentError):
    """A text that should be a time is none."""


class StoreError(LambdalogError):
    """The store can't be read or written."""


class CorruptSegment(StoreError):
    """A sealed segment fails its checksum."""


class StoreLocked(StoreError):
    """Another process holds the store's lock."""


class NewerFormat(StoreError):
    """The store was made by a newer lambdalog."""


class ShipError(LambdalogError):
    """Log events could not be delivered."""


class ReplayError(LambdalogError):
    """A replay can't go on."""


class PatternError(LambdalogError):
    """The filter pattern can't be parsed."""

    def __init__(self, message: str | None = None, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


class QueryError(LambdalogError):
    """The query can't be parsed, or can't go on."""

    def __init__(self, message: str | None = None, position: int = 0, end: int | None = None) -> None:
        super().__init__(message)
        self.position = position
        self.end = position + 1 if end is None else end


class PackageError(LambdalogError):
    """A function's package can't be used."""
