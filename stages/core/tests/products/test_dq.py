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
