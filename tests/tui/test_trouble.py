"""What a source says when it can't, in words that say what to do."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from lambdalog.errors import ConfigError
from tui.trouble import ExplainedError, explained


def refused(code: str, message: str = "no") -> ClientError:
    """An answer of AWS's that refuses."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "FilterLogEvents")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (refused("ThrottlingException"), "AWS is throttling; read again more slowly, by itself (ThrottlingException)"),
        (refused("AccessDeniedException"), "access denied; the credentials need more permissions (AccessDeniedException)"),
        (refused("ExpiredToken"), "the credentials have expired; log in again (ExpiredToken)"),
        (refused("Odd", "the moon"), "An error occurred (Odd) when calling the FilterLogEvents operation: the moon"),
        (NoCredentialsError(), "there are no credentials; run `aws configure` or set AWS_PROFILE (Unable to locate credentials)"),
        (ConfigError("no such\x1b[2J folder"), "ConfigError: no such␛[2J folder"),
        (OSError(), "OSError: OSError"),
        (PermissionError(13, "Permission denied", "/a\x1b[2J"), "/a␛[2J: Permission denied"),
        (OSError(24, "Too many open files"), "Too many open files"),
        (ExplainedError("it is full"), "it is full"),
    ],
)  # fmt: skip
def test_what_to_do_is_said(error: Exception, said: str) -> None:
    """A known refusal has its advice and its code; anything else is told as it is, as text."""
    assert explained(error) == said


def test_an_address_that_does_not_answer_is_tried_again() -> None:
    """What can't be reached is said to be tried again, with as much of why as fits."""
    error = EndpointConnectionError(endpoint_url=f"https://logs.{'x' * 200}.amazonaws.com")
    assert explained(error).startswith("AWS can't be reached; tried again by itself (Could not connect")
    assert len(explained(error)) < 130
