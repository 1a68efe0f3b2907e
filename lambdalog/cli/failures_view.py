"""How failures, plans and runs look in a terminal."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import click

from lambdalog.cli.options import console, interactive, write_line
from lambdalog.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambdalog.failure import Failure
    from lambdalog.failures import Detail, Explained, Group, Letter, Plan, Result

_COLUMNS: Final = (
    ("count", "bold"),
    ("last hour", "red"),
    ("last", ""),
    ("status", ""),
    ("type", "bold red"),
    ("message", ""),
    ("function", ""),
    ("queue", ""),
    ("fingerprint", "dim"),
)
# What a narrow terminal goes without, in this order, for the message's sake.
_DISPENSABLE: Final = ("queue", "last hour", "function", "status")
_MESSAGE_MIN: Final = 24
_STATES: Final = (
    ("acked", "succeeded"),
    ("discarded", "discarded"),
    ("failed", "failed"),
    ("in-doubt", "in doubt"),
    ("gone", "gone"),
    ("planned", "not tried"),
)
_WORDS: Final = {
    "acked": "succeeded, and deleted from the queue",
    "discarded": "discarded",
    "failed": "failed again, and kept",
    "gone": "no longer in the queue, or taken by another",
    "in-doubt": "in doubt: sent, and broken off before the answer was noted; look before you send them again",
    "planned": "not tried yet",
}
# How many reasons of what failed a replay tells in the end.
REASONS_MAX: Final = 5
# Message attributes of a dead letter, Lambda's and our decorator's, which are shown by other names.
_SHOWN: Final = frozenset(
    {"RequestID", "ErrorCode", "ErrorMessage", "FunctionName", "FunctionVersion", "Fingerprint"}
)


def ago(ms: int) -> str:
    """How long ago, in the one unit that matters."""
    seconds = max(ms, 0) // 1000
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit} ago"
    return f"{seconds}s ago"


def moment(ms: int) -> str:
    """A time as it was here."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(ms / 1000))


def show_groups(groups: Sequence[Group], now: int) -> None:
    """A table: only the message gives way on a narrow terminal, then columns that can be done without."""
    from rich.table import Table
    from rich.text import Text

    from lambdalog.failures import sparkline

    rows = [
        (
            str(group.count),
            sparkline(group.trend),
            ago(now - group.last_seen),
            group.status,
            printable(group.type),
            printable(group.message.partition("\n")[0]),
            printable(", ".join(group.functions)),
            printable(", ".join(group.queues)),
            group.fingerprint,
        )
        for group in groups
    ]
    out = console()
    if not interactive():
        out.width = 10_000  # a file has no edge
    widths = {
        name: max(len(name), *(len(row[index]) for row in rows)) for index, (name, _) in enumerate(_COLUMNS)
    }
    shown = [name for name, _ in _COLUMNS]
    for name in _DISPENSABLE:
        taken = sum(widths[column] + 2 for column in shown if column != "message")
        if taken + min(_MESSAGE_MIN, widths["message"]) <= out.width:
            break
        shown.remove(name)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, style in _COLUMNS:
        if name in shown:
            least = None if name == "message" else widths[name]
            table.add_column(name, style=style, no_wrap=True, overflow="ellipsis", min_width=least)
    for row in rows:
        cells = [Text(row[index]) for index, (name, _) in enumerate(_COLUMNS) if name in shown]
        table.add_row(*cells)
    out.print(table, soft_wrap=False)


def group_record(group: Group) -> dict[str, Any]:
    """A group as JSON."""
    return {
        "fingerprint": group.fingerprint,
        "type": group.type,
        "message": group.message,
        "count": group.count,
        "status": group.status,
        "reason": "" if group.mark is None else group.mark.reason,
        "firstSeen": group.first_seen,
        "lastSeen": group.last_seen,
        "trend": group.trend,
        "functions": group.functions,
        "versions": group.versions,
        "queues": group.queues,
        "kinds": group.kinds,
    }


def letter_record(letter: Letter) -> dict[str, Any]:
    """A letter as JSON: the body to the character."""
    return {
        "messageId": letter.message_id,
        "queue": letter.queue,
        "kind": letter.kind,
        "sentAt": letter.sent_at,
        "requestId": letter.request_id,
        "function": letter.function,
        "qualifier": letter.qualifier,
        "version": letter.version,
        "condition": letter.condition,
        "errorCode": letter.error_code,
        "errorMessage": letter.error_message,
        "source": letter.source,
        "topic": letter.topic,
        "tries": letter.tries,
        "receives": letter.receives,
        "inFlight": letter.in_flight,
        "event": letter.event,
        "body": letter.body,
        "messageAttributes": letter.attributes,
        "attributes": dict(letter.system),
    }


def explained_record(found: Explained) -> dict[str, Any]:
    """A failure as JSON, without its log."""
    failure = {"type": found.type, "message": found.message, "fingerprint": found.fingerprint}
    return letter_record(found.letter) | {"version": found.version, "failure": failure}


def detail_record(detail: Detail) -> dict[str, Any]:
    """A failure as JSON, whole."""
    attempts = [
        {
            "number": attempt.number,
            "stream": attempt.stream,
            "started": attempt.started,
            "ended": attempt.ended,
            "version": attempt.version,
            "status": attempt.status,
            "failure": None if attempt.failure is None else attempt.failure.record(),
            "lines": [line.message for line in attempt.lines],
        }
        for attempt in detail.attempts
    ]
    return letter_record(detail.letter) | {
        "version": detail.version,
        "failure": detail.failure.record(),
        "attempts": attempts,
        "runs": [touched._asdict() for touched in detail.runs],
        "lines": [line.message for line in detail.lines],
    }


def show_detail(detail: Detail) -> None:
    """One failure whole."""
    from lambdalog.instrument.pretty import for_people

    colour = bool(console().color_system)
    letter = detail.letter
    _show_failure(detail.failure, "")
    write_line("")
    what = {
        "dead-letter": "dead letter of a function",
        "destination": "record of a failed invocation",
        "success": "record of an invocation that succeeded",
        "stream": "record of a batch that was given up",
        "redrive": "message that was received too often",
        "message": "message that no failure sent",
    }[letter.kind]
    for name, value in (
        ("fingerprint", detail.failure.fingerprint),
        ("is a", what + (f", through {letter.topic}" if letter.topic else "")),
        ("function", letter.function + (f":{letter.qualifier}" if letter.qualifier else "")),
        ("version", detail.version),
        ("condition", letter.condition),
        ("error", " ".join(text for text in (letter.error_code, letter.error_message) if text)),
        ("from", letter.source),
        ("queue", letter.queue + (" (in flight)" if letter.in_flight else "")),
        ("sent", moment(letter.sent_at)),
        ("message", letter.message_id),
        ("request", letter.request_id),
        ("tries", str(letter.tries) if letter.tries else ""),
        ("event", letter.event or ""),
        ("body", "" if letter.body == letter.event else letter.body),
    ):
        if value:
            write_line(f"{name:<12} {printable(value)}")
    for name, value in letter.attributes.items():
        if name not in _SHOWN:
            write_line(f"{'attribute':<12} {printable(name)} = {printable(value)}")
    for touched in detail.runs:
        told = f"{moment(touched.began)} by {touched.run}, {touched.outcome}"
        write_line(f"{'taken up':<12} {printable(told)}")
    for attempt in detail.attempts:
        version = f" of version {attempt.version}" if attempt.version else ""
        status = f", {attempt.status}" if attempt.status else ""
        head = f"attempt {attempt.number}{version}{status}, {moment(attempt.started)}, {attempt.stream}"
        write_line(f"\n{printable(head)}")
        for line in attempt.lines:
            for text in for_people(line.message, colour=colour):
                write_line(f"  {text}")


def _show_failure(failure: Failure, indent: str) -> None:
    write_line(f"{indent}{printable(failure.type)}: {printable(failure.message)}")
    for note in failure.notes:
        write_line(f"{indent}  note: {printable(note)}")
    for frame in failure.frames:
        write_line(f"{indent}  {printable(frame.file)}:{frame.line} in {printable(frame.function)}")
        if frame.code:
            write_line(f"{indent}      {printable(frame.code)}")
        for name, value in (frame.local or {}).items():
            write_line(f"{indent}      {printable(name)} = {printable(value)}")
    for member in failure.members:
        _show_failure(member, f"{indent}  ")
    for cause in failure.causes:
        how = "while handling" if cause.relation == "context" else "caused by"
        write_line(f"{indent}{how}")
        _show_failure(cause, f"{indent}  ")


def show_plan(plan: Plan, verb: str, where: str = "", *, as_json: bool) -> None:
    """What would be done: how many of each fingerprint and type, and what is left alone, and why."""
    left = Counter(found.reason for found in plan.left)
    groups = plan.by_fingerprint()
    if as_json:
        for group in groups:
            record = {
                "fingerprint": group.fingerprint,
                "type": group.type,
                "message": group.message,
                "count": group.count,
            }
            write_line(json.dumps(record))
        for reason, count in left.most_common():
            write_line(json.dumps({"left": count, "reason": reason}))
        return
    for note in plan.notes:
        click.echo(printable(note), err=True)
    if groups:
        write_line(printable(f"Would {verb} {len(plan.letters)} of the {plan.total} in {plan.queue}{where}:"))
        for group in groups:
            text = f"{group.type}: {group.message.partition(chr(10))[0]}"
            write_line(printable(f"  {group.count:>6}  {group.fingerprint}  {text}"))
        if plan.edits:
            write_line(f"The events of {len(plan.edits)} are edited; the messages stay as they are.")
    for reason, count in left.most_common():
        write_line(printable(f"Left alone, {count}: {reason}"))


def show_result(result: Result, why: Counter[str], *, as_json: bool, command: str) -> None:
    """How a run ended: a table by fingerprint, a line for each state, and the commonest reasons of what failed."""
    if as_json:
        record: dict[str, Any] = {"run": result.run, "stopped": result.stopped, **result.counts}
        write_line(json.dumps(record))
        return
    from rich.table import Table
    from rich.text import Text

    states = [(state, title) for state, title in _STATES if result.counts[state]]
    if len(result.groups) > 1:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("fingerprint", "type"):
            table.add_column(title)
        for _, title in states:
            table.add_column(title, justify="right")
        for fingerprint, type_, counts in result.groups:
            cells = [str(counts[state] or "") for state, _ in states]
            table.add_row(Text(fingerprint), Text(printable(type_)), *cells)
        out = console()
        if not interactive():
            out.width = 10_000
        out.print(table, soft_wrap=False)
    for state, _ in states:
        write_line(f"{result.counts[state]:>6}  {_WORDS[state]}")
        if state == "failed":
            for reason, count in why.most_common(REASONS_MAX):
                write_line(f"{'':>8}{count:>6}  {printable(reason)[:300]}")
            if len(why) > REASONS_MAX:
                others = len(why) - REASONS_MAX
                write_line(f"{'':>8}and {others} other reasons; see: lambdalog failures runs {result.run}")
    if result.stopped:
        write_line(f"{result.stopped}; go on with: lambdalog {command} --resume {result.run}")
