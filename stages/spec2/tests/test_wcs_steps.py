"""assign_wcs and extract_2d with real references: every pixel as in the official steps.

The references of MIRI are those of the CRDS cache of the real data; for NIRCam the distortion is
that of a flight product (program 1345). All cases go through one process of the official package.
"""

import json
from functools import cache

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit
from calwebb_core.framework.plain_asdf import read_tree, write_tree
from calwebb_core.framework.products import read_image, write_image
from calwebb_core.framework.references import References
from calwebb_core.science.spectral.wavelengths import wavelengths, world_of_pixels
from calwebb_spec2 import run as run_spec2
from calwebb_spec2.steps import assign_wcs, extract_2d
from official_process import REALDATA, run_official

pytestmark = pytest.mark.realdata

CACHE = REALDATA / "crds_cache" / "references" / "jwst"
POINTING = {
    "RA_REF": 80.0, "DEC_REF": -69.5, "ROLL_REF": 120.0, "V3I_YANG": 4.8, "VPARITY": -1,
    "VA_SCALE": 1.00004, "TELESCOP": "JWST", "DATE-OBS": "2023-05-01", "BUNIT": "DN/s",
    "TIME-OBS": "12:00:00.000", "XOFFSET": 0.0, "YOFFSET": 0.0,
}  # fmt: skip
IMAGER = {"distortion": "miri/jwst_miri_distortion_0028.asdf"}


def lrs(kind, number, window=(1, 1, 1032, 1024), nints=None, corners=False, **values):
    names = ("SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2")
    keys = {
        "INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "FILTER": "P750L", "EXP_TYPE": kind,
        "V2_REF": -414.848, "V3_REF": -400.426,
    }  # fmt: skip
    keys |= dict(zip(names, window, strict=True))
    name = f"miri/jwst_miri_specwcs_{number}.fits"
    files = IMAGER | {"specwcs": f"corners {name}" if corners else name}
    return keys | values, files, nints


def grism(rows=64, **values):
    keys = {
        "INSTRUME": "NIRCAM", "DETECTOR": "NRCALONG", "MODULE": "A", "CHANNEL": "LONG",
        "FILTER": "F322W2", "PUPIL": "GRISMR", "EXP_TYPE": "NRC_TSGRISM", "SUBSTRT1": 1,
        "SUBSTRT2": 1, "SUBSIZE1": 2048, "SUBSIZE2": rows, "V2_REF": 117.1, "V3_REF": -556.0,
        "XREF_SCI": 467.0, "YREF_SCI": 34.0, "SUBARRAY": f"SUBGRISM{rows}",
    }  # fmt: skip
    files = {"distortion": "flight", "specwcs": "nircam/jwst_nircam_specwcs_0010.asdf",
             "wavelengthrange": "range"}  # fmt: skip
    return keys | values, files, 2


SLITLESS = ("MIR_LRS-SLITLESS", (1, 529, 72, 416))
CASES = {
    "slit_0003": lrs("MIR_LRS-FIXEDSLIT", "0003"),
    "slit_0005": lrs("MIR_LRS-FIXEDSLIT", "0005", VELOSYS=-12345.6, XOFFSET=-0.95, YOFFSET=0.1),
    "slit_corners": lrs("MIR_LRS-FIXEDSLIT", "0003", corners=True),
    "slitless_0004": lrs(SLITLESS[0], "0004", SLITLESS[1]),
    "slitless_0006": lrs(SLITLESS[0], "0006", SLITLESS[1], 2, VELOSYS=23456.7),
    "grism": grism(),
    "grism_256": grism(256, XOFFSET=0.4, YOFFSET=-0.3, VELOSYS=15000.0),
}  # fmt: skip
GRISMS = [name for name in CASES if name.startswith("grism")]

PEER = """
import json, logging, sys
import numpy as np
logging.disable(logging.WARNING)
from jwst.assign_wcs import AssignWcsStep
from jwst.extract_2d import Extract2dStep
from stdatamodels.jwst import datamodels

def call(step, model, files):
    kinds = step.reference_file_types
    return step.call(model, **{f"override_{kind}": files.get(kind, "N/A") for kind in kinds})

def seen(model, order=()):
    y, x = np.mgrid[: model.data.shape[-2], : model.data.shape[-1]].astype(float)
    found = np.broadcast_arrays(*model.meta.wcs(x, y, *order))[:3]
    back = np.broadcast_arrays(*model.meta.wcs.invert(*model.meta.wcs(x, y, *order)))[:2]
    return np.array(found), np.array(back)

for name, (path, product, files) in json.load(open(sys.argv[1])).items():
    model = call(AssignWcsStep, path, files)
    if name.startswith("grism"):
        model = call(Extract2dStep, model, files)
    world, back = seen(model)
    info = model.meta.wcsinfo
    facts = {
        "frames": model.meta.wcs.available_frames, "axis": info.dispersion_direction,
        "box": model.meta.wcs.bounding_box.bounding_box(order="F"), "specsys": info.specsys,
        "region": info.s_region,
        "place": [model.meta.dither.dithered_ra, model.meta.dither.dithered_dec],
    }
    arrays = {}
    if name.startswith("grism"):
        parts = ("data", "err", "dq", "var_poisson", "var_rnoise", "wavelength")
        arrays = {part: np.array(getattr(model, part)) for part in parts}
        keys = ("name", "xstart", "ystart", "xsize", "ysize", "source_id", "source_xpos",
                "source_ypos")
        facts["slit"] = [getattr(model, key) for key in keys]
        facts["more"] = [info.spectral_order, info.siaf_xref_sci, info.siaf_yref_sci]
    with datamodels.open(product, strict_validation=True) as ours:
        ours.validate()
        facts["opened"] = type(ours).__name__
        arrays["ours"], arrays["ours_back"] = seen(ours)
        if name.startswith("grism"):
            arrays["ours_wavelength"] = np.array(ours.wavelength)
            facts["ours_slit"] = [getattr(ours, key) for key in keys]
    np.savez(f"{name}.npz", world=world, back=back, **arrays)
    json.dump(facts, open(f"{name}.json", "w"), default=float)
"""


def meta(kind, instrument):
    return {
        "reftype": kind, "telescope": "JWST", "author": "test", "description": "test",
        "pedigree": "GROUND", "useafter": "2014-01-01T00:00:00", "instrument": instrument,
        "exposure": {"type": "NRC_TSGRISM", "p_exptype": "NRC_TSGRISM"}, "title": "test",
    }  # fmt: skip


@cache
def flight():
    """The distortion in a flight product: what follows the shift by the filter's offset."""
    path = REALDATA / "nircam_wcs" / "jw01345001001_02201_00001_nrcalong_tweakreg.asdf"
    if not path.is_file():
        pytest.skip(f"real data is absent: {path} (set CALWEBB_REALDATA)")
    return read_tree(path.read_bytes())["wcs"]["steps"][0]["transform"]["forward"][1]


CORNERS = {
    "V2VERT1": -412.6, "V2VERT2": -417.3, "V2VERT3": -417.2, "V2VERT4": -412.5,
    "V3VERT1": -400.6, "V3VERT2": -400.2, "V3VERT3": -399.7, "V3VERT4": -400.1,
}  # fmt: skip


def with_corners(path, folder):
    """A specwcs reference that has the corners of the slit, as those of today."""
    if not path.is_file():
        pytest.skip(f"real data is absent: {path} (set CALWEBB_REALDATA)")
    with fits.open(path) as hdus:
        hdus[0].header.update(CORNERS)
        hdus.writeto(folder / "corners.fits")
    return folder / "corners.fits"


def resolve(kind, source, folder):
    path = folder / f"{kind}.asdf"
    if source == "flight":
        instrument = {"name": "NIRCAM", "detector": "NRCALONG"}
        path.write_bytes(write_tree({"meta": meta(kind, instrument), "model": flight()}))
    elif source.startswith("corners"):
        path = with_corners(CACHE / source.split()[1], folder)
    elif source == "range":
        # version 3 of the official package wants the pupil before the filter
        tree = {
            "meta": meta(kind, {"name": "NIRCAM"}), "order": [1], "waverange_selector": ["F322W2"],
            "extract_orders": [["F322W2", [1]]],
            "wavelengthrange": [[1, "GRISMR", "F322W2", 2.5, 4.1]],
        }  # fmt: skip
        path.write_bytes(write_tree(tree))
    else:
        path = CACHE / source
        if not path.is_file():
            pytest.skip(f"real data is absent: {path} (set CALWEBB_REALDATA)")
    return str(path)


def exposure(keys, nints):
    shape = (keys["SUBSIZE2"], keys["SUBSIZE1"])
    shape = shape if nints is None else (nints, *shape)
    rng = np.random.default_rng(3)
    data = rng.normal(size=shape).astype("f4")
    flags = rng.integers(0, 8, shape).astype("u4")
    suffix = "rate" if nints is None else "rateints"
    metadata = Metadata(POINTING | keys, f"x_{suffix}.fits")
    return Image(metadata, data, data + 9, flags, data + 1, data + 2)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Exposure, product, model, and references of each case."""
    folder = tmp_path_factory.mktemp("wcs")
    result = {}
    for name, (keys, sources, nints) in CASES.items():
        path = folder / f"{name}_rate.fits"
        write_image(exposure(keys, nints), path)
        files = {kind: resolve(kind, source, folder) for kind, source in sources.items()}
        steps = (assign_wcs, extract_2d) if name in GRISMS else (assign_wcs,)
        model = read_image(path)
        for step in steps:
            given = References({}).with_overrides(
                dict.fromkeys(step.STEP.references, "N/A") | files
            )
            model, status = step.run(model, given, step.STEP.parameters())
            assert str(status) == "COMPLETE"
        product = folder / f"{name}_{steps[-1].STEP.name}.fits"
        write_image(model, product)
        result[name] = path, product, model, files
    return folder, result


@pytest.fixture(scope="module")
def official(made):
    """What the official steps say, and how its data models see our products."""
    folder, cases = made
    jobs = {name: (str(path), str(product), files) for name, (path, product, _, files) in
            cases.items()}  # fmt: skip
    (folder / "jobs.json").write_text(json.dumps(jobs))
    run_official(PEER, "jobs.json", folder=folder)
    return {
        name: (dict(np.load(folder / f"{name}.npz")),
               json.loads((folder / f"{name}.json").read_text()))
        for name in CASES
    }  # fmt: skip


def within(wavelength):
    """Where a grism's dispersion is between its ends."""
    return (wavelength > 2.41) & (wavelength < 4.99)


def in_pixels(world, difference):
    """Differences of right ascension, declination and wavelength in units of what a pixel makes."""
    axis = 2 if np.nanmax(np.abs(np.diff(world[2], axis=1))) > 0 else 1
    steps = np.abs(np.diff(world[2], axis=axis - 1))
    wavelength = np.nanmax(np.abs(difference[2])) / np.nanmin(steps)
    degrees = 0.06 / 3600.0
    return (
        np.nanmax(np.abs(difference[0]) * np.cos(np.deg2rad(69.5))) / degrees,
        np.nanmax(np.abs(difference[1])) / degrees,
        wavelength,
    )


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_every_pixel_as_the_official_step(made, official, name):
    model, theirs = made[1][name][2], official[name][0]["world"]
    ours = np.array(world_of_pixels(model.wcs, model.data.shape))
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    assert np.isfinite(ours).any()
    assert max(in_pixels(theirs, ours - theirs)) < 1e-8


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_official_reader_sees_the_same(made, official, name):
    """What is written here is the same gwcs when the official data models open it."""
    model, (arrays, facts) = made[1][name][2], official[name]
    assert facts["opened"] == (
        "SlitModel" if name in GRISMS else "CubeModel" if model.data.ndim == 3 else "ImageModel"
    )
    assert np.nanmax(np.abs(arrays["ours"] - arrays["world"])) < 1e-12
    difference = np.abs(arrays["ours_back"] - arrays["back"])
    if name in GRISMS:
        # past its ends the dispersion goes on in memory, and stops in a file
        difference = difference[:, within(arrays["world"][2])]
    assert np.nanmax(difference) < 1e-6


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_frames_box_and_keywords(made, official, name):
    model, facts = made[1][name][2], official[name][1]
    assert model.wcs.available_frames == facts["frames"]
    assert np.array(model.wcs.bounding_box) == pytest.approx(np.array(facts["box"]))
    metadata = model.metadata
    assert [metadata["DISPAXIS"], metadata["SPECSYS"]] == [facts["axis"], facts["specsys"]]
    if facts["region"] is None:
        assert "S_REGION" not in metadata
    else:
        ours, theirs = (np.array(text.split()[2:], float) for text in
                        (metadata["S_REGION"], facts["region"]))  # fmt: skip
        assert ours == pytest.approx(theirs, abs=2e-9)
    assert (facts["region"] is not None) == (name == "slit_corners")
    if facts["place"][0] is None:
        assert "DITH_RA" not in metadata
    else:
        place = [metadata["DITH_RA"], metadata["DITH_DEC"]]
        assert place == pytest.approx(facts["place"], abs=1e-10)
    assert (facts["place"][0] is not None) == name.startswith("slit_")


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.parametrize("name", GRISMS)
def test_cut_out_as_the_official_step(made, official, name):
    model, (arrays, facts) = made[1][name][2], official[name]
    for part in ("data", "err", "dq", "var_poisson", "var_rnoise"):
        np.testing.assert_array_equal(getattr(model, part), arrays[part], err_msg=part)
    np.testing.assert_allclose(model.planes["WAVELENGTH"], arrays["wavelength"], rtol=1e-7)
    np.testing.assert_array_equal(model.planes["WAVELENGTH"], arrays["ours_wavelength"])
    keys = ("SLTNAME", "SLTSTRT1", "SLTSTRT2", "SLTSIZE1", "SLTSIZE2", "SOURCEID", "SRCXPOS",
            "SRCYPOS")  # fmt: skip
    found = [model.metadata[key] for key in keys]
    assert found[0] == facts["slit"][0]
    assert found[1:] == pytest.approx(facts["slit"][1:], abs=1e-6)
    assert facts["ours_slit"][1:] == pytest.approx(facts["slit"][1:], abs=1e-6)
    more = [model.metadata[key] for key in ("SPORDER", "XREF_SCI", "YREF_SCI")]
    assert more == pytest.approx(facts["more"], abs=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_there_and_back(made, name):
    model = made[1][name][2]
    ra, dec, wavelength = world_of_pixels(model.wcs, model.data.shape)
    y, x = np.mgrid[: model.data.shape[-2], : model.data.shape[-1]]
    seen = np.isfinite(wavelength)
    if name in GRISMS:
        # all pixels look at the source
        seen &= within(wavelength)
    back = np.array(model.wcs.invert(ra, dec, wavelength, with_bounding_box=False))
    assert np.abs(back[0] - x)[seen].max() < 1e-6
    assert name in GRISMS or np.abs(back[1] - y)[seen].max() < 1e-6


@pytest.mark.parametrize("name", CASES)
def test_products_hold_what_was_made(made, name):
    _, product, model, _ = made[1][name]
    again = read_image(product)
    assert type(again) is type(model)
    np.testing.assert_array_equal(wavelengths(again), wavelengths(model))
    np.testing.assert_array_equal(
        world_of_pixels(again.wcs, model.data.shape), world_of_pixels(model.wcs, model.data.shape)
    )
    if isinstance(model, Slit):
        assert again.metadata["SLTNAME"] == "1"
        assert again.metadata.homes["SLTSTRT1"] == "SCI"


def run_one(made, name, folder, **options):
    path, _, _, files = made[1][name]
    return run_spec2(path, output_dir=folder, overrides=files | {"filteroffset": "N/A"}, **options)


def test_steps_of_the_program(made, tmp_path):
    (product,) = run_one(made, "grism", tmp_path / "a", only="assign_wcs").outputs
    image = read_image(product)
    assert image.metadata["S_WCS"] == "COMPLETE"
    assert image.metadata["R_SPCWCS"] == "jwst_nircam_specwcs_0010.asdf"
    range_file = {"wavelengthrange": made[1]["grism"][3]["wavelengthrange"]}
    (product,) = run_spec2(
        product, output_dir=tmp_path / "b", only="extract_2d", overrides=range_file
    ).outputs
    slit = read_image(product)
    assert isinstance(slit, Slit)
    np.testing.assert_array_equal(
        slit.planes["WAVELENGTH"], made[1]["grism"][2].planes["WAVELENGTH"]
    )
    with pytest.raises(InputError, match="extract_2d has been done already"):
        run_spec2(product, output_dir=tmp_path / "c", only="extract_2d", overrides=range_file)


def test_wavelengths_of_the_table_by_an_option(made, tmp_path):
    options = {"assign_wcs": {"lrs_smoothing": 0.0}}
    (product,) = run_one(
        made, "slitless_0004", tmp_path, only="assign_wcs", parameters=options
    ).outputs
    exact, smooth = wavelengths(read_image(product)), wavelengths(made[1]["slitless_0004"][2])
    assert exact[393, 40] == pytest.approx(4.2, abs=1e-6)
    assert smooth[393, 40] == pytest.approx(4.229, abs=1e-3)


@pytest.mark.parametrize("height", [40, 50, 64])
def test_height(made, height):
    _, _, _, files = made[1]["grism_256"]
    model = exposure(CASES["grism_256"][0], 2)
    given = References({}).with_overrides(files | {"filteroffset": "N/A"})
    model, _ = assign_wcs.run(model, given, assign_wcs.AssignWcsParameters())
    parameters = extract_2d.Extract2dParameters(tsgrism_extract_height=height)
    slit, _ = extract_2d.run(model, given, parameters)
    assert slit.data.shape == (2, height, 2048)
    assert slit.planes["WAVELENGTH"].shape == (height, 2048)
    assert slit.wcs.bounding_box[1] == (-0.5, height - 0.5)


def test_refusals(made):
    keys, _, _ = CASES["grism"]
    files = made[1]["grism"][3] | {"filteroffset": "N/A"}
    given = References({}).with_overrides(files)
    model = exposure(keys, None)
    parameters = extract_2d.Extract2dParameters(tsgrism_extract_height=20)
    with pytest.raises(InputError, match="has no WCS; run assign_wcs before extract_2d"):
        extract_2d.run(model, given, parameters)
    model, _ = assign_wcs.run(model, given, assign_wcs.AssignWcsParameters())
    with pytest.raises(InputError, match="20 rows are to be cut out, but the star is in row 34"):
        extract_2d.run(model, given, parameters)
    without = given.with_overrides({"wavelengthrange": "N/A"})
    with pytest.raises(ReferenceFileError, match="the wavelengthrange reference is N/A"):
        extract_2d.run(model, without, extract_2d.Extract2dParameters())
    for kind, message in (("specwcs", "the specwcs reference is N/A"),
                          ("distortion", "the distortion reference is N/A")):  # fmt: skip
        with pytest.raises(ReferenceFileError, match=message):
            assign_wcs.run(
                exposure(keys, None), given.with_overrides({kind: "N/A"}),
                assign_wcs.AssignWcsParameters(),
            )  # fmt: skip
    slit, _ = extract_2d.run(model, given, extract_2d.Extract2dParameters())
    with pytest.raises(InputError, match="its spectra are cut out already"):
        extract_2d.run(slit, given, extract_2d.Extract2dParameters())
    model.metadata["EXP_TYPE"] = "NIS_SOSS"
    with pytest.raises(InputError, match="WCS of EXP_TYPE NIS_SOSS is not available yet"):
        assign_wcs.run(model, given, assign_wcs.AssignWcsParameters())
    with pytest.raises(InputError, match="extract_2d for EXP_TYPE NIS_SOSS is not available yet"):
        extract_2d.run(model, given, extract_2d.Extract2dParameters())
