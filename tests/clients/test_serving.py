"""What docs/endpoint.md says of `lambdalog serve` itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.clients.conftest import PAGE

if TYPE_CHECKING:
    from lambdalog.testing import LocalCloud


def test_a_command_is_run_against_the_store(store_path: Path, tmp_path: Path) -> None:
    """The page's first lines, on any free port."""
    line = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)[0].replace("serve --", "serve --port 0 --")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = os.environ | {"LAMBDALOG_STORE": f"disk:{store_path}", "PATH": path}
    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, env=variables, capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/000000000000/orders\n", done.stdout)


def test_the_lines_to_export_are_these(cloud: LocalCloud) -> None:
    """The page lists what `serve` prints."""
    assert re.findall(r"^export (\w+)=", PAGE, re.MULTILINE) == list(cloud.environment)
