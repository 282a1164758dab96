"""Ways to spoil a file: flipped and lost bytes, blocks in another order, cards changed."""

import random
from collections.abc import Callable

from hypothesis import strategies as st

CARD, BLOCK = 80, 2880
NUMBERS = (
    "0", "-1", "1", "2", "3", "7", "64", "999", "65536", "2147483648", "4294967297",
    "9223372036854775807", "18446744073709551616", "9" * 60, "-" + "9" * 60, "1E400", "-1E-400",
    "1.5", "NaN", "T", "F", "''", "'text'", "'1E'", "(1,2)", "", "'", "0x10", "1_0", "'&'",
    "'\x1b[2J\x07'", "'\xe9\xff'", "'" + "x" * 66 + "'", "'../../x'", "'99999999999D'", "'1PE(9)'",
)  # fmt: skip
STRUCTURE = (
    "SIMPLE", "XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "NAXIS3", "NAXIS4", "PCOUNT",
    "GCOUNT", "EXTNAME", "EXTVER", "TFIELDS", "TFORM1", "TFORM2", "TTYPE1", "TTYPE2", "TDIM1",
    "TZERO1", "TSCAL1", "TNULL1", "THEAP", "BZERO", "BSCALE", "BLANK", "ZIMAGE", "ZNAXIS",
    "ZNAXIS1", "ZBITPIX", "CONTINUE", "END", "HISTORY", "COMMENT", "HIERARCH",
)  # fmt: skip
WORDS = (
    b"[" * 3000, b"{" * 3000, b"- " * 3000, b"&a [*a]", b"*a", b"<<: *a",
    b"!!python/name:os.system ",
    b"!core/ndarray-1.1.0 {source: 'file:///etc/passwd', datatype: float64, shape: [2]}",
    b"\x00", b"\x1b[31m", b"\xff\xfe", b"\xed\xa0\x80", b"9" * 5000, b"NaN", b"1e999", b"null",
    b"\\ud800", b'"', b"'", b"|", b"\n", b"\r", b"#", b"%", b":", b"true", b"../../../etc/passwd",
    b"~root", b"$(touch x)", b"`id`", b"2020-99-99", b"[]", b"{}", b"a: 1\na: 2\n",
    b"shape: [999999999, 999999999]",
    b"strides: [0, 0]", b"datatype: object", b"datatype: [ucs4, 99999999999]",
)  # fmt: skip


def flipped(content: bytes, rng: random.Random) -> bytes:
    """Change some bytes."""
    spoilt = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
    return bytes(spoilt)


def cut(content: bytes, rng: random.Random) -> bytes:
    """Lose the end, or a piece."""
    first, last = sorted(rng.choices(range(len(content)), k=2))
    return content[:first] + (content[last:] if rng.random() < 0.5 else b"")


def swapped(content: bytes, rng: random.Random) -> bytes:
    """Exchange two blocks, or repeat one."""
    blocks = [content[at : at + BLOCK] for at in range(0, len(content), BLOCK)]
    one, other = rng.choices(range(len(blocks)), k=2)
    blocks[one], blocks[other] = blocks[other], blocks[rng.choice((one, other))]
    return b"".join(blocks)


def inserted(content: bytes, rng: random.Random) -> bytes:
    """Put a word somewhere, over other bytes or between them, perhaps where a line begins."""
    word, at = rng.choice(WORDS), rng.randrange(len(content))
    if rng.random() < 0.5:
        at = max(content.find(rng.choice((b" ", b"\n", b":", b"|", b"=")), at), 0) + 1
    return content[:at] + word + content[at + rng.choice((0, 0, 1, len(word))) :]


def carded(content: bytes, rng: random.Random) -> bytes:
    """Give some cards of the headers other values or keywords."""
    spoilt = bytearray(content)
    cards = [at for at in range(0, len(content), CARD) if content[at + 8 : at + 10] == b"= "]
    structural = [at for at in cards if content[at : at + 8].decode("latin-1").strip() in STRUCTURE]
    for _ in range(rng.randint(1, 3)):
        at = rng.choice(structural if structural and rng.random() < 0.7 else cards or [0])
        keyword = content[at : at + 8].decode("latin-1")
        if rng.random() < 0.25:
            keyword = rng.choice(STRUCTURE)
        text = f"{keyword:<8}= {rng.choice(NUMBERS)}"
        spoilt[at : at + CARD] = text.encode("latin-1").ljust(CARD)[:CARD]
    return bytes(spoilt)


class Content:
    """What a file is to hold, shown by how it came about."""

    def __init__(self, data: bytes, how: str = "") -> None:
        self.data, self.how = data, how

    def __repr__(self) -> str:
        return self.how or f"{self.data[:300]!r}"


def spoilt(content: bytes, *ways: Callable[[bytes, random.Random], bytes]) -> st.SearchStrategy:
    """Return a strategy for what comes of one to three of some ways to spoil a content."""

    def spoil(seed: int, count: int) -> Content:
        rng, result = random.Random(seed), content
        for _ in range(count):
            result = rng.choice(ways)(result, rng) or b"x"
        return Content(result, f"seed {seed}, {count} times")

    return st.builds(spoil, st.integers(0, 2**32), st.integers(1, 3))
