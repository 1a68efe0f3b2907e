"""What an error is to a user: one line that says what, which, and what to do."""

from __future__ import annotations

from typing import Any, Final

from lambdalog.errors import ArgumentError, LambdalogError, PatternError
from lambdalog.printable import printable

# HTTP's statuses for what went wrong at the other end.
FAULT: Final = 500
# What to do, by AWS's codes and by the names of botocore's errors.
_HINTS: Final = (
    (
        {"NoCredentialsError", "PartialCredentialsError"},
        "see `aws configure`, or set AWS_PROFILE",
    ),
    (
        {
            "ExpiredToken",
            "ExpiredTokenException",
            "RequestExpired",
            "SSOTokenLoadError",
            "TokenRetrievalError",
            "UnauthorizedSSOTokenError",
        },
        "sign in again (`aws sso login`), or renew the credentials",
    ),
    (
        {
            "AuthFailure",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "MissingAuthenticationToken",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        },
        "`aws sts get-caller-identity` says whose credentials these are; this machine's clock must be right, too",
    ),
    (
        {
            "RequestLimitExceeded",
            "RequestThrottled",
            "Throttling",
            "ThrottlingException",
            "TooManyRequestsException",
        },
        "the account's quota is used up for now: ask for less at once, or again in a while",
    ),
    (
        {"ConnectTimeoutError", "ConnectionClosedError", "EndpointConnectionError", "ReadTimeoutError"},
        "check the network, the region's name and AWS_ENDPOINT_URL, or try again",
    ),
    (
        {"SSLError", "ProxyConnectionError"},
        "check the proxy, and AWS_CA_BUNDLE",
    ),
)


def explain(error: BaseException) -> str | None:
    """The line for an error that a user can do something about; None for one that is a bug of ours."""
    if isinstance(error, PatternError):
        return printable(f"{error} (at character {error.position + 1} of the pattern)")
    if isinstance(error, LambdalogError):
        return printable(str(error))
    if isinstance(error, OSError):
        what = error.strerror or str(error)
        return printable(f"{error.filename}: {what}" if error.filename else what)
    if type(error).__module__ == "sqlite3":
        if "readonly" in str(error):
            return (
                "the store can be read, not written: it is another user's, or on a disk that takes no writes"
            )
        return printable(f"the store's tables refuse: {error}; see: lambdalog store check")
    if type(error).__module__.partition(".")[0] == "botocore":
        return printable(_of_aws(error))
    return None


def status(error: BaseException) -> int:
    """The exit status for such an error: 2 where the command line can't be meant so, 1 for what failed."""
    return 2 if isinstance(error, (PatternError, ArgumentError)) else 1


def _of_aws(error: BaseException) -> str:
    response = getattr(error, "response", None)
    if isinstance(response, dict) and "Error" in response:
        code, text = _refusal(error, response)
    else:
        code = type(error).__name__
        # botocore's refusal of parameters has a line for each.
        what, *which = str(error).splitlines() or [code]
        text = f"{what} {'; '.join(which)}" if which else what
    hint = next((hint for codes, hint in _HINTS if code in codes), "")
    return f"{text.removesuffix('.')}; {hint}" if hint else text


def _refusal(error: BaseException, response: dict[str, Any]) -> tuple[str, str]:
    """An error's code, and what it says."""
    code, text = response["Error"].get("Code"), response["Error"].get("Message")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= FAULT and code == str(status):  # an answer that says no more, as a proxy's
        asked = getattr(error, "operation_name", "the request")
        return (
            code,
            f"AWS answered {asked} with status {status}, also when it was asked again; try again later",
        )
    return code, f"{text or code} ({code})"
