"""From a query's text to its commands. What CloudWatch Logs Insights would refuse is a QueryError with its place."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any, Final

from lambdalog.errors import QueryError
from lambdalog.query.insights import aggregates, expressions, functions, regex
from lambdalog.query.insights.period import read_period
from lambdalog.query.insights.scanner import Scanner
from lambdalog.query.insights.syntax import (
    Binary,
    Call,
    Command,
    Dedup,
    Display,
    Field,
    Fields,
    Filter,
    In,
    Joined,
    Like,
    Limit,
    Literal,
    Named,
    Parse,
    Query,
    Regex,
    Sort,
    Stats,
    Unary,
    Unnest,
)

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTH_MAX: Final = 10_000
DEPTH_MAX: Final = 32
# Expressions are evaluated one in another.
HEIGHT_MAX: Final = 150
LIMIT_MAX: Final = 100_000
# "You can use up to two stats commands in a query."
STATS_MAX: Final = 2
_COMPARISONS: Final = ("!=", "<=", ">=", "=~", "=", "<", ">")
_COMMANDS: Final = "fields, display, filter, stats, sort, limit, dedup, parse or unnest"
_NOT_HERE: Final = frozenset(
    {"pattern", "diff", "anomaly", "source", "unmask", "lookup", "join", "union", "subquery"}
)


def read(text: str) -> Query:
    """The query in a text; an empty one shows the events. QueryError for what is none."""
    if len(text) > LENGTH_MAX:
        raise QueryError(f"a query has at most {LENGTH_MAX} characters", LENGTH_MAX)
    return _Reader(text).query()


class _Reader:
    """Recursive descent over one text."""

    def __init__(self, text: str) -> None:
        self._scanner = Scanner(text)
        self._depth = 0
        # The aggregates of the stats command that is being read.
        self._calls: list[Call] | None = None

    def query(self) -> Query:
        scanner = self._scanner
        commands: list[Command] = []
        while not scanner.done():
            commands.append(self._command(commands))
            if scanner.done():
                break
            scanner.expect("|")
            if scanner.done():
                scanner.fail(f"expected {_COMMANDS}")
        return Query(scanner.text, tuple(commands))

    # --- commands

    def _command(self, before: list[Command]) -> Command:
        scanner = self._scanner
        start = scanner.position
        if scanner.word("fields"):
            return Fields(self._named())
        if scanner.word("display"):
            return Display(self._named())
        if scanner.word("filter", "filterindex", "where"):
            return Filter(self._expression())
        if scanner.word("stats"):
            if sum(isinstance(command, Stats) for command in before) == STATS_MAX:
                scanner.fail(f"a query has at most {STATS_MAX} stats commands", start)
            return self._stats()
        if scanner.word("sort", "order"):
            scanner.word("by")
            return Sort(self._list(self._sort_key))
        if scanner.word("limit", "head"):
            return Limit(self._limit())
        if scanner.word("dedup"):
            return Dedup(self._list(self._field_name))
        if scanner.word("parse"):
            return self._parse()
        if scanner.word("unnest"):
            source = self._expression()
            if not scanner.word("into"):
                scanner.fail("expected into")
            return Unnest(source, self._field_name())
        if scanner.word(*_NOT_HERE):
            scanner.fail("this command is not evaluated here", start)
        return scanner.fail(f"expected {_COMMANDS}")

    def _named(self) -> tuple[Named, ...]:
        return self._list(self._named_one)

    def _named_one(self) -> Named:
        start = self._scanner.position
        expression = self._expression()
        typed = self._scanner.since(start)
        if self._scanner.word("as"):
            return Named(self._field_name(), expression)
        plain = isinstance(expression, Field) and not expression.name.startswith(expressions.SLOT)
        return Named(expression.name if plain else typed, expression)

    def _stats(self) -> Stats:
        self._calls = []
        start = self._scanner.position
        items = self._named()
        calls, self._calls = tuple(self._calls), None
        if not calls:
            self._scanner.fail("expected an aggregate, like count(*)", start)
        by = self._named() if self._scanner.word("by") else ()
        return Stats(items, by, calls)

    def _sort_key(self) -> tuple[Any, bool]:
        expression = self._expression()
        if self._scanner.word("desc", "dsc"):
            return expression, True
        self._scanner.word("asc")
        return expression, False

    def _limit(self) -> int:
        start = self._scanner.position
        count = self._scanner.number()
        if not isinstance(count, int) or not 1 <= count <= LIMIT_MAX:
            self._scanner.fail(f"expected a number from 1 to {LIMIT_MAX}", start)
        return count

    def _parse(self) -> Parse:
        scanner = self._scanner
        source: Any = Field("@message")
        if scanner.peek() not in {'"', "'", "/"}:
            source = self._primary()
        start = scanner.position
        body = scanner.regex()
        if body is not None:
            try:
                names = regex.groups(body)
            except QueryError as error:
                scanner.fail(str(error), start)
            if scanner.word("as"):
                # Names for groups that have none.
                given = self._list(self._field_name)
                if len(given) != regex.count(body):
                    scanner.fail(f"expected {regex.count(body)} names, one for each group", start)
                names = given
            if not names:
                scanner.fail("expected an expression with named groups: (?<name>...)", start)
            return Parse(source, body, names)
        glob = scanner.string()
        if glob is None:
            scanner.fail('expected a "glob *" or a /regular expression/')
        if not scanner.word("as"):
            scanner.fail("expected as")
        names = self._list(self._field_name)
        if len(names) != glob.count("*"):
            scanner.fail(f"expected {glob.count('*')} names, one for each *, not {len(names)}", start)
        return Parse(source, regex.of_glob(glob), names)

    def _field_name(self) -> str:
        name = self._scanner.name()
        if name is None:
            self._scanner.fail("expected a field's name")
        return name

    def _list(self, one: Callable[[], Any]) -> tuple[Any, ...]:
        found = [one()]
        while self._scanner.take(","):
            found.append(one())
        return tuple(found)

    # --- expressions, from what binds loosest to what binds tightest

    def _expression(self) -> Any:
        if self._depth == DEPTH_MAX:
            self._scanner.fail(f"more than {DEPTH_MAX} expressions in one another")
        start = self._scanner.position
        self._depth += 1
        found = self._any_of()
        self._depth -= 1
        if _height(found) > HEIGHT_MAX:
            self._scanner.fail(f"more than {HEIGHT_MAX} operators in one another", start)
        return found

    def _any_of(self) -> Any:
        parts = [self._all_of()]
        while self._scanner.word("or") or self._scanner.take("||"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else Joined("or", tuple(parts))

    def _all_of(self) -> Any:
        parts = [self._negated()]
        while self._scanner.word("and") or self._scanner.take("&&"):
            parts.append(self._negated())
        return parts[0] if len(parts) == 1 else Joined("and", tuple(parts))

    def _negated(self) -> Any:
        count = 0
        while self._scanner.word("not") or (self._scanner.peek() == "!" and self._scanner.take("!")):
            count += 1
        found = self._comparison()
        return Unary("not", found) if count % 2 else found

    def _comparison(self) -> Any:
        scanner = self._scanner
        left = self._sum()
        while True:
            if scanner.word("like"):
                left = self._like(left)
            elif scanner.word("in"):
                left = self._in(left)
            elif scanner.word("not"):
                if scanner.word("like"):
                    left = Unary("not", self._like(left))
                elif scanner.word("in"):
                    left = Unary("not", self._in(left))
                else:
                    scanner.fail("expected like or in")
            else:
                operator = scanner.take_any(_COMPARISONS)
                if operator is None:
                    return left
                left = self._like(left) if operator == "=~" else Binary(operator, left, self._sum())

    def _like(self, operand: Any) -> Like:
        scanner = self._scanner
        start = scanner.position
        body = scanner.regex()
        if body is not None:
            try:
                regex.compiled(body)
            except QueryError as error:
                scanner.fail(str(error), start)
            return Like(operand, Regex(body))
        text = scanner.string()
        if text is None:
            scanner.fail('expected a "text" or a /regular expression/')
        return Like(operand, text)

    def _in(self, operand: Any) -> In:
        scanner = self._scanner
        close = "]" if scanner.take("[") else ")" if scanner.take("(") else None
        if close is None:
            scanner.fail("expected [")
        items = self._list(self._sum)
        scanner.expect(close)
        return In(operand, items)

    def _sum(self) -> Any:
        left = self._product()
        while (operator := self._scanner.take_any(("+", "-"))) is not None:
            left = Binary(operator, left, self._product())
        return left

    def _product(self) -> Any:
        left = self._power()
        while (operator := self._scanner.take_any(("*", "/", "%"))) is not None:
            left = Binary(operator, left, self._power())
        return left

    def _power(self) -> Any:
        left = self._sign()
        if not self._scanner.take("^"):
            return left
        if self._depth == DEPTH_MAX:
            self._scanner.fail(f"more than {DEPTH_MAX} expressions in one another")
        self._depth += 1
        found = Binary("^", left, self._power())
        self._depth -= 1
        return found

    def _sign(self) -> Any:
        negative = False
        while (sign := self._scanner.take_any(("-", "+"))) is not None:
            negative ^= sign == "-"
        found = self._primary()
        if not negative:
            return found
        return (
            Literal(-found.value)
            if isinstance(found, Literal) and isinstance(found.value, (int, float))
            else Unary("-", found)
        )

    def _primary(self) -> Any:
        scanner = self._scanner
        if scanner.take("("):
            found = self._expression()
            scanner.expect(")")
            return found
        text = scanner.string()
        if text is not None:
            return Literal(text)
        number = scanner.number()
        if number is not None:
            return Literal(number)
        start = scanner.position
        quoted = scanner.peek() == "`"
        name = scanner.name()
        if name is None:
            scanner.fail("expected a field, a value or a function")
        if quoted:
            return Field(name)
        if scanner.peek() == "(":
            return self._call(name, start)
        if name.lower() in {"true", "false"}:
            return Literal(name.lower() == "true")
        return Field(name)

    def _call(self, name: str, start: int) -> Any:
        scanner = self._scanner
        scanner.expect("(")
        lowered = name.lower()
        if lowered == "bin":
            args: list[Any] = [Literal(read_period(scanner))]
        elif lowered in aggregates.NAMES:
            return self._aggregate(lowered, start)
        else:
            args = []
            known = functions.arity(lowered)
            if known is None:
                scanner.fail("there is no such function", start)
            if scanner.peek() != ")":
                args.append(self._expression())
                while scanner.take(","):
                    if lowered in {"datefloor", "dateceil"}:
                        args.append(Literal(read_period(scanner)))
                    else:
                        args.append(self._expression())
            least, most = known
            if not least <= len(args) <= most:
                scanner.fail(f"{name} takes {_many(least, most)}, not {len(args)}", start)
        scanner.expect(")")
        return Call(lowered, tuple(args))

    def _aggregate(self, name: str, start: int) -> Field:
        """An aggregate's value is a field of the row that is made in the end: `$0` is the first."""
        scanner = self._scanner
        if self._calls is None:
            scanner.fail("aggregates stand in stats, and not in one another", start)
        calls, self._calls = self._calls, None
        args: tuple[Any, ...] = ()
        if name == "count" and scanner.take("*"):
            args = ()
        elif scanner.peek() != ")":
            args = self._list(self._expression)
        self._calls = calls
        scanner.expect(")")
        least, most = aggregates.NAMES[name]
        if not least <= len(args) <= most:
            scanner.fail(f"{name} takes {_many(least, most)}, not {len(args)}", start)
        if name in {"pct", "percentile"} and not (
            isinstance(args[1], Literal)
            and isinstance(args[1].value, (int, float))
            and 0 <= args[1].value <= 100
        ):
            scanner.fail("expected a percentile from 0 to 100", start)
        call = Call(name, args)
        if call not in calls:
            calls.append(call)
        return Field(f"{expressions.SLOT}{calls.index(call)}")


def _height(expression: Any) -> int:
    """How many expressions are in one another; counted without recursion."""
    height, level = 0, [expression]
    while level:
        height += 1
        level = [part for each in level for part in _parts(each)]
    return height


def _parts(expression: Any) -> list[Any]:
    """The expressions that one is made of."""
    found: list[Any] = []
    for name in getattr(expression, "__match_args__", ()):
        value = getattr(expression, name)
        found += value if isinstance(value, tuple) else (value,)
    return [part for part in found if is_dataclass(part)]


def _many(least: int, most: int) -> str:
    if least == most:
        return f"{least} argument{'' if least == 1 else 's'}"
    return f"{least} or more arguments" if most > 9 else f"{least} to {most} arguments"
