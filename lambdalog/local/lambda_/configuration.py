"""A function's configuration: what it is made of, what may stand in it, and what changes it. Pure, but for a PATH lookup."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.constraints import Violations
from lambdalog.runtime.interpreters import HERE, interpreter, runnable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambdalog.local.lambda_.limits import Limits

MEMORY_MIN: Final = 128
EPHEMERAL_MIN: Final = 512
# In the order in which Lambda itself lists them.
RUNTIMES: Final = [
    "nodejs20.x",
    "python3.14",
    "provided.al2023",
    "python3.12",
    "python3.13",
    "nodejs24.x",
    "nodejs22.x",
    "java25",
    "python3.10",
    "python3.11",
    "java21",
    "ruby3.3",
    "ruby3.4",
    "ruby3.2",
    "python3.8",
    "python3.9",
    "java17",
    "nodejs16.x",
    "dotnet10",
    "dotnet8",
    "java11",
    "dotnet6",
    "nodejs18.x",
    "provided.al2",
    "java8.al2",
]
DEPRECATED: Final = frozenset(
    [
        "nodejs",
        "nodejs4.3",
        "nodejs4.3-edge",
        "nodejs6.10",
        "nodejs8.10",
        "nodejs10.x",
        "nodejs12.x",
        "nodejs14.x",
        "java8",
        "python2.7",
        "python3.6",
        "python3.7",
        "dotnetcore1.0",
        "dotnetcore2.0",
        "dotnetcore2.1",
        "dotnetcore3.1",
        "go1.x",
        "ruby2.5",
        "ruby2.7",
        "provided",
    ]
)
# "Defined runtime environment variables" that the developer guide calls reserved.
RESERVED_VARIABLES: Final = frozenset(
    [
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    ]
)
NAME_MAX: Final = 64
# What an operation takes that is configuration, and is kept as it is given.
_PLAIN: Final = ("Role", "Handler", "Description", "Timeout", "MemorySize", "Runtime", "Architectures")
_KEPT_IF_GIVEN: Final = ("DeadLetterConfig", "KMSKeyArn", "FileSystemConfigs", "VpcConfig", "ImageConfig")
_NOT_HERE: Final = {
    "CodeSigningConfigArn": "code signing",
    "TenancyConfig": "tenancy",
    "CapacityProviderConfig": "capacity providers",
    "DurableConfig": "durable functions",
    "AcceleratorConfig": "accelerators",
}


class Invalid(ValueError):
    """InvalidParameterValueException, with its text."""


class Violated(ValueError):
    """ValidationException, with its text."""


def default_runtime() -> str:
    """The runtime of whoever runs this."""
    return f"python{sys.version_info[0]}.{sys.version_info[1]}"


def new(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a new function; its ARN, code, environment, layers and stamps are the caller's to add."""
    config: dict[str, Any] = {
        "FunctionName": name,
        "Runtime": settings.get("Runtime", default_runtime()),
        "Role": settings["Role"],
        "Handler": settings.get("Handler", ""),
        "Description": settings.get("Description", ""),
        "Timeout": settings.get("Timeout", 3),
        "MemorySize": settings.get("MemorySize", MEMORY_MIN),
        "Version": "$LATEST",
        "TracingConfig": {"Mode": settings.get("TracingConfig", {}).get("Mode", "PassThrough")},
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": settings.get("Architectures", ["x86_64"]),
        "EphemeralStorage": settings.get("EphemeralStorage", {"Size": EPHEMERAL_MIN}),
        "SnapStart": {
            "ApplyOn": settings.get("SnapStart", {}).get("ApplyOn", "None"),
            "OptimizationStatus": "Off",
        },
        "LoggingConfig": _logging({"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}, settings),
    }
    _keep(config, settings)
    return config


def update(config: dict[str, Any], settings: dict[str, Any]) -> None:
    """Change a configuration by what an UpdateFunctionConfiguration gave."""
    config |= {key: settings[key] for key in _PLAIN if key in settings}
    if "TracingConfig" in settings:
        config["TracingConfig"] = {"Mode": settings["TracingConfig"].get("Mode", "PassThrough")}
    if "EphemeralStorage" in settings:
        config["EphemeralStorage"] = settings["EphemeralStorage"]
    if "SnapStart" in settings:
        config["SnapStart"] = {
            "ApplyOn": settings["SnapStart"].get("ApplyOn", "None"),
            "OptimizationStatus": "Off",
        }
    if "LoggingConfig" in settings:
        config["LoggingConfig"] = _logging(config["LoggingConfig"], settings)
    _keep(config, settings)


def _keep(config: dict[str, Any], settings: dict[str, Any]) -> None:
    for key in _KEPT_IF_GIVEN:
        if key not in settings:
            continue
        value = settings[key]
        if key == "VpcConfig":
            # Lambda answers with the VPC that the subnets lie in; there is none here.
            value = {
                "SubnetIds": value.get("SubnetIds", []),
                "SecurityGroupIds": value.get("SecurityGroupIds", []),
                "Ipv6AllowedForDualStack": value.get("Ipv6AllowedForDualStack", False),
                "VpcId": "",
            }
        # An empty key or target takes the old one away.
        if not value or (key == "DeadLetterConfig" and not value.get("TargetArn")):
            config.pop(key, None)
        else:
            config[key] = value


def _logging(before: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    given = settings.get("LoggingConfig", {})
    merged: dict[str, Any] = before | given
    if merged["LogFormat"] == "JSON":
        return {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"} | merged
    if "ApplicationLogLevel" in given or "SystemLogLevel" in given:
        raise Invalid(
            'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the '
            'LogFormat to "Json" and try again.'
        )
    return {key: value for key, value in merged.items() if key in {"LogFormat", "LogGroup"}}


def check(settings: dict[str, Any], limits: Limits) -> None:
    """Refuse settings that can't be: Violated or Invalid, with Lambda's text."""
    _check_numbers(settings, limits)
    if "Runtime" in settings:
        check_runtime(settings["Runtime"])
    if settings.get("PackageType") == "Image":
        raise Invalid(
            "PackageType Image: container images can't be run here; give a zip, a file or a folder."
        )
    for key, what in _NOT_HERE.items():
        if key in settings:
            raise Invalid(f"{key}: there are no {what} here.")
    if (variables := settings.get("Environment", {}).get("Variables")) is not None:
        _check_environment(variables, limits)
    target = settings.get("DeadLetterConfig", {}).get("TargetArn", "")
    if target.endswith(".fifo"):
        raise Invalid("The dead letter target must not be a FIFO queue or topic.")
    if target and target.split(":")[2] not in {"sqs", "sns"}:
        raise Invalid(f"The dead letter target {target} is neither an SQS queue nor an SNS topic.")


def _check_numbers(settings: dict[str, Any], limits: Limits) -> None:
    violations = Violations()
    for value, where, least, most in (
        (settings.get("Timeout"), "timeout", 1, limits.timeout_max),
        (settings.get("MemorySize"), "memorySize", MEMORY_MIN, limits.memory_max),
        (
            settings.get("EphemeralStorage", {}).get("Size"),
            "ephemeralStorage.size",
            EPHEMERAL_MIN,
            limits.ephemeral_max,
        ),
    ):
        if value is not None and value > most:
            violations.add(value, where, f"Member must have value less than or equal to {most}")
        if value is not None and value < least:
            violations.add(value, where, f"Member must have value greater than or equal to {least}")
    memory = settings.get("MemorySize", MEMORY_MIN)
    if not violations and memory % limits.memory_step:
        violations.add(memory, "memorySize", f"Member must be a multiple of {limits.memory_step}")
    if violations:
        raise Violated(str(violations))


def check_runtime(runtime: str) -> None:
    """Invalid for a runtime that Lambda doesn't have, had once, or whose functions can't be run on this machine."""
    if runtime in DEPRECATED:
        raise Invalid(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. We "
            "recommend you use a supported runtime while creating or updating functions."
        )
    if runtime not in RUNTIMES and not _newer(runtime):
        raise Invalid(f"Value {runtime} at 'runtime' failed to satisfy constraint: {runtimes_text()}")
    if not runnable(runtime):
        raise Invalid(f"Functions of runtime {runtime} can't be run here; there are {HERE}.")
    if interpreter(runtime) is None:
        program = "node" if runtime.startswith("nodejs") else runtime
        raise Invalid(f"The interpreter of runtime {runtime} is not on this machine: no {program} on PATH.")


def runtimes_text() -> str:
    """What Lambda says of a runtime that it doesn't have."""
    return f"Member must satisfy enum value set: [{', '.join(RUNTIMES)}] or be a valid ARN"


def _newer(runtime: str) -> bool:
    """Whether it is the next release of a family that is there: known to the SDK before Lambda lists it."""
    found = re.fullmatch(r"python3\.(\d+)|nodejs(\d+)\.x", runtime)
    return found is not None and (int(found[1] or 0) > 14 or int(found[2] or 0) > 24)


def _check_environment(variables: dict[str, str], limits: Limits) -> None:
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > limits.environment_max:
        raise Invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have provided "
            f"exceeded the 4KB limit. String measured: {measured}"
        )
    if reserved := [name for name in variables if name in RESERVED_VARIABLES]:
        raise Invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have provided "
            "contains reserved keys that are currently not supported for modification. Reserved keys used in this request: "
            f"{', '.join(reserved)}"
        )
    if any("\0" in value for value in variables.values()):
        raise Invalid("Environment variables can't hold a NUL character.")


def listed(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration as lists have it: without states."""
    return {key: value for key, value in config.items() if key not in {"State", "LastUpdateStatus"}}


def same(one: dict[str, Any], other: dict[str, Any], ignored: Iterable[str]) -> bool:
    """Whether two configurations are the same but for some keys."""
    left = {key: value for key, value in one.items() if key not in ignored}
    return left == {key: value for key, value in other.items() if key not in ignored}
