"""A JSON value as a tree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from textual.app import App

from tests.tui.pilot import until
from tui.json_tree import LEVEL_MAX, JsonTree

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widgets.tree import TreeNode


class _One(App[None]):
    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        yield JsonTree(self._text)


def _labels(node: TreeNode[object]) -> list[str]:
    return [str(child.label) for child in node.children]


async def test_names_and_values_are_told() -> None:
    """An object is a level with its names; numbers are shown as they were written."""
    app = _One('{"id": "p-2", "price": 1.10, "ok": true, "none": null, "items": [{"sku": "a"}], "empty": {}}')
    async with app.run_test():
        root = app.query_one(JsonTree).root
        assert _labels(root) == [
            "id: p-2",
            "price: 1.10",
            "ok: true",
            "none: null",
            "items  [1]",
            "empty: {}",
        ]
        assert _labels(root.children[4].children[0]) == ["sku: a"]


async def test_what_is_no_json_is_lines() -> None:
    """A text is shown line by line, and so is JSON that is nested beyond reason."""
    for text in ("first\nsecond", "[" * 100_000):
        app = _One(text)
        async with app.run_test():
            labels = _labels(app.query_one(JsonTree).root)
            assert labels[0] == text.split("\n")[0][:2000]


async def test_a_level_opens_in_parts() -> None:
    """Of a list of a thousand, the first are shown, and the rest when it is asked for; none is lost."""
    app = _One(json.dumps(list(range(1000))))
    async with app.run_test() as pilot:
        tree = app.query_one(JsonTree)
        while str(tree.root.children[-1].label).startswith("…"):
            shown = len(tree.root.children)
            tree.root.children[-1].expand()
            await until(pilot, lambda shown=shown: len(tree.root.children) > shown)  # type: ignore[misc]
        assert _labels(tree.root) == [f"[{n}]: {n}" for n in range(1000)]
        assert LEVEL_MAX < 1000


async def test_a_deep_level_is_made_when_it_is_opened() -> None:
    """What lies deep is not made before someone opens it."""
    app = _One('{"a": {"b": {"c": {"d": 1}}}}')
    async with app.run_test() as pilot:
        node = app.query_one(JsonTree).root
        for _ in range(3):
            node = node.children[0]
        assert not node.children
        node.expand()
        await until(pilot, lambda: _labels(node) == ["d: 1"])


async def test_nothing_in_it_acts() -> None:
    """Escape sequences and markup are shown as characters."""
    app = _One(json.dumps({"\x1b[2J": "[red]x[/red]\u202e"}))
    async with app.run_test():
        (label,) = _labels(app.query_one(JsonTree).root)
        assert "\x1b" not in label
        assert "\u202e" not in label
        assert "[red]x[/red]" in label
        assert "owned" not in app.export_screenshot()


async def test_the_value_under_the_cursor() -> None:
    """A text is given as it is, and a level as JSON."""
    app = _One('{"a": "x\\ny", "b": {"c": 1.10}}')
    async with app.run_test() as pilot:
        tree = app.query_one(JsonTree)
        tree.focus()
        await pilot.press("down")
        assert tree.value in {"x\ny", '{"c": "1.10"}'}
        tree.move_cursor(tree.root.children[0])
        assert tree.value == "x\ny"
        tree.move_cursor(tree.root.children[1])
        assert json.loads(tree.value) == {"c": "1.10"}
