"""The table of commands, and a click group that imports a command only when it is used."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Any, Final

import click

from lambdalog import __version__
from lambdalog.cli.lazy import Group

# Name → (module under lambdalog.cli, what it does); in the order of --help.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "demo": ("demo", "Sample functions under traffic, with failures, and the dashboard."),
    "invoke": ("invoke", "Run a function: a file, or one that the store knows."),
    "function": ("function", "Functions: create, configure, publish, alias, permit, delete."),
    "trigger": ("trigger", "What invokes functions: schedules, buckets, queues, streams, topics."),
    "event": ("event", "Sample events, to try a function with."),
    "queue": ("queue", "Queues: create, look into, send, purge, redrive, delete."),
    "topic": ("topic", "Topics: create, subscribe, publish, filter, delete."),
    "tail": ("tail", "Log lines of many groups, merged by time."),
    "query": ("query", "Ask the logs, in the language of CloudWatch Logs Insights."),
    "ship": ("ship", "Standard input into a log group, line by line."),
    "failures": ("failures", "What failed: dead letters, grouped by what they have in common."),
    "replay": ("replay", "Send again what failed. Shows what it would do; --yes does it."),
    "discard": ("discard", "Delete what failed and need not be tried again, for a reason."),
    "export": ("export", "What failed, as JSON lines."),
    "import": ("import_", "Send what was exported to a queue."),
    "dashboard": ("dashboard", "Logs and failures, live, in the terminal."),
    "serve": ("serve", "The store as AWS endpoints, for every AWS client."),
    "group": ("group", "Log groups: list, show, create, delete, retention."),
    "store": ("store", "A store's files: info, seal, check, repair."),
    "worker": ("worker", "Drain the asynchronous events of a store."),
}


class Deserted(Exception):
    """Nobody reads what is printed any more."""


class Commands(Group):
    """Loads a command's module late: `lambdalog --help` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"lambdalog.cli.{COMMANDS[cmd_name][0]}").command
        if not gc.isenabled():  # the program has begun: `main` holds it back until its modules are there
            gc.freeze()
            gc.enable()
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; Deserted where its output is closed: of a BrokenPipeError click itself would make status 1."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise Deserted from error
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in --help, from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="lambdalog")
def cli() -> None:
    """Logs and failures of Lambda functions, on one machine or on AWS.

    Without --store, LAMBDALOG_STORE is used, else the nearest .lambdalog/ upward, else ./.lambdalog.
    """
