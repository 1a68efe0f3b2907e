"""`python -m lambdalog.cli.reference FOLDER`: the documentation that is made from the code."""

from __future__ import annotations

import sys
from pathlib import Path

from lambdalog.cli import manual
from lambdalog.local import compatibility


def main(folder: Path) -> None:
    """Write the generated pages into `folder`."""
    (folder / "aws-compatibility.md").write_text(compatibility.render(), encoding="utf-8")
    (folder / "commands.md").write_text(manual.render(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
