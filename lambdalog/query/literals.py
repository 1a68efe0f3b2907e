"""What a text must contain to match a regular expression: a search passes over all others by their bytes."""

from __future__ import annotations

from typing import Final

# Escapes that stand for a class of characters, a place, or a control character; others may be characters by their codes.
_ESCAPES: Final = frozenset("dDsSwWbBAzntrfv")
_META: Final = frozenset("\\.^$*+?{}")


def of_regex(body: str) -> list[str]:
    """Runs of characters that every match has in it, in their order; none where the expression is too clever to tell.

    Of one with a group, those before the group.
    """
    if "|" in body or "(?" in body or "[:" in body:
        return []
    runs: list[str] = []
    current: list[str] = []
    position = 0
    while position < len(body):
        character = body[position]
        position += 1
        if character == "\\" and position < len(body):
            character = body[position]
            position += 1
            if character.isalnum():
                if character not in _ESCAPES:
                    return []
                character = ""
        elif character == "(":
            break
        elif character == "[":
            position = _class_end(body, position)
            if not position:
                return []
            character = ""
        elif character in _META:
            character = ""
        if position < len(body) and body[position] in "*?{+":
            # It may be missing, or come often: what stands before it and behind it are two runs.
            if character and body[position] == "+":
                current.append(character)
            character = ""
            if body[position] == "{":
                position = body.find("}", position)
                if position < 0:
                    return []
            position += 1
        if character:
            current.append(character)
        else:
            runs.append("".join(current))
            current = []
    runs.append("".join(current))
    return [run for run in runs if run]


def _class_end(body: str, position: int) -> int:
    """Where the class of characters that begins before `position` is over; 0 if it isn't closed."""
    if body[position : position + 1] == "^":
        position += 1
    if body[position : position + 1] == "]":
        position += 1
    while position < len(body):
        if body[position] == "]":
            return position + 1
        position += 2 if body[position] == "\\" else 1
    return 0
