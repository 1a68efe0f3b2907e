"""lambdalog serve."""

from __future__ import annotations

import gc
import os
import shlex
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import click

from lambdalog.cli.options import interactive, open_cloud, store_option
from lambdalog.errors import ConfigError
from lambdalog.settings import other_endpoints

if TYPE_CHECKING:
    from lambdalog.server.service import Service


_STOPPING = "Stopping when what is running has ended; one more signal (Ctrl-C) cuts it off."


@click.command(name="serve", context_settings={"ignore_unknown_options": True})
@click.option(
    "--port", default=4566, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Another address needs --allow-remote.")
@click.option("--allow-remote", is_flag=True, help="Let other machines come in, with the store's keys.")
@click.option(
    "--allow-host", "hosts", multiple=True, metavar="NAME", help="A further name this endpoint is called by."
)
@click.option("--anonymous", is_flag=True, help="Take any signature. Loopback only.")
@click.option(
    "--threads", default=4, show_default=True, type=click.IntRange(1, 64), help="For asynchronous events."
)
@click.option(
    "--grace",
    default=900.0,
    show_default=True,
    type=click.FloatRange(0, 86_400),
    help="Seconds that running invocations get when it stops.",
)
@click.option("--quiet", "-q", is_flag=True, help="Don't print what to export.")
@click.option("--verbose", "-v", is_flag=True, help="Log each request to standard error.")
@store_option
@click.argument("arguments", metavar="[-- COMMAND…]", nargs=-1, type=click.UNPROCESSED)
def command(
    port: int,
    host: str,
    allow_remote: bool,
    hosts: tuple[str, ...],
    anonymous: bool,
    threads: int,
    grace: float,
    quiet: bool,
    verbose: bool,
    store: str | None,
    arguments: tuple[str, ...],
) -> None:
    """Serve a store as AWS endpoints: CloudWatch Logs, SQS, SNS, Lambda and STS on one port, for any AWS client.

    Prints the variables that clients need. With a COMMAND, runs it with these set, and stops with it. Asynchronous events
    are invoked and the store is kept tidy meanwhile. Ctrl-C lets running invocations finish, a second one cuts them off;
    queued events stay queued.
    """
    from lambdalog.server.guard import is_loopback
    from lambdalog.server.limits import allow_descriptors
    from lambdalog.server.logs import told_on_stderr
    from lambdalog.server.service import Service, Settings

    if not is_loopback(host) and not allow_remote:
        raise ConfigError(
            f"{host} is not loopback: other machines could come in; say --allow-remote if they shall"
        )
    if arguments and arguments[0].startswith("-"):
        raise click.UsageError(f"no such option: {arguments[0]}; a command stands after --")
    settings = Settings(
        host=host, port=port, anonymous=anonymous, hosts=hosts, threads=threads, grace_seconds=grace
    )
    allow_descriptors()
    with told_on_stderr(verbose=verbose), open_cloud(store) as cloud:
        try:
            service = Service(cloud, settings)
        except OSError as error:
            raise ConfigError(
                f"can't listen on {host}:{port}: {error.strerror}; --port 0 takes a free one"
            ) from None
        if anonymous:
            click.echo("Anyone on this machine may come in: signatures are not verified.", err=True)
        signals = Signals(service)
        service.start()
        _spare_collections()
        try:
            status = (
                Command(arguments, service).run(signals)
                if arguments
                else _wait(service, signals, quiet=quiet)
            )
        finally:
            signals.stopping = True
            patience = threading.Timer(0.7, click.echo, [_STOPPING], {"err": True})
            patience.start()
            finished = service.stop()
            patience.cancel()
        if not finished:
            click.echo("Some requests did not end in time; they were cut off.", err=True)
    sys.exit(status)


def _spare_collections() -> None:
    """Leave what is there already, most of it models of services, out of the search for garbage, and search less often.

    A batch of log events makes tens of thousands of objects, none of them in a cycle.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


class Signals:
    """What this process is told to do: the first signal stops it, one more while it stops ends the grace."""

    def __init__(self, service: Service) -> None:
        self.stop = threading.Event()
        self.number: int | None = None
        self.stopping = False
        self._service = service
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._told)

    def _told(self, number: int, frame: object) -> None:
        del frame
        if self.stopping:
            self._service.hurry()
        self.number = number
        self.stop.set()


def _wait(service: Service, signals: Signals, *, quiet: bool) -> int:
    if not quiet:
        if interactive():
            click.echo(f"The store is served at {service.url}. In another terminal:\n")
        for name, value in service.environment.items():
            click.echo(f"export {name}={shlex.quote(value)}")
        if interactive():
            click.echo("\nCtrl-C stops.")
        sys.stdout.flush()
    signals.stop.wait()
    return 0


class Command:
    """The COMMAND, as a child process that finds the store."""

    def __init__(self, arguments: tuple[str, ...], service: Service) -> None:
        # Our own credentials and profiles must not send it to AWS.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        try:
            self._process = subprocess.Popen(
                arguments, env=environment | other_endpoints(os.environ) | service.environment
            )
        except OSError as error:
            raise ConfigError(f"can't run {arguments[0]}: {error.strerror}") from None

    def run(self, signals: Signals) -> int:
        """Wait for its end, handing on signals; its exit status, as a shell tells it."""
        waiter = threading.Thread(target=self._await, args=(signals.stop,), daemon=True)
        waiter.start()
        while True:
            signals.stop.wait()
            number, signals.number = signals.number, None
            if number is None:
                break  # it ended by itself
            signals.stop.clear()
            if self._process.poll() is None and not (number == signal.SIGINT and _at_the_terminal()):
                self._process.send_signal(number)
            if self._process.poll() is not None:
                break  # what told of it may have been cleared just now
        waiter.join()
        status = self._process.returncode
        return status if status >= 0 else 128 - status

    def _await(self, ended: threading.Event) -> None:
        self._process.wait()
        ended.set()


def _at_the_terminal() -> bool:
    """Whether Ctrl-C went to the command as well: terminals send it to all of the foreground."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False
