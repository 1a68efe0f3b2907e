"""The tree of errors."""

from __future__ import annotations

from lambdalog import errors


def test_a_docstring_is_the_default_message() -> None:
    """An error that is raised without words says its docstring."""
    assert str(errors.StoreLocked()) == "Another process holds the store's lock."
    assert str(errors.PatternError("here", 3)) == "here"
    assert errors.PatternError("here", 3).position == 3


def test_all_errors_are_ours() -> None:
    """Whoever catches LambdalogError catches all of them."""
    found = [value for value in vars(errors).values() if isinstance(value, type)]
    assert all(issubclass(error, errors.LambdalogError) for error in found)
