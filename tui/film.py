"""Frames of a terminal as one animated SVG: each row that is the same in several frames is drawn once.

No script and nothing fetched from elsewhere, so that it plays where an image is shown. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from rich.color import ColorType
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.color import Color

CELL: Final = 8.4
ROW: Final = 17.0
FONT: Final = 14
MARGIN: Final = 10
# Rectangles overlap a little, or renderers show seams between rows.
OVERLAP: Final = 0.5


@dataclass(frozen=True, slots=True)
class Frame:
    """What was on the screen for `seconds`."""

    rows: tuple[tuple[Segment, ...], ...]
    seconds: float


def frame(segments: Iterable[Segment], size: tuple[int, int], seconds: float) -> Frame:
    """A frame of what a console printed."""
    width, height = size
    rows = list(Segment.split_and_crop_lines(segments, width, include_new_lines=False))[:height]
    return Frame(tuple(tuple(Segment.simplify(row)) for row in rows), seconds)


def svg(frames: Sequence[Frame], size: tuple[int, int], background: str) -> str:
    """All frames, one after the other, again and again."""
    width, height = size
    wide, high = width * CELL + 2 * MARGIN, height * ROW + 2 * MARGIN
    total = sum(shown.seconds for shown in frames)
    names: dict[tuple[Segment, ...], str] = {}
    styles: dict[str, str] = {}
    drawn: list[str] = []
    parts: list[str] = []
    keyframes: list[str] = []
    at = 0.0
    for number, shown in enumerate(frames):
        uses = []
        for line, row in enumerate(shown.rows):
            if row not in names:
                names[row] = f"r{len(names)}"
                drawn.append(f'<g id="{names[row]}">{_row(row, styles, background)}</g>')
            uses.append(f'<use href="#{names[row]}" y="{line * ROW:g}"/>')
        begin, end = 100 * at / total, 100 * (at + shown.seconds) / total
        at += shown.seconds
        hidden = f"0%{{visibility:hidden}}{begin:.3f}%" if number else "0%"
        keyframes.append(f"@keyframes k{number}{{{hidden}{{visibility:visible}}{end:.3f}%,100%{{visibility:hidden}}}}"
                         f"#f{number}{{animation:k{number} {total:g}s steps(1,end) infinite}}")  # fmt: skip
        first = "" if number == 0 else ' visibility="hidden"'
        parts.append(f'<g id="f{number}"{first}>{"".join(uses)}</g>')
    classes = "".join(f".{name}{{{rule}}}" for rule, name in styles.items())
    # Who asked for less motion sees the first frame.
    moving = (
        "" if len(frames) == 1 else f"@media (prefers-reduced-motion: no-preference){{{''.join(keyframes)}}}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" xml:space="preserve">'
        f"<style>text{{font:{FONT}px 'Fira Code','DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre}}{classes}{moving}</style>"
        f"<defs>{''.join(drawn)}</defs>"
        f'<rect width="{wide:g}" height="{high:g}" rx="8" fill="{background}"/>'
        f'<g transform="translate({MARGIN} {MARGIN})">{"".join(parts)}</g></svg>\n'
    )


def _row(row: tuple[Segment, ...], styles: dict[str, str], background: str) -> str:
    rects, texts = [], []
    at = 0
    for text, style, _ in row:
        cells = Segment(text).cell_length
        fill, behind, rule = _looks(style or Style.null(), background)
        x, width = at * CELL, cells * CELL
        if behind != background:
            rects.append(
                f'<rect x="{x:g}" width="{width + OVERLAP:g}" height="{ROW + OVERLAP:g}" fill="{behind}"/>'
            )
        bare = text.rstrip()
        lead = len(bare) - len(bare.lstrip())
        if bare:
            name = styles.setdefault(f"fill:{fill}{rule}", f"s{len(styles)}")
            shown = bare.lstrip()
            length = Segment(shown).cell_length * CELL
            texts.append(
                f'<text class="{name}" x="{x + lead * CELL:g}" y="{ROW * 0.76:g}" textLength="{length:g}" '
                f'lengthAdjust="spacingAndGlyphs">{escape(shown, quote=False)}</text>'
            )
        at += cells
    return "".join(rects + texts)


def _looks(style: Style, background: str) -> tuple[str, str, str]:
    """Colour of the text, colour behind it, and what else CSS has to say."""
    text, behind = _hex(style.color, "#c8d3f5"), _hex(style.bgcolor, background)
    if style.reverse:
        text, behind = behind, text
    if style.dim:
        text = _between(text, behind)
    rule = ";font-weight:bold" if style.bold else ""
    rule += ";font-style:italic" if style.italic else ""
    rule += ";text-decoration:underline" if style.underline else ""
    return text, behind, rule


def _hex(color: Color | None, default: str) -> str:
    if color is None or color.type is ColorType.DEFAULT:
        return default
    return color.get_truecolor(SVG_EXPORT_THEME).hex


def _between(one: str, other: str) -> str:
    pairs = [(int(one[n : n + 2], 16), int(other[n : n + 2], 16)) for n in (1, 3, 5)]
    return "#" + "".join(f"{(a * 6 + b * 4) // 10:02x}" for a, b in pairs)
