"""Texts of others as they may be shown on a terminal or in a log.

A header's value or a file's name may hold what moves the cursor, recolours or clears the screen,
turns the direction of writing or looks like another line of the log.
"""

import re
from typing import Final

LONGEST: Final = 2000
# control characters, separators of lines, marks of direction, invisible ones, halves of characters
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def printable(text: str) -> str:
    r"""Return a text whose control characters are escaped, such as ``\x1b``."""
    return _UNSAFE.sub(_escaped, text)


def one_line(text: str) -> str:
    """Return a text as one printable line of bounded length; white space becomes blanks."""
    line = printable(" ".join(text.split()))
    if len(line) <= LONGEST:
        return line
    half = LONGEST // 2
    return f"{line[:half]} ... {line[-half:]}"


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
