"""Working on a run in a terminal: a progress bar, Ctrl-C that leaves a run to go on with, the table at the end."""

from __future__ import annotations

import signal
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lambdalog.cli import failures_view as view
from lambdalog.cli.options import console, interactive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.failures import Desk, Pace, Step


def work(desk: Desk, run_id: str, *, pace: Pace | None, as_json: bool, command: str) -> None:
    """Work on a run to its end, and show it. SystemExit 1 if not all went well, 130 after Ctrl-C."""
    cancel = threading.Event()
    why: Counter[str] = Counter()
    try:
        with _interruptible(cancel), _bar(desk, run_id, command) as progress:

            def told(step: Step) -> None:
                if step.state == "failed":
                    why[step.detail or step.item.type] += 1
                if progress is not None:
                    progress(step)

            result = desk.run(run_id, pace=pace, cancel=cancel, progress=told)
    except KeyboardInterrupt:
        print(f"\nbroken off; go on with: lambdalog {command} --resume {run_id}", file=sys.stderr)
        raise
    except Exception:
        print(
            f"run {run_id} was broken off; go on with: lambdalog {command} --resume {run_id}", file=sys.stderr
        )
        raise
    view.show_result(result, why, as_json=as_json, command=command)
    if cancel.is_set():
        raise SystemExit(130)
    if not result.clean:
        raise SystemExit(1)


@contextmanager
def _interruptible(cancel: threading.Event) -> Iterator[None]:
    """The first Ctrl-C, or SIGTERM, stops after what is being sent; the second stops at once."""

    def stop(*_: Any) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()
        print("\nstopping after what is being sent; once more stops at once", file=sys.stderr)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _bar(desk: Desk, run_id: str, title: str) -> Iterator[Any]:
    """A progress bar on a terminal; None elsewhere."""
    if not interactive(sys.stderr):
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=desk.left(run_id))

        def progress(step: Step) -> None:
            told = [
                f"{step.counts[state]} {text}"
                for state, text in (("failed", "failed"), ("in-doubt", "in doubt"), ("gone", "gone"))
                if step.counts[state]
            ]
            bar.update(task, completed=step.done, total=step.total, description=", ".join(told))

        yield progress
