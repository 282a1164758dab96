"""Cards and headers against astropy's."""

import io
import warnings

import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from calwebb_core.framework.fits_cards import Card, Header, parse, split_text
from calwebb_core.framework.fits_headers import card

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
KEYWORDS = st.text(LETTERS, min_size=1, max_size=8).filter(
    lambda word: word not in ("END", "CONTINUE", "HIERARCH")
)
PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)
TEXTS = st.text(PRINTABLE, max_size=200).map(str.rstrip)
WORDS = st.lists(st.text("abc'&/", min_size=1, max_size=90), max_size=8).map(" ".join)
COMMENTS = st.text(PRINTABLE, max_size=150).map(str.strip)
PLAIN = st.booleans() | st.integers(-(2**62), 2**62)


@given(KEYWORDS, PLAIN | st.text(PRINTABLE, max_size=60).map(str.rstrip))
def test_short_cards_are_those_of_astropy(keyword, value):
    assert Card(keyword, value).image == fits.Card(keyword, value).image


@given(TEXTS | WORDS, COMMENTS)
def test_long_texts_are_those_of_astropy(value, comment):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = fits.Card("S_REGION", value, comment).image
        assert Card("S_REGION", value, comment).image == expected


@given(st.text("ab  ", max_size=200), st.integers(5, 20))
def test_pieces_are_the_text(text, width):
    pieces = split_text(text, width)
    assert "".join(pieces) == text
    assert max(map(len, pieces)) <= width


@given(st.floats(allow_nan=False, allow_infinity=False), COMMENTS)
def test_floats_read_back_as_the_same(value, comment):
    image = card("EXPMID", value, comment).image
    assert len(image) == 80
    assert fits.Card.fromstring(image).value == value


CARDS = [
    "SIMPLE  =                    T / conforms",
    "TARGNAME= 'it''s a name  '     / with a / in it",
    "EMPTY   = ''",
    "BLANK   =                      / nothing",
    "NUMBER  =                 -042 / an integer",
    "FLOAT   =             1.25D-03",
    "DOT     = .5/tight",
    "SHORT   =3",
    "COMPLEX = (1.0, -2.5E3)        / two",
    "HIERARCH ESO long key = 'text' / comment",
    "COMMENT a remark = no value",
    "HISTORY   done   ",
    "        a title",
    "LONG    = 'first &'",
    "CONTINUE  'second&'",
    "CONTINUE  '' / its comment",
    "lower   =                    1",
]


def header_bytes(cards):
    text = "".join(line.ljust(80) for line in [*cards, "END"])
    return text.ljust(-(-len(text) // 2880) * 2880).encode()


def test_header_is_read_as_astropy_does():
    content = header_bytes(CARDS * 3)
    ours = Header.read(io.BytesIO(content))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = fits.Header.fromfile(io.BytesIO(content))
        expected = [(c.keyword, c.value, c.comment) for c in theirs.cards]
    expected = [
        (k, None if isinstance(v, fits.card.Undefined) else v, c)
        for k, v, c in expected
        if k not in ("SHORT", "lower")
    ]
    found = [(c.keyword, c.value, c.comment) for c in ours.cards]
    kept = [entry for entry in found if entry[0] not in ("SHORT", "LOWER", "lower")]
    assert [e for e in expected if e[0].upper() != "LOWER"] == kept
    assert ours.get("HISTORY") == ["  done"] * 3
    assert ours["LOWER"] == 1
    assert ours.get("NOTHING", 7) == 7
    assert "TARGNAME" in ours


@given(st.lists(st.tuples(KEYWORDS, TEXTS | PLAIN, COMMENTS.map(lambda c: c[:30])), max_size=60))
def test_headers_round_trip(entries):
    written = Header([card(*entry) for entry in entries])
    text = written.tostring()
    assert len(text) % 2880 == 0
    again = Header.read(io.BytesIO(text.encode()))
    kept = [(k, v) for k, v, _ in entries if k not in ("COMMENT", "HISTORY", "CONTINUE", "END")]
    found = [(c.keyword, c.value) for c in again.cards]
    if len(kept) == len(entries):
        assert found == kept


@pytest.mark.parametrize("field", ["  1.2.3", " 'never closed", " T F", " (1, 2"])
def test_values_of_no_form(field):
    with pytest.raises(ValueError, match="no value"):
        parse(field)


def test_header_without_end():
    with pytest.raises(ValueError, match="the header has no END"):
        Header.read(io.BytesIO(b" " * 2880))


def test_changing_a_value_keeps_the_comment():
    header = Header([Card("DATASUM", "0", "data unit checksum")])
    header["DATASUM"] = "123"
    assert header.tostring().startswith("DATASUM = '123     '           / data unit checksum")
