"""lambdalog store."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from lambdalog.cli.lazy import Group
from lambdalog.cli.options import console, interactive, json_option, open_cloud, store_option, write_line
from lambdalog.cli.progress import progress_of_bytes
from lambdalog.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambdalog.cloud import Cloud
    from lambdalog.store import Damage, LogStore
    from lambdalog.store.health import GroupUse
    from lambdalog.store.maintenance import Upkeep

_groups: Callable[[Any], Any] = click.argument("groups", nargs=-1, metavar="[GROUP]...")


@click.group(name="store", cls=Group)
def command() -> None:
    """Look after a store's files. GROUPs are names, functions' names or globs; none means all."""


@command.command(name="info")
@_groups
@json_option
@store_option
def info(groups: tuple[str, ...], as_json: bool, store: str | None) -> None:
    """What each group takes on disk, live and sealed."""
    from lambdalog.store.health import usage

    with open_cloud(store) as cloud:
        found = _opened(cloud)
        chosen = set(_chosen(found, groups))
        uses = [use for use in usage(found) if use.name in chosen]
        others = {} if groups else _others(found)
    if as_json:
        for use in uses:
            write_line(json.dumps(asdict(use)))
        return
    form = found.catalog.stored_format()
    state = "no logs yet" if form is None else f"format {form}"
    write_line(f"disk:{printable(str(found.root))}, {state}")
    if uses:
        _table(uses)
    for name, size in others.items():
        write_line(f"{name}  {_bytes(size)}")


@command.command(name="seal")
@_groups
@json_option
@store_option
def seal(groups: tuple[str, ...], as_json: bool, store: str | None) -> None:
    """Compress what is no longer written, pack what is small, remove what has expired.

    Segments whose writer lives are left alone. `lambdalog serve` does this by itself.
    """
    from lambdalog.errors import StoreLocked
    from lambdalog.store.maintenance import maintain_group

    locked = []
    with open_cloud(store) as cloud:
        found = _opened(cloud)
        names = _chosen(found, groups)
        sizes = {name: found.stored_bytes(name) for name in names}
        with progress_of_bytes("Sealing", sum(sizes.values())) as done:
            for name in names:
                try:
                    upkeep = maintain_group(found, name)
                except StoreLocked as error:
                    locked.append(str(error))
                except KeyError:
                    continue  # deleted since it was listed
                else:
                    _say_sealed(name, upkeep, as_json=as_json)
                done(sizes[name])
    for text in locked:
        print(f"lambdalog: {printable(text)}; try again when it is done", file=sys.stderr)
    if locked:
        sys.exit(1)


@command.command(name="check")
@_groups
@json_option
@store_option
def check(groups: tuple[str, ...], as_json: bool, store: str | None) -> None:
    """Verify every checksum, index, record and line. Exits 1 if anything is damaged; changes nothing."""
    from lambdalog.store import health

    count = 0
    with open_cloud(store) as cloud:
        found = _opened(cloud)
        names = _chosen(found, groups) if groups else None
        with progress_of_bytes("Checking", _size(found, names)) as done:
            for damage in health.check(found, names, looked=done):
                count += 1
                write_line(json.dumps(asdict(damage)) if as_json else _damage(damage))
    if count:
        if not as_json:
            print(
                f"lambdalog: {count} damaged; mend what can be with: lambdalog store repair", file=sys.stderr
            )
        sys.exit(1)
    if not as_json:
        write_line("Nothing is damaged.")


@command.command(name="repair")
@_groups
@json_option
@store_option
def repair(groups: tuple[str, ...], as_json: bool, store: str | None) -> None:
    """Cut torn tails, make indexes and records anew, take damaged frames out, and say what was lost.

    What nothing can be read of is set aside under another name, never deleted. Databases are only checked: exits 1 if
    one is damaged.
    """
    from lambdalog.store import health

    count = 0
    with open_cloud(store) as cloud:
        found = _opened(cloud)
        names = _chosen(found, groups) if groups else None
        with progress_of_bytes("Repairing", _size(found, names)) as done:
            for mended in health.repair(found, names, looked=done):
                count += 1
                write_line(json.dumps(asdict(mended)) if as_json else _mended(mended))
        broken = [] if names is not None else list(health.check_tables(found.root))
    if not count and not broken and not as_json:
        write_line("Nothing had to be repaired.")
    for damage in broken:
        print(
            f"lambdalog: {damage.file} is damaged ({printable(damage.what)}); SQLite's own `.recover` may save rows of it",
            file=sys.stderr,
        )
    if broken:
        sys.exit(1)


# --- the store


def _opened(cloud: Cloud) -> LogStore:
    """The store on disk. ConfigError on AWS, or where there is none."""
    from lambdalog.errors import ConfigError

    if cloud.store is None:
        raise ConfigError("AWS looks after its own files; name a store on disk with --store disk:PATH")
    # One that has had queues alone has no logs yet.
    if not cloud.store.layout.format.exists() and not any(cloud.store.root.glob("*.sqlite")):
        raise ConfigError(f"there is no store at {cloud.store.root}; name one with --store disk:PATH")
    return cloud.store


def _chosen(store: LogStore, groups: Sequence[str]) -> list[str]:
    from lambdalog.tail.wanted import select

    return select(store.groups(), groups)


def _size(store: LogStore, names: Sequence[str] | None) -> int:
    """What will be gone through, for the bar."""
    from lambdalog.store.records import folders

    places = folders(store) if names is None else [store.layout.group(name) for name in names]
    return sum(
        path.stat().st_size
        for place in places
        for folder in (place.live, place.sealed)
        if folder.is_dir()
        for path in folder.iterdir()
    )


def _others(store: LogStore) -> dict[str, int]:
    """What else lies in the store's folder, with its size."""
    found: dict[str, int] = {}
    for path in sorted(store.root.iterdir()):
        if path == store.layout.logs or path.suffix in {".lock", ".json"} or path == store.layout.format:
            continue
        files = [path] if path.is_file() else [inner for inner in path.rglob("*") if inner.is_file()]
        name = printable(path.name.removesuffix("-wal").removesuffix("-shm"))
        found[name] = found.get(name, 0) + sum(inner.stat().st_size for inner in files)
    return found


# --- text


def _say_sealed(name: str, upkeep: Upkeep, *, as_json: bool) -> None:
    if as_json:
        write_line(json.dumps({"group": name} | asdict(upkeep)))
        return
    parts = []
    if upkeep.sealed:
        parts.append(
            f"sealed {upkeep.sealed} segments, {_bytes(upkeep.bytes_before)} into {_bytes(upkeep.bytes_after)}"
        )
    if upkeep.expired:
        parts.append(f"removed {upkeep.expired} expired or deleted segments")
    if upkeep.torn:
        parts.append(f"cut {upkeep.torn} lines that a crash left half written")
    if upkeep.busy:
        parts.append(f"left {upkeep.busy} that are being written")
    write_line(f"{printable(name)}: {'; '.join(parts) or 'nothing to do'}")


def _damage(damage: Damage) -> str:
    return ": ".join(printable(part) for part in (damage.group, damage.file, damage.what) if part)


def _mended(mended: Any) -> str:
    lost = {None: "; what is lost is not known", 0: ""}.get(mended.lost, f"; {mended.lost} events are lost")
    return printable(f"{mended.group}: {mended.file}: {mended.what}{lost}")


def _table(uses: Sequence[GroupUse]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("group", overflow="ellipsis", no_wrap=True)
    for name in ("streams", "events", "live", "sealed", "of", "first", "last"):
        table.add_column(name, justify="right", no_wrap=True)
    for use in uses:
        cells = (
            use.name,
            f"{use.streams:,}",
            f"{use.events + use.live_events:,}",
            _bytes(use.live_bytes),
            _bytes(use.sealed_bytes),
            _bytes(use.raw_bytes),
            _moment(use.earliest),
            _moment(use.latest),
        )
        table.add_row(*(Text(printable(cell)) for cell in cells))
    out = console()
    if not interactive():
        out.width = 10_000  # a file has no edge
    out.print(table, soft_wrap=False)


def _bytes(size: int) -> str:
    if size < 1000:
        return f"{size} B"
    value, units = size / 1000, iter(("kB", "MB", "GB"))
    while value >= 1000 and next(units, None):
        value /= 1000
    return f"{value:.1f} {next(units, 'TB')}"


def _moment(ms: int | None) -> str:
    from datetime import datetime

    if ms is None:
        return "-"
    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
