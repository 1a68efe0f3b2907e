"""Which program runs a runtime's functions on this machine."""

from __future__ import annotations

import re
import shutil
import sys
from typing import Final

_PYTHON: Final = re.compile(r"python3\.(\d+)")
_OLDEST_PYTHON: Final = 11
HERE: Final = "python3.11 and newer, nodejs and provided"
"""What `runnable` lets run, in words."""


def runnable(runtime: str) -> bool:
    """Whether functions of a runtime can be run here at all: Python 3.11 and up, Node.js, and any bootstrap."""
    python = _PYTHON.fullmatch(runtime)
    if python is not None:
        return int(python[1]) >= _OLDEST_PYTHON
    return runtime.startswith(("nodejs", "provided"))


def interpreter(runtime: str) -> str | None:
    """The path of a runtime's interpreter, None if it isn't there; "" where a function brings its own (`provided`)."""
    if runtime.startswith("provided"):
        return ""
    if runtime.startswith("nodejs"):
        return shutil.which("node")
    if runtime == f"python{sys.version_info[0]}.{sys.version_info[1]}":
        return sys.executable
    return shutil.which(runtime) if _PYTHON.fullmatch(runtime) else None
