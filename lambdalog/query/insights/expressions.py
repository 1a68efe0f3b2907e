"""From an expression to a function of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lambdalog.query.insights import functions, regex
from lambdalog.query.insights.records import getter
from lambdalog.query.insights.syntax import Binary, Call, Field, In, Joined, Like, Literal, Regex, Unary
from lambdalog.query.insights.values import Time, arithmetic, equal, number_of, order, text_of, true

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.query.insights.records import Record

    # A record is whatever the getters read: Record, or a line with a few fields.
    Value = Callable[[Any], Any]
    Getter = Callable[[str], Value]

# How the aggregates of a stats command are named in its rows.
SLOT: Final = "$"


def compiled(expression: Any, now: int, getter: Getter = getter) -> Value:
    """What gives an expression's value. `now` is the moment at which the query began, epoch ms; `getter` reads a field."""
    match expression:
        case Literal(value):
            return lambda _: value
        case Field(name):
            return getter(name)
        case Unary("not", operand):
            holds = condition(operand, now, getter)
            return lambda record: not holds(record)
        case Unary(_, operand):
            inner = compiled(operand, now, getter)
            return lambda record: arithmetic("-", 0, inner(record))
        case Joined():
            return _joined(expression, now, getter)
        case Binary(operator, _, _) if operator in _COMPARISONS:
            return _comparison(expression, now, getter)
        case Binary(operator, left, right):
            first, second = compiled(left, now, getter), compiled(right, now, getter)
            return lambda record: arithmetic(operator, first(record), second(record))
        case Like(operand, pattern):
            return _like(compiled(operand, now, getter), pattern)
        case In(operand, items):
            return _in(compiled(operand, now, getter), [compiled(item, now, getter) for item in items])
        case Call("bin", (Literal(period),)):
            time = getter("@timestamp")

            def binned(record: Record) -> Any:
                moment = time(record)
                return None if moment is None else Time(period.floor(moment))

            return binned
        case Call("now", ()):
            return lambda _: Time(now)
        case Call(name, args):
            function = functions.function(name)
            values = [compiled(arg, now, getter) for arg in args]
            if len(values) == 1:
                (only,) = values
                return lambda record: function(only(record))
            return lambda record: function(*[value(record) for value in values])
    raise AssertionError(expression)


_COMPARISONS: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})


def condition(expression: Any, now: int, getter: Getter = getter) -> Callable[[Record], bool]:
    """Whether an expression's value holds."""
    value = compiled(expression, now, getter)
    match expression:
        case Binary(operator, _, _) if operator in _COMPARISONS:
            return value
        case Joined() | Unary("not", _) | Like() | In():
            return value
    return lambda record: true(value(record))


def _joined(expression: Joined, now: int, getter: Getter) -> Callable[[Record], bool]:
    parts = [condition(part, now, getter) for part in expression.parts]
    if expression.operator == "and":
        return lambda record: all(part(record) for part in parts)
    return lambda record: any(part(record) for part in parts)


def _comparison(expression: Binary, now: int, getter: Getter) -> Callable[[Record], bool]:
    operator = expression.operator
    left, right = compiled(expression.left, now, getter), compiled(expression.right, now, getter)
    if operator == "=":
        match expression.right:
            case Literal(str(text)) if number_of(text) is None:
                # The usual case, without asking what each side is.
                def same(record: Record) -> bool:
                    value = left(record)
                    return value == text if type(value) is str else equal(value, text)

                return same
        return lambda record: equal(left(record), right(record))
    if operator == "!=":

        def differs(record: Record) -> bool:
            first, second = left(record), right(record)
            return first is not None and second is not None and not equal(first, second)

        return differs
    wanted = {"<": {-1}, "<=": {-1, 0}, ">": {1}, ">=": {0, 1}}[operator]
    return lambda record: order(left(record), right(record)) in wanted


def _like(value: Value, pattern: Regex | str) -> Callable[[Record], bool]:
    if isinstance(pattern, Regex):
        find = regex.searcher(pattern.body)

        def matches(record: Record) -> bool:
            found = value(record)
            return found is not None and find(text_of(found)) is not None

        return matches
    text = pattern

    def contains(record: Record) -> bool:
        found = value(record)
        return found is not None and text in text_of(found)

    return contains


def _in(value: Value, items: list[Value]) -> Callable[[Record], bool]:
    def among(record: Record) -> bool:
        found = value(record)
        return found is not None and any(equal(found, item(record)) for item in items)

    return among
