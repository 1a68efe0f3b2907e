"""ARNs, made and taken apart."""

from __future__ import annotations

import pytest

from lambdalog.arn import Arn, Scope


@pytest.mark.parametrize(
    "text",
    [
        Scope().log_group("/aws/lambda/orders"),
        Scope("eu-west-1", "123456789012").function("orders", "live"),
        Scope().queue("q"),
        Scope().topic("t"),
        Scope().log_stream("g", "2026/01/02/[$LATEST]ab"),
    ],
)
def test_an_arn_comes_back(text: str) -> None:
    """What was made is parsed to the same again."""
    assert str(Arn.parse(text)) == text


@pytest.mark.parametrize("text", ["", "arn:aws", "orders", "arn:aws:::", "urn:aws:sqs:r:a:q"])
def test_what_is_no_arn_is_refused(text: str) -> None:
    """Text that is no ARN is a ValueError."""
    with pytest.raises(ValueError, match="not an ARN"):
        Arn.parse(text)
