"""The command line: one module per command, loaded when it is called."""

from __future__ import annotations

import gc
import io
import os
import sys


def main() -> None:
    """Run `lambdalog`; the console script.

    Exits 0, 1 (it failed), 2 (bad usage), 130 (Ctrl-C) or 141 (nobody reads its output any more), as Unix tools do.
    """
    # What is imported stays: looking through it for garbage, again and again, is wasted. `Commands` ends this.
    gc.disable()
    try:
        from lambdalog.cli.commands import Deserted, cli
    except ModuleNotFoundError as error:
        sys.exit(f"lambdalog: {error.name} is missing; the command line needs: pip install 'lambdalog[cli]'")
    import click

    from lambdalog.cli.errors import explain, status

    # Where the terminal has no sign for a character, a question mark: not an error in the midst of an answer.
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")
    try:
        code = cli.main(standalone_mode=False, prog_name="lambdalog")
        sys.exit(code if isinstance(code, int) else 0)
    except click.UsageError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        print(f"lambdalog: {error.format_message()}", file=sys.stderr)
        sys.exit(error.exit_code)
    except Deserted:
        # Whoever read the output has gone; nothing is left to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except Exception as error:
        text = explain(error)
        if text is None:
            raise
        print(f"lambdalog: {text}", file=sys.stderr)
        sys.exit(status(error))
