"""Amazon Resource Names: made and taken apart in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from lambdalog.settings import DEFAULT_REGION, LOCAL_ACCOUNT


class Arn(NamedTuple):
    """`arn:partition:service:region:account:resource`."""

    service: str
    region: str
    account: str
    resource: str
    partition: str = "aws"

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Take an ARN apart; ValueError if it is none."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or not parts[2] or not parts[5]:
            raise ValueError(f"not an ARN: {text!r}")
        return cls(parts[2], parts[3], parts[4], parts[5], parts[1])


@dataclass(frozen=True, slots=True)
class Scope:
    """The region and account in which a store's resources live."""

    region: str = DEFAULT_REGION
    account: str = LOCAL_ACCOUNT

    def log_group(self, name: str) -> str:
        """The group's `logGroupArn`, without the trailing `:*` of `arn`."""
        return str(Arn("logs", self.region, self.account, f"log-group:{name}"))

    def log_stream(self, group: str, stream: str) -> str:
        """A log stream's ARN."""
        return str(Arn("logs", self.region, self.account, f"log-group:{group}:log-stream:{stream}"))

    def queue(self, name: str) -> str:
        """An SQS queue's ARN."""
        return str(Arn("sqs", self.region, self.account, name))

    def topic(self, name: str) -> str:
        """An SNS topic's ARN."""
        return str(Arn("sns", self.region, self.account, name))

    def function(self, name: str, qualifier: str | None = None) -> str:
        """A function's ARN, qualified if a qualifier is given."""
        resource = f"function:{name}" if qualifier is None else f"function:{name}:{qualifier}"
        return str(Arn("lambda", self.region, self.account, resource))
