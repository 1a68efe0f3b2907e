"""`python -m tests.bench [NAME…]`: measure, and print a table as it grows. A name chooses all that begin with it."""

from __future__ import annotations

import os
import pathlib
import platform
import sys
from typing import TYPE_CHECKING

from tests.bench.harness import chosen, discover, run, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.harness import Row


def machine() -> str:
    """What this was measured on."""
    model = platform.processor() or platform.machine()
    if sys.platform == "linux":
        with pathlib.Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            model = next(
                (row.partition(":")[2].strip() for row in file if row.startswith("model name")), model
            )
    return f"{model}, {os.cpu_count()} cores; {platform.system()} {platform.release()}, Python {platform.python_version()}"


def main(names: list[str]) -> int:
    """Run what was asked for."""
    benches = discover()
    found = chosen(benches, names)
    if not found:
        print(f"no such bench; there are: {', '.join(bench.name for bench in benches)}", file=sys.stderr)
        return 2
    print(f"Measured on {machine()}.\n")

    def rows() -> Iterator[Row]:
        for bench in found:
            yield from run(bench)

    for text in table(rows()):
        print(text, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
