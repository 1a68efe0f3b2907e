"""The limits that a service model states (length, range, pattern, enum), checked and worded as the services do.

botocore checks only types, required members and minima on the client's side; the rest the service itself refuses:
`1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or
equal to 10000`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.model import Shape

    Check = Callable[[Any, str, "Violations"], None]


class Violations(list[str]):
    """What is wrong with the parameters of one request."""

    def add(self, value: object, where: str, what: str) -> None:
        """Note that `value` at `where` breaks a constraint."""
        self.append(f"Value '{value}' at '{where}' failed to satisfy constraint: Member must {what}")

    def __str__(self) -> str:
        return f"{len(self)} validation error{'s' if len(self) > 1 else ''} detected: {'; '.join(self)}"


def compile_constraints(shape: Shape) -> Check | None:
    """A function that checks a value of this shape, or None where the shape states nothing to check."""
    return _compile(shape, frozenset())


def _compile(shape: Shape, inside: frozenset[str]) -> Check | None:
    if shape.name in inside:
        return None  # recursive shapes carry no limits of their own in the services that are here
    inside |= {shape.name}
    match shape.type_name:
        case "structure":
            return _structure(shape, inside)
        case "list":
            return _list(shape, inside)
        case "map":
            return _map(shape, inside)
        case "string":
            return _string(shape)
        case "integer" | "long" | "float" | "double":
            return _number(shape)
        case _:
            return None


def _structure(shape: Any, inside: frozenset[str]) -> Check | None:
    members = [(name, check) for name, member in shape.members.items() if (check := _compile(member, inside))]
    if not members:
        return None

    def check_structure(value: Any, where: str, violations: Violations) -> None:
        for name, check in members:
            if name in value:
                lowered = name[:1].lower() + name[1:]
                check(value[name], f"{where}.{lowered}" if where else lowered, violations)

    return check_structure


def _list(shape: Any, inside: frozenset[str]) -> Check | None:
    member = _compile(shape.member, inside)
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if member is None and most is None and least is None:
        return None

    def check_list(value: Any, where: str, violations: Violations) -> None:
        if (most is not None and len(value) > most) or (least is not None and len(value) < least):
            _length(value, where, violations, least, most, shown=_shown(value, shape))
        if member is not None:
            for index, item in enumerate(value, 1):
                member(item, f"{where}.{index}.member", violations)

    return check_list


# The service's own classes have these members in another order than its model.
_ORDER: Final = {
    "MetricTransformation": (
        "metricName",
        "metricNamespace",
        "metricValue",
        "defaultValue",
        "unit",
        "dimensions",
    )
}


def _shown(value: Any, shape: Any) -> str:
    """A value as the services show it, which are written in Java: `[Tag(key=a, value=null)]`."""
    match shape.type_name:
        case "structure":
            members = ", ".join(
                f"{name[:1].lower()}{name[1:]}={_shown(value[name], shape.members[name]) if name in value else 'null'}"
                for name in _ORDER.get(shape.name, tuple(shape.members))
            )
            return f"{shape.name}({members})"
        case "list":
            return f"[{', '.join(_shown(item, shape.member) for item in value)}]"
        case "map":
            return f"{{{', '.join(f'{key}={_shown(item, shape.value)}' for key, item in value.items())}}}"
        case "boolean":
            return "true" if value else "false"
        case _:
            return str(value)


def _map(shape: Any, inside: frozenset[str]) -> Check | None:
    key, member = _compile(shape.key, inside), _compile(shape.value, inside)
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if key is None and member is None and most is None:
        return None

    def check_map(value: Any, where: str, violations: Violations) -> None:
        _length(value, where, violations, least, most)
        for name, item in value.items():
            if key is not None:
                key(name, where, violations)
            if member is not None:
                member(item, f"{where}.{name}.member", violations)

    return check_map


def _string(shape: Any) -> Check | None:
    least, most, allowed = shape.metadata.get("min"), shape.metadata.get("max"), list(shape.enum)
    text = shape.metadata.get("pattern")
    pattern = re.compile(python_pattern(text)) if text else None
    if least is None and most is None and pattern is None and not allowed:
        return None

    def check_string(value: Any, where: str, violations: Violations) -> None:
        _length(value, where, violations, least, most)
        if pattern is not None and not pattern.fullmatch(value):
            violations.add(value, where, f"satisfy regular expression pattern: {text}")
        if allowed and value not in allowed:
            violations.add(value, where, f"satisfy enum value set: [{', '.join(allowed)}]")

    return check_string


def python_pattern(text: str) -> str:
    """Java's regular expression as Python's: the classes by name that the models use."""
    return (
        text.replace(r"\p{L}", r"\w")
        .replace(r"\p{Z}", r"\s")
        .replace(r"\p{N}", r"\d")
        .replace(r"\p{IsAlphabetic}", r"\w")
    )


def _number(shape: Any) -> Check | None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is None and most is None:
        return None

    def check_number(value: Any, where: str, violations: Violations) -> None:
        if most is not None and value > most:
            violations.add(value, where, f"have value less than or equal to {most}")
        if least is not None and value < least:
            violations.add(value, where, f"have value greater than or equal to {least}")

    return check_number


def _length(
    value: Any,
    where: str,
    violations: Violations,
    least: int | None,
    most: int | None,
    *,
    shown: str | None = None,
) -> None:
    if most is not None and len(value) > most:
        violations.add(value if shown is None else shown, where, f"have length less than or equal to {most}")
    if least is not None and len(value) < least:
        violations.add(
            value if shown is None else shown, where, f"have length greater than or equal to {least}"
        )
