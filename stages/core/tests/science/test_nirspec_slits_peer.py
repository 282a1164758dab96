"""NIRSpec's fixed slits with real optics: beside the official steps, and flight products.

The optics are those of the CRDS cache of the real data, with made slits about where the real ones
are. All cases go through one process of the official package.
"""

import json

import asdf
import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.models import Image
from calwebb_core.framework.plain_asdf import read_tree
from calwebb_core.framework.products import read_image
from calwebb_core.framework.references import References
from calwebb_core.science.nirspec.cutting import cut
from calwebb_core.science.nirspec.open_slits import slit_keywords
from calwebb_core.science.nirspec.slit_worlds import chosen, slit_worlds
from calwebb_core.science.nirspec.slits import TYPES
from calwebb_core.science.nirspec.zero_point import correct, zero_point
from calwebb_core.science.world import World
from official_process import REALDATA, run_official
from spectrograph_optics import FIELDS, REAL, SLITS, keywords

pytestmark = pytest.mark.realdata

COMMON = {
    "camera": "camera_0004", "collimator": "collimator_0004", "fpa": "fpa_0005",
    "ote": "ote_0005", "wavelengthrange": "wavelengthrange_0004", "wavecorr": "wavecorr_0001",
}  # fmt: skip
DISPERSERS = {
    "PRISM": ("disperser_0034", "CLEAR", "fore_0028"),
    "G140M": ("disperser_0032", "F100LP", "fore_0023"),
    "G235M": ("disperser_0037", "F170LP", "fore_0027"),
    "G395M": ("disperser_0036", "F290LP", "fore_0022"),
    "G395H": ("disperser_0035", "F290LP", "fore_0022"),
}
ALL = {"SUBARRAY": "ALLSLITS", "SUBSTRT2": 897, "SUBSIZE2": 256}
SUB2048 = {"SUBARRAY": "SUB2048", "SUBSTRT2": 957, "SUBSIZE2": 52, "EXP_TYPE": "NRS_BRIGHTOBJ"}
SUB512 = SUB2048 | {"SUBARRAY": "SUB512", "SUBSTRT1": 1025, "SUBSIZE1": 512}
# where the middle of a slit is in V2, V3
AIMED = {
    "S200A1": (331.867, -479.458), "S200A2": (314.694, -489.649), "S400A1": (321.591, -478.144),
    "S1600A1": (321.263, -473.851), "S200B1": (440.444, -364.957),
}  # fmt: skip
CASES = {
    "G140M": ALL | {"GRATING": "G140M", "FXD_SLIT": "S200A1"},
    "G235M": ALL | {"GRATING": "G235M", "DETECTOR": "NRS2", "FXD_SLIT": "S200B1"},
    "G395M": ALL | {"GRATING": "G395M", "FXD_SLIT": "S400A1"},
    "G395H": ALL | {"GRATING": "G395H"},
    "G395H NRS2": ALL | {"GRATING": "G395H", "DETECTOR": "NRS2"},
    "PRISM": ALL | {"GRATING": "PRISM", "FXD_SLIT": "S200A2"},
    "PRISM NRS2": ALL | {"GRATING": "PRISM", "DETECTOR": "NRS2", "FXD_SLIT": "S200B1"},
    "series G395H": SUB2048 | {"GRATING": "G395H"},
    "series G395H NRS2": SUB2048 | {"GRATING": "G395H", "DETECTOR": "NRS2"},
    "series PRISM": SUB512 | {"GRATING": "PRISM"},
}
PEER = """
import json, logging, sys
import numpy as np
logging.disable(logging.WARNING)
from jwst.assign_wcs import AssignWcsStep
from jwst.extract_2d import Extract2dStep
from jwst.wavecorr import WavecorrStep
from stdatamodels.jwst import datamodels
for name, (path, files) in json.load(open(sys.argv[1])).items():
    with datamodels.open(path) as small:
        series = small.meta.exposure.type == "NRS_BRIGHTOBJ"
        model = datamodels.CubeModel() if series else datamodels.ImageModel()
        model.update(small)
        area = small.meta.subarray
        shape = (2,) * series + (area.ysize, area.xsize)
    for array, kind in (("data", "f4"), ("err", "f4"), ("dq", "u4"), ("var_poisson", "f4"),
                        ("var_rnoise", "f4")):
        setattr(model, array, np.zeros(shape, kind))
    if series:
        model.int_times = np.zeros(2, dtype=model.get_dtype("int_times"))
    steps = (AssignWcsStep, Extract2dStep, WavecorrStep)
    for step in steps:
        if step is WavecorrStep:
            slits = list(model.slits) if hasattr(model, "slits") else [model]
            before = {slit.name: np.array(slit.wavelength) for slit in slits}
            for slit in slits:
                point = slit.name == model.meta.instrument.fixed_slit
                slit.source_type = "POINT" if point else "EXTENDED"
        kinds = step.reference_file_types
        model = step.call(model, **{f"override_{k}": files.get(k, "N/A") for k in kinds})
    slits = list(model.slits) if hasattr(model, "slits") else [model]
    arrays, words = {}, {}
    for slit in slits:
        arrays["before " + slit.name] = before[slit.name]
        arrays["after " + slit.name] = np.array(slit.wavelength)
        ny, nx = slit.data.shape[-2:]
        y, x = np.mgrid[0:ny:3, 0:nx:41].astype(float)
        arrays["world " + slit.name] = np.array(slit.meta.wcs(x, y))
        words[slit.name] = [
            slit.xstart, slit.ystart, slit.source_xpos, slit.source_ypos, slit.source_id,
            slit.shutter_id, slit.meta.wcsinfo.s_region, slit.meta.wcs.available_frames,
            slit.meta.wcsinfo.spectral_order, slit.meta.wcsinfo.waverange_start,
        ]
    np.savez(name + ".npz", words=json.dumps(words), **arrays)
"""


def values_of(name):
    grating = CASES[name]["GRATING"]
    slit = CASES[name].get("FXD_SLIT", "S1600A1")
    aim = dict(zip(("V2_REF", "V3_REF"), AIMED[slit], strict=True))
    dither = {"XOFFSET": 0.01, "YOFFSET": 0.02} if slit != "S1600A1" else {}
    return keywords(**CASES[name], FILTER=DISPERSERS[grating][1], **aim, **dither)


@pytest.fixture(scope="module")
def msa(tmp_path_factory):
    """A file of slits as the official one is."""
    from astropy.modeling.models import Rotation2D, Shift

    model = Rotation2D(0.02) | Shift(1e-5) & Shift(-2e-5)
    rows = np.array([*SLITS, (6, 0.0413, 6.9e-05, 1.2e-3, 1.2e-3)], dtype=FIELDS)
    parts = {f"Q{i}": {"model": model, "data": rows} for i in range(1, 6)}
    meta = {
        "reftype": "msa", "telescope": "JWST", "author": "test", "description": "test",
        "pedigree": "GROUND", "useafter": "2014-01-01T00:00:00", "model_type": "MSAModel",
        "instrument": {"name": "NIRSPEC"}, "exposure": {"type": "NRS_FIXEDSLIT"},
    }  # fmt: skip
    path = tmp_path_factory.mktemp("msa") / "msa.asdf"
    asdf.AsdfFile(parts | {"meta": meta}).write_to(path)
    return path


def files_of(name, msa):
    disperser, _, fore = DISPERSERS[CASES[name]["GRATING"]]
    names = COMMON | {"disperser": disperser, "fore": fore}
    paths = {kind: REAL / f"jwst_nirspec_{file}.asdf" for kind, file in names.items()}
    for path in paths.values():
        if not path.is_file():
            pytest.skip(f"real data is absent: {path} (set CALWEBB_REALDATA)")
    return paths | {"msa": msa}


def our_slits(name, msa):
    """The slits as they were cut out, and as corrected."""
    metadata = values_of(name)
    references = References({}).with_overrides(files_of(name, msa))
    shape = (metadata["SUBSIZE2"], metadata["SUBSIZE1"])
    pixels = np.zeros(shape, "f4")
    image = Image(metadata, pixels, pixels, np.zeros(shape, "u4"))
    optics = {kind: references.load(kind, metadata, cutout=False) for kind in TYPES}
    image.wcs, _ = slit_worlds(metadata, optics, (-0.55, 0.55))
    table = references.load("wavecorr", metadata, cutout=False)
    result = {}
    for aperture, world in chosen(image):
        slit = cut(image, world, slit_keywords(metadata, world, aperture))
        before = slit.planes["WAVELENGTH"]
        if aperture.name == metadata["FXD_SLIT"]:
            correct(slit, zero_point(table, aperture.name), slit.metadata["SRCXPOS"])
        result[aperture.name] = before, slit
    return result


@pytest.fixture(scope="module")
def ours(msa):
    """Our slits by case."""
    return {name: our_slits(name, msa) for name in CASES}


@pytest.fixture(scope="module")
def official(tmp_path_factory, msa):
    """The official arrays and keywords by case."""
    from calwebb_core.framework.products import write_image

    folder = tmp_path_factory.mktemp("slits")
    jobs = {}
    for name in CASES:
        path = folder / f"{name}_rate.fits"
        pixels = np.zeros((8, 8), np.float32)
        write_image(Image(values_of(name), pixels, pixels, pixels.astype("u4")), path)
        jobs[name] = (str(path), {k: str(file) for k, file in files_of(name, msa).items()})
    (folder / "jobs.json").write_text(json.dumps(jobs))
    run_official(PEER, "jobs.json", folder=folder)
    return {name: np.load(folder / f"{name}.npz") for name in CASES}


def common(ours, theirs, words):
    """The rows that both cut out; once the official box has a row of padding more."""
    _, slit = ours
    first = slit.metadata["SLTSTRT2"] - words[1]
    assert first in (0, 1)
    rows = min(slit.data.shape[0], theirs.shape[0] - first)
    assert theirs.shape[0] - rows <= 1
    return rows, theirs[first : first + rows]


def in_pixels(ours, theirs):
    pixel = np.abs(np.gradient(theirs.astype(float), axis=1))
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    return np.nanmax(np.abs(ours.astype(float) - theirs) / pixel)


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_same_wavelengths_as_the_official_steps(ours, official, name):
    words = json.loads(str(official[name]["words"]))
    assert set(words) == set(ours[name])
    for slit, known in words.items():
        before, found = ours[name][slit]
        rows, theirs = common(ours[name][slit], official[name][f"before {slit}"], known)
        assert in_pixels(before[:rows], theirs) < 1e-3
        if "wavecorr_frame" in found.wcs.available_frames:
            assert found.wcs.available_frames == known[7]
            rows, theirs = common(ours[name][slit], official[name][f"after {slit}"], known)
            assert in_pixels(found.planes["WAVELENGTH"][:rows], theirs) < 1e-3


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_same_sky_as_the_official_steps(ours, official, name):
    for slit, known in json.loads(str(official[name]["words"])).items():
        found = ours[name][slit][1]
        theirs = official[name][f"world {slit}"]
        ny, nx = official[name][f"before {slit}"].shape
        y, x = np.mgrid[0:ny:3, 0:nx:41].astype(float)
        mine = found.wcs(x, y - (found.metadata["SLTSTRT2"] - known[1]))
        for axis in (0, 1):
            assert np.nanmax(np.abs(mine[axis] - theirs[axis])) < 1e-9


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_same_keywords_as_the_official_steps(ours, official, name):
    for slit, known in json.loads(str(official[name]["words"])).items():
        found = ours[name][slit][1].metadata
        mine = [found[k] for k in ("SLTSTRT1", "SOURCEID", "SHUTTRID", "S_REGION")]
        assert mine == [known[0], known[4], known[5], known[6]]
        place = [found[k] for k in ("SRCXPOS", "SRCYPOS")]
        assert place == pytest.approx(known[2:4], abs=1e-9)


MOS = sorted((REALDATA / "nirspec_mos").glob("*_phot.*.fits"))


@pytest.mark.parametrize("path", MOS, ids=lambda path: path.name[:25])
def test_flight_wcs(path):
    """The WCS in a flight product gives the wavelengths that are stored beside it."""
    with fits.open(path) as hdus:
        stored = hdus["WAVELENGTH"].data
        content = bytes(hdus["ASDF"].data["ASDF_METADATA"].tobytes())
    tree = read_tree(content)
    world = World.from_node(tree["meta"]["wcs"])
    y, x = np.mgrid[: stored.shape[0], : stored.shape[1]].astype(float)
    found = world(x, y)
    assert in_pixels(found[2].astype("f4"), stored) < 1e-3
    back = world.invert(*found, with_bounding_box=False)
    lit = np.isfinite(found[2])
    assert np.abs(np.subtract(back, (x, y)))[:, lit].max() < 1e-6
    theirs = World.gwcs(world)(x, y)
    assert np.array(found) == pytest.approx(np.array(theirs), rel=1e-12, nan_ok=True)


@pytest.mark.skipif(not MOS, reason="real data is absent: nirspec_mos (set CALWEBB_REALDATA)")
def test_flight_product_is_read():
    product = read_image(MOS[0])
    assert isinstance(product.wcs, World)
    assert product.wcs.available_frames[3] == "slit_frame"
