"""Resource policies as values: statements made from an AddPermission, and whether they allow a source to invoke."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any, Final

from lambdalog.arn import Arn

_ACCOUNT: Final = re.compile(r"\d{12}")
_SERVICE: Final = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
_PRINCIPAL_ARN: Final = re.compile(r"arn:aws[a-z-]*:(iam|sts)::(\d{12}|\*)?:.+")


class InvalidPrincipal(ValueError):
    """The principal is neither a service, nor an account, nor an IAM ARN, nor `*`."""


def statement(params: dict[str, Any], resource: str) -> dict[str, Any]:
    """The statement of an AddPermission's parameters, keys as Lambda has them. InvalidPrincipal."""
    made: dict[str, Any] = {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(params["Principal"]),
        "Action": params["Action"],
        "Resource": resource,
    }
    equals: dict[str, str] = {}
    condition: dict[str, dict[str, str]] = {}
    for parameter, key in (
        ("SourceAccount", "AWS:SourceAccount"),
        ("PrincipalOrgID", "aws:PrincipalOrgID"),
        ("FunctionUrlAuthType", "lambda:FunctionUrlAuthType"),
        ("EventSourceToken", "lambda:EventSourceToken"),
    ):
        if params.get(parameter) is not None:
            equals[key] = params[parameter]
    if equals:
        condition["StringEquals"] = equals
    if params.get("InvokedViaFunctionUrl") is not None:
        condition["Bool"] = {"lambda:InvokedViaFunctionUrl": str(params["InvokedViaFunctionUrl"]).lower()}
    if params.get("SourceArn") is not None:
        condition["ArnLike"] = {"AWS:SourceArn": params["SourceArn"]}
    if condition:
        made["Condition"] = condition
    return made


def _principal(text: str) -> Any:
    if text == "*":
        return "*"
    if _ACCOUNT.fullmatch(text):
        return {"AWS": f"arn:aws:iam::{text}:root"}
    if _PRINCIPAL_ARN.fullmatch(text):
        return {"AWS": text}
    if _SERVICE.fullmatch(text):
        return {"Service": text}
    raise InvalidPrincipal(text)


def allows(statements: list[dict[str, Any]], service: str, source_arn: str, account: str) -> bool:
    """Whether a policy lets a service (`s3.amazonaws.com`) invoke the function for a source of an account."""
    return any(_allows(found, service, source_arn, account) for found in statements)


def _allows(found: dict[str, Any], service: str, source_arn: str, account: str) -> bool:
    action = found["Action"]
    if not fnmatchcase("lambda:InvokeFunction", action):
        return False
    principal = found["Principal"]
    if principal != "*" and principal.get("Service") != service:
        return False
    condition = found.get("Condition", {})
    wanted = condition.get("ArnLike", {}).get("AWS:SourceArn")
    if wanted is not None and not arn_like(source_arn, wanted):
        return False
    equals = condition.get("StringEquals", {})
    if equals.get("AWS:SourceAccount", account) != account:
        return False
    # Conditions on what a service never sends are not met.
    return not equals.keys() - {"AWS:SourceAccount"} and "Bool" not in condition


def arn_like(arn: str, pattern: str) -> bool:
    """ArnLike: each of the six parts by itself, with * and ?."""
    try:
        one, other = Arn.parse(arn), Arn.parse(pattern)
    except ValueError:
        return False
    pairs = (
        (one.partition, other.partition),
        (one.service, other.service),
        (one.region, other.region),
        (one.account, other.account),
        (one.resource, other.resource),
    )
    return all(fnmatchcase(part, _literal_brackets(wanted)) for part, wanted in pairs)


def _literal_brackets(pattern: str) -> str:
    """IAM knows * and ? alone; fnmatch would take brackets for a set."""
    return pattern.replace("[", "[[]")
