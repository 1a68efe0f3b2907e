"""What a source of data says when it can't, in words that say what to do."""

from __future__ import annotations

from lambdalog.printable import printable

_ADVICE = {
    "ThrottlingException": "AWS is throttling; read again more slowly, by itself",
    "Throttling": "AWS is throttling; read again more slowly, by itself",
    "LimitExceededException": "AWS is throttling; read again more slowly, by itself",
    "TooManyRequestsException": "AWS is throttling; read again more slowly, by itself",
    "AccessDeniedException": "access denied; the credentials need more permissions",
    "AccessDenied": "access denied; the credentials need more permissions",
    "ExpiredTokenException": "the credentials have expired; log in again",
    "ExpiredToken": "the credentials have expired; log in again",
    "UnrecognizedClientException": "the credentials are not known to AWS; check the profile",
    "InvalidClientTokenId": "the credentials are not known to AWS; check the profile",
    "ResourceNotFoundException": "it is no longer there",
}
_KINDS = {
    "EndpointConnectionError": "AWS can't be reached; tried again by itself",
    "ConnectTimeoutError": "AWS can't be reached; tried again by itself",
    "ReadTimeoutError": "AWS does not answer; tried again by itself",
    "NoCredentialsError": "there are no credentials; run `aws configure` or set AWS_PROFILE",
    "NoRegionError": "no region is set; use --store aws:REGION",
}


class ExplainedError(Exception):
    """Something that could not be read or done, in words that are explained already."""


def explained(error: BaseException) -> str:
    """One line: what went wrong, and what to do where that is known."""
    if isinstance(error, ExplainedError):
        return str(error)
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
    advice = _ADVICE.get(code) or _KINDS.get(type(error).__name__)
    if isinstance(error, OSError) and error.strerror and not response:
        where = f"{error.filename}: " if error.filename else ""
        return printable(f"{where}{error.strerror}")
    said = printable(str(error)).strip() or type(error).__name__
    if advice is None:
        return f"{type(error).__name__}: {said}" if not code else said
    return f"{advice} ({code or said[:80]})"
