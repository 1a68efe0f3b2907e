"""The limits that a service model states (length, range, pattern, enum), checked and worded as the services do.

botocore checks only types, required members and minima on the client's side; the rest the service itself refuses:
`1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or
equal to 10000`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from botocore.model import Shape

    Check = Callable[[Any, str, "Violations"], None]


class Violations(list[str]):
    """What is wrong with the parameters of one request."""

    def add(self, value: object, where: str, what: str) -> None:
        """Note that `value` at `where` breaks a constraint."""
        self.append(f"Value '{value}' at '{where}' failed to satisfy constraint: {what}")

    def __str__(self) -> str:
        return f"{len(self)} validation error{'s' if len(self) > 1 else ''} detected: {'; '.join(self)}"


class Rule(NamedTuple):
    """One limit of a value, and what is said of a value that breaks it."""

    holds: Callable[[Any], bool]
    text: str


class Constraints:
    """Makes checks from shapes. The words for lists and maps are those of most services; Lambda has its own."""

    # Shapes whose limits are looked at elsewhere, by their names.
    elsewhere: ClassVar[frozenset[str]] = frozenset()
    # Enumerations whose values are named in another order than the model's.
    orders: ClassVar[Mapping[str, Sequence[str]]] = {}

    def compile(self, shape: Shape, inside: frozenset[str] = frozenset()) -> Check | None:
        """A function that checks a value of this shape, or None where the shape states nothing to check."""
        if shape.name in self.elsewhere or shape.name in inside:
            return None  # recursive shapes carry no limits of their own in the services that are here
        inside |= {shape.name}
        match shape.type_name:
            case "structure":
                return self._structure(shape, inside)
            case "list":
                return self._list(shape, inside)
            case "map":
                return self._map(shape, inside)
            case _:
                return self._scalar(shape)

    def _structure(self, shape: Any, inside: frozenset[str]) -> Check | None:
        members = [
            (name, check)
            for name, member in shape.members.items()
            if (check := self.compile(member, inside)) is not None
        ]
        if not members:
            return None

        def check_structure(value: Any, where: str, violations: Violations) -> None:
            for name, check in members:
                if name in value:
                    # KMSKeyArn is kMSKeyArn to the services too.
                    lowered = name[:1].lower() + name[1:]
                    check(value[name], f"{where}.{lowered}" if where else lowered, violations)

        return check_structure

    def _list(self, shape: Any, inside: frozenset[str]) -> Check | None:
        member, lengths = self.compile(shape.member, inside), lengths_of(shape)
        if member is None and not lengths:
            return None

        def check_list(value: Any, where: str, violations: Violations) -> None:
            for holds, text in lengths:
                if not holds(value):
                    violations.add(_shown(value, shape), where, text)
            if member is not None:
                for index, item in enumerate(value, 1):
                    member(item, f"{where}.{index}.member", violations)

        return check_list

    def _map(self, shape: Any, inside: frozenset[str]) -> Check | None:
        key, member = self.compile(shape.key, inside), self.compile(shape.value, inside)
        lengths = lengths_of(shape)
        if key is None and member is None and not lengths:
            return None

        def check_map(value: Any, where: str, violations: Violations) -> None:
            for holds, text in lengths:
                if not holds(value):
                    violations.add(value, where, text)
            for name, item in value.items():
                if key is not None:
                    key(name, where, violations)
                if member is not None:
                    member(item, f"{where}.{name}.member", violations)

        return check_map

    def _scalar(self, shape: Any) -> Check | None:
        rules = self.rules(shape)
        if not rules:
            return None

        def check_scalar(value: Any, where: str, violations: Violations) -> None:
            for holds, text in rules:
                if not holds(value):
                    violations.add(value, where, text)

        return check_scalar

    def rules(self, shape: Any) -> list[Rule]:
        """The limits of a string or a number, in the order in which they are named."""
        match shape.type_name:
            case "string":
                rules = lengths_of(shape)
                if text := shape.metadata.get("pattern"):
                    matches = re.compile(_python_pattern(text)).fullmatch
                    rules.append(
                        Rule(
                            lambda value: matches(value) is not None,
                            f"Member must satisfy regular expression pattern: {text}",
                        )
                    )
                allowed = self.orders.get(shape.name) or shape.enum
                if allowed:
                    rules.append(
                        Rule(
                            lambda value: value in allowed,
                            f"Member must satisfy enum value set: [{', '.join(allowed)}]",
                        )
                    )
                return rules
            case "integer" | "long" | "float" | "double":
                return _bounds(shape)
            case _:
                return []


def lengths_of(shape: Any) -> list[Rule]:
    """The limits of the length of a string, a list or a map."""
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    rules = []
    if most is not None:
        rules.append(
            Rule(lambda value: len(value) <= most, f"Member must have length less than or equal to {most}")
        )
    if least is not None:
        rules.append(
            Rule(
                lambda value: len(value) >= least, f"Member must have length greater than or equal to {least}"
            )
        )
    return rules


def _bounds(shape: Any) -> list[Rule]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    rules = []
    if most is not None:
        rules.append(
            Rule(lambda value: value <= most, f"Member must have value less than or equal to {most}")
        )
    if least is not None:
        rules.append(
            Rule(lambda value: value >= least, f"Member must have value greater than or equal to {least}")
        )
    return rules


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


def _python_pattern(text: str) -> str:
    """Java's regular expression as Python's: the classes by name that the models use."""
    return (
        text.replace(r"\p{L}", r"\w")
        .replace(r"\p{Z}", r"\s")
        .replace(r"\p{N}", r"\d")
        .replace(r"\p{IsAlphabetic}", r"\w")
    )
