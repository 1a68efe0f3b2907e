"""boto3's CloudWatch Logs client, as a shipper wants it: short waits, and retries left to the shipper."""

from __future__ import annotations

from typing import Any, Final

from lambdalog.errors import ConfigError

# One stream that stalls keeps others waiting for as long as this.
CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 15


def aws_client(*, profile: str | None = None, region: str | None = None, session: Any = None) -> Any:
    """A client of CloudWatch Logs. ConfigError if boto3 can't make one: an unknown profile, no region."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    # botocore's own attempts would hold the thread, and double the load of an endpoint that throttles.
    config = Config(
        connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1}
    )
    try:
        if session is None:
            session = boto3.Session(profile_name=profile, region_name=region)
        return session.client("logs", config=config)
    except BotoCoreError as error:
        raise ConfigError(f"can't make a client for CloudWatch Logs: {error}") from error
