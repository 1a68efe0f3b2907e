"""What the functions of tests are made of."""

from __future__ import annotations

import io
import sys
import zipfile

# Of the interpreter that runs the tests: the one that is there for sure.
RUNTIME = f"python3.{sys.version_info.minor}"


def zipped(**files: str) -> bytes:
    """A zip of Python files by their stems."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for stem, text in files.items():
            archive.writestr(f"{stem}.py", text)
    return buffer.getvalue()
