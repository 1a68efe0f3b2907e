"""Frames of a terminal as an animated SVG."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from rich.segment import Segment
from rich.style import Style

from tui.film import Frame, frame, svg

SPACE = "{http://www.w3.org/2000/svg}"


def _frames(*texts: str) -> list[Frame]:
    return [frame([Segment(text)], (10, 2), 1.5) for text in texts]


def test_a_row_is_drawn_once() -> None:
    """What two frames share stands in the file once; each frame refers to its rows."""
    root = ET.fromstring(svg(_frames("one\nsame", "two\nsame"), (10, 2), "#000000"))
    assert len(root.findall(f"{SPACE}defs/{SPACE}g")) == 3
    frames = root.findall(f"{SPACE}g/{SPACE}g")
    assert [len(shown.findall(f"{SPACE}use")) for shown in frames] == [2, 2]
    assert [shown.get("visibility") for shown in frames] == [None, "hidden"]


def test_each_frame_has_its_time() -> None:
    """Frames follow each other, and begin again after the sum of their times."""
    drawn = svg(_frames("a", "b", "c"), (10, 2), "#000000")
    assert "animation:k2 4.5s" in drawn
    assert "33.333%{visibility:visible}66.667%" in drawn


def test_text_stays_text() -> None:
    """What could be markup is escaped; colours, bold and the row's place are kept."""
    style = Style(color="#ff0000", bgcolor="#00ff00", bold=True)
    shown = frame([Segment("  <b>&", style)], (10, 2), 1.0)
    root = ET.fromstring(svg([shown], (10, 2), "#000000"))
    (text,) = root.iter(f"{SPACE}text")
    assert text.text == "<b>&"
    assert text.get("x") == "16.8"
    assert "fill:#ff0000;font-weight:bold" in ET.tostring(root, encoding="unicode")
    assert any(rect.get("fill") == "#00ff00" for rect in root.iter(f"{SPACE}rect"))


def test_it_needs_nothing_from_elsewhere() -> None:
    """No script, no font, no picture is fetched; who wants no motion sees the first frame."""
    drawn = svg(_frames("a", "b"), (10, 2), "#000000")
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in drawn
    assert "prefers-reduced-motion" in drawn
