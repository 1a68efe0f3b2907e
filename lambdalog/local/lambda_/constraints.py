"""The limits of Lambda's service model, in Lambda's words.

Lists and maps are worded unlike in other services: `Value '[X86_64]' at 'architectures' failed to satisfy constraint:
Member must satisfy constraint: [...]` (as recorded from AWS).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lambdalog.local.constraints import Constraints, Violations, lengths_of
from lambdalog.models import service_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambdalog.local.constraints import Check, Rule

_NOT_NULL: Final = "Member must not be null"


def violations(operation: str, params: dict[str, Any]) -> Violations:
    """What is wrong with an operation's parameters by the service model, in Lambda's words."""
    found = Violations()
    check = _checks(operation)
    if check is not None:
        check(params, "", found)
    if found:
        # Lambda names the qualifier before the function.
        found.sort(key=lambda text: "at 'qualifier'" not in text)
    return found


@functools.cache
def _checks(operation: str) -> Check | None:
    shape = service_model("lambda").operation_model(operation).input_shape
    return None if shape is None else _LambdaConstraints().compile(shape)


class _LambdaConstraints(Constraints):
    # Worded by the operations themselves (InvalidParameterValueException), or limited by the profile.
    elsewhere = frozenset({"Runtime", "Timeout", "MemorySize", "EphemeralStorageSize", "CompatibleRuntimes"})
    # Lists of which Lambda does not say that their members must not be null.
    nullable: ClassVar[frozenset[str]] = frozenset({"SubnetIds", "SecurityGroupIds"})
    orders = {"EventSourcePosition": ("LATEST", "AT_TIMESTAMP", "TRIM_HORIZON")}  # noqa: RUF012 - typed in the base

    def _list(self, shape: Any, inside: frozenset[str]) -> Check | None:
        nested = shape.member.type_name in {"structure", "list", "map"}
        member = self.compile(shape.member, inside) if nested else None
        rules = [] if nested else self.rules(shape.member)
        lengths = lengths_of(shape)
        if member is None and not rules and not lengths:
            return None
        texts = _texts(rules) if shape.name in self.nullable else [*_texts(rules), _NOT_NULL]

        def check_list(value: Any, where: str, violations: Violations) -> None:
            shown = f"[{', '.join(map(str, value))}]"
            for holds, text in lengths:
                if not holds(value):
                    violations.add(shown, where, text)
            if _broken(value, rules):
                violations.add(shown, where, f"Member must satisfy constraint: {_named(texts)}")
            if member is not None:
                for index, item in enumerate(value, 1):
                    member(item, f"{where}.{index}.member", violations)

        return check_list

    def _map(self, shape: Any, inside: frozenset[str]) -> Check | None:
        keys, values = self.rules(shape.key), self.rules(shape.value)
        if not keys and not values:
            return None
        # What the model calls sensitive is not repeated to whoever reads the error.
        sensitive = bool(shape.metadata.get("sensitive"))

        def check_map(value: Any, where: str, violations: Violations) -> None:
            items = ((key, "***" if sensitive else item) for key, item in value.items())
            shown = f"{{{', '.join(f'{key}={item}' for key, item in items)}}}"
            if _broken(value.keys(), keys):
                violations.add(shown, where, f"Map keys must satisfy constraint: {_named(_texts(keys))}")
            if _broken(value.values(), values):
                texts = [*_texts(values), _NOT_NULL]
                violations.add(shown, where, f"Map value must satisfy constraint: {_named(texts)}")

        return check_map


def _broken(values: Iterable[Any], rules: list[Rule]) -> bool:
    return any(not rule.holds(value) for value in values for rule in rules)


def _texts(rules: list[Rule]) -> list[str]:
    return [rule.text for rule in rules]


def _named(texts: list[str]) -> str:
    return f"[{', '.join(texts)}]"
