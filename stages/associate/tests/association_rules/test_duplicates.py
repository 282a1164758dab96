"""Which of two associations stays when they say the same."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calwebb_associate.duplicates import without_duplicates


@dataclass(frozen=True)
class Made:
    candidate: str
    text: str
    level: int = 3
    product: str = "p"
    rule: str = ""
    kind: str = ""
    membership: frozenset = field(init=False)

    def __post_init__(self):
        pairs = frozenset(tuple(word.split(":")) for word in self.text.split())
        object.__setattr__(self, "membership", pairs)

    @property
    def asn_type(self):
        return self.kind or f"spec{self.level}"

    @property
    def members(self):
        return tuple(word.split(":")[0] for word in self.text.split())


A, AB, ABC = "a:science", "a:science b:background", "a:science b:background c:background"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ([], []),
        ([Made("o001", A)], [0]),
        # the same members: the observation rather than the wider candidate
        ([Made("o001", A), Made("c1000", A)], [0]),
        ([Made("c1000", A), Made("o001", A)], [1]),
        ([Made("a3001", A), Made("c1000", A)], [1]),
        ([Made("c1001", A), Made("c1000", A)], [0]),
        # the same members, other parts
        ([Made("o001", "a:science"), Made("c1000", "a:psf")], [0, 1]),
        # of two rules the more special one, which is later
        ([Made("c1000", A, rule="1"), Made("c1000", A, rule="2")], [1]),
        # another kind of product
        ([Made("o001", A, kind="image3"), Made("o001", A, kind="wfs-image3")], [0, 1]),
        # other level
        ([Made("o001", A, level=2), Made("o001", A, level=3)], [0, 1]),
        # some members of one with the same product
        ([Made("o001", A), Made("c1000", AB)], [1]),
        ([Made("o001", A), Made("c1000", AB, product="q")], [0, 1]),
        ([Made("o001", AB), Made("c1000", "a:science c:background")], [0, 1]),
        # level 2: one product of an exposure
        ([Made("o001", AB, 2), Made("c1000", "a:science c:background", 2)], [1]),
        ([Made("o001", ABC, 2), Made("c1000", "a:science d:background", 2)], [1]),
        ([Made("o001", ABC, 2), Made("o002", "a:science d:background", 2)], [0]),
        ([Made("c1000", ABC, 2), Made("c1001", "a:science d:background", 2)], [0]),
        ([Made("c1000", AB, 2), Made("c1001", "a:science d:background", 2)], [1]),
        ([Made("c1000", AB, 2), Made("c1000", "a:science c:background", 2)], [1]),
        # as image and by integration
        ([Made("o001", "a_rate:science", 2), Made("o001", "a_rateints:science", 2)], [0, 1]),
    ],
)
def test_which_stays(given, kept):
    assert without_duplicates(given) == [given[place] for place in kept]


def test_a_mosaic_whose_catalog_a_spectrum_names_stays_beside_a_spectrum_of_its_name():
    spectrum = Made("c1000", "s_rate:science q_cat.ecsv:sourcecat", 2, product="s")
    mosaics = [
        Made("o001", "i_cal:science", product="p", kind="image3"),
        Made("c1000", "i_cal:science", product="q", kind="image3"),
    ]
    spectra = [
        Made("o001", "s_cal:science", product="r", kind="spec3"),
        Made("c1000", "s_cal:science", product="q", kind="spec3"),
    ]
    found = without_duplicates([spectrum, *mosaics, *spectra])
    assert {(one.asn_type, one.candidate) for one in found} == {
        ("spec2", "c1000"), ("image3", "o001"), ("image3", "c1000"), ("spec3", "o001"),
    }  # fmt: skip


def made_of(candidate, level, words):
    """An association, named after its first member at level 2."""
    words = sorted(set(words))
    return Made(candidate, " ".join(words), level, words[0] if level == 2 else "p")


@given(
    st.lists(
        st.builds(
            made_of,
            st.sampled_from(["o001", "o002", "c1000", "a3001"]),
            st.sampled_from([2, 3]),
            st.lists(st.sampled_from(["a:science", "b:background", "c:psf"]), min_size=1),
        ),
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_order_does_not_matter_and_once_is_enough(made, random):
    kept = without_duplicates(made)
    shuffled = list(made)
    random.shuffle(shuffled)
    assert set(without_duplicates(shuffled)) == set(kept)
    assert without_duplicates(kept) == kept
    # no product of an exposure, and no exposure of a combination is lost
    before, after = (
        {
            (one.level, name)
            for one in some
            for name in (one.members if one.level == 3 else one.members[:1])
        }
        for some in (made, kept)
    )
    assert before == after
