"""Lambda's limits, and how Lambda words what breaks them.

The service model gives most of them. Lists and maps are worded unlike in other services: `Value '[X86_64]' at
'architectures' failed to satisfy constraint: Member must satisfy constraint: [...]` (as recorded from AWS).
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lambdalog.errors import ConfigError
from lambdalog.local.base import service_model
from lambdalog.local.constraints import Violations, python_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.model import Shape

    Check = Callable[[Any, str, Violations], None]

PROFILE_VARIABLE: Final = "LAMBDALOG_LIMITS"


@dataclass(frozen=True, slots=True)
class Limits:
    """A set of quotas: memory and /tmp in MB, timeout in seconds, payloads in bytes."""

    memory_max: int = 10_240
    memory_step: int = 1
    timeout_max: int = 900
    ephemeral_max: int = 10_240
    sync_payload_max: int = 6_291_456
    async_payload_max: int = 1_048_576
    environment_max: int = 4096
    layers_max: int = 5
    account_concurrency: int = 1000
    unreserved_min: int = 100


# From the page of Lambda quotas; the service model's own maxima belong to functions that run elsewhere.
CURRENT: Final = Limits()
# The same page in the middle of 2018: 3,008 MB in steps of 64, five minutes, 128 KB for an event, 512 MB of /tmp.
IN_2018: Final = Limits(
    memory_max=3008, memory_step=64, timeout_max=300, ephemeral_max=512, async_payload_max=131_072
)


def profile(environ: Mapping[str, str]) -> Limits:
    """The limits that LAMBDALOG_LIMITS names: today's, or `2018`. ConfigError for another name."""
    named = environ.get(PROFILE_VARIABLE, "")
    if named in {"", "current"}:
        return CURRENT
    if named == "2018":
        return IN_2018
    raise ConfigError(f"{PROFILE_VARIABLE}={named}: there are no such limits; there are current and 2018")


def violations(operation: str, params: dict[str, Any]) -> Violations:
    """What is wrong with an operation's parameters by the service model, in Lambda's words."""
    found = Violations()
    check = _checks(operation)
    if check is not None:
        check(params, "", found)
    # Lambda names the qualifier before the function.
    found.sort(key=lambda text: "at 'qualifier'" not in text)
    return found


# Worded by the operations themselves (InvalidParameterValueException), or limited by the profile.
_ELSEWHERE: Final = frozenset(
    {"Runtime", "Timeout", "MemorySize", "EphemeralStorageSize", "CompatibleRuntimes"}
)
# The order in which Lambda names the values of an enumeration, where it is not the model's.
_ORDER: Final = {"EventSourcePosition": ["LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"]}


@functools.cache
def _checks(operation: str) -> Check | None:
    shape = service_model("lambda").operation_model(operation).input_shape
    return None if shape is None else _compile(shape)


def _compile(shape: Any) -> Check | None:
    if shape.name in _ELSEWHERE:
        return None
    match shape.type_name:
        case "structure":
            return _structure(shape)
        case "list":
            return _list(shape)
        case "map":
            return _map(shape)
        case _:
            return _scalar(shape)


def _structure(shape: Any) -> Check | None:
    members = [(name, check) for name, member in shape.members.items() if (check := _compile(member))]
    if not members:
        return None

    def check_structure(value: Any, where: str, violations: Violations) -> None:
        for name, check in members:
            if name in value:
                # KMSKeyArn is kMSKeyArn to Lambda, as to every service of its kind.
                lowered = name[:1].lower() + name[1:]
                check(value[name], f"{where}.{lowered}" if where else lowered, violations)

    return check_structure


def _list(shape: Any) -> Check | None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.member.type_name in {"structure", "list", "map"}:
        inner, rules = _compile(shape.member), []
    else:
        inner, rules = None, _rules(shape.member)
    if least is None and most is None and not rules and inner is None:
        return None

    def check_list(value: Any, where: str, violations: Violations) -> None:
        shown = f"[{', '.join(map(str, value))}]"
        if most is not None and len(value) > most:
            violations.add(shown, where, f"have length less than or equal to {most}")
        if least is not None and len(value) < least:
            violations.add(shown, where, f"have length greater than or equal to {least}")
        if any(not holds(item) for item in value for holds, _ in rules):
            texts = ", ".join([*(text for _, text in rules), "Member must not be null"])
            violations.add(shown, where, f"satisfy constraint: [{texts}]")
        if inner is not None:
            for index, item in enumerate(value, 1):
                inner(item, f"{where}.{index}.member", violations)

    return check_list


def _map(shape: Any) -> Check | None:
    keys, values = _rules(shape.key), _rules(shape.value)
    if not keys and not values:
        return None
    # What the model calls sensitive is not repeated to whoever reads the error.
    sensitive = bool(shape.metadata.get("sensitive"))

    def check_map(value: Any, where: str, violations: Violations) -> None:
        items = ((key, "***" if sensitive else item) for key, item in value.items())
        shown = f"{{{', '.join(f'{key}={item}' for key, item in items)}}}"
        for found, rules, what in ((value.keys(), keys, "keys"), (value.values(), values, "value")):
            if any(not holds(item) for item in found for holds, _ in rules):
                texts = [text for _, text in rules]
                if what == "value":
                    texts.append("Member must not be null")
                violations.append(
                    f"Value '{shown}' at '{where}' failed to satisfy constraint: Map {what} must satisfy constraint: "
                    f"[{', '.join(texts)}]"
                )

    return check_map


def _scalar(shape: Any) -> Check | None:
    rules = _rules(shape)
    if not rules:
        return None

    def check_scalar(value: Any, where: str, violations: Violations) -> None:
        for holds, text in rules:
            if not holds(value):
                violations.add(value, where, text.removeprefix("Member must "))

    return check_scalar


def _rules(shape: Shape) -> list[tuple[Callable[[Any], bool], str]]:
    """(test, "Member must …") of a string or number, in the order in which Lambda names them."""
    metadata: dict[str, Any] = shape.metadata
    least, most = metadata.get("min"), metadata.get("max")
    rules: list[tuple[Callable[[Any], bool], str]] = []
    if shape.type_name == "string":
        if most is not None:
            rules.append(
                (lambda value: len(value) <= most, f"Member must have length less than or equal to {most}")
            )
        if least is not None:
            rules.append(
                (
                    lambda value: len(value) >= least,
                    f"Member must have length greater than or equal to {least}",
                )
            )
        if text := metadata.get("pattern"):
            pattern = re.compile(python_pattern(text))
            rules.append(
                (
                    lambda value: pattern.fullmatch(value) is not None,
                    f"Member must satisfy regular expression pattern: {text}",
                )
            )
        if allowed := _ORDER.get(shape.name, metadata.get("enum")):
            rules.append(
                (
                    lambda value: value in allowed,
                    f"Member must satisfy enum value set: [{', '.join(allowed)}]",
                )
            )
    elif shape.type_name in {"integer", "long", "float", "double"}:
        if most is not None:
            rules.append(
                (lambda value: value <= most, f"Member must have value less than or equal to {most}")
            )
        if least is not None:
            rules.append(
                (lambda value: value >= least, f"Member must have value greater than or equal to {least}")
            )
    return rules
