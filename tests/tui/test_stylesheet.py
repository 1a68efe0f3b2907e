"""The stylesheet that is parsed when something changed."""

from __future__ import annotations

from textual.color import Color

from tui.stylesheet import KeptStylesheet


def colour_of(sheet: KeptStylesheet) -> Color:
    """What the one rule says."""
    (rule,) = sheet.rules
    return rule.styles.color


def test_the_same_variables_parse_nothing() -> None:
    """Rules stay the very objects they were while the variables mean the same."""
    sheet = KeptStylesheet(variables={"ink": "#ff0000"})
    sheet.add_source("Screen { color: $ink; }")
    before = sheet.rules
    sheet.set_variables({"ink": "#ff0000"})
    sheet.reparse()
    assert sheet.rules is before
    assert colour_of(sheet) == Color(255, 0, 0)


def test_other_variables_change_every_rule() -> None:
    """After a theme was chosen the rules have its colours."""
    sheet = KeptStylesheet(variables={"ink": "#ff0000"})
    sheet.add_source("Screen { color: $ink; }")
    assert colour_of(sheet) == Color(255, 0, 0)
    sheet.set_variables({"ink": "#0000ff"})
    sheet.reparse()
    assert colour_of(sheet) == Color(0, 0, 255)
