"""A worker process: started in a session of its own, watched, and killed with everything in it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lambdalog.errors import ConfigError
from lambdalog.runtime.interpreters import HERE, interpreter

if TYPE_CHECKING:
    from lambdalog.runtime.spec import FunctionSpec

PAGE: Final = os.sysconf("SC_PAGE_SIZE")
MB: Final = 1024 * 1024
NODE_WORKER: Final = Path(__file__).with_name("node_worker.mjs")


def worker_environment(spec: FunctionSpec, *, api: str, log_stream: str, telemetry_fd: int) -> dict[str, str]:
    """The variables that a function finds, its own last but for the reserved ones."""
    variables = {
        "PATH": os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin"),
        "HOME": os.environ.get("HOME", "/tmp"),  # noqa: S108 - where Lambda puts it
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        **{
            name: os.environ[name]
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PYTHONPATH")
            if name in os.environ
        },
        **spec.environment,
    }
    _add_layers(variables, spec)
    if spec.log_format == "JSON":
        variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        variables["AWS_LAMBDA_LOG_LEVEL"] = spec.application_log_level or "INFO"
    # Reserved: a function's own configuration can't set these.
    return variables | {
        "_HANDLER": spec.handler,
        "_LAMBDA_TELEMETRY_LOG_FD": str(telemetry_fd),
        "AWS_DEFAULT_REGION": spec.region,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": api,
        "AWS_REGION": spec.region,
        "LAMBDA_RUNTIME_DIR": str(spec.code),
        "LAMBDA_TASK_ROOT": str(spec.code),
    }


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


def command(spec: FunctionSpec) -> list[str]:
    """What is started for a function. ConfigError if its runtime is not here, or its package has nothing to start."""
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


class Worker:
    """A running worker, with the reading ends of its stdout, stderr and telemetry pipes (non-blocking)."""

    def __init__(self, spec: FunctionSpec, *, api: str, log_stream: str) -> None:
        arguments = command(spec)
        read_fd, write_fd = os.pipe()
        try:
            self._process = subprocess.Popen(
                arguments,
                cwd=spec.code,
                env=worker_environment(spec, api=api, log_stream=log_stream, telemetry_fd=write_fd),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(write_fd,),
                start_new_session=True,
            )
        except OSError as error:
            os.close(read_fd)
            raise ConfigError(f"function {spec.name} can't be started: {error}") from error
        finally:
            os.close(write_fd)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self.telemetry = read_fd
        self.stdout = self._process.stdout.fileno()
        self.stderr = self._process.stderr.fileno()
        for fd in (self.telemetry, self.stdout, self.stderr):
            os.set_blocking(fd, False)
        self._statm = _open_statm(self._process.pid)
        self.peak = 0

    @property
    def returncode(self) -> int | None:
        """How the process ended, or None while it runs; negative for a signal."""
        return self._process.poll()

    def memory(self) -> int:
        """Bytes of memory that the process takes now; 0 where that can't be told."""
        if self._statm < 0:
            return 0
        try:
            resident = int(os.pread(self._statm, 128, 0).split()[1]) * PAGE
        except (OSError, IndexError):
            return 0  # it has just ended
        self.peak = max(self.peak, resident)
        return resident

    def high_water(self) -> int:
        """The most memory that the process ever took, in bytes."""
        try:
            with open(f"/proc/{self._process.pid}/status", "rb") as status:  # noqa: PTH123 - measured
                for line in status:
                    if line.startswith(b"VmHWM:"):
                        self.peak = max(self.peak, int(line.split()[1]) * 1024)
                        break
        except OSError:
            return self.peak  # it has ended; what was seen while it ran counts
        return self.peak

    def kill(self) -> None:
        """End the process and its session, and reap it."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Kill, and close every descriptor."""
        self.kill()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        os.close(self.telemetry)
        if self._statm >= 0:
            os.close(self._statm)


def _open_statm(pid: int) -> int:
    try:
        return os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1
