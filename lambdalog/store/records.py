"""The catalogue's own records, `group.json` and `streams.jsonl`: are they whole, and made anew from what else is there.

Works on folders, not on groups: a group whose record is damaged has no name until it is mended.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from lambdalog.errors import CorruptSegment, NewerFormat
from lambdalog.store import files
from lambdalog.store.catalog import GroupInfo, dump, replace_file
from lambdalog.store.event import Damage
from lambdalog.store.files import GroupLayout
from lambdalog.store.sealed import SealedFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.store.logs import LogStore

# What can't be given back its name is hidden under this one; nothing of it is deleted.
HIDDEN: Final = ".damaged-"


@dataclass(frozen=True, slots=True)
class Mended:
    """One repair: which file, what was done, how many events are lost by the damage (None: not known)."""

    group: str
    file: str
    what: str
    lost: int | None


def folders(store: LogStore) -> list[GroupLayout]:
    """The folders of all groups, whatever their records say."""
    try:
        names = sorted(os.listdir(store.layout.logs))
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = [GroupLayout(store.layout.logs / name) for name in names if name[0] != "."]
    return [group for group in found if group.live.is_dir() or group.info.exists()]


def check_records(store: LogStore) -> Iterator[Damage]:
    """What is wrong with the records of the groups."""
    for layout in folders(store):
        name = _stored_name(layout)
        if name is None:
            yield Damage(layout.root.name, layout.info.name, None, "the group's record is damaged")
        _, bad = _records(layout)
        if bad:
            yield Damage(
                name or layout.root.name, layout.streams.name, None, f"{bad} records of streams are damaged"
            )


def mend_records(store: LogStore) -> Iterator[Mended]:
    """Make damaged records anew, from each other and from the names in the segments."""
    for layout in folders(store):
        records, bad = _records(layout)
        name = _stored_name(layout)
        if name is None:
            name = _other_name(layout, records)
            if name is None:
                hidden = layout.root.with_name(HIDDEN + layout.root.name)
                layout.root.rename(hidden)
                yield Mended(
                    layout.root.name,
                    layout.info.name,
                    f"set aside as {hidden.name}: its name is not known",
                    None,
                )
                continue
            created = min((record["c"] for record in records if "c" in record), default=store.clock.now_ms())
            replace_file(layout.info, dump(GroupInfo(name, created)))
            yield Mended(
                name, layout.info.name, "written anew; retention, tags and filters have to be set again", 0
            )
        if bad:
            added = _mend_streams(store, layout, name, records)
            what = f"written anew without {bad} damaged records"
            if added:
                what += (
                    f"; {added} streams that segments name were added, deleted ones among them may be back"
                )
            yield Mended(name, layout.streams.name, what, 0)


def _stored_name(layout: GroupLayout) -> str | None:
    """The name in the group's record; None if that is damaged."""
    try:
        info = GroupInfo(**orjson.loads(layout.info.read_bytes()))
    except (FileNotFoundError, orjson.JSONDecodeError, TypeError):
        return None
    sound = (
        isinstance(info.name, str)
        and isinstance(info.created, int)
        and files.quote(info.name) == layout.root.name
    )
    return info.name if sound else None


def _other_name(layout: GroupLayout, records: list[dict[str, Any]]) -> str | None:
    """The name as `streams.jsonl` has it, or as the folder's name has it."""
    for record in records[:1]:
        found = record.get("g")
        if isinstance(found, str) and files.quote(found) == layout.root.name:
            return found
    return files.unquote(layout.root.name)


def _records(layout: GroupLayout) -> tuple[list[dict[str, Any]], int]:
    """The sound records of a group's streams, and how many are not. The first line is the group's identity."""
    try:
        data = layout.streams.read_bytes()
    except FileNotFoundError:
        return [], 1
    found, bad = [], 0
    lines = data[: data.rfind(b"\n") + 1].split(b"\n")[:-1]
    for number, text in enumerate(lines):
        if not text.strip() and number:
            continue
        try:
            record = orjson.loads(text)
        except orjson.JSONDecodeError:
            bad += 1
            continue
        if _is_record(record, first=number == 0):
            found.append(record)
        else:
            bad += 1
    return found, bad + (not lines)


def _is_record(record: object, *, first: bool) -> bool:
    if not isinstance(record, dict):
        return False
    if first:
        return isinstance(record.get("id"), str)
    times = record.get("c", record.get("d"))
    return isinstance(record.get("n"), str) and isinstance(times, int)


def _mend_streams(store: LogStore, layout: GroupLayout, name: str, records: list[dict[str, Any]]) -> int:
    """Write the sound records, and one for each stream that only segments name; how many those are."""
    kept = [record for record in records if "n" in record]
    gone = {segment for record in kept for segment in record.get("gone", ())}
    known = {record["n"] for record in kept}
    added = sorted(_named_by_segments(layout, gone) - known)
    now = store.clock.now_ms()
    lines = [
        {"id": os.urandom(8).hex(), "g": name},
        *kept,
        *({"n": stream, "c": now} for stream in added),
    ]
    replace_file(layout.streams, b"".join(orjson.dumps(record) + b"\n" for record in lines))
    return len(added)


def _named_by_segments(layout: GroupLayout, gone: set[str]) -> set[str]:
    names: set[str] = set()
    for path in layout.sealed.glob(f"*{files.SEALED_SUFFIX}"):
        with suppress(CorruptSegment, NewerFormat, FileNotFoundError):
            names |= {entry.stream for entry in SealedFile(path).index.segments if entry.segment not in gone}
    for path in layout.live.glob(f"*{files.LIVE_SUFFIX}"):
        segment = path.name.removesuffix(files.LIVE_SUFFIX)
        stream = files.unquote(files.stream_part(segment))
        if segment not in gone and stream is not None:
            names.add(stream)
    return names
