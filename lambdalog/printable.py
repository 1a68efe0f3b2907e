"""Log text is hostile: what reaches a terminal goes through here first."""

from __future__ import annotations

import re

# C0 without tab, DEL, C1, and characters that reorder or hide text: bidi controls, zero-width
# characters and joiners, line and paragraph separators, the byte-order mark, lone surrogates, tags.
_UNSAFE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "\u2421"}


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    return _PICTURES.get(code) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}")


def printable(text: str) -> str:
    r"""`text` with everything that could act on a terminal made visible: ESC as ␛, U+202E as \\u{202e}.

    Tabs and line breaks stay out of one line too: a line feed becomes ␊; a tab becomes four spaces.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_picture, text).replace("\t", "    ")
