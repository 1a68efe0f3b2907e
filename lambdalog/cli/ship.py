"""lambdalog ship."""

from __future__ import annotations

import logging
import os
import platform
import shlex
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import click

from lambdalog.cli.options import open_cloud, store_option
from lambdalog.errors import ShipError
from lambdalog.printable import printable

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from lambdalog.cloud import Cloud
    from lambdalog.shipper import Ledger, Shipper

# A line without an end must not fill memory: it goes on as another event.
LINE_BYTES: Final = 1_000_000


@click.command(name="ship")
@click.option("-g", "--group", metavar="GROUP", help="The log group; made if it is missing.")
@click.option("-s", "--stream", metavar="STREAM", help="The log stream.  [default: HOST/PID]")
@click.option(
    "--spool", "recover", is_flag=True, help="Send what earlier runs could not deliver, and read no input."
)
@click.option(
    "--spool-folder",
    metavar="FOLDER",
    envvar="LAMBDALOG_SPOOL",
    help="Where that lies.  [default: LAMBDALOG_SPOOL, or spool/ in the store]",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0),
    default=30.0,
    show_default=True,
    help="Seconds to deliver the rest at the end of input; then it goes to the spool.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing if all was delivered.")
@store_option
def command(
    group: str | None,
    stream: str | None,
    recover: bool,
    spool_folder: str | None,
    timeout: float,
    quiet: bool,
    store: str | None,
) -> None:
    """Ship standard input, line by line, into a log group: of the store, or of AWS.

    A line that is a JSON object keeps its own time, where it has one (timestamp, time, @timestamp, ts); other lines
    bear the time at which they are read. What can't be delivered is kept in the spool. Exit status 1 if not
    everything was delivered.
    """
    if recover == (group is not None):
        raise click.UsageError("give --group to ship standard input, or --spool alone to send what was kept")
    if recover and stream is not None:
        raise click.UsageError("--stream is for standard input; what was kept knows where it belongs")
    _tell_in_our_name()
    with open_cloud(store) as cloud:
        folder = _folder(cloud, spool_folder)
        # With other credentials, or with any, AWS's spool may be another one: then it is named.
        named = spool_folder if cloud.root is not None else str(folder)
        again = f"lambdalog ship --spool{_option('--store', store)}{_option('--spool-folder', named)}"
        if recover:
            _recover(cloud, folder, timeout, quiet)
            return
        assert group is not None
        if sys.stdin.isatty():
            print("lambdalog: reading lines from the terminal; Ctrl-D ends", file=sys.stderr)
        _ship(
            cloud,
            folder,
            group,
            stream or f"{platform.node() or 'host'}/{os.getpid()}",
            timeout,
            quiet,
            again,
        )


def _tell_in_our_name() -> None:
    """What the shipper says meanwhile: an outage, its end."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("lambdalog: %(message)s"))
    shipper = logging.getLogger("lambdalog.shipper")
    shipper.addHandler(handler)
    shipper.propagate = False


def _option(name: str, value: str | None) -> str:
    return "" if value is None else f" {name} {shlex.quote(value)}"


def _folder(cloud: Cloud, given: str | None) -> Path:
    from pathlib import Path

    from lambdalog.shipper.destination import spool_of

    return Path(given).expanduser().absolute() if given else spool_of(cloud.target)


def _client(cloud: Cloud) -> Any:
    if cloud.root is not None:
        return cloud.logs
    from lambdalog.shipper.aws import aws_client

    return aws_client(region=getattr(cloud.target, "region", None))


class _Terminated(Exception):
    """SIGTERM: what was read is still delivered."""


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise _Terminated


def _ship(
    cloud: Cloud, folder: Path, group: str, stream: str, timeout: float, quiet: bool, again: str
) -> None:
    from lambdalog.shipper import Shipper

    shipper = Shipper(_client(cloud), group=group, stream=stream, spool=folder, policy="block", patience=5.0)
    status = 0
    signal.signal(signal.SIGTERM, _terminate)
    try:
        _read(shipper)
    except KeyboardInterrupt:
        status = 130
    except _Terminated:
        status = 143
    # From here on a second Ctrl-C ends it where it stands: what waits is in the spool, or lost with a word.
    try:
        shipper.close(timeout)
    except (KeyboardInterrupt, _Terminated):
        status = status or 130
        shipper.close(0)
    ledger = shipper.ledger
    _summary(ledger, f"{group}/{stream}", folder, quiet, again)
    if status or ledger.delivered != ledger.accepted:
        raise SystemExit(status or 1)


def _read(shipper: Shipper) -> None:
    from lambdalog.shipper.stamped import time_of

    source = sys.stdin.buffer
    while line := source.readline(LINE_BYTES):
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        shipper.put(text, time_of(text))


def _summary(ledger: Ledger, place: str, folder: Path, quiet: bool, again: str) -> None:
    """One line on standard error for each thing that became of the lines."""
    if not quiet or ledger.delivered != ledger.accepted:
        _say(f"{_lines(ledger.delivered)} delivered to {place}")
    for why, count in (+ledger.refused).items():
        _say(f"{_lines(count)} refused: {why}")
    for why, count in (+ledger.dropped).items():
        _say(f"{_lines(count)} lost: {why}")
    if ledger.spooled:
        _say(f"{_lines(ledger.spooled)} kept in {folder}; to send them: {again}")


def _lines(count: int) -> str:
    return f"{count} line{'' if count == 1 else 's'}"


def _say(text: str) -> None:
    print(f"lambdalog: {printable(text)}", file=sys.stderr)


def _recover(cloud: Cloud, folder: Path, timeout: float, quiet: bool) -> None:
    from lambdalog.shipper import Shipper, Spool

    spool = Spool(folder)
    shipper = Shipper(_client(cloud), spool=spool, threaded=False)
    end = time.monotonic() + timeout
    # Each batch gets its try, whatever the time; only waiting has an end.
    while (due := shipper.turn()) is not None:
        if due and time.monotonic() + due > end:
            break
        time.sleep(due)
    ledger, left = shipper.ledger, len(spool)
    if not quiet or left or ledger.recovered_refused:
        _say(f"{_lines(ledger.recovered)} delivered out of {folder}")
    for why, count in ledger.recovered_refused.items():
        _say(f"{_lines(count)} refused: {why}")
    if left:
        why = shipper.trouble or "another process is sending the rest"
        raise ShipError(f"{left} batch{'' if left == 1 else 'es'} left in {folder}: {why}")
    if ledger.recovered_refused:
        raise SystemExit(1)
