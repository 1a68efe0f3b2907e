"""What an error is to a user: one line that says what, which, and what to do."""

from __future__ import annotations

from lambdalog.errors import ArgumentError, LambdalogError, PatternError
from lambdalog.printable import printable


def explain(error: BaseException) -> str | None:
    """The line for an error that a user can do something about; None for one that is a bug of ours."""
    if isinstance(error, PatternError):
        return printable(f"{error} (at character {error.position + 1} of the pattern)")
    if isinstance(error, LambdalogError):
        return printable(str(error))
    if isinstance(error, OSError):
        what = error.strerror or str(error)
        return printable(f"{error.filename}: {what}" if error.filename else what)
    if type(error).__module__.partition(".")[0] == "botocore":
        return printable(_of_aws(error))
    return None


def status(error: BaseException) -> int:
    """The exit status for such an error: 2 where the command line can't be meant so, 1 for what failed."""
    return 2 if isinstance(error, (PatternError, ArgumentError)) else 1


def _of_aws(error: BaseException) -> str:
    response = getattr(error, "response", None)
    if isinstance(response, dict) and "Error" in response:
        found = response["Error"]
        return f"{found.get('Message') or found.get('Code')} ({found.get('Code')})"
    if type(error).__name__ in {"NoCredentialsError", "PartialCredentialsError"}:
        return f"{error}; see `aws configure`, or set AWS_PROFILE"
    # botocore's refusal of parameters has a line for each.
    what, *which = str(error).splitlines() or [type(error).__name__]
    return f"{what} {'; '.join(which)}" if which else what
