"""assign_wcs: which model for which instrument, and what it refuses."""

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.science.transforms.elementary import Polynomial, Remap, Scale, Shift
from calwebb_image2.modes import ENGINEERING, SCIENCE
from calwebb_image2.pipeline import select
from calwebb_image2.steps import assign_wcs
from calwebb_image2.steps.assign_wcs import INSTRUMENTS, OPTICS, STEP

NIRSPEC = {
    "INSTRUME": "NIRSPEC", "DETECTOR": "NRS1", "EXP_TYPE": "NRS_TACQ", "FILTER": "F110W",
    "GRATING": "MIRROR", "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 32, "SUBSIZE2": 32,
    "V2_REF": 378.5, "V3_REF": -428.4, "RA_REF": 80.0, "DEC_REF": -69.5, "ROLL_REF": 120.0,
    "GWA_XTIL": 0.35, "GWA_YTIL": 0.2,
}  # fmt: skip


def run(image, references, **options):
    return STEP.run(image, references, STEP.parameters(**options))


def nirspec_image(**keywords):
    pixels = np.zeros((32, 32), np.float32)
    return Image(Metadata(NIRSPEC | keywords, "x_rate.fits"), pixels, pixels, pixels.astype("u4"))


def optics():
    """References of optics that only scale: 0.1 arcsec a pixel."""
    one = (Scale(1.0) & Scale(1.0)).node()
    fore = (Remap((0, 1), 3) | Scale(1.0) & Scale(1.0)).with_inverse(Remap((0, 1), 3)).node()
    sky = (Scale(1e4) & Scale(1e4) | Shift(378.5) & Shift(-428.4)).node()
    tilt = {"tilt_model": Polynomial([0.0, 1.0]).node(), "zeroreadings": [0.3]}
    angles = dict.fromkeys(("theta_x", "theta_y", "theta_z", "tilt_y"), 0.0)
    trees = {
        "camera": {"model": one}, "collimator": {"model": one}, "fore": {"model": fore},
        "fpa": {"nrs1_model": (Scale(1e-5) & Scale(1e-5)).node()}, "ote": {"model": sky},
        "disperser": angles | {"gwa_tiltx": tilt, "gwa_tilty": tilt},
        "wavelengthrange": {
            "waverange_selector": ["F110W_MIRROR"], "wavelengthrange": [[1e-6, 1.2e-6]],
            "order": [0],
        },
    }  # fmt: skip
    return {kind: Reference(kind, f"{kind}.asdf", tree=tree) for kind, tree in trees.items()}


def test_every_type_has_its_instrument():
    for kind in SCIENCE + ENGINEERING:
        assert kind[:3] in INSTRUMENTS


@pytest.mark.parametrize("kind", SCIENCE + ENGINEERING)
def test_references_that_are_asked_for(kind):
    steps = {step.name: step for step in select(Metadata({"EXP_TYPE": kind}, "x"))}
    expected = OPTICS if kind.startswith("NRS_") else ("distortion", "filteroffset")
    assert steps["assign_wcs"].references == expected


def test_image_of_nirspec():
    image, status = run(nirspec_image(), References.of(**optics()))
    assert str(status) == "COMPLETE"
    assert image.wcs.available_frames[2:4] == ["gwa", "msa"]
    assert image.metadata["WAVSTART"] == 1e-6
    assert image.metadata["SPORDER"] == 0
    assert image.metadata["S_REGION"].startswith("POLYGON ICRS")
    assert image.metadata["SIPMXERR"] < 0.01


def test_image_of_a_lamp():
    image, status = run(nirspec_image(FILTER="OPAQUE"), References.of(**optics()))
    assert "FILTER is OPAQUE: the light is of lamps" in str(status)
    assert image.wcs is None


def test_grating_of_a_spectrum():
    with pytest.raises(InputError, match="GRATING is PRISM; images of NIRSpec are"):
        run(nirspec_image(GRATING="PRISM"), References.of(**optics()))


@pytest.mark.parametrize("kind", OPTICS)
def test_optics_are_needed(kind):
    references = References.of(**(optics() | {kind: None}))
    with pytest.raises(ReferenceFileError, match=f"the {kind} reference is N/A"):
        run(nirspec_image(), references)


def test_type_of_another_instrument(rate, references):
    rate.metadata["INSTRUME"] = "MIRI"
    with pytest.raises(InputError, match="INSTRUME is MIRI, but EXP_TYPE NRC_IMAGE is"):
        run(rate, references)


@pytest.mark.parametrize("keyword", ["RA_REF", "DEC_REF", "ROLL_REF", "V2_REF", "V3_REF"])
def test_missing_pointing(rate, references, keyword):
    del rate.metadata[keyword]
    with pytest.raises(InputError, match=f"keyword {keyword} is missing"):
        run(rate, references)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_velocity_aberration(rate, references, value):
    rate.metadata["VA_SCALE"] = value
    with pytest.raises(InputError, match=r"keyword VA_SCALE is .*; expected a positive number"):
        run(rate, references)


def with_distortion(model):
    tree = {"model": model}
    return References.of(distortion=Reference("distortion", "d.asdf", tree=tree), filteroffset=None)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Scale(1.0).node(), "d.asdf: the distortion reference holds a model of 1 to 1"),
        (
            (Remap((0, 1, 0, 1)) | Polynomial([[1.0]]) & Polynomial([[1.0]])).node(),
            "d.asdf: the distortion reference has no inverse",
        ),
        ({"a": 1}, "d.asdf: the distortion reference can't be evaluated"),
    ],
)
def test_unfit_distortion(rate, model, message):
    with pytest.raises(ReferenceFileError, match=message):
        run(rate, with_distortion(model))


def test_filters_are_needed(rate):
    references = with_distortion((Scale(1.0) & Scale(1.0)).node())
    broken = Reference("filteroffset", "f.asdf", tree={})
    references = References.of(
        distortion=references.load("distortion", rate.metadata), filteroffset=broken
    )
    with pytest.raises(
        ReferenceFileError, match=r"f\.asdf: the filteroffset reference has no `fil"
    ):
        assign_wcs.run(rate, references, assign_wcs.AssignWcsParameters())


def test_cpu_time(rate, references):
    """No library of world coordinates is loaded for it: importing gwcs takes most of a second."""
    import subprocess
    import sys

    code = (
        "import sys; from calwebb_image2.steps import assign_wcs;"
        "from calwebb_core.science.wcs import imaging_wcs, fits_sip;"
        "found = {'gwcs', 'asdf', 'astropy.modeling', 'scipy'} & set(sys.modules);"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    run(rate, references)
