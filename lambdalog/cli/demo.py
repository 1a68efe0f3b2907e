"""lambdalog demo."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambdalog.cli.dashboard import show
from lambdalog.cli.options import console, interactive
from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from lambdalog.demo.run import Demo


@click.command(name="demo")
@click.option(
    "--headless",
    type=click.FloatRange(1, 3600),
    metavar="SECONDS",
    help="Without the dashboard, for so long.",
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Use this store, and keep it.",
)
def command(headless: float | None, keep: Path | None) -> None:
    """Run the sample functions under mixed traffic with failures, and open the dashboard on them.

    Without a terminal it runs headless for ten seconds. A table says in the end what was done; the exit status is 0 only
    if the store holds just that. Lambda's waits between retries (one minute, two) are shortened 200 times.
    """
    from lambdalog.cloud import connect
    from lambdalog.demo.run import OUTAGE_SECONDS, Demo
    from lambdalog.demo.traffic import samples_folder

    if headless is None and not interactive():
        headless = 10.0
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise ConfigError(f"{keep} is not empty; the demo wants a new folder")
    folder = keep or Path(tempfile.mkdtemp(prefix="lambdalog-demo-"))
    try:
        with connect(f"disk:{folder}") as cloud:
            outage = OUTAGE_SECONDS if headless is None else headless / 2
            demo = Demo(cloud, samples_folder(), outage_seconds=outage)
            demo.start()
            try:
                if headless is None:
                    show(cloud)
                else:
                    print(
                        f"Running the samples for {headless:g} s; waits between retries are shortened 200 times."
                    )
                    sys.stdout.flush()
                    time.sleep(headless)
            finally:
                demo.stop()
            _finish(demo)
        if keep is not None:
            print(f"The store is kept: lambdalog dashboard --store disk:{keep}")
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _finish(demo: Demo) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("function")
    for name in (
        "invocations",
        "errors",
        "throttles",
        "p50 ms",
        "p95 ms",
        "cold starts",
        "dead letters",
        "replayed",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for row in demo.summary():
        table.add_row(
            row.function,
            str(row.invocations),
            str(row.errors),
            str(row.throttles),
            f"{row.p50:.1f}",
            f"{row.p95:.1f}",
            str(row.cold_starts),
            str(row.dead_letters),
            str(row.replayed),
        )
    out = console()
    out.width = max(out.width, 100)
    out.print(table, soft_wrap=False)
    differences = demo.check()
    if differences:
        for difference in differences:
            print(f"lambdalog: {difference}", file=sys.stderr)
        raise SystemExit(1)
    print("The store holds what the table says.")
