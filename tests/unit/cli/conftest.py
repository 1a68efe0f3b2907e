"""The command as a user runs it: a process, its exit status, its two outputs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def run(store_path: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `lambdalog ARGS` in a folder of its own, on a store of its own."""

    def command(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lambdalog", *arguments],
            cwd=tmp_path,
            env=os.environ | {"LAMBDALOG_STORE": f"disk:{store_path}", "COLUMNS": "160"} | environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    return command
