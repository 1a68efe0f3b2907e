"""What AWS answers who may not do something."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from lambdalog.denied import denied


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("AccessDenied", True),
        ("AccessDeniedException", True),
        ("AuthorizationError", True),
        ("KMS.AccessDeniedException", True),
        ("ThrottlingException", False),
        ("ResourceNotFoundException", False),
    ],
)
def test_each_services_code_is_known(code: str, expected: bool) -> None:
    """What is passed over with a note is what was refused, not what failed otherwise."""
    assert denied(ClientError({"Error": {"Code": code}}, "Operation")) is expected
