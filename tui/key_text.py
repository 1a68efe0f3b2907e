"""Keys as a person writes them."""

from __future__ import annotations

_SIGNS = {
    "question_mark": "?", "slash": "/", "colon": ":", "comma": ",", "full_stop": ".", "plus": "+", "minus": "-",
    "equals_sign": "=", "left_square_bracket": "[", "right_square_bracket": "]", "escape": "Esc", "enter": "⏎",
    "space": "Space", "pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End", "up": "↑", "down": "↓",
    "left": "←", "right": "→", "tab": "Tab", "delete": "Del", "backspace": "⌫",
}  # fmt: skip


def key_text(keys: str) -> str:
    """Keys as a person writes them: `p Space`."""
    shown = []
    for key in keys.split(","):
        *modifiers, name = key.strip().split("+")
        shown.append(
            "".join("^" if one == "ctrl" else f"{one}+" for one in modifiers) + _SIGNS.get(name, name)
        )
    return " ".join(shown)
