"""One failed event again in this process, under a debugger: the function's code and environment, and nothing sent or deleted."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
import time
import uuid
from bdb import BdbQuit
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambdalog.errors import ReplayError
from lambdalog.tail.group import of_function

if TYPE_CHECKING:
    import pdb  # noqa: T100 - debugging is the trade
    from collections.abc import Callable, Iterator, Mapping

    from lambdalog.cloud import Cloud


@dataclass(frozen=True, slots=True)
class Local:
    """A function as it can be run here."""

    name: str
    version: str
    arn: str
    handler: str
    folder: Path
    memory: int
    timeout: float
    log_group: str
    environment: Mapping[str, str]


def local_function(cloud: Cloud, name: str, qualifier: str = "", code: Path | None = None) -> Local:
    """The configuration of a function; its code from the store, or (AWS) from the folder `code`.

    ReplayError where there is no code here, or it is no Python; ResourceNotFoundException for no such function.
    """
    client = cloud.client("lambda")
    asked = {"Qualifier": qualifier} if qualifier else {}
    config = client.get_function_configuration(FunctionName=name, **asked)
    if not str(config.get("Runtime", "python")).startswith("python"):
        raise ReplayError(f"{name} runs on {config['Runtime']}; only Python can be debugged here")
    if code is None:
        location = client.get_function(FunctionName=name, **asked)["Code"].get("Location", "")
        if not location.startswith("file://"):
            raise ReplayError(
                f"the code of {name} is not on this machine; say where it is with --code FOLDER"
            )
        code = Path(location.removeprefix("file://"))
    if not code.is_dir():
        raise ReplayError(f"there is no folder {code} with the code of {name}")
    return Local(
        name,
        config.get("Version", "$LATEST"),
        config["FunctionArn"],
        config["Handler"],
        code,
        config.get("MemorySize", 128),
        float(config.get("Timeout", 3)),
        of_function(config),
        config.get("Environment", {}).get("Variables", {}),
    )


class _Standing(int):
    """A time that doesn't run. Our decorator watches a deadline only where a context gives a plain number."""


class Context:
    """The context object, with the attributes of Lambda's own. The time doesn't run while it is debugged."""

    client_context = None
    identity = None

    def __init__(self, function: Local, request_id: str) -> None:
        self.aws_request_id = request_id
        self.function_name = function.name
        self.function_version = function.version
        self.invoked_function_arn = function.arn
        self.memory_limit_in_mb = str(function.memory)
        self.log_group_name = function.log_group
        self.log_stream_name = f"debug/{int(time.time())}"
        self._timeout = function.timeout

    def get_remaining_time_in_millis(self) -> int:
        """All of the function's timeout, always."""
        return _Standing(self._timeout * 1000)


@contextmanager
def environment(function: Local, region: str) -> Iterator[None]:
    """The function's variables, folder and path, as its worker would have them; put back afterwards."""
    before, folder, path = dict(os.environ), Path.cwd(), list(sys.path)
    os.environ.update(
        {
            **function.environment,
            "_HANDLER": function.handler,
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "LAMBDA_TASK_ROOT": str(function.folder),
        }
    )
    os.chdir(function.folder)
    sys.path.insert(0, str(function.folder))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        os.chdir(folder)
        sys.path[:] = path


def handler_of(function: Local) -> Callable[[Any, Any], Any]:
    """The handler, imported. ReplayError if there is none."""
    module, _, name = function.handler.rpartition(".")
    try:
        found: Callable[[Any, Any], Any] = getattr(importlib.import_module(module.replace("/", ".")), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ReplayError(
            f"the handler {function.handler} can't be imported from {function.folder}: {error}"
        ) from error
    return found


def debug(function: Local, event: str, *, region: str, debugger: pdb.Pdb) -> Any:
    """Call the handler with an event, stopped at its first line; what it returns.

    Where it raises, the debugger opens where that happened; then the exception goes on. The message stays in its queue;
    what the function itself does, it does.
    """
    with environment(function, region):
        handler = handler_of(function)
        code = getattr(inspect.unwrap(handler), "__code__", None)
        if code is not None:
            # Its own first line, not our decorator's.
            debugger.set_break(code.co_filename, _first_line(code), temporary=True)
        context = Context(function, f"debug-{uuid.uuid4()}")
        debugger.reset()
        debugger.botframe = sys._getframe()  # noqa: SLF001 - as bdb itself says where debugging ends
        debugger.set_continue()
        sys.settrace(debugger.trace_dispatch)
        try:
            return handler(json.loads(event), context)
        except BdbQuit:
            raise
        except Exception as error:
            sys.settrace(None)
            debugger.reset()
            debugger.interaction(None, error.__traceback__)
            raise
        finally:
            sys.settrace(None)


def _first_line(code: Any) -> int:
    """The first line of a function's body, where it can be stopped at."""
    lines: list[int] = [
        line for _, _, line in code.co_lines() if line is not None and line > code.co_firstlineno
    ]
    # A function on one line has no other.
    return min(lines, default=int(code.co_firstlineno))
