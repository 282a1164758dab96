"""Observing programs of every mode: names, headers, times and places of their files."""

import re
import warnings
from collections import defaultdict
from importlib.resources import files
from itertools import pairwise

import numpy as np
import pytest
import yaml
from astropy.io import fits

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import ExposureName
from calwebb_simulator.cli import main
from calwebb_simulator.geometry import Attitude, Frame, Placement
from calwebb_simulator.header_wcs import footprint
from calwebb_simulator.instruments import instrument_named
from calwebb_simulator.programs.files import MODES, PROGRAMS, content, planned, write_programs
from calwebb_simulator.programs.headers import primary, science
from calwebb_simulator.programs.pools import COLUMNS, pool_text

GUIDING = ("FGS_ACQ1", "FGS_ACQ2", "FGS_FINEGUIDE", "FGS_ID-IMAGE", "FGS_ID-STACK", "FGS_TRACK")
NO_MORE_TAKEN = ("NRC_GRISM", "N/A", "ANY")


@pytest.fixture(scope="module")
def everything():
    """All files with their headers."""
    return [(raw, primary(raw), science(raw)) for raw in planned(())]


def of_mode(everything, mode):
    return [entry for entry in everything if entry[0].program.mode == mode]


def test_names_are_the_mission_s_and_agree_with_the_headers(everything):
    roots = [raw.root for raw, _, _ in everything]
    assert len(set(roots)) == len(roots)
    for raw, header, _ in everything:
        name = ExposureName.parse(header["FILENAME"])
        assert (name.root, name.suffix) == (raw.root, "uncal")
        assert name.program == header["PROGRAM"]
        assert name.observation == header["OBSERVTN"]
        assert name.visit == header["VISIT"]
        assert name.visit_group == header["VISITGRP"]
        assert name.sequence == header["SEQ_ID"]
        assert name.activity == header["ACT_ID"].lower()
        assert int(name.exposure) == int(header["EXPOSURE"])
        assert name.detector == header["DETECTOR"].lower()
        assert (name.segment or "001") == f"{header.get('EXSEGNUM', 1):03d}"


@pytest.fixture(scope="module")
def official():
    """What the schemas of raw data say of each keyword: its values, its type, its extension."""
    schemas = files("stdatamodels.jwst.datamodels") / "schemas"
    found = {}

    def collect(node):
        if "fits_keyword" in node:
            options = [node, *node.get("anyOf", ())]
            values = {str(value) for option in options for value in option.get("enum", ())}
            entry = found.setdefault(node["fits_keyword"], (values, node["type"], set()))
            entry[2].add(node.get("fits_hdu", "PRIMARY"))
        for child in node.get("properties", {}).values():
            collect(child)
        for child in node.get("allOf", ()):
            collect(child)

    for name in ("core", "bunit", "wcsinfo", "moving_target"):
        collect(yaml.load((schemas / f"{name}.schema.yaml").read_text(), yaml.CSafeLoader))
    return found


def test_every_exposure_type_is_there(everything, official):
    known = official["EXP_TYPE"][0] - {*GUIDING, *NO_MORE_TAKEN}
    assert {header["EXP_TYPE"] for _, header, _ in everything} == known


def test_keywords_and_values_are_those_of_the_official_schemas(everything, official):
    types = {"string": str, "integer": int, "number": float, "boolean": bool}
    for raw, header, sci in everything:
        for hdu, keywords in (("PRIMARY", header), ("SCI", sci)):
            for keyword, value in keywords.items():
                values, kind, places = official[keyword]
                assert hdu in places, (raw.root, keyword)
                assert isinstance(value, types[kind]), (raw.root, keyword, value)
                assert not values or str(value) in values, (raw.root, keyword, value)


def test_the_official_data_models_open_them(tmp_path, everything):
    from stdatamodels.jwst import datamodels

    kinds = {header["INSTRUME"]: raw for raw, header, _ in everything}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for raw in kinds.values():
            path = tmp_path / f"{raw.root}_uncal.fits"
            path.write_bytes(content(raw))
            with datamodels.open(path, strict_validation=True) as model:
                assert type(model).__name__ == "Level1bModel"
                assert "extra_fits" not in model._instance, raw.root
                assert model.meta.exposure.type == raw.setup.exp_type


def test_files_are_small_and_read_back(everything):
    for raw, header, _ in everything:
        assert len(content(raw)) < 20_000
        if raw.count == 1:
            read = fits.Header.fromstring(content(raw)[: 3 * 2880].decode("ascii"))
            assert {key: read[key] for key in header} == header


def test_a_detector_exposes_once_at_a_time(everything):
    spans = defaultdict(set)
    for _, header, _ in everything:
        assert header["EXPSTART"] < header["EXPMID"] < header["EXPEND"]
        spans[header["DETECTOR"]].add((header["EXPSTART"], header["EXPEND"]))
    for one in spans.values():
        assert all(first[1] < second[0] for first, second in pairwise(sorted(one)))


def test_detectors_beside_one_another_start_together(everything):
    starts = defaultdict(set)
    for raw, header, _ in everything:
        starts[raw.visit, raw.group, raw.activity, raw.position].add(header["EXPSTART"])
    assert {len(found) for found in starts.values()} == {1}


def test_visits_count_their_exposures(everything):
    counts, totals = defaultdict(set), defaultdict(set)
    for raw, header, _ in everything:
        counts[raw.visit].add(header["EXPCOUNT"])
        totals[raw.visit].add(header["NEXPOSUR"])
        assert 1 <= header["PATT_NUM"] <= header["NUMDTHPT"]
    for visit, found in counts.items():
        assert found == set(range(1, max(found) + 1))
        assert totals[visit] == {max(found)}


def test_segments_hold_all_integrations(everything):
    series = of_mode(everything, "nircam-grism-series")
    rows = [header for raw, header, _ in series if raw.detector == "NRCA1"]
    assert [(row["INTSTART"], row["INTEND"]) for row in rows] == [(1, 180), (181, 360), (361, 540)]
    assert {row["NINTS"] for row in rows} == {540}


def corners(header):
    numbers = [float(text) for text in re.findall(r"-?\d+\.\d+", header["S_REGION"])]
    assert len(numbers) == 8
    return np.array(numbers[::2]), np.array(numbers[1::2])


def arcsec(ra, dec, ra0, dec0):
    return np.hypot((ra - ra0) * np.cos(np.radians(dec0)), dec - dec0) * 3600


def test_the_aperture_that_points_is_on_the_target(everything):
    for raw, header, sci in everything:
        aimed = raw.offset == (0.0, 0.0) and raw.observation.tiles == ((0.0, 0.0),)
        if aimed and header["APERNAME"] == header["PPS_APER"]:
            place = header["TARG_RA"], header["TARG_DEC"]
            assert arcsec(sci["RA_REF"], sci["DEC_REF"], *place) == pytest.approx(0, abs=1e-4)
        ra, dec = corners(sci)
        assert arcsec(ra, dec, sci["RA_REF"], sci["DEC_REF"]).max() < 190


def test_footprint_is_that_of_simulated_pixels(everything):
    raw, _, sci = next(
        entry
        for entry in of_mode(everything, "nircam-imaging")
        if entry[0].detector == "NRCB3" and entry[0].position == 1
    )
    nircam = instrument_named("NIRCAM")
    frame = Frame.of(nircam, nircam.detector("NRCB3"))
    place = Attitude.at(
        sci["V2_REF"], sci["V3_REF"], sci["RA_REF"], sci["DEC_REF"], sci["ROLL_REF"]
    )
    ours, known = corners(sci), corners({"S_REGION": footprint(Placement(frame, place))})
    for ra, dec in zip(*ours, strict=True):
        assert arcsec(known[0], known[1], ra, dec).min() < 0.3, raw.root


def test_tiles_and_moving_targets_move(everything):
    tiles = {
        header["VISIT"]: sci["RA_REF"]
        for raw, header, sci in of_mode(everything, "nirspec-ifu-mosaic")
        if raw.position == 1
    }
    assert arcsec(tiles["002"], 61.353, tiles["001"], 61.353) == pytest.approx(2.8, abs=0.05)
    comet = [header for _, header, _ in of_mode(everything, "moving-target")]
    assert {header["TARGTYPE"] for header in comet} == {"MOVING"}
    assert {header["VISITYPE"] for header in comet} == {"PRIME_TARGETED_MOVING"}
    assert len({header["TARG_RA"] for header in comet}) == 3


def test_rolls_of_a_coronagraph_differ(everything):
    rolls = {header["OBSERVTN"]: sci["ROLL_REF"]
             for _, header, sci in of_mode(everything, "nircam-coronagraphy")}  # fmt: skip
    assert rolls["002"] - rolls["001"] == pytest.approx(10, abs=0.1)


def test_subarrays_are_placed_as_on_flight_exposures(everything):
    def window(mode, kind):
        header = next(h for _, h, _ in of_mode(everything, mode) if h["EXP_TYPE"] == kind)
        return [header[key] for key in ("SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2")]

    assert window("niriss-ami", "NIS_AMI") == [1045, 1, 80, 80]
    assert window("niriss-soss", "NIS_SOSS") == [1, 1793, 2048, 256]
    assert window("nircam-grism-series", "NRC_TSGRISM") == [1, 1, 2048, 256]
    assert window("miri-lrs-slitless", "MIR_LRS-SLITLESS") == [1, 529, 72, 416]
    assert window("nirspec-bots", "NRS_BRIGHTOBJ") == [1025, 957, 512, 32]


def test_times_are_those_of_flight_exposures(everything):
    _, ami, _ = next(e for e in of_mode(everything, "niriss-ami") if e[1]["NINTS"] > 1)
    assert ami["TFRAME"] == pytest.approx(0.07544)
    _, mos, _ = next(e for e in of_mode(everything, "nirspec-mos") if e[1]["NGROUPS"] == 14)
    assert mos["EFFINTTM"] == pytest.approx(1021.2223)


def test_pools_say_what_the_proposal_links():
    chosen = planned(("nircam-imaging", "nirspec-ifu-mosaic"))
    lines = [line.split("|") for line in pool_text(chosen).splitlines()]
    rows = [dict(zip(COLUMNS, line, strict=True)) for line in lines[1:]]
    assert tuple(lines[0]) == COLUMNS
    assert rows[0]["asn_candidate"] == "[('o001', 'observation'), ('c1000', 'mosaic')]"
    assert {row["mostilno"] for row in rows if row["program"] == "10063"} == {"1", "2"}
    assert all(value == value.lower() for row in rows for value in row.values())


def test_same_options_same_bytes(tmp_path):
    alone = write_programs(tmp_path / "alone", ("niriss-ami",))
    later = write_programs(tmp_path / "later", ("nirspec-lamp", "niriss-ami"))
    same = {path.name: path.read_bytes() for path in later}
    assert all(same[path.name] == path.read_bytes() for path in alone)


def test_as_many_files_as_asked_for(tmp_path):
    found = planned(("niriss-ami",), 20)
    assert [raw.number for raw in found[::6]] == [10044, 10144, 10244, 10344]
    assert len({raw.root for raw in found}) == 20
    assert len(write_programs(tmp_path, ("niriss-ami",), 4)) == 4
    assert (tmp_path / "pools" / "jw10044_pool.csv").read_text().count("\n") == 5


def test_modes_are_named_once():
    assert len(MODES) == len(PROGRAMS) == len({program.number for program in PROGRAMS})
    assert all(program.sentence.endswith(".") for program in PROGRAMS)


def test_unknown_mode_and_too_many_files():
    with pytest.raises(InputError, match="--mode nircam: there is no such mode; there are nircam-"):
        planned(("nircam",))
    with pytest.raises(InputError, match="--exposures 9999: 899 copies have 2697 files"):
        planned(("niriss-parallel",), 9999)


def call(*arguments) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(item) for item in arguments])
    return int(ended.value.code or 0)


def test_command_line(tmp_path, capsys):
    assert call("programs", "--mode", "miri-lrs-slit", "-q", "--output-dir", tmp_path) == 0
    assert len(list((tmp_path / "uncal").iterdir())) == 4
    assert call("programs", "--list") == 0
    assert "wavefront-sensing" in capsys.readouterr().out
    assert call("programs") == 2
    assert "--output-dir is missing" in capsys.readouterr().err
