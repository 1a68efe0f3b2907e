"""Which groups and streams there are: `group.json` and `streams.jsonl`, changed under the group's lock."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from lambdalog.errors import NewerFormat, StoreError
from lambdalog.store import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lambdalog.clock import Clock
    from lambdalog.store.files import GroupLayout, Layout


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """What is known of a log group. `created` is epoch ms; `extra` is the service's own, JSON-able."""

    name: str
    created: int
    retention_days: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


class Catalog:
    """The groups and streams of one store. `durable`: what is made or changed outlives a power cut."""

    def __init__(self, layout: Layout, clock: Clock, *, durable: bool = False) -> None:
        self._durable = durable
        self._layout = layout
        self._clock = clock
        self._lock = threading.Lock()
        self._infos: dict[str, tuple[tuple[int, int], GroupInfo]] = {}
        self._streams: dict[str, _StreamLog] = {}
        self._checked = False

    # --- the store as a whole

    def check_format(self) -> None:
        """NewerFormat if the store was made by a newer lambdalog."""
        if not self._checked:
            self._checked = self.stored_format() is not None

    def stored_format(self) -> int | None:
        """The format of the store on disk, None if there is no store; NewerFormat for one that this code does not know."""
        try:
            found = self._layout.format.read_text().strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"can't read the store at {self._layout.root}: {error.strerror}") from error
        if not found.isdigit() or int(found) > files.FORMAT:
            raise NewerFormat(
                f"the store at {self._layout.root} has format {found!r}; this lambdalog knows up to {files.FORMAT}"
            )
        return int(found)

    def prepare(self) -> None:
        """Make the store's folders on first writing."""
        self.check_format()
        if self._checked:
            return
        try:
            self._make_folders()
            replace_file(self._layout.format, f"{files.FORMAT}\n".encode(), durable=self._durable)
        except OSError as error:
            raise StoreError(f"can't write to the store at {self._layout.root}: {error.strerror}") from error
        self._checked = True

    # --- groups

    def groups(self) -> list[GroupInfo]:
        """All groups, sorted by name."""
        self.check_format()
        try:
            names = os.listdir(self._layout.logs)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"can't read the store at {self._layout.root}: {error.strerror}") from error
        # A hidden folder is a group that is being removed.
        found = [self._info(self._layout.logs / name / "group.json") for name in names if name[0] != "."]
        return sorted((info for info in found if info is not None), key=lambda info: info.name)

    def unfinished(self) -> list[Path]:
        """The folders of groups that are being made."""
        try:
            names = os.listdir(self._layout.logs)
        except OSError:
            return []  # `groups` says what is wrong
        folders = [self._layout.logs / name for name in names if name[0] != "."]
        return [folder for folder in folders if not (folder / "group.json").exists()]

    def group(self, name: str) -> GroupInfo | None:
        """One group, or None."""
        self.check_format()
        return self._info(self._layout.group(name).info)

    def group_in(self, layout: GroupLayout) -> GroupInfo | None:
        """The group in a folder, or None. StoreError if its record is damaged."""
        return self._info(layout.info)

    def create_group(
        self, name: str, retention_days: int | None, tags: dict[str, str] | None, extra: dict[str, Any] | None
    ) -> bool:
        """Make a group; False if it is there; ValueError for a name or tag that is no Unicode."""
        self.prepare()
        layout = self._layout.group(name)
        record = dump(
            GroupInfo(name, self._clock.now_ms(), retention_days, dict(tags or {}), dict(extra or {}))
        )
        with self._writing(layout.root):
            layout.root.mkdir(exist_ok=True)
            with _locked(layout.lock):
                if layout.info.exists():
                    return False
                layout.live.mkdir(exist_ok=True)
                layout.sealed.mkdir(exist_ok=True)
                identity = _json({"id": os.urandom(8).hex(), "g": name}) + b"\n"
                replace_file(layout.streams, identity, durable=self._durable)
                replace_file(layout.info, record, durable=self._durable)
                if self._durable:
                    files.sync_folder(self._layout.logs)
        return True

    def update_group(self, name: str, change: Callable[[GroupInfo], GroupInfo]) -> GroupInfo:
        """Replace a group's record by what `change` makes of it; KeyError if there is no such group."""
        layout = self._layout.group(name)
        with self._writing(layout.root), _locked(self._existing(layout, name)):
            info = self._info(layout.info)
            if info is None:
                raise KeyError(name)
            changed = replace(change(info), name=name)
            replace_file(layout.info, dump(changed), durable=self._durable)
        return changed

    def delete_group(self, name: str) -> bool:
        """Remove a group and all it holds; False if there is none."""
        layout = self._layout.group(name)
        if not layout.info.exists():
            return False
        with self._writing(layout.root):
            # Out of sight with one rename, then removed: nobody sees half a group.
            grave = layout.root.with_name(f"{files.GRAVE}{os.urandom(8).hex()}")
            try:
                layout.root.rename(grave)
            except FileNotFoundError:
                return False
            shutil.rmtree(grave)
        with self._lock:
            self._streams.pop(name, None)
        return True

    # --- streams

    def streams(self, group: str) -> dict[str, int]:
        """Stream name → created (epoch ms); KeyError if there is no such group."""
        with self._reading(group) as log:
            return dict(log.streams)

    def has_stream(self, group: str, stream: str) -> bool:
        """Whether the stream exists; KeyError if its group does not."""
        with self._reading(group) as log:
            return stream in log.streams

    def gone(self, group: str) -> frozenset[str]:
        """The segments of streams that were deleted: they may still be in sealed files. KeyError as for `streams`."""
        with self._reading(group) as log:
            return log.gone

    def gone_of(self, group: str, stream: str) -> frozenset[str]:
        """The same, by whoever asks for one stream; KeyError also if that does not exist."""
        with self._reading(group) as log:
            if stream not in log.streams:
                raise KeyError(stream)
            return log.gone

    def identity(self, group: str) -> bytes:
        """What changes when a group is deleted and made again. KeyError as for `streams`."""
        with self._reading(group) as log:
            return log.identity

    def create_stream(self, group: str, stream: str) -> bool:
        """Make a stream; False if it is there, KeyError if the group is not, ValueError if the name is no Unicode."""
        layout = self._layout.group(group)
        with self._writing(layout.root), _locked(self._existing(layout, group)):
            if self.has_stream(group, stream):
                return False
            self._record(layout, group, {"n": stream, "c": self._clock.now_ms()})
        return True

    def delete_stream(
        self, group: str, stream: str, segments: Callable[[], set[str]], remove: Callable[[set[str]], None]
    ) -> bool:
        """Strike a stream out; False if it isn't there, KeyError if the group is not.

        `segments` tells which hold its events, all of which are gone from then on; `remove` takes away their files.
        Both are called while nobody can make the stream again.
        """
        layout = self._layout.group(group)
        with self._writing(layout.root), _locked(self._existing(layout, group)):
            if not self.has_stream(group, stream):
                return False
            gone = segments()
            self._record(layout, group, {"n": stream, "d": self._clock.now_ms(), "gone": sorted(gone)})
            remove(gone)
        return True

    def _record(self, layout: GroupLayout, group: str, record: dict[str, Any]) -> None:
        data = _json(record) + b"\n"
        with layout.streams.open("r+b") as file:
            # A crash may have left half a record; what comes after it must begin on a line of its own.
            file.seek(self._streams[group].offset)
            file.truncate()
            file.write(data)
            if self._durable:
                file.flush()
                os.fsync(file.fileno())

    # --- files

    def _make_folders(self) -> None:
        new = [self._layout.logs, *self._layout.logs.parents]
        new = [folder for folder in new if not folder.exists()]
        self._layout.logs.mkdir(parents=True, exist_ok=True)
        if self._durable:
            for folder in new:
                files.sync_folder(folder.parent)

    @contextlib.contextmanager
    def _reading(self, group: str) -> Iterator[_StreamLog]:
        """What is known of a group's streams, read on from the file; other threads wait."""
        layout = self._layout.group(group)
        with self._lock:
            log = self._streams.setdefault(group, _StreamLog())
            try:
                log.read(layout.streams)
            except FileNotFoundError:
                raise KeyError(group) from None
            except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
                self._streams.pop(group, None)
                raise StoreError(f"{layout.streams} is damaged; run: lambdalog store repair") from error
            except OSError as error:
                raise StoreError(f"can't read the store at {self._layout.root}: {error.strerror}") from error
            yield log

    def _existing(self, layout: GroupLayout, name: str) -> Path:
        if not layout.info.exists():
            raise KeyError(name)
        return layout.lock

    def _info(self, path: Path) -> GroupInfo | None:
        key = str(path)
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_ino)
            known = self._infos.get(key)
            if known is not None and known[0] == stamp:
                return known[1]
            info = GroupInfo(**orjson.loads(path.read_bytes()))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (orjson.JSONDecodeError, TypeError) as error:
            raise StoreError(f"{path} is damaged; run: lambdalog store repair") from error
        except OSError as error:
            raise StoreError(f"can't read the store at {self._layout.root}: {error.strerror}") from error
        self._infos[key] = (stamp, info)
        return info

    @contextlib.contextmanager
    def _writing(self, place: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"can't write to the store at {place}: {error.strerror}") from error


class _StreamLog:
    """`streams.jsonl`, read on from where it was left."""

    def __init__(self) -> None:
        self._stamp = (0, 0, 0)
        # The first line is random: a group that was made again is told by it from the one that was deleted.
        self.identity = b""
        self.offset = 0
        self.gone: frozenset[str] = frozenset()
        self.streams: dict[str, int] = {}

    def read(self, path: Path) -> None:
        # It is most often, and asked in a third of the time that opening takes.
        if _stamp(path.stat()) == self._stamp:
            return
        with path.open("rb") as file:
            stat = os.fstat(file.fileno())
            identity = file.readline()
            if identity != self.identity or stat.st_size < self.offset:
                self.identity, self.offset, self.streams, self.gone = identity, 0, {}, frozenset()
            self._stamp = _stamp(stat)
            if stat.st_size > self.offset:
                file.seek(self.offset)
                data = file.read()
                # A record without its line break is a write that a crash cut short.
                whole = data.rfind(b"\n") + 1
                for record in data[:whole].split(b"\n"):
                    if record.strip():
                        self._apply(orjson.loads(record))
                self.offset += whole

    def _apply(self, record: dict[str, Any]) -> None:
        if "c" in record:
            self.streams[record["n"]] = record["c"]
        elif "d" in record:
            self.streams.pop(record["n"], None)
            self.gone |= frozenset(record.get("gone", ()))


def _stamp(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _json(value: dict[str, Any], option: int = 0) -> bytes:
    try:
        return orjson.dumps(value, option=option)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"can't be stored: {error}") from error


def dump(info: GroupInfo) -> bytes:
    """A group's record as `group.json` holds it; ValueError for a text that is no Unicode."""
    return _json(
        {
            "name": info.name,
            "created": info.created,
            "retention_days": info.retention_days,
            "tags": info.tags,
            "extra": info.extra,
        },
        option=orjson.OPT_INDENT_2,
    )


def replace_file(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file in one step: readers see the old one or the new one. `durable`: also after a power cut."""
    temporary = path.with_name(f".{path.name}-{os.urandom(6).hex()}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
        if durable:
            files.sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
