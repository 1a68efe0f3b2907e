"""`python -m lambdalog.cli.reference FOLDER`: the documentation that is made from the code."""

from __future__ import annotations

import sys
from pathlib import Path

from lambdalog.local.compatibility import render


def main(folder: Path) -> None:
    """Write the generated pages into `folder`."""
    (folder / "aws-compatibility.md").write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
