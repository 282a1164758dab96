"""Moving targets: the frame that follows them, across RA 0 and at the poles."""

import json

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.models import Image
from calwebb_core.framework.products import write_image
from calwebb_core.science.footprint import s_region, separation, unit_vectors
from calwebb_core.science.sip import fits_sip
from calwebb_core.science.wcs import imaging_wcs
from calwebb_level3.imageset import ImageSet
from calwebb_level3.steps import assign_mtwcs
from calwebb_level3.steps.assign_mtwcs import AssignMtwcsParameters
from official_process import run_official

from .scene import SCALE, distortion, metadata

SIZE = 96
SLOW = [(80.0, 15.0), (80.003, 15.001), (80.006, 15.0025)]


def exposure_at(number, target, pointing=None, **keywords):
    """An exposure of a target in the middle of the field, or with another pointing."""
    ra, dec = pointing or target
    keys = metadata(
        SIZE, SIZE, ra=ra, dec=dec, exposure=number, TARGTYPE="MOVING", MT_RA=target[0],
        MT_DEC=target[1], **keywords,
    )  # fmt: skip
    wcs = imaging_wcs(keys, distortion(SIZE, SIZE))
    keys["S_REGION"] = s_region(wcs, (SIZE, SIZE))
    keys.update(fits_sip(wcs, (SIZE, SIZE)))
    data = np.ones((SIZE, SIZE), np.float32)
    return Image(keys, data, data.copy(), np.zeros((SIZE, SIZE), np.uint32), wcs=wcs)


def image_set(targets, **keywords):
    exposures = [
        Exposure.of(exposure_at(i, target, **keywords)) for i, target in enumerate(targets, 1)
    ]
    return ImageSet(exposures[0].metadata.copy(), "x", exposures=exposures)


def run(images, **options):
    return assign_mtwcs.STEP.run(images, None, AssignMtwcsParameters(**options))


def target_offsets(images):
    """By how many pixels the target moves away from where it is in each exposure."""
    mean = images.metadata["MT_AVRA"], images.metadata["MT_AVDEC"]
    places = [
        np.subtract(
            exposure.wcs.invert(*mean),
            exposure.wcs.get_transform("world", "detector")(*target_of(exposure)),
        )
        for exposure in images.exposures
    ]
    return np.abs(places).max()


def target_of(exposure):
    return exposure.metadata["MT_RA"], exposure.metadata["MT_DEC"]


def pixels_between(first, second):
    return separation(unit_vectors(*first), unit_vectors(*second)) * 3600 / SCALE


def test_mean_and_frame():
    images, status = run(image_set(SLOW))
    assert str(status) == "COMPLETE"
    assert images.metadata["MT_AVRA"] == pytest.approx(80.003, abs=1e-12)
    assert images.metadata["MT_AVDEC"] == pytest.approx(np.mean([15.0, 15.001, 15.0025]))
    for exposure in images.exposures:
        assert exposure.wcs.available_frames[-2:] == ["world", "moving_target"]
        assert exposure.metadata["MT_AVRA"] == images.metadata["MT_AVRA"]


def test_target_stays_where_it_is_in_every_exposure():
    images, _ = run(image_set(SLOW))
    assert target_offsets(images) < 1e-6


def test_keywords_follow_the_new_frame():
    images = image_set(SLOW)
    before = [exposure.metadata.copy() for exposure in images.exposures]
    run(images)
    for exposure, old in zip(images.exposures, before, strict=True):
        assert exposure.metadata["S_REGION"] == s_region(exposure.wcs, exposure.shape)
        shift = exposure.metadata["CRVAL1"] - old["CRVAL1"]
        assert shift == pytest.approx(exposure.metadata["MT_AVRA"] - old["MT_RA"], abs=1e-10)


def test_header_without_approximation_gets_none():
    images = image_set(SLOW)
    for exposure in images.exposures:
        for key in [key for key in exposure.metadata if key.startswith(("CD", "A_", "B_"))]:
            del exposure.metadata[key]
    run(images)
    assert "CD1_1" not in images.exposures[0].metadata


def test_across_right_ascension_zero():
    images, _ = run(image_set([(359.999, 5.0), (0.001, 5.0), (0.003, 5.0)]))
    assert images.metadata["MT_AVRA"] == pytest.approx(0.001, abs=1e-12)
    assert target_offsets(images) < 1e-6


@pytest.mark.parametrize("dec", [89.9995, -89.9995])
def test_over_the_pole(dec):
    images, _ = run(image_set([(10.0, dec), (190.0, dec)]))
    assert abs(images.metadata["MT_AVDEC"]) == pytest.approx(90.0, abs=1e-9)
    assert target_offsets(images) < 1e-6


def test_rotation_keeps_distances_at_high_declination():
    targets = [(40.0, 88.0), (40.2, 88.01)]
    images = image_set(targets)
    corners = ([0.0, SIZE - 1.0], [0.0, SIZE - 1.0])
    before = [pixels_between(*np.transpose(e.wcs(*corners))) for e in images.exposures]
    run(images, motion="rotation")
    after = [pixels_between(*np.transpose(e.wcs(*corners))) for e in images.exposures]
    assert after == pytest.approx(before, abs=1e-6)


def test_auto_turns_only_where_a_shift_would_distort():
    for targets, chosen in ((SLOW, "shift"), ([(40.0, 88.0), (40.2, 88.01)], "rotation")):
        wcses = {}
        for motion in ("auto", "shift", "rotation"):
            images, _ = run(image_set(targets), motion=motion)
            wcses[motion] = images.exposures[0].wcs
        assert wcses["auto"](0.0, 0.0) == wcses[chosen](0.0, 0.0)
    difference = pixels_between(*(wcses[name](0.0, 0.0) for name in ("shift", "rotation")))
    assert difference > assign_mtwcs.TOLERANCE


def test_fixed_target_is_left_alone():
    images = image_set(SLOW)
    images.metadata["TARGTYPE"] = "FIXED"
    _, status = run(images)
    assert "TARGTYPE is not MOVING" in str(status)
    assert images.exposures[0].wcs.available_frames[-1] == "world"


def test_missing_position():
    images = image_set(SLOW)
    del images.exposures[1].metadata["MT_DEC"]
    with pytest.raises(InputError, match="keyword MT_DEC is missing"):
        run(images)


def test_impossible_position():
    images = image_set(SLOW)
    images.exposures[1].metadata["MT_DEC"] = 91.0
    with pytest.raises(InputError, match=r"MT_RA, MT_DEC are 80\.003, 91; expected the target's"):
        run(images)


def test_missing_wcs():
    images = image_set(SLOW)
    images.exposures[2].wcs = None
    with pytest.raises(InputError, match="run assign_wcs before assign_mtwcs"):
        run(images)


def test_twice():
    images, _ = run(image_set(SLOW))
    with pytest.raises(InputError, match="follows a moving target already"):
        run(images)


def test_product_is_read_back_with_the_frame(tmp_path):
    images, _ = run(image_set(SLOW))
    exposure = images.exposures[2]
    write_image(exposure.image(), tmp_path / "x_crf.fits")
    again = Exposure.open(tmp_path / "x_crf.fits").wcs
    assert again.available_frames == exposure.wcs.available_frames
    assert again(3.0, 5.0) == exposure.wcs(3.0, 5.0)
    assert again.gwcs()(3.0, 5.0) == pytest.approx(exposure.wcs(3.0, 5.0), abs=1e-13)


PEER = """
import json, sys
import numpy as np
from jwst.assign_mtwcs import AssignMTWcsStep
from jwst.datamodels import ModelLibrary
names = sys.argv[2:]
members = [{"expname": name, "exptype": "science"} for name in names]
asn = {"asn_type": "image3", "asn_id": "a3001", "asn_pool": "none", "products": [
    {"name": "x", "members": members}]}
json.dump(asn, open("asn.json", "w"))
library = AssignMTWcsStep.call(ModelLibrary("asn.json"))
y, x = np.mgrid[0:96:19.0, 0:96:19.0]
result = []
with library:
    for model in library:
        ra, dec = model.meta.wcs(x, y)
        info = model.meta.wcsinfo
        result.append({"ra": ra.tolist(), "dec": dec.tolist(),
                       "mean": [info.mt_avra, info.mt_avdec],
                       "frames": model.meta.wcs.available_frames, "region": info.s_region,
                       "status": model.meta.cal_step.assign_mtwcs})
        library.shelve(model, modify=False)
json.dump(result, open(sys.argv[1], "w"))
"""


@pytest.mark.peer
@pytest.mark.slow
def test_same_frame_as_the_official_step(tmp_path):
    names = []
    for i, target in enumerate(SLOW, 1):
        image = exposure_at(i, target)
        names.append(image.metadata["FILENAME"])
        write_image(image, tmp_path / names[-1])
    run_official(PEER, "peer.json", *names, folder=tmp_path)
    images, _ = run(image_set(SLOW))
    y, x = np.mgrid[0:96:19.0, 0:96:19.0]
    theirs = json.loads((tmp_path / "peer.json").read_text())
    for exposure, other in zip(images.exposures, theirs, strict=True):
        assert other["status"] == "COMPLETE"
        assert exposure.wcs.available_frames == other["frames"]
        assert [exposure.metadata[key] for key in ("MT_AVRA", "MT_AVDEC")] == other["mean"]
        difference = pixels_between(exposure.wcs(x, y), (other["ra"], other["dec"]))
        assert difference.max() < 1e-4
        ours = np.array(exposure.metadata["S_REGION"].split()[2:], float)
        region = np.array(other["region"].split()[2:], float)
        assert ours == pytest.approx(region, abs=2e-9)
