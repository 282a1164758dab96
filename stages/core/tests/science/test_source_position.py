"""The source is found in spectra that lean, and end before the detector does."""

import numpy as np
import pytest

from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.spectral.source_position import pixels_in_slit

NY, NX, LIT = 26, 2048, 900


class Leaning:
    """A slit whose light covers the first columns only; it says nothing of the others."""

    available_frames = ("detector", "slit_frame", "world")
    bounding_box = ((-0.5, NX - 0.5), (-0.5, NY - 0.5))

    def __init__(self, unit):
        self.unit = unit

    def get_transform(self, first, last):
        return self.to_slit if (first, last) == ("detector", "slit_frame") else self.to_pixel

    def to_slit(self, x, y):
        wave = np.where(x < LIT, (3 + 1e-3 * x) * self.unit, np.nan)
        return np.zeros(wave.shape), (y - 12) / 20 + 0 * wave, wave

    def to_pixel(self, across, along, wave):
        x = (wave / self.unit - 3) / 1e-3
        known = (x > -1) & (x < LIT)
        return np.where(known, x, np.nan), np.where(known, 12 + 20 * along, np.nan)


@pytest.mark.parametrize("unit", [1.0, 1e-6])
def test_the_middle_of_the_box_may_see_nothing(unit):
    keywords = Metadata({"SRCXPOS": 0.0, "SRCYPOS": 0.1}, "x_nrs2_calints.fits")
    x, y = pixels_in_slit(Leaning(unit), keywords, np.array([3.1, 3.5, 3.8]))
    np.testing.assert_allclose(x, [100, 500, 800], atol=1e-6)
    np.testing.assert_allclose(y, 14)
