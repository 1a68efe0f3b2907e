"""A JSON value as a tree that folds: made as it is opened, bounded, and none of it taken for markup or control."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text
from textual.widgets import Tree

from lambdalog.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.widgets.tree import TreeNode

# A level with more than these is opened in parts.
LEVEL_MAX: Final = 200
TEXT_MAX: Final = 2000
NAME_MAX: Final = 200
# Levels that are open from the start, as long as they are small.
OPEN_LEVELS: Final = 3
OPEN_MAX: Final = 24


class _Rest:
    """What is left of a level: shown when it is asked for."""

    def __init__(self, items: Iterator[tuple[str, Any]], count: int) -> None:
        self.items, self.count = items, count


class JsonTree(Tree[Any]):
    """A JSON text as a tree. What isn't JSON is shown as lines of text."""

    def __init__(self, text: str = "", *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__("", id=id)
        self.show_root = False
        self.guide_depth = 2
        self._source = text

    def on_mount(self) -> None:
        """Show what it was made with."""
        self.show(self._source)

    def show(self, text: str) -> None:
        """Show another value."""
        self._source = text
        self.clear()
        try:
            # A number is shown as it was written: 1.10 stays 1.10.
            value = json.loads(text, parse_float=Decimal)
        except (ValueError, RecursionError):
            for part in text.split("\n", LEVEL_MAX)[:LEVEL_MAX]:
                self.root.add_leaf(Text(printable(part[:TEXT_MAX])), data=part)
            return
        if isinstance(value, dict | list):
            self._open(self.root, value, 0)
        else:
            self.root.add_leaf(_scalar(value, self.app.theme_variables), data=value)

    @property
    def value(self) -> str:
        """The value under the cursor: a text as it is, anything else as JSON."""
        node = self.cursor_node
        if node is None or isinstance(node.data, _Rest):
            return ""
        data = node.data
        return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, default=str)

    def _open(self, node: TreeNode[Any], value: dict[str, Any] | list[Any], level: int) -> None:
        items = iter(value.items()) if isinstance(value, dict) else _numbered(value)
        self._add(node, items, len(value), level)

    def _add(self, node: TreeNode[Any], items: Iterator[tuple[str, Any]], count: int, level: int) -> None:
        colours = self.app.theme_variables
        for name, value in islice(items, LEVEL_MAX):
            label = Text(printable(name[:NAME_MAX]), colours["secondary"])
            if isinstance(value, dict | list) and value:
                label.append("  " + _size(value), "dim")
                small = level + 1 < OPEN_LEVELS and len(value) <= OPEN_MAX
                child = node.add(label, data=value, expand=small)
                if small:
                    self._open(child, value, level + 1)
            else:
                label.append(": ", "dim")
                label.append_text(_scalar(value, colours))
                node.add_leaf(label, data=value)
        if count > LEVEL_MAX:
            left = count - LEVEL_MAX
            node.add(Text(f"… {left:,} more", "italic"), data=_Rest(items, left))

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Any]) -> None:
        """Make what is in a node when it is opened for the first time."""
        node = event.node
        if isinstance(node.data, _Rest):
            rest, parent = node.data, node.parent
            if parent is not None:
                node.remove()
                self._add(parent, rest.items, rest.count, OPEN_LEVELS)
        elif not node.children and isinstance(node.data, dict | list):
            self._open(node, node.data, OPEN_LEVELS)


def _numbered(values: list[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"[{index}]", value) for index, value in enumerate(values))


def _size(value: dict[str, Any] | list[Any]) -> str:
    return f"{{{len(value):,}}}" if isinstance(value, dict) else f"[{len(value):,}]"


def _scalar(value: object, colours: dict[str, str]) -> Text:
    if isinstance(value, str):
        more = f" … {len(value):,} characters" if len(value) > TEXT_MAX else ""
        return Text(printable(value[:TEXT_MAX]) + more, colours["success"])
    if isinstance(value, dict | list):
        return Text("{}" if isinstance(value, dict) else "[]", "dim")
    word = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return Text(printable(word[:TEXT_MAX]), colours["accent"])
