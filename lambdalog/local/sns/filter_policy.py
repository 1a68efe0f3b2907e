"""Filter policies: which messages a subscription takes (Subscribe, FilterPolicy and FilterPolicyScope). Pure.

Of a message's body the leaves are looked at, by their path. Where a path leads through lists, all properties must be found
along the same elements, as AWS's engine asks. That is decided in one walk: each part of the body tells which sets of
properties it can satisfy, so no body, however made, costs more than its length.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lambdalog.local.sns import filter_rules
from lambdalog.local.sns.conditions import Absent, condition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lambdalog.local.sns.conditions import Check

# A body nested deeper is not looked into: it matches no policy.
DEPTH_MAX: Final = 200


class Wanted(NamedTuple):
    """What one property must be: one of these, or absent."""

    checks: tuple[Check, ...]
    absent: bool

    def takes(self, value: Any) -> bool:
        """Whether a value is one of these."""
        return any(check(value) for check in self.checks)


class FilterPolicy:
    """A policy that was accepted: alternatives (of $or), each of properties by their path."""

    def __init__(self, policy: Mapping[str, Any], *, body: bool) -> None:
        self._body = body
        self._alternatives = [_compiled(rules) for rules in _alternatives(policy, "")]

    def takes(self, message: str, attributes: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether a message with these attributes passes."""
        if not self._body:
            values = _attribute_values(attributes)
            return any(
                all(_any_of(wanted, values.get(path)) for path, wanted in rules.items())
                for rules in self._alternatives
            )
        try:
            content = json.loads(message)
        except (ValueError, RecursionError):
            return False
        if not isinstance(content, dict) or filter_rules.depth(content) > DEPTH_MAX:
            return False
        return any(_body_passes(rules, content) for rules in self._alternatives)


def policy(text: str, scope: str) -> FilterPolicy:
    """The policy of a subscription, as it was accepted."""
    return FilterPolicy(json.loads(text), body=scope == "MessageBody")


def _alternatives(found: Mapping[str, Any], prefix: str) -> list[dict[str, list[Any]]]:
    """A policy without $or: each way through it, with the path of each property."""
    ways: list[dict[str, list[Any]]] = [{}]
    for key, value in found.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict):
            more = _alternatives(value, f"{path}.")
        elif filter_rules.is_or(key, value):
            more = [way for branch in value for way in _alternatives(branch, prefix)]
        else:
            more = [{path: value}]
        ways = [way | other for way in ways for other in more]
    return ways


def _compiled(rules: Mapping[str, Sequence[Any]]) -> dict[str, Wanted]:
    found = {}
    for path, values in rules.items():
        made = [condition(rule) for rule in values]
        checks = tuple(check for check in made if not isinstance(check, Absent))
        found[path] = Wanted(checks, len(checks) < len(made))
    return found


def _attribute_values(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Any]]:
    """What a policy sees of message attributes: texts, numbers, the elements of String.Array; not what is binary."""
    found: dict[str, list[Any]] = {}
    for name, value in attributes.items():
        kind, text = value.get("DataType", ""), value.get("StringValue")
        if text is None:
            continue
        try:
            if kind == "String.Array":
                elements = json.loads(text)
                found[name] = elements if isinstance(elements, list) else [elements]
            elif kind.partition(".")[0] == "Number":
                found[name] = [float(text)]
            else:
                found[name] = [text]
        except (ValueError, RecursionError):
            found[name] = [text]
    return found


def _any_of(wanted: Wanted, values: Sequence[Any] | None) -> bool:
    return wanted.absent if values is None else any(wanted.takes(value) for value in values)


def _body_passes(rules: Mapping[str, Wanted], content: Mapping[str, Any]) -> bool:
    there = set(_paths(content, ""))
    needed = {path: wanted for path, wanted in rules.items() if not (wanted.absent and path not in there)}
    bits = {path: 1 << place for place, path in enumerate(needed)}
    return (1 << len(needed)) - 1 in _masks(content, "", needed, bits)


def _paths(value: Any, path: str) -> Iterator[str]:
    """The paths of all leaves."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, path)
    else:
        yield path


def _masks(value: Any, path: str, needed: Mapping[str, Wanted], bits: Mapping[str, int]) -> set[int]:
    """The sets of properties that can be satisfied here together, as bits; the largest are enough."""
    if isinstance(value, dict):
        found = {0}
        for name, inner in value.items():
            options = _masks(inner, f"{path}.{name}" if path else name, needed, bits)
            if options != {0}:
                found = _largest({mask | option for mask in found for option in options})
        return found
    if isinstance(value, list):
        return _largest({mask for inner in value for mask in _masks(inner, path, needed, bits)} | {0})
    wanted = needed.get(path)
    return {bits[path]} if wanted is not None and wanted.takes(value) else {0}


def _largest(masks: set[int]) -> set[int]:
    """Those that are part of no other."""
    return {mask for mask in masks if not any(mask != other and mask & other == mask for other in masks)}
