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
    environments.
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
    environment: Mapping[str, str] = field(default_factory=dict)
    region: str = DEFAULT_REGION
    account: str = LOCAL_ACCOUNT
    code_id: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """What two invocations must agree in to share an environment."""
        return (
            self.arn,
            self.version,
            self.code_id,
            self.handler,
            str(self.code),
            self.memory,
            self.timeout,
            self.log_group,
            tuple(sorted(self.environment.items())),
        )
