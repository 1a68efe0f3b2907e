"""Reading a query from left to right; what is wrong is said with its line and position, in CloudWatch's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NoReturn

from lambdalog.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable

_SPACE: Final = re.compile(r"(?:\s+|#[^\n]*)*")
# Fields: letters, digits, @, period and underscore; others stand in backticks.
_NAME: Final = re.compile(r"[A-Za-z_@][A-Za-z0-9_@.]*")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+")
_WORD: Final = re.compile(r"[A-Za-z0-9_@.]+|.", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}


class Scanner:
    """A query's text and how far it was read. White space and `# comments` stand between everything."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self._end = 0
        self.space()

    def space(self) -> None:
        """Pass over white space and comments."""
        self._end = self.position
        found = _SPACE.match(self.text, self.position)
        if found:
            self.position = found.end()

    def done(self) -> bool:
        """Whether nothing is left."""
        return self.position >= len(self.text)

    def peek(self) -> str:
        """The next character, or "" at the end."""
        return self.text[self.position : self.position + 1]

    def take(self, token: str) -> bool:
        """Whether `token` comes next; then it is passed."""
        if not self.text.startswith(token, self.position):
            return False
        self.position += len(token)
        self.space()
        return True

    def take_any(self, tokens: Iterable[str]) -> str | None:
        """The first of `tokens` that comes next, passed."""
        return next((token for token in tokens if self.take(token)), None)

    def word(self, *words: str) -> bool:
        """Whether one of these words comes next, in whatever case; then it is passed."""
        found = _NAME.match(self.text, self.position)
        if not found or found.group().lower() not in words:
            return False
        self.position = found.end()
        self.space()
        return True

    def expect(self, token: str) -> None:
        """Pass over `token`. QueryError if something else comes."""
        if not self.take(token):
            self.fail(f"expected {token}")

    def name(self) -> str | None:
        """The field or function that comes next, passed; None if none does."""
        if self.peek() == "`":
            end = self.text.find("`", self.position + 1)
            if end < 0:
                self.fail("expected a closing `")
            found = self.text[self.position + 1 : end]
            self.position = end + 1
            self.space()
            return found
        matched = _NAME.match(self.text, self.position)
        if not matched:
            return None
        self.position = matched.end()
        self.space()
        return matched.group()

    def number(self) -> int | float | None:
        """The number that comes next, passed; None if none does."""
        found = _NUMBER.match(self.text, self.position)
        if not found:
            return None
        self.position = found.end()
        self.space()
        text = found.group()
        return int(text) if text.isdigit() else float(text)

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What a pattern finds here, passed."""
        found = pattern.match(self.text, self.position)
        if found:
            self.position = found.end()
            self.space()
        return found

    def string(self) -> str | None:
        """The text in quotes that comes next, passed; None if none does."""
        quote = self.peek()
        if quote not in {'"', "'"} or not quote:
            return None
        start = self.position
        body: list[str] = []
        position = start + 1
        while position < len(self.text):
            character = self.text[position]
            position += 1
            if character == quote:
                self.position = position
                self.space()
                return "".join(body)
            if character == "\\" and position < len(self.text):
                following = self.text[position]
                if following in {quote, "\\"} or following in _ESCAPES:
                    character = _ESCAPES.get(following, following)
                    position += 1
            body.append(character)
        return self.fail(f"expected a closing {quote}", start)

    def regex(self) -> str | None:
        """The expression between slashes that comes next, passed; None if none does."""
        if self.peek() != "/":
            return None
        start = self.position
        position = start + 1
        while position < len(self.text):
            if self.text[position] == "\\":
                position += 2
                continue
            if self.text[position] == "/":
                body = self.text[start + 1 : position].replace("\\/", "/")
                self.position = position + 1
                self.space()
                return body
            position += 1
        return self.fail("expected a closing /", start)

    def since(self, start: int) -> str:
        """What was read since `start`, as it was typed."""
        return self.text[start : self._end]

    def fail(self, why: str, position: int | None = None) -> NoReturn:
        """Say what stands where something else should."""
        at = self.position if position is None else position
        found = _WORD.match(self.text, at)
        what = found.group() if found else "the end"
        line = self.text.count("\n", 0, at) + 1
        column = at - (self.text.rfind("\n", 0, at) + 1) + 1
        raise QueryError(
            f"unexpected symbol found {what} at line {line} and position {column}: {why}",
            at,
            at + len(found.group() if found else ""),
        )
