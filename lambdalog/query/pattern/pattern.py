"""A parsed pattern, and which of the three kinds a text is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

from lambdalog.errors import PatternError
from lambdalog.query.pattern import delimited, json_fields, terms
from lambdalog.query.pattern.scanner import Scanner

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTH_MAX: Final = 1024


class Tree(Protocol):
    """What a pattern is made of: terms, a condition on JSON fields, or a row of fields. `str()` prints it back."""

    def matcher(self) -> Callable[[str], bool]:
        """Whether a message matches."""
        ...

    def literals(self) -> tuple[str, ...]:
        """Texts that every matching message contains."""
        ...

    def regexes(self) -> int:
        """How many regular expressions it has."""
        ...

    def extract(self, message: str) -> dict[str, str]:
        """The fields that the pattern names, of a message that matches, as TestMetricFilter gives them."""
        ...


class Wording(NamedTuple):
    """The text that a pattern was made from, and as what it was read: what can be said to another process."""

    kind: Literal["pattern", "plain", "expression"]
    text: str


@dataclass(frozen=True)
class Pattern:
    """A parsed pattern. `str()` prints it back; an empty one matches everything."""

    tree: Tree
    matches: Callable[[str], bool] = field(compare=False, repr=False)
    """Whether a message matches."""
    literals: tuple[str, ...] = field(compare=False, repr=False, default=())
    """Texts that every matching message contains."""
    wording: Wording | None = field(compare=False, repr=False, default=None)
    """What `lambdalog.query.wording.meant` makes the same pattern from; None where nothing does."""

    def __str__(self) -> str:
        return str(self.tree)

    def extract(self, message: str) -> dict[str, str]:
        """`extractedValues` of TestMetricFilter: `$name` of delimited fields, the selectors of a JSON pattern."""
        return self.tree.extract(message)


def parse(text: str) -> Pattern:
    """Read a pattern. PatternError, with the position, for one that CloudWatch Logs would refuse."""
    if len(text) > LENGTH_MAX:
        raise PatternError(f"a filter pattern has at most {LENGTH_MAX} characters", LENGTH_MAX)
    scanner = Scanner(text)
    scanner.space()
    tree: Tree
    match scanner.peek():
        case "{":
            tree = json_fields.read(scanner)
        case "[":
            tree = delimited.read(scanner)
        case _:
            tree = terms.read(text)
    return Pattern(tree, tree.matcher(), tree.literals(), Wording("pattern", text))
