"""Time series: the tables of an exposure's segments, and segments in any order."""

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.call import call_pipeline
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.models import Table
from calwebb_core.framework.products import open_raw, read_ramp, write_raw
from calwebb_detector1.modes import select
from calwebb_detector1.pipeline import PIPELINE

from .exposure import NGROUPS, NX, NY, write_references
from .ramps import keywords

NAME = "jw09999001001_04101_00001-seg{:03d}_nrcalong"
PER_SEGMENT, SEGMENTS = 2, 3
NINTS = PER_SEGMENT * SEGMENTS
LATE = ("charge_migration", "clean_flicker_noise", "persistence", "picture_frame", "ipc")


def int_times():
    """Return the table of all integrations, which each segment carries."""
    names = ("int_start_MJD_UTC", "int_mid_MJD_UTC", "int_end_MJD_UTC")
    table = np.zeros(NINTS, [("integration_number", "i4"), *((name, "f8") for name in names)])
    table["integration_number"] = np.arange(1, NINTS + 1)
    table["int_mid_MJD_UTC"] = 60000 + np.arange(NINTS) / 1000
    return Table(table, {"int_mid_MJD_UTC": "d"})


def group_table(first):
    """Return the table of a segment's groups."""
    table = np.zeros(PER_SEGMENT * NGROUPS, [("integration_number", "i4"), ("group_number", "i2")])
    table["integration_number"] = np.repeat(np.arange(first, first + PER_SEGMENT), NGROUPS)
    table["group_number"] = np.tile(np.arange(1, NGROUPS + 1), PER_SEGMENT)
    return Table(table)


def write_segment(folder, number, **changes):
    """Write a segment: steady light that grows by 1 DN/s from one integration to the next."""
    first = (number - 1) * PER_SEGMENT + 1
    rates = 20.0 + np.arange(first, first + PER_SEGMENT)
    steps = np.arange(1, NGROUPS + 1)
    ramps = rates[:, None] * steps * 10.0
    data = np.broadcast_to(ramps[:, :, None, None], (*ramps.shape, NY, NX)).round() + 1000
    metadata = keywords(
        data.shape,
        **{"TSOVISIT": True, "EXP_TYPE": "NRC_TSIMAGE", "NINTS": NINTS, "TGROUP": 10.0}
        | {"EXSEGNUM": number, "EXSEGTOT": SEGMENTS, "INTSTART": first}
        | {"INTEND": first + PER_SEGMENT - 1, "VISITYPE": "PRIME_TARGETED_FIXED"}
        | changes,
    )
    path = folder / f"{NAME.format(number)}_uncal.fits"
    tables = {"GROUP": group_table(first), "INT_TIMES": int_times()}
    write_raw(path, metadata, data.astype(np.uint16), tables=tables)
    return path


@pytest.fixture(scope="module")
def references(tmp_path_factory):
    return write_references(tmp_path_factory.mktemp("references"))


def run(path, folder, references, **options):
    options.setdefault("skip", ("refpix", "superbias", "dark_current"))
    overrides = {**references, "ipc": "N/A"}
    result = call_pipeline(PIPELINE, path, output_dir=folder, overrides=overrides, **options)
    return {path.name.split("_")[-1].removesuffix(".fits"): path for path in result.outputs}


@pytest.fixture(scope="module")
def products(references, tmp_path_factory):
    """Products of all segments, the last one first."""
    folder = tmp_path_factory.mktemp("series")
    return {
        number: run(write_segment(folder, number), folder / "out", references, save=["jump"])
        for number in (3, 1, 2)
    }


def test_each_segment_has_its_integrations_and_the_times_of_all(products):
    for number, made in products.items():
        assert made["rateints"].name == f"{NAME.format(number)}_rateints.fits"
        with fits.open(made["rateints"]) as hdus:
            first = (number - 1) * PER_SEGMENT + 1
            assert (hdus[0].header["INTSTART"], hdus[0].header["EXSEGNUM"]) == (first, number)
            assert hdus["SCI"].data.shape == (PER_SEGMENT, NY, NX)
            found = np.nanmedian(hdus["SCI"].data, axis=(1, 2))
            np.testing.assert_allclose(found, 20.0 + first + np.arange(PER_SEGMENT), atol=0.05)
            times = hdus["INT_TIMES"]
            np.testing.assert_array_equal(times.data, int_times().data)
            assert times.columns["int_mid_MJD_UTC"].unit == "d"
            assert "GROUP" not in hdus
        with fits.open(made["rate"]) as hdus:
            assert "INT_TIMES" not in hdus


def test_ramps_keep_both_tables(products):
    for number, made in products.items():
        with fits.open(made["jump"]) as hdus:
            expected = group_table((number - 1) * PER_SEGMENT + 1).data
            np.testing.assert_array_equal(hdus["GROUP"].data, expected)
            np.testing.assert_array_equal(hdus["INT_TIMES"].data, int_times().data)


def test_the_order_of_segments_does_not_matter(products, references, tmp_path):
    for number in (1, 2, 3):
        made = run(write_segment(tmp_path, number), tmp_path / "out", references)
        for name in ("SCI", "ERR", "DQ"):
            np.testing.assert_array_equal(
                fits.getdata(made["rateints"], name),
                fits.getdata(products[number]["rateints"], name),
            )


def test_a_saved_ramp_of_a_segment_is_resumed(products, references, tmp_path):
    made = run(products[2]["jump"], tmp_path, references)
    for name in ("SCI", "DQ"):
        np.testing.assert_array_equal(
            fits.getdata(made["rateints"], name), fits.getdata(products[2]["rateints"], name)
        )
    np.testing.assert_array_equal(fits.getdata(made["rateints"], "INT_TIMES"), int_times().data)


def test_steps_of_a_time_series(tmp_path):
    metadata = read_ramp(write_segment(tmp_path, 1)).metadata
    steps = {step.name: step for step in select(metadata)}
    assert {"superbias", "refpix", "dark_current", "jump", "ramp_fit"} <= set(steps)
    assert all(steps[name].skip for name in LATE)
    metadata.update(INSTRUME="MIRI", DETECTOR="MIRIMAGE", EXP_TYPE="MIR_LRS-SLITLESS")
    steps = {step.name: step for step in select(metadata)}
    assert steps["lastframe"].skip
    assert steps["rscd"].skip
    assert not steps["reset"].skip


@pytest.mark.parametrize("reader", [read_ramp, open_raw])
@pytest.mark.parametrize(
    "changes", [{"INTEND": 5}, {"INTSTART": 1}, {"INTEND": 3, "NINTS": PER_SEGMENT}]
)
def test_integrations_that_are_not_those_of_the_header_are_refused(tmp_path, reader, changes):
    path = write_segment(tmp_path, 2, **changes)
    with pytest.raises(InputError, match=r"INTSTART and INTEND are \d and \d but SCI has 2"):
        reader(path)
