"""A real AWS account as a backend: by opt-in, in an account that is kept for tests, and left as it was.

`LAMBDALOG_AWS_ACCOUNT=123456789012 pytest -m aws tests/contract`, with credentials where boto3 looks for them. The tests
make groups, queues, topics and functions of plain names, so the account is named, and held against who one really is. For
functions, `LAMBDALOG_AWS_ROLE` is the ARN of a role that they may have.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

# As it was when the tests were collected: each of them runs without these.
_ENVIRONMENT: Final = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
ACCOUNT: Final = os.environ.get("LAMBDALOG_AWS_ACCOUNT", "")
ROLE: Final = os.environ.get("LAMBDALOG_AWS_ROLE", "")

# What makes something, and how that is taken away again.
_UNDO: Final[dict[str, tuple[str, Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]]]] = {
    "create_log_group": ("delete_log_group", lambda asked, _: {"logGroupName": asked["logGroupName"]}),
    "create_queue": ("delete_queue", lambda _, made: {"QueueUrl": made["QueueUrl"]}),
    "create_topic": ("delete_topic", lambda _, made: {"TopicArn": made["TopicArn"]}),
    "create_function": ("delete_function", lambda _, made: {"FunctionName": made["FunctionName"]}),
    "publish_layer_version": (
        "delete_layer_version",
        lambda asked, made: {"LayerName": asked["LayerName"], "VersionNumber": made["Version"]},
    ),
    "create_event_source_mapping": ("delete_event_source_mapping", lambda _, made: {"UUID": made["UUID"]}),
    "put_resource_policy": ("delete_resource_policy", lambda asked, _: {"policyName": asked["policyName"]}),
    "put_query_definition": (
        "delete_query_definition",
        lambda _, made: {"queryDefinitionId": made["queryDefinitionId"]},
    ),
}


def prepare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials back; the test is skipped without an account to test in."""
    if not ACCOUNT:
        pytest.skip("LAMBDALOG_AWS_ACCOUNT names no account that is kept for tests")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    for name, value in _ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


class Account:
    """Clients of an account that undo, in the end, what was made through them."""

    def __init__(self, cloud: Any, whoami: Any, account: str) -> None:
        found = whoami.get_caller_identity()["Account"]
        if found != account:
            pytest.fail(
                f"these credentials are for account {found}, not for {account}, which is kept for tests"
            )
        self._cloud = cloud
        self._undo: list[Callable[[], object]] = []

    def client(self, service: str) -> Any:
        """A client by boto3's name of its service."""
        return _Tidy(self._cloud.client(service), self._undo)

    def close(self) -> None:
        """Take away what was made, the last first."""
        for undo in reversed(self._undo):
            with suppress(ClientError):  # a test may have deleted it itself
                undo()
        self._undo.clear()


class _Tidy:
    def __init__(self, client: Any, undo: list[Callable[[], object]]) -> None:
        self._client = client
        self._undo = undo

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name not in _UNDO:
            return found
        undoing, of = _UNDO[name]

        def call(**params: Any) -> Any:
            made = found(**params)
            given = of(params, made)
            self._undo.append(lambda: getattr(self._client, undoing)(**given))
            return made

        return call
