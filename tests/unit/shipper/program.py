"""A program of its own that ships, and what of it reached the store."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from lambdalog.cloud import connect

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = """
import json, os, signal, sys, threading
from lambdalog.cloud import connect
from lambdalog.shipper import Shipper
store, spool = sys.argv[1:3]
cloud = connect(f"disk:{store}")
shipper = Shipper(cloud.logs, group="g", stream="s", interval=3600)
"""
# Something waits when it forks; parent and child each hold their own ledger against what they put themselves.
FORKS = """
shipper.put("parent's")
child = os.fork()
if child == 0:
    shipper.put("child's")
    shipper.flush(60)
    os._exit(0 if (shipper.ledger.accepted, shipper.ledger.delivered) == (1, 1) else 1)
assert os.waitpid(child, 0)[1] == 0
shipper.close(60)
assert shipper.ledger.delivered == 1
"""
# A second of waiting is for a machine that has nothing else to do.
SECONDS = 120


def run(code: str, folder: Path, before: str = "") -> subprocess.CompletedProcess[str]:
    """A process of its own, `before` ahead of all imports.

    Without coverage: its tracer takes a lock, which a signal's handler or a fork finds taken.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    return subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-c",
            before + BEGIN + code,
            str(folder / "store"),
            str(folder / "spool"),
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def messages(folder: Path) -> list[str]:
    """What is in the store."""
    with connect(f"disk:{folder / 'store'}") as cloud:
        pages = cloud.logs.get_paginator("filter_log_events").paginate(logGroupName="g")
        return [event["message"] for page in pages for event in page["events"]]
