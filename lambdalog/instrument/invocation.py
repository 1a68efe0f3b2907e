"""The invocation that runs now: what every line of it says, in whatever thread it is written.

An environment runs one invocation at a time, so this is one object and no context variable: pool threads see it too, and
nothing of it is left when the next invocation begins.
"""

from __future__ import annotations

import os
from typing import Any


class Invocation:
    """The keys of the current invocation's lines; empty outside of one."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self.bound: dict[str, Any] = {}
        self._cold = True

    def begin(self, context: Any) -> None:
        """An invocation begins, with what its context tells."""
        self.keys = {
            "requestId": getattr(context, "aws_request_id", None),
            "function": getattr(context, "function_name", None) or os.environ.get("AWS_LAMBDA_FUNCTION_NAME"),
            "version": getattr(context, "function_version", None)
            or os.environ.get("AWS_LAMBDA_FUNCTION_VERSION"),
            "coldStart": self._cold,
        }
        self.bound = {}
        self._cold = False

    def end(self) -> None:
        """It is over: later lines are not its own."""
        self.keys = {}
        self.bound = {}


CURRENT = Invocation()
