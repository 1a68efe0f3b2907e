"""Invocations, put together from the lines that Lambda's platform and runtimes write about them. Pure.

`mark_of` reads a line, `Roll` joins marks to invocations with their attempts, as they come or from the past.
"""

from lambdalog.invocations.invocation import Attempt, Invocation, Status
from lambdalog.invocations.marks import PATTERN, Mark, Report, mark_of
from lambdalog.invocations.roll import Roll

__all__ = ["PATTERN", "Attempt", "Invocation", "Mark", "Report", "Roll", "Status", "mark_of"]
