"""lambdalog failures."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import click

from lambdalog.cli import failures_view as view
from lambdalog.cli.lazy import Group
from lambdalog.cli.options import (
    json_option,
    open_cloud,
    spend_option,
    store_option,
    where_option,
    write_line,
)
from lambdalog.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.failures import Desk

_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_STATUSES = ("new", "ongoing", "regressed", "resolved", "muted")


def _looking(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every way to look, before or behind the subcommand's name."""
    for option in (
        store_option,
        json_option,
        spend_option,
        where_option,
        click.option("--queue", metavar="NAME", help="Only this queue."),
    ):
        function = option(function)
    return function


def _merged(given: dict[str, Any]) -> dict[str, Any]:
    """What was given behind the subcommand's name, and else before it."""
    outer: dict[str, Any] = click.get_current_context().obj or {}
    return {name: value or outer.get(name) for name, value in given.items()}


@click.group(name="failures", cls=Group, invoke_without_command=True)
@_looking
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(_STATUSES), help="Only groups of this status."
)
@click.option("--all", "everything", is_flag=True, help="Muted groups too.")
def command(statuses: tuple[str, ...], everything: bool, **given: Any) -> None:
    """What failed: dead letters and failed messages, grouped by fingerprint; how often, since when, where it stands.

    Without a subcommand the groups are shown. --where takes type=…, function=…, version=…, age>1h, text~…, $.path = value
    (of the event), or a fingerprint; several hold together.
    """
    ctx = click.get_current_context()
    ctx.obj = given
    if ctx.invoked_subcommand is None:
        _groups(statuses, everything=everything, **given)


@command.command(name="groups")
@_looking
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(_STATUSES), help="Only groups of this status."
)
@click.option("--all", "everything", is_flag=True, help="Muted groups too.")
def groups(statuses: tuple[str, ...], everything: bool, **given: Any) -> None:
    """The groups, the most frequent first."""
    _groups(statuses, everything=everything, **_merged(given))


@command.command(name="list")
@_looking
def list_(**given: Any) -> None:
    """Each failure, in order of time."""
    given = _merged(given)
    with _desk(given) as desk:
        failures = desk.failures(_queue(desk, given), _where(given))
        if not failures and not given["as_json"]:
            _none(desk, chosen=bool(given["queue"] or given["where"]))
        for found in failures:
            if given["as_json"]:
                write_line(json.dumps(view.explained_record(found)))
                continue
            letter = found.letter
            parts = (view.moment(letter.sent_at), letter.message_id, letter.queue, found.type, found.message)
            write_line("  ".join(printable(part) for part in parts))
        _notes(desk)


@command.command(name="show")
@click.argument("identity", metavar="ID")
@_looking
def show(identity: str, **given: Any) -> None:
    """One failure whole, with every attempt and its log.

    ID is a message id, a request id, or a group's fingerprint (its newest failure is shown).
    """
    given = _merged(given)
    with _desk(given) as desk:
        found = desk.find(identity, _queue(desk, given))
        if found is None:
            raise click.ClickException(
                f"no failure has the id {identity}; see them with: lambdalog failures list"
            )
        detail = desk.detail(found.letter)
        if given["as_json"]:
            write_line(json.dumps(view.detail_record(detail)))
        else:
            view.show_detail(detail)


@command.command(name="queues")
@json_option
@store_option
def queues(**given: Any) -> None:
    """The queues that failures may lie in, and why."""
    given = _merged(given)
    with _desk(given) as desk:
        for place in desk.inbox.places.all().values():
            if given["as_json"]:
                record = {"queue": place.queue, "functions": place.functions, "why": place.why}
                write_line(json.dumps(record))
            else:
                write_line(printable(f"{place.queue}  {'; '.join(place.why)}"))
        for note in desk.inbox.places.notes:
            click.echo(printable(note), err=True)


def _marking(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        store_option,
        click.option("--reason", default="", metavar="TEXT", help="Why; it stands in the audit."),
        click.argument("identity", metavar="FINGERPRINT"),
    ):
        function = option(function)
    return function


@command.command(name="resolve")
@_marking
def resolve(identity: str, reason: str, **given: Any) -> None:
    """It is repaired: a group that fails again after this has regressed."""
    with _desk(_merged(given)) as desk:
        fingerprint = _fingerprint(desk, identity)
        desk.resolve(fingerprint, reason)
    write_line(f"{printable(fingerprint)} is resolved; it is told when it fails again")


@command.command(name="mute")
@_marking
@click.option(
    "--for", "span", metavar="TIME", help="Until this has passed: 30m, 8h, 3d.  [default: for good]"
)
def mute(identity: str, reason: str, span: str | None, **given: Any) -> None:
    """Leave a group out of the list."""
    seconds = None
    if span is not None:
        found = re.fullmatch(r"(\d+)([mhdw])", span)
        if found is None:
            raise click.UsageError(f"--for {span}: write 30m, 8h or 3d")
        seconds = int(found[1]) * _SECONDS[found[2]]
    with _desk(_merged(given)) as desk:
        fingerprint = _fingerprint(desk, identity)
        desk.mute(fingerprint, seconds=seconds, reason=reason)
    write_line(f"{printable(fingerprint)} is muted {'for good' if span is None else f'for {span}'}")


@command.command(name="reopen")
@_marking
def reopen(identity: str, reason: str, **given: Any) -> None:
    """Forget that a group was resolved or muted."""
    with _desk(_merged(given)) as desk:
        fingerprint = _fingerprint(desk, identity)
        if not desk.reopen(fingerprint, reason):
            raise click.ClickException(f"{fingerprint} is neither resolved nor muted")
    write_line(f"{printable(fingerprint)} is open again")


@command.command(name="runs")
@click.argument("run_id", metavar="[RUN]", required=False)
@json_option
@store_option
def runs(run_id: str | None, **given: Any) -> None:
    """The replays and discards that were begun, newest first; with RUN, how far each of its items is."""
    given = _merged(given)
    with _desk(given) as desk:
        if run_id is not None:
            _items(desk, run_id, as_json=bool(given["as_json"]))
            return
        for run in desk.runs():
            counts = desk.result(run.id).counts
            if given["as_json"]:
                record: dict[str, Any] = {
                    "run": run.id,
                    "kind": run.kind,
                    "queue": run.queue,
                    "target": run.target,
                    "created": run.created,
                    "finished": run.finished,
                    "stopped": run.stopped,
                    "reason": run.reason,
                    "items": dict(counts),
                }
                write_line(json.dumps(record))
                continue
            told = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
            state = "finished" if run.finished is not None else run.stopped or "not finished"
            parts = (view.moment(run.created), run.id, run.kind, run.queue, run.target, state, told)
            write_line(printable("  ".join(part for part in parts if part)))


def _items(desk: Desk, run_id: str, *, as_json: bool) -> None:
    for item in desk.items(run_id):
        if as_json:
            record = {
                "messageId": item.message_id,
                "requestId": item.request_id,
                "fingerprint": item.fingerprint,
                "type": item.type,
                "state": item.state,
                "detail": item.detail,
                "edited": item.edited,
            }
            write_line(json.dumps(record))
        else:
            parts = (item.state, item.message_id, item.type, item.detail)
            write_line(printable("  ".join(part for part in parts if part)))


@command.command(name="audit")
@click.option("--run", "run_id", metavar="RUN", help="Only what this run did.")
@click.option(
    "--limit", type=click.IntRange(1), default=1000, show_default=True, help="The last so many lines."
)
@json_option
@store_option
def audit(run_id: str | None, limit: int, **given: Any) -> None:
    """Who did what, and when: every action and how each item ended, oldest first."""
    given = _merged(given)
    with _desk(given) as desk:
        for line in desk.audit(run=run_id, limit=limit):
            if given["as_json"]:
                record = {
                    "at": line.at,
                    "actor": line.actor,
                    "run": line.run,
                    "action": line.action,
                    "detail": line.detail,
                }
                write_line(json.dumps(record))
                continue
            told = " ".join(f"{name}={value}" for name, value in line.detail.items())
            parts = (view.moment(line.at), line.actor, line.run, line.action, told)
            write_line(printable("  ".join(part for part in parts if part)))


def _groups(statuses: tuple[str, ...], *, everything: bool, **given: Any) -> None:
    with _desk(given) as desk:
        found = desk.groups(_queue(desk, given), _where(given))
        now = desk.cloud.clock.now_ms()
        shown = [
            group
            for group in found
            if (group.status in statuses if statuses else everything or group.status != "muted")
        ]
        if given["as_json"]:
            for group in shown:
                write_line(json.dumps(view.group_record(group)))
        elif shown:
            view.show_groups(shown, now)
        else:
            _none(desk, chosen=bool(statuses or found or given["queue"] or given["where"]))
        if not statuses and len(found) > len(shown) and not given["as_json"]:
            click.echo(f"{len(found) - len(shown)} muted; see them too with --all", err=True)
        _notes(desk)


def _none(desk: Desk, *, chosen: bool) -> None:
    click.echo("No failures in what could be looked into." if desk.notes else "No failures.")
    if not chosen:
        told = "What fails without a queue, as an invocation that isn't --async, is in the log: lambdalog tail --filter ERROR"
        click.echo(told, err=True)


def _desk(given: dict[str, Any]) -> Desk:
    from lambdalog.failures import Desk

    return Desk(open_cloud(given["store"]), spend_receives=bool(given.get("spend_receives")), owns=True)


def _queue(desk: Desk, given: dict[str, Any]) -> str | None:
    """The queue that was chosen. ConfigError for one that there isn't."""
    if given["queue"] is None:
        return None
    from lambdalog.cli.queue.find import find_queue

    return find_queue(desk.cloud.sqs, given["queue"])[0]


def _where(given: dict[str, Any]) -> Any:
    from lambdalog.failures import where

    return where(given["where"] or ())


def _notes(desk: Desk) -> None:
    for note in desk.notes:
        click.echo(printable(note), err=True)


def _fingerprint(desk: Desk, text: str) -> str:
    """A whole fingerprint, or the one that begins so."""
    if re.fullmatch(r"[0-9a-f]{16}", text):
        return text
    found = (
        {group.fingerprint for group in desk.groups() if group.fingerprint.startswith(text)}
        if text
        else set()
    )
    if len(found) != 1:
        what = "no group has a fingerprint that begins with" if not found else "several groups' begin with"
        raise click.ClickException(f"{what} {text}; see them with: lambdalog failures --all")
    return found.pop()
