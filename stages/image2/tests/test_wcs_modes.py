"""The WCS of every imaging mode with real references: beside the official step's, the SIAF's,
and what a FITS viewer makes of the header.

The references are those of the CRDS cache of the real data; for NIRCam's ten detectors the
distortion of flight products (program 1345); for the guiders the polynomials of the SIAF. All
cases go through one process of the official package, whose start takes longer than they do.
"""

import json
import re
import warnings
from functools import cache

import numpy as np
import pytest
from astropy.io import fits
from astropy.modeling.models import Mapping, Polynomial2D
from astropy.wcs import WCS

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.plain_asdf import read_tree, write_tree
from calwebb_core.framework.products import read_image, write_image
from calwebb_core.framework.references import References
from calwebb_core.science.footprint import separation, unit_vectors
from calwebb_core.science.wcs import imaging_wcs, model_node
from calwebb_image2.pipeline import select
from official_process import REALDATA, run_official

pytestmark = pytest.mark.realdata

CACHE = REALDATA / "crds_cache" / "references" / "jwst"
POINTING = {
    "RA_REF": 80.0, "DEC_REF": -69.5, "ROLL_REF": 120.0, "V3I_YANG": -0.07, "VPARITY": -1,
    "VA_SCALE": 1.00004, "TELESCOP": "JWST", "DATE-OBS": "2023-05-01",
    "TIME-OBS": "12:00:00.000", "BUNIT": "DN/s", "NINTS": 1, "NGROUPS": 5,
}  # fmt: skip
NIRSPEC = {
    "camera": "nirspec/jwst_nirspec_camera_0004.asdf",
    "collimator": "nirspec/jwst_nirspec_collimator_0004.asdf",
    "disperser": "nirspec/jwst_nirspec_disperser_0038.asdf",
    "fore": "nirspec/jwst_nirspec_fore_0028.asdf",
    "fpa": "nirspec/jwst_nirspec_fpa_0005.asdf",
    "ote": "nirspec/jwst_nirspec_ote_0005.asdf",
    "wavelengthrange": "nirspec/jwst_nirspec_wavelengthrange_0004.asdf",
}
MIRI = {
    "distortion": "miri/jwst_miri_distortion_0028.asdf",
    "filteroffset": "miri/jwst_miri_filteroffset_0005.asdf",
}
NIRISS = {"distortion": "niriss/jwst_niriss_distortion_0010.asdf"}


def nircam(detector, kind="NRC_IMAGE", window=(1, 1, 2048, 2048)):
    long = detector.endswith("LONG")
    values = {
        "CHANNEL": "LONG" if long else "SHORT", "MODULE": detector[3],
        "FILTER": "F444W" if long else "F200W", "PUPIL": "CLEAR", "V2_REF": -0.3, "V3_REF": -492.9,
    }  # fmt: skip
    offsets = {"A": "0002", "B": "0001"}[detector[3]]
    files = {"distortion": f"flight {detector}"}
    if long:
        files["filteroffset"] = f"nircam/jwst_nircam_filteroffset_{offsets}.asdf"
    return case("NIRCAM", detector, kind, window, files, **values)


def case(instrument, detector, kind, window, files, **values):
    names = ("SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2")
    keywords = {"INSTRUME": instrument, "DETECTOR": detector, "EXP_TYPE": kind}
    return keywords | dict(zip(names, window, strict=True)) | values, files


def niriss(kind, window=(1, 1, 2048, 2048), **values):
    keys = {"FILTER": "CLEAR", "PUPIL": "F150W", "V2_REF": -290.1, "V3_REF": -697.5} | values
    return case("NIRISS", "NIS", kind, window, NIRISS, **keys)


def miri(kind, band, window=(1, 1, 1032, 1024)):
    keys = {"FILTER": band, "V2_REF": -453.4, "V3_REF": -373.8}
    return case("MIRI", "MIRIMAGE", kind, window, MIRI, **keys)


def nirspec(detector, kind, window=(1, 1, 2048, 2048), band="F110W", **tilt):
    values = {
        "FILTER": band, "GRATING": "MIRROR", "LAMP": "NO_LAMP", "V2_REF": 378.5, "V3_REF": -428.4,
    }  # fmt: skip
    return case("NIRSPEC", detector, kind, window, NIRSPEC, **values, **tilt)


def fgs(number, kind, window=(1, 1, 2048, 2048)):
    files = {"distortion": f"siaf FGS{number}"}
    v2, v3 = {1: (205.9, -699.2), 2: (22.8, -698.7)}[number]
    return case("FGS", f"GUIDER{number}", kind, window, files, V2_REF=v2, V3_REF=v3)


WORLD = re.compile(r"WCSAXES|C(TYPE|UNIT|RPIX|RVAL)\d|CD\d_\d|RADESYS|[AB]P?_(ORDER|\d_\d)")
ROUNDING = 1e-7  # pixels, of doubles in degrees
TILT = {"GWA_XTIL": 0.3520, "GWA_YTIL": 0.1234}
CASES = {
    **{d: nircam(d) for d in (f"NRC{m}{n}" for m in "AB" for n in ("1", "2", "3", "4", "LONG"))},
    "NRC_CORON": nircam("NRCALONG", "NRC_CORON", (737, 1505, 320, 320)),
    "NRC_TSIMAGE": nircam("NRCB1", "NRC_TSIMAGE", (961, 961, 64, 64)),
    "NRC_TACQ": nircam("NRCA2", "NRC_TACQ", (1001, 1301, 128, 128)),
    "NIS_IMAGE": niriss("NIS_IMAGE"),
    "NIS_AMI": niriss("NIS_AMI", (1045, 1, 80, 80), FILTER="F380M", PUPIL="NRM"),
    "NIS_TACQ": niriss("NIS_TACQ", (961, 961, 64, 64)),
    "MIR_IMAGE": miri("MIR_IMAGE", "F770W"),
    "MIR_LYOT": miri("MIR_LYOT", "F2300C", (1, 717, 320, 304)),
    "MIR_4QPM": miri("MIR_4QPM", "F1065C", (1, 19, 288, 224)),
    "MIR_TACQ": miri("MIR_TACQ", "FND", (405, 40, 48, 48)),
    "FGS_IMAGE": fgs(1, "FGS_IMAGE"),
    "FGS_FOCUS": fgs(2, "FGS_FOCUS", (1001, 1101, 128, 128)),
    "NRS_TACQ": nirspec("NRS1", "NRS_TACQ", **TILT),
    "NRS_WATA": nirspec("NRS2", "NRS_WATA", (1001, 801, 32, 32), **TILT),
    "NRS_IMAGE": nirspec("NRS2", "NRS_IMAGE", band="CLEAR"),
}
PEER = """
import json, logging, sys
import numpy as np
logging.disable(logging.WARNING)
from jwst.assign_wcs import AssignWcsStep
from stdatamodels.jwst import datamodels
result = {}
for name, (path, files) in json.load(open(sys.argv[1])).items():
    with datamodels.open(path) as small:
        model = datamodels.ImageModel()
        model.update(small)
        area = small.meta.subarray
        model.data = np.zeros((area.ysize, area.xsize), np.float32)
    kinds = AssignWcsStep.reference_file_types
    model = AssignWcsStep.call(model, **{f"override_{k}": files.get(k, "N/A") for k in kinds})
    ny, nx = model.data.shape
    y, x = np.meshgrid(np.linspace(-0.5, ny - 0.5, 9), np.linspace(-0.5, nx - 0.5, 9),
                       indexing="ij")
    ra, dec = model.meta.wcs(x, y, with_bounding_box=False)
    info = model.meta.wcsinfo
    with datamodels.open(path.replace("_rate", "_cal")) as product:
        seen = product.meta.wcs(x, y, with_bounding_box=False)
        opened = type(product).__name__
    result[name] = {
        "seen": [values.tolist() for values in seen], "opened": opened,
        "ra": ra.tolist(), "dec": dec.tolist(), "frames": model.meta.wcs.available_frames,
        "box": model.meta.wcs.bounding_box.bounding_box(order="F"), "region": info.s_region,
        "order": info.spectral_order, "low": info.waverange_start, "high": info.waverange_end,
    }
json.dump(result, open(sys.argv[2], "w"), default=float)
"""


def meta(keywords):
    instrument = {"name": keywords["INSTRUME"], "detector": keywords["DETECTOR"]}
    return {
        "reftype": "distortion", "telescope": "JWST", "author": "test", "description": "test",
        "pedigree": "GROUND", "useafter": "2014-01-01T00:00:00", "instrument": instrument,
        "exposure": {"type": keywords["EXP_TYPE"]}, "input_units": "pixel",
        "output_units": "arcsec", "model_type": "DistortionModel",
    }  # fmt: skip


@cache
def flight(detector):
    """The distortion in a flight product: what follows the shift by the filter's offset."""
    name = f"jw01345001001_02201_00001_{detector.lower()}_tweakreg.asdf"
    path = REALDATA / "nircam_wcs" / name
    if not path.is_file():
        pytest.skip(f"real data is absent: {path} (set CALWEBB_REALDATA)")
    return read_tree(path.read_bytes())["wcs"]["steps"][0]["transform"]["forward"][1]


@cache
def siaf(aperture):
    """A polynomial of the fifth degree to the SIAF's transform, and one for its inverse."""
    pysiaf = pytest.importorskip("pysiaf")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        places = pysiaf.Siaf("FGS")[f"{aperture}_FULL"]
        y, x = np.mgrid[1:2049:42j, 1:2049:42j]
        v2, v3 = places.sci_to_tel(x, y)
    pixels, angles = (x - 1, y - 1), (v2, v3)
    forward = Mapping((0, 1, 0, 1)) | polynomial(pixels, v2) & polynomial(pixels, v3)
    forward.inverse = Mapping((0, 1, 0, 1)) | polynomial(angles, x - 1) & polynomial(angles, y - 1)
    return model_node(forward)


def polynomial(inputs, target):
    from astropy.modeling.fitting import LinearLSQFitter

    (a, b), (c, d) = ((float(values.min()), float(values.max())) for values in inputs)
    start = Polynomial2D(5, x_domain=(a, b), y_domain=(c, d))
    return LinearLSQFitter()(start, *inputs, target)


def resolve(source, keywords, folder):
    """Return the path of a reference; those that aren't in the cache are written."""
    if " " not in source:
        path = CACHE / source
        if not path.is_file():
            pytest.skip(f"real data is absent: {path} (set CALWEBB_REALDATA)")
        return path
    where, name = source.split()
    model = flight(name) if where == "flight" else siaf(name)
    path = folder / f"{name}_distortion.asdf"
    path.write_bytes(write_tree({"meta": meta(keywords), "model": model}))
    return path


def our_wcs(keywords, files):
    metadata = Metadata(keywords, "x_rate.fits")
    shape = (keywords["SUBSIZE2"], keywords["SUBSIZE1"])
    pixels = np.broadcast_to(np.float32(0), shape)
    image = Image(metadata, pixels, pixels, np.broadcast_to(np.uint32(0), shape))
    step = next(step for step in select(metadata) if step.name == "assign_wcs")
    references = References({}).with_overrides(files)
    # a reference of another type than the exposure's instrument needs is not asked for
    missing = {kind: "N/A" for kind in step.references if kind not in files}
    image, status = step.run(image, references.with_overrides(missing), step.parameters())
    assert str(status) == "COMPLETE"
    return image


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Our images with their WCS, and the paths of their references, by case."""
    folder = tmp_path_factory.mktemp("references")
    result = {}
    for name, (own, sources) in CASES.items():
        keywords = POINTING | own
        files = {kind: resolve(source, keywords, folder) for kind, source in sources.items()}
        result[name] = our_wcs(keywords, files), files
    return result


@pytest.fixture(scope="module")
def official(tmp_path_factory, images):
    """The official values by case."""
    folder = tmp_path_factory.mktemp("wcs")
    jobs = {}
    for name, (own, _) in CASES.items():
        path = folder / f"{name}_rate.fits"
        pixels = np.zeros((8, 8), np.float32)
        metadata = Metadata(POINTING | own, path.name)
        write_image(Image(metadata, pixels, pixels, pixels.astype("u4")), path)
        ours = images[name][0]
        product = Image(ours.metadata, pixels, pixels, pixels.astype("u4"), wcs=ours.wcs)
        write_image(product, folder / f"{name}_cal.fits")
        jobs[name] = (str(path), {kind: str(file) for kind, file in images[name][1].items()})
    (folder / "jobs.json").write_text(json.dumps(jobs))
    run_official(PEER, "jobs.json", "result.json", folder=folder)
    return json.loads((folder / "result.json").read_text())


def grid(image, count):
    """Pixels from edge to edge, corners included."""
    ny, nx = image.data.shape
    return np.meshgrid(np.linspace(-0.5, nx - 0.5, count), np.linspace(-0.5, ny - 0.5, count))


def in_pixels(image, first, second):
    """Distances on the sky in pixels of the image."""
    x, y = grid(image, 2)
    corners = unit_vectors(*image.wcs(x, y, with_bounding_box=False))
    pixel = separation(corners[0, 0], corners[0, 1]) / image.data.shape[1]
    return separation(unit_vectors(*first), unit_vectors(*second)) / pixel


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_same_sky_as_the_official_step(images, official, name):
    image, theirs = images[name][0], official[name]
    ours = image.wcs(*grid(image, 9), with_bounding_box=False)
    assert in_pixels(image, ours, (theirs["ra"], theirs["dec"])).max() < 1e-4


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_official_reader_sees_the_same_sky(images, official, name):
    """What is written here is the same gwcs when the official data models open it."""
    image, theirs = images[name][0], official[name]
    ours = image.wcs(*grid(image, 9), with_bounding_box=False)
    assert theirs["opened"] == "ImageModel"
    assert in_pixels(image, ours, theirs["seen"]).max() < 1e-8


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_same_frames_and_region(images, official, name):
    image, theirs = images[name][0], official[name]
    assert image.wcs.available_frames == theirs["frames"]
    ours = np.array(image.metadata["S_REGION"].split()[2:], float)
    assert ours == pytest.approx(np.array(theirs["region"].split()[2:], float), abs=2e-9)
    assert np.array(image.wcs.bounding_box) == pytest.approx(np.array(theirs["box"]))


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("NRS")])
def test_same_wavelengths(images, official, name):
    image, theirs = images[name][0], official[name]
    found = [image.metadata[key] for key in ("SPORDER", "WAVSTART", "WAVEND")]
    assert found == [theirs["order"], theirs["low"], theirs["high"]]


@pytest.mark.parametrize("name", CASES)
def test_viewer_sees_the_same_sky(images, name):
    """The header is good to what it states, on a grid finer than that of its measurement."""
    image = images[name][0]
    keys = {key: value for key, value in image.metadata.items() if key != "S_REGION"}
    header = WCS(fits.Header({k: v for k, v in keys.items() if WORLD.match(k)}))
    x, y = grid(image, 150)
    sky = image.wcs(x, y, with_bounding_box=False)
    linear, seen = (
        np.array(header.wcs_world2pix(*(part.ravel() for part in place), 1))
        for place in (sky, header.all_pix2world(x, y, 0))
    )
    assert np.hypot(*(linear - seen)).max() <= keys["SIPMXERR"] + ROUNDING
    assert keys["SIPMXERR"] <= 0.01
    if "AP_ORDER" in keys:
        back = header.sip_foc2pix(*(linear - header.wcs.crpix[:, None]), 1)
        error = np.hypot(back[0] - x.ravel() - 1, back[1] - y.ravel() - 1).max()
        assert error <= keys["SIPIVERR"] + ROUNDING
        assert keys["SIPIVERR"] <= 0.01


@pytest.mark.parametrize("name", CASES)
def test_there_and_back(images, name):
    """The inverse polynomials of the references alone are off by up to 1.8 pixels."""
    image = images[name][0]
    pixels = grid(image, 15)
    sky = image.wcs(*pixels, with_bounding_box=False)
    back = image.wcs.invert(*sky, with_bounding_box=False)
    assert np.abs(np.subtract(back, pixels)).max() < 1e-5


APERTURES = {
    "NRCA1": ("NIRCam", "NRCA1_FULL"), "NRCB4": ("NIRCam", "NRCB4_FULL"),
    "NRCALONG": ("NIRCam", "NRCA5_FULL"), "NIS_IMAGE": ("NIRISS", "NIS_CEN"),
    "MIR_IMAGE": ("MIRI", "MIRIM_FULL"), "FGS_IMAGE": ("FGS", "FGS1_FULL"),
    "NRS_TACQ": ("NIRSpec", "NRS1_FULL"), "NRS_IMAGE": ("NIRSpec", "NRS2_FULL"),
}  # fmt: skip
# References of 2018 to 2022 against the SIAF of today, whose places were calibrated in flight:
# arcsec in V2 or V3. A wrong parity, half or rotation would be off by tens of them.
DRIFT = {"NIRCam": 0.2, "NIRISS": 1.5, "MIRI": 1.0, "FGS": 0.01, "NIRSpec": 6.0}


@pytest.mark.parametrize("name", APERTURES)
def test_corners_and_reference_point_of_the_siaf(images, name):
    pysiaf = pytest.importorskip("pysiaf")
    instrument, aperture = APERTURES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        place = pysiaf.Siaf(instrument)[aperture]
        corners = place.corners("tel")
        x, y = (np.append(values, ref) for values, ref in zip(
            place.corners("sci"), (place.XSciRef, place.YSciRef), strict=True))  # fmt: skip
    expected = np.array([np.append(corners[0], place.V2Ref), np.append(corners[1], place.V3Ref)])
    found = np.array(images[name][0].wcs.get_transform("detector", "v2v3")(x - 1, y - 1))
    assert np.abs(found - expected).max() < DRIFT[instrument]


@pytest.mark.parametrize("path", sorted((REALDATA / "niriss_ami").glob("*_cal.fits")))
def test_flight_exposures_of_niriss(path):
    """The flight WCS is what their headers and their distortion make."""
    image = read_image(path)
    distortion = image.wcs.transforms[0].second
    wcs = imaging_wcs(image.metadata, distortion)
    x, y = grid(image, 9)
    difference = in_pixels(image, wcs(x, y), image.wcs(x, y))
    assert wcs.available_frames == image.wcs.available_frames
    assert wcs.bounding_box == image.wcs.bounding_box
    assert difference.max() < 1e-8
