"""Runs function code: environments, the Runtime API, limits, platform log lines, asynchronous events."""

from lambdalog.runtime.outcome import Outcome
from lambdalog.runtime.pool import Runtime, Throttled
from lambdalog.runtime.spec import FunctionSpec

__all__ = ["FunctionSpec", "Outcome", "Runtime", "Throttled"]
