"""Reading a pattern from left to right; what is wrong is said with its position."""

from __future__ import annotations

from typing import NoReturn

from lambdalog.errors import PatternError


class Scanner:
    """A text and how far it was read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def peek(self, length: int = 1) -> str:
        """The next characters; fewer, or none, at the end."""
        return self.text[self.position : self.position + length]

    def space(self) -> None:
        """Pass over white space."""
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1

    def take(self, token: str) -> bool:
        """Whether `token` comes next, after white space; then it is passed."""
        self.space()
        if not self.text.startswith(token, self.position):
            return False
        self.position += len(token)
        return True

    def expect(self, token: str, what: str) -> None:
        """Pass over `token`; PatternError if it does not come next."""
        if not self.take(token):
            self.fail(f"expected {what}")

    def while_in(self, allowed: frozenset[str]) -> str:
        """The longest run of allowed characters."""
        start = self.position
        while self.position < len(self.text) and self.text[self.position] in allowed:
            self.position += 1
        return self.text[start : self.position]

    def fail(self, message: str, position: int | None = None) -> NoReturn:
        """Say what is wrong, here or at a position, and what stands there."""
        at = self.position if position is None else position
        found = repr(self.text[at]) if at < len(self.text) else "the end"
        raise PatternError(f"{message}, found {found}", at)

    def phrase(self) -> str:
        r"""A text in double quotes, `\"` and `\\` in it taken as `"` and `\`."""
        start = self.position
        self.position += 1
        body: list[str] = []
        while self.position < len(self.text):
            character = self.text[self.position]
            self.position += 1
            if character == '"':
                return "".join(body)
            if character == "\\" and self.peek() in {'"', "\\"}:
                character = self.peek()
                self.position += 1
            body.append(character)
        raise PatternError('the phrase that begins here has no closing "', start)


def quoted(text: str) -> str:
    """A text as a phrase."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
