"""Where the clients are, and the store that is served to them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambdalog.testing import LocalCloud, local_cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / ".clients"
PAGE = (ROOT / "docs" / "endpoint.md").read_text(encoding="utf-8")
# Read by their names: what `_clean_environment` leaves alone.
IN_CI = os.environ.get("CI") == "true"

Run = Callable[..., str]


def installed(name: str) -> Path:
    """The folder that `make clients` has put a client in. Where it has not, the test is skipped, but in CI it fails."""
    folder = CLIENTS / name
    if not (folder.is_dir() and any(CLIENTS.glob("*.stamp"))):
        reason = f"{folder.name} is not installed: make clients"
        if IN_CI:
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


def recipes(heading: str, language: str) -> list[str]:
    """The fenced blocks of a language below a heading of docs/endpoint.md."""
    (section,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    """A served store of this test's own, which every client finds."""
    with local_cloud() as made:
        yield made


@pytest.fixture
def run(cloud: LocalCloud, tmp_path: Path) -> Run:
    """Run a program to its end, in an empty folder; what it wrote on standard output."""

    def program(*arguments: str, client: str = "tools") -> str:
        done = subprocess.run(
            arguments,
            cwd=tmp_path,
            env=environment(installed(client)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    return program


@pytest.fixture
def shell(run: Run) -> Run:
    """Run lines as a shell's, which ends at the first that fails; what they wrote."""

    def lines(text: str) -> str:
        return run("bash", "-e", "-o", "pipefail", "-c", text)

    return lines


def environment(client: Path) -> dict[str, str]:
    """The variables of a shell in which one client is installed."""
    # What is measured of this suite is lambdalog, not its clients.
    found = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    path = os.pathsep.join([str(client / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    return found | {"PATH": path, "PYTHONPATH": str(client), "AWS_PAGER": ""}
