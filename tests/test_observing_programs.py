"""Observing programs of every mode give the pools and associations that their modes need."""

import pytest

from calwebb_associate.generate import left_out, make_associations
from calwebb_associate.pool import read_pool
from calwebb_simulator.programs.files import MODES

IMAGES, SPECTRA = {"image2", "image3"}, {"spec2", "spec3"}
EXPECTED = {
    "nircam-imaging": IMAGES,
    "nircam-wfss": IMAGES | SPECTRA,
    "nircam-grism-series": {"image2", "tso-image2", "tso-spec2", "tso3"},
    "nircam-imaging-series": {"image2", "tso-image2", "tso3"},
    "nircam-coronagraphy": IMAGES | {"coron3"},
    "miri-imaging": IMAGES,
    "miri-lrs-slit": {"image2"} | SPECTRA,
    "miri-lrs-slitless": {"image2", "spec2", "tso3"},
    "miri-mrs": IMAGES | SPECTRA,
    "miri-4qpm": {"image2", "coron3"},
    "miri-lyot": {"image2", "coron3"},
    "miri-wfss": IMAGES | SPECTRA,
    "niriss-imaging": IMAGES,
    "niriss-wfss": IMAGES | SPECTRA,
    "niriss-soss": {"image2", "tso-spec2", "tso3"},
    "niriss-ami": {"image2", "ami3"},
    "niriss-parallel": IMAGES | SPECTRA,
    "nirspec-fixed-slit": {"image2"} | SPECTRA,
    "nirspec-ifu": SPECTRA,
    "nirspec-ifu-mosaic": SPECTRA,
    "nirspec-mos": {"image2"} | SPECTRA,
    "nirspec-bots": {"image2", "tso-spec2", "tso3"},
    "nirspec-lamp": {"image2", "nrslamp-spec2"},
    "fgs-imaging": IMAGES,
    "wavefront-sensing": {"image2", "wfs-image3"},
    "moving-target": IMAGES,
    "darks": set(),
    "engineering": IMAGES,
}
# What only the proposal links, so that a pool made from headers has no association of it.
LINKED = {"niriss-parallel": {"spec2"}}


def types(pool):
    return {association.asn_type for association in make_associations(pool)}


@pytest.mark.parametrize("mode", MODES)
def test_associations_of_the_mission_s_pool(mode, all_programs):
    pool = read_pool(all_programs / "pools" / f"jw{MODES[mode].number}_pool.csv")
    assert types(pool) == EXPECTED[mode]


@pytest.mark.parametrize("mode", MODES)
def test_associations_of_the_pool_from_headers(mode, all_programs):
    pool = read_pool(all_programs / "pool.csv").of_program(str(MODES[mode].number))
    assert types(pool) == EXPECTED[mode] - LINKED.get(mode, set())


def test_pools_agree_on_what_headers_say(all_programs):
    ours = {row["filename"]: row for row in read_pool(all_programs / "pool.csv").exposures()}
    count = 0
    for path in sorted((all_programs / "pools").iterdir()):
        for row in read_pool(path).exposures():
            made = ours[row["filename"]]
            shared = row.keys() & made.keys() - {"expspcin", "mostilno", "dithptin", "pntgtype"}
            assert shared > {"targetid", "patttype", "msametfl", "is_imprt", "obs_id"}
            differing = {
                column: (row[column], made[column])
                for column in shared - {"asn_candidate"}
                if row[column] != made[column]
            }
            assert not differing, row["filename"]
            count += 1
    assert count == len(ours)


def test_what_is_left_out_is_said(all_programs):
    pool = read_pool(all_programs / "pool.csv").of_program(str(MODES["niriss-soss"].number))
    assert len(left_out(pool, make_associations(pool))) == 1  # F277W, which nothing calibrates
