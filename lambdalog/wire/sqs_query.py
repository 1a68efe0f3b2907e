"""SQS by the query protocol, as its SDKs before 2024 write and read it.

Today's model of SQS has lost the names that this protocol uses: of a list its item's, of a map the entry's, its key's and
its value's. They follow from the names of the shapes, which are the same as before. Nothing is wrapped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ITEMS: Final = {
    "StringList": "StringListValue",
    "BinaryList": "BinaryListValue",
    "MessageSystemAttributeList": "MessageSystemAttributeName",
}
_ENTRIES: Final = {
    "QueueAttributeMap": "Attribute",
    "MessageSystemAttributeMap": "Attribute",
    "MessageBodyAttributeMap": "MessageAttribute",
    "MessageBodySystemAttributeMap": "MessageSystemAttribute",
    "TagMap": "Tag",
}


def wire_name(shape: Any) -> str | None:
    """What each item of a list, or entry of a map, is called; None for what is called as its member."""
    match shape.type_name:
        case "list":
            return _ITEMS.get(shape.name) or str(shape.name).removesuffix("List")
        case "map":
            return _ENTRIES[shape.name]
        case _:
            return None


def members(value: Mapping[str, Any], shape: Any, scalar: Callable[[Any, Any, str], str]) -> str:
    """The elements of a structure's members; `scalar(value, shape, name)` is the element of what has no parts."""
    return "".join(
        _elements(value[name], member, name, scalar)
        for name, member in shape.members.items()
        if value.get(name) is not None
    )


def _elements(value: Any, shape: Any, name: str, scalar: Callable[[Any, Any, str], str]) -> str:
    match shape.type_name:
        case "structure":
            return f"<{name}>{members(value, shape, scalar)}</{name}>"
        case "list":
            item = wire_name(shape) or name
            return "".join(_elements(each, shape.member, item, scalar) for each in value)
        case "map":
            entry = wire_name(shape) or name
            key = "Key" if entry == "Tag" else "Name"
            return "".join(
                f"<{entry}>{scalar(each, shape.key, key)}{_elements(held, shape.value, 'Value', scalar)}</{entry}>"
                for each, held in value.items()
            )
        case _:
            return scalar(value, shape, name)
