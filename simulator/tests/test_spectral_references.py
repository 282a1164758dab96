"""Reference files of spectra: the official data models take them, and they hold the truth."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import asdf
import numpy as np
import pytest
from astropy.io import fits
from stdatamodels.jwst import datamodels

from calwebb_core.framework.errors import InputError
from calwebb_simulator.instruments.nircam import GRISMS
from calwebb_simulator.references import (
    spectra,
    spectra_optics,
    spectra_slits,
    spectra_wcs,
)
from calwebb_simulator.spectra.losses import point_throughput
from calwebb_simulator.spectra.modes import GRATINGS, MODES, SpectralMode, mode_named, with_grating
from calwebb_simulator.spectra.profile import share_between, summed_share
from calwebb_simulator.spectra.response import conversion

NIRSPEC = [mode for mode in MODES.values() if mode.instrument == "NIRSPEC"]
OPTICS = ("camera", "collimator", "ote", "fore", "fpa", "disperser", "msa")
BY_MODE: dict[str, tuple[Any, ...]] = {
    "MIRI": (spectra.write_spectral_psf, spectra_wcs.write_lrs_specwcs),
    "NIRCAM": (spectra_wcs.write_grism_specwcs, spectra_wcs.write_grism_range),
    "NIRSPEC": (
        spectra.write_slit_area,
        spectra.write_wavecorr,
        spectra_slits.write_pathloss,
        spectra_slits.write_fflat,
        spectra_slits.write_sflat,
        lambda path, mode: spectra_slits.write_dflat(path, mode, mode.subarray),
        spectra_wcs.write_nirspec_range,
        *(getattr(spectra_optics, f"write_{name}") for name in OPTICS),
    ),
}
COMMON = (spectra.write_spectral_photom, spectra.write_spectral_apcorr)
IN_ASDF = ("wavecorr", "grism_specwcs", "range", *OPTICS)
CASES = [
    pytest.param(mode, writer, id=f"{mode.name}-{number}")
    for mode in MODES.values()
    for number, writer in enumerate(COMMON + BY_MODE[mode.instrument])
]


def open_model(path: Path) -> Any:
    """Open a file with the data model that it names, strictly."""
    if path.suffix == ".fits":
        name = fits.getheader(path)["DATAMODL"]
    else:
        with asdf.open(path) as file:
            name = file["meta"]["model_type"]
    return getattr(datamodels, name)(path, strict_validation=True)


@pytest.mark.parametrize(("mode", "writer"), CASES)
def test_official_model_takes_it(tmp_path: Path, mode: SpectralMode, writer: Any) -> None:
    """Each file opens with strict validation."""
    name = getattr(writer, "__name__", "")
    suffix = "asdf" if any(word in name for word in IN_ASDF) else "fits"
    path = writer(tmp_path / f"reference.{suffix}", mode)
    with open_model(path) as model:
        model.validate()
        assert model.meta.telescope == "JWST"


def test_lrs_pathloss(tmp_path: Path) -> None:
    """MIRI's table makes up for what the slit cuts off, at its middle and beside it."""
    path = spectra_slits.write_pathloss(tmp_path / "pathloss.fits", MODES["lrs-slit"])
    with open_model(path) as model:
        table = model.pathloss_table
        row = table[200]
        assert row["pathloss"].shape == (20, 50)
        assert np.all(np.diff(table["wavelength"]) < 0)
        expected = 1 / point_throughput("MIR_LRS-FIXEDSLIT", row["wavelength"])
        assert row["pathloss"][10, 25] == pytest.approx(float(expected), rel=1e-6)
        assert row["pathloss"][14, 25] > row["pathloss"][10, 25]


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_photom(tmp_path: Path, mode: SpectralMode) -> None:
    """Scale times relative response is the conversion; rows are longer than what counts."""
    path = spectra.write_spectral_photom(tmp_path / "photom.fits", mode)
    rows = fits.getdata(path, "PHOTOM")
    chosen = rows[rows["filter"] == mode.filter]
    if mode.grating:
        chosen = chosen[(chosen["grating"] == mode.grating) & (chosen["slit"] == mode.slit)]
    row = chosen[0]
    count = row["nelem"]
    assert count < len(row["wavelength"])
    scale = row["photmj" if mode.grating else "photmjsr"]
    found = scale * row["relresponse"][:count] / (0.001 if mode.pupil else 1.0)
    np.testing.assert_allclose(found, conversion(mode, row["wavelength"][:count]), rtol=1e-5)


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_profile(mode: SpectralMode) -> None:
    """All light is somewhere, and shares add up."""
    wave = np.array([mode.low, mode.high])
    assert share_between(mode, wave, -200, 200) == pytest.approx(1, abs=1e-6)
    edges = np.linspace(-1, 2.5, 8)
    parts = share_between(mode, wave[:, None], edges[:-1], edges[1:]).sum(axis=1)
    np.testing.assert_allclose(parts, share_between(mode, wave, -1, 2.5), rtol=1e-6)


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@pytest.mark.parametrize("rectified", [False, True])
def test_aperture_corrections_hold_for_sums_of_pixels(
    mode: SpectralMode, *, rectified: bool
) -> None:
    """Sums over pixels, those at the edges by their part, find that light in the mean of places."""
    size, wave, pixels = 6.0, mode.high, np.arange(-30, 31)
    places = (np.arange(20) + 0.5) / 20 - 0.5
    found = []
    for place in places:
        weights = np.clip(size / 2 + 0.5 - np.abs(pixels - place), 0, 1)
        # a rectified pixel takes its light of two pixels of the detector
        for shift in places if rectified else (0.0,):
            spread = np.interp(pixels + shift, pixels, weights)
            edges = pixels + shift - place
            light = share_between(mode, wave, edges - 0.5, edges + 0.5)
            found.append(np.sum(spread * light))
    expected = summed_share(mode, wave, size, rectified=rectified)
    assert np.mean(found) == pytest.approx(float(expected), abs=1e-4)
    hard = float(share_between(mode, wave, -size / 2, size / 2))
    assert expected < hard


def test_slits_are_where_the_siaf_has_them() -> None:
    """The way back from the slits' plane to the sky ends at the aperture's reference point."""
    telescope, fore = spectra_optics.telescope_model(), spectra_optics.fore_model()
    table = spectra_optics.slit_table(telescope, fore)
    x, y = table[3, 1:3]
    v2, v3 = telescope(*fore(x, y, 2e-6))
    assert (v2, v3) == pytest.approx((321.263, -473.851), abs=0.05)
    assert np.all(table[:, 4] > table[:, 3] * 0.9)


def test_dispersers_know_all_gratings() -> None:
    """Every grating has its parameters and its mode."""
    assert set(spectra_optics.DISPERSERS) == set(GRATINGS)
    for grating in GRATINGS:
        mode = with_grating(NIRSPEC[0], grating)
        assert mode.filter == GRATINGS[grating][0]
        assert len(spectra_optics.tilt_readings(grating)) == 2


def test_grism_polynomials_and_inverses() -> None:
    """The inverses lead back, and a wavelength of 3.94 um stays in its place."""
    models = spectra_wcs.grism_polynomials("A")
    for order in (0, 1):
        place = models["invdispl"][order](3.1)
        column = models["dispx"][order](place)
        assert models["displ"][order](models["invdispx"][order](column)) == pytest.approx(3.1)
    assert models["dispx"][0](models["invdispl"][0](3.94)) == pytest.approx(0, abs=1e-9)


def test_extract1d(tmp_path: Path) -> None:
    """Apertures of series follow the star's trace; others follow the source."""
    path = spectra_slits.write_extract1d(tmp_path / "a.json", MODES["lrs-slitless"], (37.5, -0.001))
    aperture = json.loads(path.read_text())["apertures"][0]
    assert aperture["src_coeff"] == [[32.5, -0.001], [42.5, -0.001]]
    assert len(aperture["bkg_coeff"]) == 4
    path = spectra_slits.write_extract1d(tmp_path / "b.json", MODES["nirspec-slit"])
    apertures = json.loads(path.read_text())["apertures"]
    assert [item["id"] for item in apertures][3] == "S1600A1"
    assert all(item["use_source_posn"] for item in apertures)


def test_unknown_names() -> None:
    """Unknown modes and gratings are refused."""
    with pytest.raises(InputError, match="unknown spectroscopic mode 'lrs'"):
        mode_named("lrs")
    with pytest.raises(InputError, match="lrs-slit has no grating 'G395H'"):
        with_grating(MODES["lrs-slit"], "G395H")
    assert mode_named("lrs-slit").axis == 2


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_a_file_that_rules_choose_for_both_detectors_is_for_both(tmp_path, detector):
    mode = replace(mode_named("nirspec-slit"), detector=detector)
    path = spectra.write_spectral_apcorr(tmp_path / "apcorr.fits", mode)
    assert fits.getheader(path)["DETECTOR"] == "N/A"


def test_every_filter_behind_the_grism_has_a_range():
    assert {name.removesuffix("-GRISMR") for name in GRISMS} == set(spectra.GRISM_FILTERS)
