"""The JavaScript SDK, version 3: logs, sqs and lambda."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.clients.conftest import installed, recipes

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.testing import LocalCloud
    from tests.clients.conftest import Run

GREETS = "def handler(event, context):\n    return event['name'].upper()\n"


def test_the_recipe(cloud: LocalCloud, run: Run, tmp_path: Path) -> None:
    """Events, messages, a modelled error and an invocation."""
    (tmp_path / "node_modules").symlink_to(installed("node_modules"))
    (tmp_path / "recipe.mjs").write_text(recipes("JavaScript SDK, version 3", "js")[0])
    (tmp_path / "greet.py").write_text(GREETS)
    cloud.deploy(tmp_path / "greet.py", timeout=60)
    told = run("node", "--no-warnings", "recipe.mjs", client="node_modules")
    assert told.splitlines() == [
        """[ '{"level": "ERROR", "id": 7}' ]""",
        "from JavaScript",
        "true 400",
        '"ADA"',
    ]
