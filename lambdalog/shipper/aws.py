"""boto3's CloudWatch Logs client, as a shipper wants it: short waits, and retries left to the shipper."""

from __future__ import annotations

import base64
import re
from typing import Any, Final

from lambdalog.errors import ConfigError

# One stream that stalls keeps others waiting for as long as this.
CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 15
_ACCESS_KEY: Final = re.compile("A[A-Z]{3}[A-Z2-7]{16}")


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


def account(session: Any = None) -> str | None:
    """The account that the credentials in use belong to; None if there are none, or they don't tell.

    Without a request: a destination that can't be reached is when it matters. botocore knows the account of a profile
    that names it, and of what SSO and roles gave; any other access key bears it in itself.
    """
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        found = (boto3.Session() if session is None else session).get_credentials()
        if found is None:
            return None
        frozen = found.get_frozen_credentials()
    except BotoCoreError:
        # Whoever makes a client of it will be told.
        return None
    told = getattr(frozen, "account_id", None)
    return told if isinstance(told, str) and told.isdecimal() else account_of(frozen.access_key)


def account_of(access_key: str) -> str | None:
    """The twelve digits of the account in an access key id (AKIA…, ASIA…); None for what is no such id.

    Behind the four letters it is base32; the account is the 40 bits behind the first.
    """
    if not _ACCESS_KEY.fullmatch(access_key or ""):
        return None
    bits = int.from_bytes(base64.b32decode(access_key[4:])[:6], "big")
    return f"{bits >> 7 & (1 << 40) - 1:012d}"
