"""Loops of other kinds of processors, to find out with which a product was made."""

from calwebb_core.framework.processor import LEVEL, NEEDED
from calwebb_core.framework.verify.levels import AVX512, other_levels

ALL = NEEDED | AVX512


def names(environment, flags):
    return [name for name, _ in other_levels(environment, flags)]


def test_those_that_are_not_in_use():
    assert names(LEVEL, ALL) == ["processors with AVX-512", "processors without AVX2 and FMA"]
    assert names({}, ALL)[0].startswith("AVX2 and FMA")


def test_what_the_processor_cannot_do_is_not_tried():
    assert names(LEVEL, NEEDED) == ["processors without AVX2 and FMA"]
    assert names({}, frozenset()) == []


def test_variables_are_those_that_numpy_and_openblas_read():
    for _, variables in other_levels({}, ALL):
        assert {"NPY_DISABLE_CPU_FEATURES", "OPENBLAS_CORETYPE"} <= set(variables)
