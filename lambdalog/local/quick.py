"""Whether parameters are plainly of the shape that a service model asks for.

botocore's validator words what is wrong, and takes far longer than the operation of a double that it guards. A check made
here from the same model answers yes only where botocore would find nothing; whatever is unusual is left to botocore.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.model import Shape

    Check = Callable[[Any], bool]


def compile_check(shape: Shape) -> Check:
    """A function that says whether a value is certainly of this shape."""
    return _compile(shape, frozenset())


def _compile(shape: Any, inside: frozenset[str]) -> Check:
    if shape.name in inside:
        return _never  # recursive shapes are botocore's business
    match shape.type_name:
        case "structure":
            return _structure(shape, inside | {shape.name})
        case "list":
            return _list(shape, inside | {shape.name})
        case "map":
            return _map(shape, inside | {shape.name})
        case "string":
            return _string(shape)
        case "integer" | "long":
            return _integer(shape)
        case "boolean":
            return lambda value: value is True or value is False
        case "blob":
            return lambda value: type(value) is bytes
        case _:
            return _never


def _never(_: Any) -> bool:
    return False


def _structure(shape: Any, inside: frozenset[str]) -> Check:
    if getattr(shape, "is_tagged_union", False) or getattr(shape, "is_document_type", False):
        return _never
    members = {name: _compile(member, inside) for name, member in shape.members.items()}
    # Where the type is all that is asked, no function need be called.
    plain = {name: kind for name, member in shape.members.items() if (kind := _plain(member)) is not None}
    required = frozenset(shape.required_members)

    def check(value: Any) -> bool:
        if type(value) is not dict or not required <= value.keys():
            return False
        for name, item in value.items():
            if plain.get(name) is not type(item):
                member = members.get(name)
                if member is None or not member(item):
                    return False
        return True

    return check


def _plain(shape: Any) -> type | None:
    if "min" in shape.metadata:
        return None
    return {"string": str, "integer": int, "long": int, "boolean": bool, "blob": bytes}.get(shape.type_name)


def _list(shape: Any, inside: frozenset[str]) -> Check:
    member, least = _compile(shape.member, inside), shape.metadata.get("min", 0)

    def check(value: Any) -> bool:
        return type(value) is list and len(value) >= least and all(map(member, value))

    return check


def _map(shape: Any, inside: frozenset[str]) -> Check:
    key, member = _compile(shape.key, inside), _compile(shape.value, inside)

    def check(value: Any) -> bool:
        return type(value) is dict and all(map(key, value)) and all(map(member, value.values()))

    return check


def _string(shape: Any) -> Check:
    least = shape.metadata.get("min", 0)
    if not least:
        return lambda value: type(value) is str
    return lambda value: type(value) is str and len(value) >= least


def _integer(shape: Any) -> Check:
    least = shape.metadata.get("min")
    if least is None:
        return lambda value: type(value) is int
    return lambda value: type(value) is int and value >= least
