"""Photometric tables of every instrument give back the sky that exposures were made of."""

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Table
from calwebb_core.science.photom import conversion
from calwebb_simulator.calibrated import conversion as applied
from calwebb_simulator.geometry import Frame
from calwebb_simulator.header import raw_metadata
from calwebb_simulator.plan import plan
from calwebb_simulator.references.base import Scope
from calwebb_simulator.references.optics import write_photom
from calwebb_simulator.scenario_file import load_scenario


@pytest.fixture(params=["miri-image", "niriss-image", "fgs-image", "tiny"])
def exposure(request):
    scenario = load_scenario(request.param)
    entry = plan(scenario)[0]
    return entry, raw_metadata(scenario, entry.instrument, entry)


def read(entry, folder) -> dict[str, Table]:
    frame = Frame.of(entry.instrument, entry.frame.detector)
    path = write_photom(folder / "photom.fits", Scope(entry.instrument, frame), entry.optics)
    with fits.open(path) as hdus:
        return {hdu.name: Table(np.array(hdu.data)) for hdu in hdus[1:]}


def test_tables_hold_what_the_exposure_was_made_with(exposure, tmp_path):
    entry, metadata = exposure
    tables = read(entry, tmp_path)
    assert conversion(tables, metadata).photmjsr == pytest.approx(applied(entry), rel=1e-6)


def test_only_miri_declines(exposure, tmp_path):
    entry, metadata = exposure
    tables = read(entry, tmp_path)
    declines = entry.instrument.name == "MIRI"
    assert ("TIMECOEFF_EXPONENTIAL" in tables) == declines
    later = Metadata({**metadata, "EXPMID": metadata["EXPMID"] + 500.0})
    change = conversion(tables, later).photmjsr / conversion(tables, metadata).photmjsr
    assert (change > 1.001) == declines
    names = set(tables["PHOTOM"].data["subarray"]) if declines else set()
    assert not declines or {b"FULL", b"SUB128", b"GENERIC"} <= names
