"""The command line as a page: each command with what its --help says, in the order of `lambdalog --help`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from lambdalog.cli.commands import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH: Final = 100
_HEAD: Final = """# Commands

<!-- Made by `make docs` from the commands' own --help. -->

Exit status: 0, 1 (it failed), 2 (it was called wrongly), 130 (Ctrl-C), 141 (whoever read the output left). What a command
finds goes to standard output, what it says about that to standard error. `--json` is one JSON object a line.
"""


def render() -> str:
    """The page."""
    parts = [_HEAD]
    for path, command, context in _walk(cli, None, "lambdalog"):
        marks = "#" * min(path.count(" ") + 1, 3)
        parts.append(f"{marks} `{path}`\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def _walk(
    command: click.Command, parent: click.Context | None, name: str
) -> Iterator[tuple[str, click.Command, click.Context]]:
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, parent=parent, info_name=name, **settings)
    if parent is not None:
        yield context.command_path, command, context
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None and not found.hidden:
                yield from _walk(found, context, child)
