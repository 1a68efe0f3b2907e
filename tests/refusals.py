"""How a call is refused: what a client can tell of an error."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError


class Refusal(NamedTuple):
    """An error's code, its text, and the status of its response."""

    code: str
    text: str
    status: int


def refused(call: Any, **params: Any) -> Refusal:
    """How a call is refused; it has to be."""
    with pytest.raises(ClientError) as raised:
        call(**params)
    error: Any = raised.value.response
    return Refusal(
        error["Error"]["Code"], error["Error"].get("Message", ""), error["ResponseMetadata"]["HTTPStatusCode"]
    )


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    """The code and the text of the error by which a call is refused."""
    return refused(call, **params)[:2]
