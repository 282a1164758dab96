"""Extraction gives the same bits whatever the number of threads."""

import numpy as np
import pytest

from calwebb_core.framework import threads
from calwebb_core.science.spectral.aperture import Aperture, weights_of
from calwebb_core.science.spectral.extraction import Background, Pixels, extract_box

from .spectra import star


@pytest.mark.parametrize("nints", [1, 7])
@pytest.mark.parametrize("axis", [1, 2])
def test_any_number_of_threads(monkeypatch, axis, nints):
    part = star(axis, nints=nints, noise=0.05)
    lost = np.random.default_rng(2).random(part.data.shape) < 0.02
    part.data[lost] = np.nan
    pixels = Pixels.of(part, axis)
    _, nalong, nacross = pixels.shape
    waves = np.repeat(1.0 + 0.1 * np.arange(nalong)[:, None], nacross, axis=1)
    middle = nacross // 2
    aperture = Aperture(across=(middle - 4, middle + 4), background=((-0.5,), (2.5,)))
    found = []
    for number in (1, 2, 3, 50):
        monkeypatch.setattr(threads, "_wanted", [number])
        sums = extract_box(pixels, weights_of(aperture, waves), Background())
        found.append(sums.tobytes())
    assert len(set(found)) == 1
    assert np.isfinite(sums).any()


@pytest.mark.parametrize("number", [1, 2, 5])
@pytest.mark.parametrize("total", [0, 1, 4, 5, 11])
def test_shares_are_even_and_all(monkeypatch, number, total):
    monkeypatch.setattr(threads, "_wanted", [number])
    parts = threads.shares(total)
    assert [i for part in parts for i in range(total)[part]] == list(range(total))
    assert len(parts) == max(1, min(number, total))
