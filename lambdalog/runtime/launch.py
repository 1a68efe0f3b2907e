"""How a function's processes are started: commands, variables, where its layers come in. Decisions only."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lambdalog.errors import ConfigError
from lambdalog.runtime.interpreters import HERE, interpreter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambdalog.runtime.spec import FunctionSpec

WORKERS: Final = Path(__file__).with_name("workers")
NODE_WORKER: Final = WORKERS / "node_worker.mjs"
# What an interpreter, the dynamic linker or the allocator reads at its start, a forked one has missed.
_READ_AT_START: Final = ("PYTHON", "LD_", "MALLOC_", "GLIBC_", "LC_", "LANG")
# Of the one who runs the functions; all else of his environment stays outside.
_PASSED_ON: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PYTHONPATH")


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start. `command` empty: a Python worker forked from the warm process, with `path` before its sys.path.

    `extensions` are the executables to start beside it.
    """

    command: list[str]
    environment: dict[str, str]
    path: list[str] = field(default_factory=list)
    extensions: list[str] = field(default_factory=list)


def launch(
    spec: FunctionSpec, *, log_stream: str, telemetry_fd: int, warm: bool, outer: Mapping[str, str]
) -> Launch:
    """How to start a function's environment. `warm`: there is a process to fork Python from; `outer`: os.environ.

    ConfigError if its runtime is not here, or its package has nothing to start.
    """
    environment = variables(spec, log_stream=log_stream, telemetry_fd=telemetry_fd, outer=outer)
    arguments, path = command(spec), []
    wrapper = spec.environment.get("AWS_LAMBDA_EXEC_WRAPPER")
    if wrapper:
        arguments = [in_layers(spec, wrapper), *arguments]
    elif warm and _forkable(spec):
        arguments = []
        own = environment.get("PYTHONPATH", "").split(os.pathsep)
        path = [str(spec.code), *filter(None, own)]
    return Launch(arguments, environment, path, extensions(spec))


def command(spec: FunctionSpec) -> list[str]:
    """The program of a function. ConfigError if its runtime is not here, or its package has nothing to start."""
    if spec.runtime.startswith("python"):
        program = interpreter(spec.runtime)
        if program is None:
            raise ConfigError(f"function {spec.name} wants {spec.runtime}, which is not on this machine")
        return [program, "-m", "awslambdaric", spec.handler]
    if spec.runtime.startswith("nodejs"):
        program = interpreter(spec.runtime)
        if program is None:
            raise ConfigError(f"function {spec.name} wants {spec.runtime}: there is no node on PATH")
        return [program, str(NODE_WORKER)]
    if spec.runtime.startswith("provided"):
        for folder in (spec.code, *reversed(spec.layers)):
            if os.access(folder / "bootstrap", os.X_OK):
                return [str(folder / "bootstrap")]
        raise ConfigError(
            f"function {spec.name}: couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
        )
    raise ConfigError(f"functions of runtime {spec.runtime} can't be run here; there are {HERE}")


def runtime_version(runtime: str) -> str:
    """How INIT_START names a runtime: `python:3.11.v1`."""
    found = re.match(r"[a-z]+", runtime)
    name = found.group() if found else runtime
    return f"{name}:{runtime.removeprefix(name).strip('.') or 'local'}.v1"


def extensions(spec: FunctionSpec) -> list[str]:
    """The external extensions of a function's layers: the files in their `extensions` folders, by name."""
    found: dict[str, str] = {}
    for layer in spec.layers:
        folder = layer / "extensions"
        if folder.is_dir():
            found |= {path.name: str(path) for path in folder.iterdir() if path.is_file()}
    return [found[name] for name in sorted(found)]


def in_layers(spec: FunctionSpec, path: str) -> str:
    """Where a path below /opt or /var/task lies: in the last layer that has it, or in the function's folder."""
    if path.startswith("/opt/"):
        for layer in reversed(spec.layers):
            if (layer / path.removeprefix("/opt/")).exists():
                return str(layer / path.removeprefix("/opt/"))
    return path.replace("/var/task", str(spec.code), 1) if path.startswith("/var/task") else path


def variables(
    spec: FunctionSpec, *, log_stream: str, telemetry_fd: int, outer: Mapping[str, str]
) -> dict[str, str]:
    """The variables that a function finds, its own last but for the reserved ones."""
    found = {
        "PATH": outer.get("PATH", "/usr/local/bin:/usr/bin:/bin"),
        "HOME": outer.get("HOME", "/tmp"),  # noqa: S108 - where Lambda puts it
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        **{name: outer[name] for name in _PASSED_ON if name in outer},
        **spec.environment,
    }
    _add_layers(found, spec)
    # Python's client would poll from many threads at once.
    found.pop("AWS_LAMBDA_MAX_CONCURRENCY", None)
    if spec.log_format == "JSON":
        found["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        found["AWS_LAMBDA_LOG_LEVEL"] = spec.application_log_level or "INFO"
    # Reserved: a function's own configuration can't set these.
    return found | {
        "_HANDLER": spec.handler,
        "_LAMBDA_TELEMETRY_LOG_FD": str(telemetry_fd),
        "AWS_DEFAULT_REGION": spec.region,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_REGION": spec.region,
        "LAMBDA_RUNTIME_DIR": str(spec.code),
        "LAMBDA_TASK_ROOT": str(spec.code),
    }


def _forkable(spec: FunctionSpec) -> bool:
    """Whether a function can do with the warm process: its Python is this one, and nothing is to be read at a start."""
    return (
        spec.runtime.startswith("python")
        and interpreter(spec.runtime) == sys.executable
        and not any(name.startswith(_READ_AT_START) and name != "PYTHONPATH" for name in spec.environment)
        and not any((layer / "lib").is_dir() for layer in spec.layers)
    )


def _add_layers(variables: dict[str, str], spec: FunctionSpec) -> None:
    """Let the function find what its layers would bring to /opt; of two layers with the same file the later one wins."""
    layers = list(reversed(spec.layers))
    version = spec.runtime.removeprefix("python")
    found = {
        "PYTHONPATH": [
            folder
            for layer in layers
            for folder in (layer / "python" / "lib" / f"python{version}" / "site-packages", layer / "python")
        ],
        "NODE_PATH": [layer / "nodejs" / "node_modules" for layer in layers],
        "PATH": [layer / "bin" for layer in layers],
        "LD_LIBRARY_PATH": [layer / "lib" for layer in layers],
    }
    for name, folders in found.items():
        there = [str(folder) for folder in folders if folder.is_dir()]
        if there:
            variables[name] = os.pathsep.join([*there, *filter(None, [variables.get(name)])])
