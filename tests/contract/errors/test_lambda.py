"""Lambda's errors, as AWS was recorded to word them. Sets and patterns that AWS changes are told as far as it doesn't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.errors.conftest import ROLE
from tests.contract.errors.lambda_words import INVALID, NONE, ONE, SET, STATUS, F, as_far_as
from tests.functions import RUNTIME
from tests.refusals import Refusal

if TYPE_CHECKING:
    from tests.contract.errors.conftest import Ask, World

PATTERN = "failed to satisfy constraint: Member must satisfy regular expression pattern: "
REVISION = "The Revision Id provided does not match the latest Revision Id. Call the"


def of_none(method: str, **params: Any) -> Ask:
    """Something asked of a function that is not there."""
    return lambda w: (getattr(w.functions, method), {"FunctionName": "none", **params})


def of_one(method: str, **params: Any) -> Ask:
    """Something asked of a function."""

    def ask(w: World) -> tuple[Any, dict[str, Any]]:
        w.function()
        return getattr(w.functions, method), {"FunctionName": "f", **params}

    return ask


def made(**settings: Any) -> Ask:
    """A function made so."""
    asked = {
        "FunctionName": "f",
        "Role": ROLE,
        "Runtime": RUNTIME,
        "Handler": "a.b",
        "Code": {"ZipFile": b"no zip"},
    }
    return lambda w: (w.functions.create_function, {**asked, **settings})


def routed(weights: dict[str, float], version: str = "1") -> Ask:
    """An alias with weights; the function has versions 1 and 2."""

    def ask(w: World) -> tuple[Any, dict[str, Any]]:
        w.function()
        w.functions.publish_version(FunctionName="f")
        w.functions.update_function_configuration(FunctionName="f", Description="d")
        w.functions.publish_version(FunctionName="f")
        routing = {"RoutingConfig": {"AdditionalVersionWeights": weights}}
        return w.functions.create_alias, {
            "FunctionName": "f",
            "Name": "a",
            "FunctionVersion": version,
            **routing,
        }

    return ask


def alias_twice(w: World) -> tuple[Any, dict[str, Any]]:
    """An alias that is there."""
    w.function()
    w.functions.publish_version(FunctionName="f")
    asked = {"FunctionName": "f", "Name": "custom", "FunctionVersion": "1"}
    w.functions.create_alias(**asked)
    return w.functions.create_alias, asked


PERMISSION = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "sqs.amazonaws.com"}


def permitted(*, twice: bool = False, **params: Any) -> Ask:
    """A permission given, or given once more."""

    def ask(w: World) -> tuple[Any, dict[str, Any]]:
        w.function()
        if twice:
            w.functions.add_permission(FunctionName="f", **PERMISSION)
        return w.functions.add_permission, {"FunctionName": "f", **PERMISSION, **params}

    return ask


def alias_permitted(w: World) -> tuple[Any, dict[str, Any]]:
    """A permission on an alias whose policy has another revision."""
    w.function()
    w.functions.publish_version(FunctionName="f")
    w.functions.create_alias(FunctionName="f", Name="a", FunctionVersion="1")
    return w.functions.add_permission, {
        "FunctionName": "f",
        "Qualifier": "a",
        "RevisionId": "wrong",
        **PERMISSION,
    }


def removed(name: str) -> Ask:
    """A statement taken from a policy that has another."""

    def ask(w: World) -> tuple[Any, dict[str, Any]]:
        w.function()
        w.functions.add_permission(FunctionName="f", **PERMISSION)
        return w.functions.remove_permission, {"FunctionName": "f", "StatementId": name}

    return ask


NO_CONFIG = "doesn't have an EventInvokeConfig"
# What is refused: how it is asked, the error's code, the beginning of its text (all of it where it ends with a period).
CASES: dict[str, tuple[Ask, str, str]] = {
    **{
        f"{method} of none": (of_none(method), NONE, f"Function not found: {F}none")
        for method in (
            "delete_function",
            "get_function",
            "get_function_configuration",
            "get_function_concurrency",
        )
    },
    "invoke none": (of_none("invoke"), NONE, f"Function not found: {F}none:$LATEST"),
    "events of none": (
        of_none("get_function_event_invoke_config"),
        NONE,
        f"The function {F}none:$LATEST {NO_CONFIG}",
    ),
    "events of one": (
        of_one("get_function_event_invoke_config"),
        NONE,
        f"The function {F}f:$LATEST {NO_CONFIG}",
    ),
    "events of a qualifier": (
        of_one("get_function_event_invoke_config", Qualifier="doesnotexist"),
        NONE,
        f"The function {F}f:doesnotexist {NO_CONFIG}",
    ),
    "no events deleted": (
        of_one("delete_function_event_invoke_config"),
        NONE,
        f"The function {F}f:$LATEST {NO_CONFIG}",
    ),
    "events listed of none": (
        of_none("list_function_event_invoke_configs"),
        NONE,
        "The function doesn't exist.",
    ),
    "events, nothing said": (
        of_one("put_function_event_invoke_config"),
        INVALID,
        "You must specify at least one of error handling or destination setting.",
    ),
    "events, itself": (
        of_one(
            "put_function_event_invoke_config",
            DestinationConfig={"OnSuccess": {"Destination": f"{F}f"}},
        ),
        INVALID,
        "You can't specify the function as a destination for itself.",
    ),
    "events, to none": (
        of_one(
            "put_function_event_invoke_config",
            DestinationConfig={"OnSuccess": {"Destination": f"{F}none"}},
        ),
        INVALID,
        f"The destination ARN {F}none is invalid.",
    ),
    "a version of none": (
        of_one("get_function", Qualifier="1221"),
        NONE,
        f"Function not found: {F}f:1221",
    ),
    "another region": (
        lambda w: (
            w.functions.get_function_configuration,
            {"FunctionName": "arn:aws:lambda:eu-west-3:000000000000:function:f"},
        ),
        NONE,
        "Functions from 'eu-west-3' are not reachable in this region ('us-east-1')",
    ),
    "$LATEST deleted": (
        of_one("delete_function", Qualifier="$LATEST"),
        INVALID,
        "$LATEST version cannot be deleted without deleting the function.",
    ),
    "two qualifiers": (
        lambda w: (
            w.functions.get_function,
            {"FunctionName": f"{w.function()}:1", "Qualifier": "2"},
        ),
        INVALID,
        "The derived qualifier from the function name does not match the specified qualifier.",
    ),
    "a role": (made(Role="r1"), "ValidationException", f"{ONE}Value 'r1' at 'role' {PATTERN}"),
    "a runtime": (
        made(Runtime="non-existent-runtime"),
        INVALID,
        f"Value non-existent-runtime at 'runtime' {SET}",
    ),
    "a runtime in capitals": (
        made(Runtime="PYTHON3.9"),
        INVALID,
        f"Value PYTHON3.9 at 'runtime' {SET}",
    ),
    "an old runtime": (
        made(Runtime="go1.x"),
        INVALID,
        (
            "The runtime parameter of go1.x is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions."
        ),
    ),
    "no zip": (
        made(),
        INVALID,
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
    ),
    "a subnet of no such form": (
        made(VpcConfig={"SubnetIds": ["bad-subnet"], "SecurityGroupIds": ["sg-1"]}),
        "ValidationException",
        (
            f"{ONE}Value '[bad-subnet]' at 'vpcConfig.subnetIds' failed to satisfy constraint: Member must satisfy constraint: "
            "[Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, "
            "Member must satisfy regular expression pattern: subnet-[0-9a-z]*]"
        ),
    ),
    "a security group of no such form": (
        made(VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["bad-sg"]}),
        "ValidationException",
        (
            f"{ONE}Value '[bad-sg]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: Member must satisfy constraint: "
            "[Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, "
            "Member must satisfy regular expression pattern: sg-[0-9a-zA-Z]*]"
        ),
    ),
    "two architectures": (
        made(Architectures=["x86_64", "arm64"]),
        "ValidationException",
        (
            f"{ONE}Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: "
            "Member must have length less than or equal to 1"
        ),
    ),
    "an architecture in capitals": (
        made(Architectures=["X86_64"]),
        "ValidationException",
        (
            f"{ONE}Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: "
            "[Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"
        ),
    ),
    "a large environment": (
        of_one("update_function_configuration", Environment={"Variables": {"LARGE": "x" * 5000}}),
        INVALID,
        (
            "Lambda was unable to configure your environment variables because the environment variables you have provided "
            "exceeded the 4KB limit. String measured: "
        ),
    ),
    "another hash": (
        of_one("publish_version", CodeSha256="somenonexistentsha256"),
        INVALID,
        "CodeSHA256 (somenonexistentsha256) is different from current CodeSHA256 in $LATEST (",
    ),
    "another revision": (
        of_one("update_function_configuration", RevisionId="wrong"),
        "PreconditionFailedException",
        f"{REVISION} GetFunction/GetAlias API to retrieve the latest Revision Id",
    ),
    "a policy's other revision": (
        permitted(StatementId="t", RevisionId="wrong"),
        "PreconditionFailedException",
        f"{REVISION} GetFunction/GetAlias API to retrieve the latest Revision Id",
    ),
    "an alias's other revision": (
        alias_permitted,
        "PreconditionFailedException",
        f"{REVISION} GetPolicy API to retrieve the latest Revision Id",
    ),
    "no such alias": (
        of_one("get_alias", Name="non-existent"),
        NONE,
        f"Cannot find alias arn: {F}f:non-existent",
    ),
    "alias twice": (alias_twice, "ResourceConflictException", f"Alias already exists: {F}f:custom"),
    "an alias of none": (
        of_none("create_alias", Name="a", FunctionVersion="1"),
        NONE,
        f"Function not found: {F}none:1",
    ),
    "weights, the same": (
        routed({"1": 0.5}),
        INVALID,
        "Invalid function version 1. Function version 1 is already included in routing configuration.",
    ),
    "weights, above": (
        routed({"2": 2.0}),
        "ValidationException",
        (
            f"{ONE}Value '{{2=2.0}}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must "
            "satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal "
            "to 0.0, Member must not be null]"
        ),
    ),
    "weights, two": (
        routed({"1": 0.3, "2": 0.3}),
        INVALID,
        "Number of items in AdditionalVersionWeights cannot be greater than 1",
    ),
    "weights, $LATEST": (
        routed({"$LATEST": 0.5}),
        "ValidationException",
        (
            f"{ONE}Value '{{$LATEST=0.5}}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys "
            "must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than "
            "or equal to 1, Member must satisfy regular expression pattern: [0-9]+]"
        ),
    ),
    "weights, on $LATEST": (
        routed({"1": 0.5}, "$LATEST"),
        INVALID,
        "$LATEST is not supported for an alias pointing to more than 1 version",
    ),
    "weights, no such version": (routed({"10": 0.5}), NONE, f"Function not found: {F}f:10"),
    "statement twice": (
        permitted(twice=True),
        "ResourceConflictException",
        "The statement id (s) provided already exists. Please provide a new statement id, or remove the existing statement.",
    ),
    "permission on no alias": (
        permitted(Qualifier="alias-doesnotexist"),
        NONE,
        f"Cannot find alias arn: {F}f:alias-doesnotexist",
    ),
    "permission on no version": (permitted(Qualifier="42"), NONE, f"Function not found: {F}f:42"),
    "permission, a strange qualifier": (
        permitted(Qualifier="valid-with-$-but-doesnotexist"),
        NONE,
        f"Function not found: {F}f:valid-with-$-but-doesnotexist",
    ),
    "permission, no qualifier": (
        permitted(Qualifier="invalid-qualifier-with-?-char"),
        "ValidationException",
        f"{ONE}Value 'invalid-qualifier-with-?-char' at 'qualifier' {PATTERN}",
    ),
    "permission on $LATEST": (
        permitted(Qualifier="$LATEST"),
        INVALID,
        "We currently do not support adding policies for $LATEST.",
    ),
    "permission on none": (
        of_none("add_permission", **PERMISSION),
        NONE,
        f"Function not found: {F}none",
    ),
    "statement id": (
        permitted(StatementId="example.com"),
        "ValidationException",
        f"{ONE}Value 'example.com' at 'statementId' {PATTERN}([a-zA",
    ),
    "principal": (
        permitted(Principal="invalid.nonaws.com"),
        INVALID,
        "The provided principal was invalid. Please check the principal and try again.",
    ),
    "no policy": (
        of_none("remove_permission", StatementId="s"),
        NONE,
        f"No policy found for: {F}none",
    ),
    "no such statement": (
        removed("non-existent"),
        NONE,
        "Statement non-existent is not found in resource policy.",
    ),
    "concurrency of a version": (
        lambda w: (
            w.functions.put_function_concurrency,
            {"FunctionName": f"{w.function()}:1", "ReservedConcurrentExecutions": 1},
        ),
        INVALID,
        (
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
            "Please specify either a function name or an "
        ),
    ),
    "concurrency of none": (
        of_none("put_function_concurrency", ReservedConcurrentExecutions=1),
        NONE,
        f"Function not found: {F}none",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_as_by_aws(world: World, name: str) -> None:
    """Code, text and status are AWS's."""
    ask, code, text = CASES[name]
    assert as_far_as(text, world.refusal(ask)) == Refusal(code, text, STATUS.get(code, 400))
