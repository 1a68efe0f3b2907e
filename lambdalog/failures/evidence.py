"""What the logs tell of failed invocations: of many at once just which failure it was, of one all that was logged."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import orjson
from botocore.exceptions import ClientError

from lambdalog.denied import denied
from lambdalog.failure import Failure, from_record
from lambdalog.platform_line import read
from lambdalog.query.pattern import Term, parse
from lambdalog.reported import from_lambda_error, from_text
from lambdalog.store import Scan
from lambdalog.tail.filtered import filtered
from lambdalog.tail.line import line_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lambdalog.cloud import Cloud
    from lambdalog.failures.letter import Letter
    from lambdalog.failures.places import Places
    from lambdalog.store.blocks import Block
    from lambdalog.tail import Line

# A letter is sent when its last attempt ended, which took 15 minutes at most.
LAST_ATTEMPT_MS: Final = 16 * 60_000
# Lambda tries for six hours at most.
ALL_ATTEMPTS_MS: Final = 6 * 3_600_000 + 60_000
AFTER_MS: Final = 60_000
LINES_MAX: Final = 10_000
_FAILURES: Final = "failure"
_OTHERS: Final = '?errorType ?"[ERROR] " ?"START RequestId: " ?"platform.start"'


class Told(NamedTuple):
    """Which failure it was: enough to group by."""

    type: str
    message: str
    fingerprint: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of an invocation, with every line that its environment wrote while it ran. Times are epoch ms.

    `status` is what REPORT says (timeout, error), "" where it says nothing, or "unfinished" without a REPORT.
    """

    number: int
    stream: str
    started: int
    ended: int
    version: str
    status: str
    failure: Failure | None
    lines: tuple[Line, ...]


class _Brief(msgspec.Struct, gc=False):
    type: str
    message: str
    fingerprint: str


class _FailureLine(msgspec.Struct, gc=False):
    """What our decorator logged. `failure` is None where a line of the user's has the word in it."""

    failure: _Brief | None = None
    requestId: str = ""  # noqa: N815 - the line's own name
    version: str = ""


class _Stored(msgspec.Struct, gc=False):
    """A line as the store keeps it: time and message."""

    t: int
    m: _FailureLine | str


_failure_line: Final = msgspec.json.Decoder(_FailureLine)
_stored: Final = msgspec.json.Decoder(_Stored)


class Evidence:
    """Reads the logs of a cloud, on disk or AWS."""

    def __init__(self, cloud: Cloud, places: Places) -> None:
        self._cloud = cloud
        self._places = places
        # What could not be read, each once.
        self.notes: list[str] = []

    def told(self, letters: Iterable[Letter]) -> dict[str, Told]:
        """Request id → the last failure that the log tells of it. Each log is read once, however many letters there are."""
        alike: defaultdict[tuple[str, str], list[Letter]] = defaultdict(list)
        for letter in letters:
            if letter.request_id:
                alike[letter.function, letter.queue].append(letter)
        wanted: defaultdict[str, list[Letter]] = defaultdict(list)
        for members in alike.values():
            for group in self.groups(members[0]):
                wanted[group] += members
        found: dict[str, Told] = {}
        for group, members in wanted.items():
            ids = {letter.request_id for letter in members}
            for start, end in _windows([letter.sent_at for letter in members]):
                with suppress(self._cloud.logs.exceptions.ResourceNotFoundException):
                    self._ours(group, start, end, ids, found)
            rest = [letter for letter in members if letter.request_id not in found]
            ids = {letter.request_id for letter in rest}
            for start, end in _windows([letter.sent_at for letter in rest]):
                with suppress(self._cloud.logs.exceptions.ResourceNotFoundException):
                    self._others(group, start, end, ids, found)
        return found

    def attempts(self, letter: Letter) -> list[Attempt]:
        """Every try of a letter's invocation, in order of time, with its lines."""
        if not letter.request_id:
            return []
        found: list[Attempt] = []
        for group in self.groups(letter):
            with suppress(self._cloud.logs.exceptions.ResourceNotFoundException):
                found += self._attempts(group, letter)
        found.sort(key=attrgetter("started"))
        return [
            Attempt(number, *(getattr(attempt, name) for name in _REST))
            for number, attempt in enumerate(found, 1)
        ]

    def groups(self, letter: Letter) -> list[str]:
        """The log groups in which a letter's lines may be."""
        functions = [letter.function] if letter.function else self._places.functions(letter.queue)
        return [self._places.log_group(function) for function in functions]

    # --- of many at once

    def _ours(self, group: str, start: int, end: int, ids: set[str], found: dict[str, Told]) -> None:
        """The failures that our decorator logged: one kind of line, which says all."""
        lasts: dict[str, tuple[int, _FailureLine]] = {}
        for stored in self._failure_lines(group, start, end):
            time = stored.t
            # A line that came with its break, or of several, is stored as a text.
            line = _said(stored.m) if isinstance(stored.m, str) else stored.m
            if line is None or line.requestId not in ids or not start <= time < end:
                continue
            last = lasts.get(line.requestId)
            if line.failure is not None and (last is None or time >= last[0]):
                lasts[line.requestId] = time, line
        for request, (_, line) in lasts.items():
            if (failure := line.failure) is not None:
                found[request] = Told(failure.type, failure.message, failure.fingerprint, line.version)

    def _failure_lines(self, group: str, start: int, end: int) -> Iterator[_Stored]:
        """In any order, others among them. On disk by the block: an event made of each line takes twice as long."""
        if self._cloud.store is None:
            for line in self._filter(group, start, end, '{ $.failure.fingerprint = "*" }'):
                if (said := _said(line.message)) is not None:
                    yield _Stored(line.timestamp, said)
            return
        try:
            for block in self._cloud.store.blocks(Scan(group, start=start, end=end, literals=(_FAILURES,))):
                yield from _stored_in(block)
        except KeyError:
            return  # no such group

    def _others(self, group: str, start: int, end: int, ids: set[str], found: dict[str, Told]) -> None:
        """The failures that Lambda's runtimes logged, with the request's id or after its START."""
        running: dict[str, str] = {}
        for line in self._filter(group, start, end, _OTHERS):
            mark = read(line.message)
            if mark is not None and mark.kind == "start":
                running[line.stream] = mark.request_id
                continue
            failure, named = failure_of(line.message)
            request = named or running.get(line.stream, "")
            if failure is not None and request in ids:
                found[request] = Told(failure.type, failure.message, failure.fingerprint)

    def _filter(
        self, group: str, start: int, end: int, pattern: str, streams: Sequence[str] = ()
    ) -> Iterator[Line]:
        """Lines of a group in order; ResourceNotFoundException. On disk without what a page costs."""
        if self._cloud.store is not None:
            parsed = parse(pattern)
            scan = Scan(
                group,
                start=start,
                end=end,
                streams=frozenset(streams) if streams else None,
                match=parsed.matches if pattern else None,
                literals=parsed.literals,
            )
            try:
                for event in self._cloud.store.scan(scan):
                    yield line_of(event)
            except KeyError:
                return  # no such group
            return
        arguments: dict[str, Any] = {"logStreamNames": list(streams)} if streams else {}
        if pattern:
            arguments["filterPattern"] = pattern
        try:
            yield from filtered(
                self._cloud, group, startTime=max(start, 0), endTime=max(end - 1, 0), **arguments
            )
        except ClientError as error:
            if not denied(error):
                raise
            # What the letters themselves tell is shown all the same.
            note = f"{group} can't be read: {error.response['Error'].get('Message')}"
            if note not in self.notes:
                self.notes.append(note)

    # --- of one

    def _attempts(self, group: str, letter: Letter) -> list[Attempt]:
        start, end = letter.sent_at - ALL_ATTEMPTS_MS, letter.sent_at + AFTER_MS
        pattern = str(Term(letter.request_id, quoted=True))
        spans: dict[str, tuple[int, int]] = {}
        for line in self._filter(group, start, end, pattern):
            first, _ = spans.get(line.stream, (line.timestamp, 0))
            spans[line.stream] = (first, line.timestamp)
        found: list[Attempt] = []
        for stream, (first, last) in spans.items():
            lines: list[Line] = []
            for line in self._filter(group, first, last + 1, "", [stream]):
                if len(lines) >= LINES_MAX:
                    break
                lines.append(line)
            found += cut(lines, letter.request_id)
        return found


def _said(message: str) -> _FailureLine | None:
    try:
        return _failure_line.decode(message)
    except (msgspec.DecodeError, ValueError):
        return None


def _stored_in(block: Block) -> list[_Stored]:
    try:
        return _stored.decode_lines(block.data())
    except (msgspec.DecodeError, ValueError):
        # A line of the user's has the word in it and means something else, or one is damaged: one by one.
        said = [(event.timestamp, _said(event.message)) for event in block.events()]
        return [_Stored(time, line) for time, line in said if line is not None]


_REST: Final = ("stream", "started", "ended", "version", "status", "failure", "lines")


def cut(lines: Sequence[Line], request_id: str) -> list[Attempt]:
    """The tries of a request among the lines of one stream: an environment runs one invocation at a time.

    From START to REPORT everything is the invocation's; outside, what bears its id.
    """
    attempts: list[Attempt] = []
    current: list[Line] = []
    version = status = ""
    running = ended = False

    def close() -> None:
        nonlocal current, version, status, running, ended
        if current:
            told = [found for line in current if (found := failure_of(line.message)[0]) is not None]
            # The last one; but our decorator's line says more than the runtime's own, which comes after it.
            failure = told[-1] if told else None
            for found in told:
                if (
                    failure is not None
                    and found.fingerprint == failure.fingerprint
                    and _fuller(found, failure)
                ):
                    failure = found
            attempts.append(
                Attempt(
                    0,
                    current[0].stream,
                    current[0].timestamp,
                    current[-1].timestamp,
                    version,
                    status if ended else "unfinished",
                    failure,
                    tuple(current),
                )
            )
        current, version, status, running, ended = [], "", "", False, False

    for line in lines:
        mark = read(line.message)
        if mark is not None and mark.kind == "start":
            close()
            running = mark.request_id == request_id
            version = (mark.version or "") if running else ""
        if running or request_id in line.message:
            current.append(line)
        if mark is not None and mark.kind == "report" and running:
            running, ended, status = False, True, (mark.status or "") if mark.failed else ""
    close()
    return attempts


def _fuller(one: Failure, other: Failure) -> bool:
    """Whether a failure tells more than another of the same kind."""
    return any(frame.local for frame in one.frames) and not any(frame.local for frame in other.frames)


def failure_of(message: str) -> tuple[Failure | None, str]:
    """The failure that a line tells of, and the id of its request, where it tells that."""
    record = parsed(message)
    if record is None:
        found = from_text(message)
        # Node.js begins its lines with time, request id and level.
        parts = message.split("\t", 2) if found is not None and not message.startswith("[") else []
        return found, parts[1] if len(parts) == 3 else ""
    request = str(record.get("requestId") or record.get("AWSRequestId") or "")
    if isinstance(record.get("failure"), dict):
        return from_record(record["failure"]), request
    # Node.js in the JSON format puts it under message.
    payload = record["message"] if isinstance(record.get("message"), dict) else record
    if "errorType" in payload and "errorMessage" in payload:
        return from_lambda_error(payload), request
    return None, request


def parsed(message: str) -> dict[str, Any] | None:
    """The object that a line is, if it is one."""
    if not message.startswith("{"):
        return None
    try:
        found = orjson.loads(message)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _windows(times: list[int]) -> list[tuple[int, int]]:
    """The spans [start, end) in which last attempts lie, joined where they meet."""
    found: list[tuple[int, int]] = []
    for time in sorted(times):
        start, end = time - LAST_ATTEMPT_MS, time + AFTER_MS
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found
