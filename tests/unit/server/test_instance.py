"""One endpoint a store."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lambdalog.errors import StoreLocked
from lambdalog.server.instance import Instance, running

if TYPE_CHECKING:
    from pathlib import Path


def test_the_second_is_told_of_the_first(tmp_path: Path) -> None:
    """With address and process; and may, once the first is gone."""
    path = tmp_path / "store" / "endpoint.lock"
    assert running(path) is None
    with Instance(path) as first:
        assert running(path) is None  # not listening yet
        first.announce("http://127.0.0.1:1")
        assert running(path) == ("http://127.0.0.1:1", os.getpid())
        with pytest.raises(StoreLocked, match=r"served already at http://127\.0\.0\.1:1 \(process \d+\)"):
            Instance(path)
    assert running(path) is None
    Instance(path).close()


def test_one_who_was_killed_serves_no_more(tmp_path: Path) -> None:
    """What stands in the file is believed only while the lock is held."""
    path = tmp_path / "endpoint.lock"
    code = (
        "import sys, os, signal; from pathlib import Path; from lambdalog.server.instance import Instance\n"
        "i = Instance(Path(sys.argv[1])); i.announce('http://x'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert b"http://x" in path.read_bytes()
    assert running(path) is None
    Instance(path).close()
