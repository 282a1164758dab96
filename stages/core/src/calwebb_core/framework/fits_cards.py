"""Cards and headers of FITS files (FITS standard 4.0, section 4).

Astropy's headers bring its units with them, which take longer to load than many an exposure
takes to calibrate. The cards that are written are those of astropy, character by character.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, BinaryIO

CARD, KEYWORD, BLOCK = 80, 8, 2880
COMMENTARY = ("", "COMMENT", "HISTORY")
END = "END".ljust(CARD)
# Headers of products have some 50 kB; a file without END is not read to its end.
LARGEST_HEADER = 4000 * BLOCK
VALUE = re.compile(
    r" *(?:'(?P<text>(?:[^']|'')*)' *|(?P<plain>[^/]*))(?:/ *(?P<comment>.*))?$", re.DOTALL
)
WHOLE = re.compile(r"[+-]?\d+$")
NUMBER = re.compile(r"[+-]?(?:\.\d+|\d+\.?\d*)(?:[EeDd][+-]?\d+)?$")
COMPLEX = re.compile(r"\(([^,]+),([^,]+)\)$")
PIECE, COMMENT_PIECE = 67, 64  # characters of a long text, or of its comment, on one card


class Card:
    """A keyword with its value and comment.

    Parameters
    ----------
    keyword : str
        At most eight characters; "", COMMENT and HISTORY have a text instead of a value.
    value : bool, int, float, complex, str or None
    comment : str
    """

    def __init__(self, keyword: str, value: Any = None, comment: str | None = "") -> None:
        self.keyword, self.value, self.comment = keyword, value, comment or ""

    @cached_property
    def image(self) -> str:
        """The card as it is written, several of 80 characters for a long text."""
        if self.keyword in COMMENTARY:
            return f"{self.keyword:{KEYWORD}}{self.value or ''}".ljust(CARD)[:CARD]
        value = formatted(self.value)
        text = f"{self.keyword:{KEYWORD}}= {value}"
        if isinstance(self.value, str) and len(value) > CARD - KEYWORD - 2:
            return self._long_text(self.value)
        return (f"{text} / {self.comment}" if self.comment else text).ljust(CARD)[:CARD]

    def _long_text(self, value: str) -> str:
        """Return a text on several cards (standard 4.0, section 4.2.1.2)."""
        pieces = split_text(value.replace("'", "''"), PIECE)
        comments = split_text(self.comment, COMMENT_PIECE) if self.comment else []
        cards = [f"{piece}&'" for piece in pieces]
        if not comments:
            cards[-1] = f"{pieces[-1]}'"
        cards += [f"&' / {piece}" for piece in comments[:-1]]
        cards += [f"' / {piece}" for piece in comments[-1:]]
        starts = [f"{self.keyword:{KEYWORD}}= '", *["CONTINUE  '"] * (len(cards) - 1)]
        return "".join((a + b).ljust(CARD) for a, b in zip(starts, cards, strict=True))


class ReadCard:
    """A card of a file; its value is made out when it is asked for.

    Parameters
    ----------
    keyword : str
    field : str
        What follows the keyword.
    """

    def __init__(self, keyword: str, field: str, *, commentary: bool = False) -> None:
        self.keyword = keyword
        self.fields = [field]
        self._commentary = commentary

    @property
    def value(self) -> Any:
        """The value; None where it is undefined.

        Raises
        ------
        ValueError
            If it follows no form of the standard.
        """
        return self._parsed[0]

    @property
    def comment(self) -> str:
        """The comment."""
        return self._parsed[1]

    @cached_property
    def _parsed(self) -> tuple[Any, str]:
        if self._commentary:
            return self.fields[0].rstrip(), ""
        if len(self.fields) == 1:
            return parse(self.fields[0])
        parts = [parse(field) for field in self.fields]
        texts = [str(value or "") for value, _ in parts]
        joined = "".join(text.removesuffix("&") for text in texts[:-1]) + texts[-1]
        return joined.removesuffix("&").rstrip(), "".join(comment for _, comment in parts)


class Header:
    """The cards of an HDU in order.

    Parameters
    ----------
    cards : sequence
        Objects with `keyword`, `value`, `comment`, and `image` if the header is to be written.
    """

    def __init__(self, cards: Sequence[Any]) -> None:
        self.cards = list(cards)

    @classmethod
    def read(cls, stream: BinaryIO) -> "Header":
        """Read a header from where a binary file is; it is left behind the header.

        Raises
        ------
        ValueError
            If it has no END, or none within `LARGEST_HEADER` bytes.
        """
        images: list[str] = []
        while True:
            block = stream.read(BLOCK) if len(images) * CARD < LARGEST_HEADER else b""
            if len(block) < BLOCK:
                msg = "the header has no END"
                raise ValueError(msg)
            text = block.decode("ascii", "replace")
            found = [text[start : start + CARD] for start in range(0, BLOCK, CARD)]
            if END in found:
                return cls(list(read_cards(images + found[: found.index(END)])))
            images += found

    @cached_property
    def _places(self) -> dict[str, int]:
        places: dict[str, int] = {}
        for place, card in enumerate(self.cards):
            places.setdefault(card.keyword, place)
        return places

    def __contains__(self, keyword: str) -> bool:
        return keyword in self._places

    def __getitem__(self, keyword: str) -> Any:
        return self.cards[self._places[keyword]].value

    def __setitem__(self, keyword: str, value: Any) -> None:
        place = self._places[keyword]
        self.cards[place] = Card(keyword, value, self.cards[place].comment)

    def get(self, keyword: str, default: Any = None) -> Any:
        """Return a value; the list of all texts for COMMENT and HISTORY."""
        if keyword not in self._places:
            return default
        if keyword in COMMENTARY:
            return [card.value for card in self.cards if card.keyword == keyword]
        return self[keyword]

    def tostring(self) -> str:
        """Return the header as it is written, END and padding included."""
        text = "".join(card.image for card in self.cards) + END
        return text.ljust(-(-len(text) // BLOCK) * BLOCK)


def read_cards(images: Sequence[str]) -> Iterator[ReadCard]:
    """Make cards of 80-character texts; those that continue a text join the one before."""
    last: ReadCard | None = None
    for image in images:
        keyword = image[:KEYWORD].rstrip().upper()
        if keyword == "CONTINUE" and last is not None:
            last.fields.append(image[KEYWORD:])
            continue
        if last is not None:
            yield last
        last = read_card(keyword, image)
    if last is not None:
        yield last


def read_card(keyword: str, image: str) -> ReadCard:
    """Make a card of its 80 characters."""
    if image[KEYWORD : KEYWORD + 2] == "= " and keyword not in COMMENTARY:
        return ReadCard(keyword, image[KEYWORD + 2 :])
    if keyword == "HIERARCH" and "=" in image:
        name, _, field = image[KEYWORD:].partition("=")
        return ReadCard(name.strip(), field)
    return ReadCard(keyword, image[KEYWORD:], commentary=True)


def parse(field: str) -> tuple[Any, str]:
    """Return value and comment of what follows ``KEYWORD =``.

    Raises
    ------
    ValueError
        If it follows no form of the standard.
    """
    found = VALUE.match(field)
    if found is None:
        msg = f"no value can be made out in {field.strip()!r}"
        raise ValueError(msg)
    comment = (found["comment"] or "").rstrip()
    if found["text"] is not None:
        return found["text"].rstrip().replace("''", "'"), comment
    return parse_plain(found["plain"].strip()), comment


def parse_plain(text: str) -> Any:
    """Return a truth value or a number; None for nothing."""
    if text in ("", "T", "F"):
        return {"": None, "T": True, "F": False}[text]
    if WHOLE.match(text):
        return int(text)
    if NUMBER.match(text):
        return as_float(text)
    found = COMPLEX.match(text)
    if found is None:
        msg = f"{text!r} is no value"
        raise ValueError(msg)
    return complex(as_float(found[1].strip()), as_float(found[2].strip()))


def as_float(text: str) -> float:
    """Return a number that may have D before its exponent."""
    return float(text.upper().replace("D", "E"))


def formatted(value: Any) -> str:
    """Return a value in the fixed format, which all readers know."""
    if value is None:
        return ""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool):
        return f"{'T' if value else 'F':>20}"
    if isinstance(value, str):
        quoted = value.replace("'", "''")
        return f"'{quoted:8}'".ljust(20) if quoted else "''"
    if isinstance(value, complex):
        return f"{f'({number(value.real)}, {number(value.imag)})':>20}"
    return f"{value:>20d}" if isinstance(value, int) else f"{number(value):>20}"


def number(value: float) -> str:
    """Return a float so that it reads back as the same one."""
    digits = repr(float(value)).upper()
    return digits if "E" in digits or "." in digits else f"{digits}.0"


def split_text(text: str, width: int) -> list[str]:
    """Cut a text in pieces of at most `width` characters, behind a blank where there is one."""
    pieces = []
    while len(text) >= width:
        cut = text.rfind(" ", 0, width) + 1 or width
        if cut == len(text):
            break
        pieces.append(text[:cut])
        text = text[cut:]
    return [*pieces, text]
