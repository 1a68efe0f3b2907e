"""What has to be known of a function to run it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambdalog.settings import DEFAULT_REGION, LOCAL_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One version of a function, as its environments run it. Memory in MB, timeout in seconds.

    `code` is the folder that the handler's file lies in; `code_id` changes when the code does, and with it the
    environments. `layers` are unpacked layer folders in their order, of which later ones win: together they are what
    /opt holds in Lambda. Log format and levels are those of a LoggingConfig, with AWS's values.
    """

    name: str
    handler: str
    code: Path
    arn: str
    log_group: str
    version: str = "$LATEST"
    runtime: str = "python3.11"
    memory: int = 128
    timeout: float = 3.0
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    region: str = DEFAULT_REGION
    account: str = LOCAL_ACCOUNT
    code_id: str = ""
    layers: tuple[Path, ...] = ()
    ephemeral_storage: int = 512
    log_format: str = "Text"
    application_log_level: str | None = None
    system_log_level: str | None = None
    tracing: str = "PassThrough"
    recursive_loop: str = "Terminate"

    key: str = field(init=False, repr=False, compare=False)
    """What two invocations must agree in to share an environment."""

    def __post_init__(self) -> None:
        key = (
            self.arn,
            self.version,
            self.code_id,
            self.handler,
            str(self.code),
            self.memory,
            self.timeout,
            self.log_group,
            self.runtime,
            self.layers,
            self.ephemeral_storage,
            self.log_format,
            self.application_log_level,
            self.system_log_level,
            tuple(sorted(self.environment.items())),
        )
        # It is asked for at every invocation: a text knows its hash, a tuple takes it anew each time.
        object.__setattr__(self, "key", repr(key))
