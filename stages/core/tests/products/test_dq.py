"""The flags are those of the product definition."""

import pytest

from calwebb_core.science import dq


def test_official_values():
    pytest.importorskip("stdatamodels")
    from stdatamodels.jwst.datamodels import dqflags

    ours = {name: int(flag) for name, flag in dq.PixelDQ.__members__.items()}
    official = {name: value for name, value in dqflags.pixel.items() if name in ours}
    assert ours == official
    renamed = set(dqflags.pixel) - set(ours)
    assert all(dqflags.pixel[name] in ours.values() for name in renamed)
    groups = {name: int(flag) for name, flag in dq.GroupDQ.__members__.items()}
    assert groups == {name: value for name, value in dqflags.group.items() if name in groups}


def test_constants_for_kernels_are_plain_integers():
    for name, flag in dq.PixelDQ.__members__.items():
        if hasattr(dq, name):
            assert type(getattr(dq, name)) is int
            assert getattr(dq, name) == flag


@pytest.mark.parametrize(
    "flags",
    [0, 5, "", "4", "DO_NOT_USE", "DO_NOT_USE+NON_SCIENCE", "~DO_NOT_USE+NON_SCIENCE",
     "~(DO_NOT_USE, JUMP_DET)", "4|16", " ~ 4 + 16 ", "None"],
)  # fmt: skip
def test_flags_by_name_are_those_of_astropy(flags):
    interpret = pytest.importorskip("astropy.nddata.bitmask").interpret_bit_flags
    names = {flag.name: int(flag) for flag in dq.PixelDQ}
    assert dq.bits_of(flags) == (interpret(flags, flag_name_map=names) or 0)


def test_unknown_flag():
    with pytest.raises(ValueError, match="no flag is called COFFEE"):
        dq.bits_of("DO_NOT_USE+COFFEE")
