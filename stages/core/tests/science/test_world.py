"""The chain of frames: what gwcs makes of it, frames put in, bounding boxes, old files."""

import io
import warnings

import asdf
import numpy as np
import pytest
from astropy import coordinates, units
from astropy.modeling import models
from gwcs import WCS, FITSImagingWCSTransform
from gwcs.coordinate_frames import CelestialFrame, Frame2D

from calwebb_core.framework.asdf_extension import from_asdf, to_asdf
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.plain_asdf import Tagged, read_tree, write_tree
from calwebb_core.science.footprint import footprint, pixel_box
from calwebb_core.science.transforms import UnknownTransformError
from calwebb_core.science.transforms.elementary import Identity, Scale, Shift
from calwebb_core.science.wcs import imaging_wcs
from calwebb_core.science.world import Box, World


@pytest.fixture
def world(pointing, distortion):
    return imaging_wcs(pointing, distortion, (0.1, 0.2))


def places():
    return np.meshgrid(np.linspace(-0.5, 2047.5, 7), np.linspace(-0.5, 2047.5, 5))


def test_gwcs_sees_the_same_sky(world):
    theirs = world.gwcs()
    np.testing.assert_allclose(theirs(*places()), world(*places()), atol=1e-12)
    sky = world(*places())
    np.testing.assert_allclose(
        theirs.invert(*sky, with_bounding_box=False), world.backward_transform(*sky), atol=1e-7
    )
    assert theirs.available_frames == world.available_frames
    assert theirs.pixel_shape == world.pixel_shape
    assert theirs.bounding_box.bounding_box(order="F") == world.bounding_box


def test_back_from_gwcs(world):
    again = World.of(world.gwcs())
    assert again(3.0, 4.0) == world(3.0, 4.0)
    assert again.bounding_box == world.bounding_box
    assert World.of(world) is world


def test_outside_of_the_bounding_box(world):
    ra, dec = world([-1.0, 5.0], [5.0, 5.0])
    assert np.isnan(ra).tolist() == np.isnan(dec).tolist() == [True, False]
    assert np.isfinite(world(-1.0, 5.0, with_bounding_box=False)).all()
    far = world(-300.0, 5.0, with_bounding_box=False)
    assert np.isnan(world.invert(*far)).all()
    assert np.isfinite(world.invert(*far, with_bounding_box=False)).all()


def test_inverse_is_as_good_as_the_forward_transform(world):
    """Inverse polynomials of real references are off by up to 0.3 pixel."""
    first = world.transforms[0]
    spoilt = first.with_inverse(first.inverse | Scale(1.0001) & Shift(-0.3))
    world = World(world.frames, (spoilt, *world.transforms[1:]), world.bounding_box)
    sky = world(*places())
    assert np.abs(np.subtract(world.backward_transform(*sky), places())).max() > 0.2
    back = world.invert(*sky, with_bounding_box=False)
    assert np.abs(np.subtract(back, places())).max() < 1e-6
    assert world.invert(sky[0][2, 3], sky[1][2, 3]) == pytest.approx((1023.5, 1023.5), abs=1e-6)


def test_no_pixel_on_the_other_side_of_the_sky(world):
    ra, dec = world(1000.0, 1000.0)
    assert np.isnan(world.invert((ra + 180.0) % 360.0, -dec)).all()
    assert np.isnan(world.invert(np.nan, dec)).all()


def test_steps_between_frames(world):
    assert world.get_transform("detector", "world")(3.0, 4.0) == world(3.0, 4.0)
    v2v3 = world.get_transform("detector", "v2v3")(3.0, 4.0)
    assert world.get_transform("v2v3", "detector")(*v2v3) == pytest.approx((3.0, 4.0), abs=1e-3)
    with pytest.raises(ValueError, match="not in list"):
        world.get_transform("detector", "nowhere")


def test_inserted_frame(world):
    moved = world.inserted("v2v3vacorr", "v2v3corr", Shift(0.5) & Shift(0.0))
    assert moved.available_frames == ["detector", "v2v3", "v2v3vacorr", "v2v3corr", "world"]
    before = world.get_transform("detector", "v2v3vacorr")(3.0, 4.0)
    after = moved.get_transform("detector", "v2v3corr")(3.0, 4.0)
    assert np.subtract(after, before) == pytest.approx((0.5, 0.0))
    assert moved.gwcs()(3.0, 4.0) == pytest.approx(moved(3.0, 4.0), abs=1e-13)
    assert world.available_frames == ["detector", "v2v3", "v2v3vacorr", "world"]
    assert world(3.0, 4.0) != moved(3.0, 4.0)


def test_appended_frame(world):
    moved = world.appended("moving_target", Shift(1.0) & Shift(0.0))
    assert moved.output_frame.name == "moving_target"
    assert moved(3.0, 4.0)[0] - world(3.0, 4.0)[0] == pytest.approx(1.0)
    assert moved.gwcs().output_frame.reference_frame.name == "icrs"


def test_frames_and_transforms_must_match(world):
    with pytest.raises(ValueError, match="4 frames and 2 transforms"):
        World(world.frames, world.transforms[:2])


def test_without_bounding_box(world):
    free = World(world.frames, world.transforms)
    assert pixel_box(free, (80, 96)) == ((-0.5, 95.5), (-0.5, 79.5))
    again = World.from_node(read_tree(write_tree({"w": free.node()}))["w"])
    assert again.bounding_box is None
    assert again.pixel_shape is None
    np.testing.assert_allclose(footprint(again, (80, 96))[0], free(-0.5, -0.5))


@pytest.mark.parametrize("stated", ["list", "C", "F"])
def test_bounding_boxes_of_old_and_new_files(world, stated):
    node = world.node()
    transform = node["steps"][0]["transform"]
    if stated == "list":
        transform["bounding_box"] = [[-0.5, 79.5], [3.5, 95.5]]  # y first
    else:
        transform["bounding_box"] |= {
            "intervals": {"x1": [-0.5, 79.5], "x0": [3.5, 95.5]}, "order": stated
        }  # fmt: skip
    again = World.from_node(read_tree(write_tree({"w": node}))["w"])
    assert again.bounding_box == Box(((3.5, 95.5), (-0.5, 79.5)))
    assert again.bounding_box.bounding_box(order="C") == ((-0.5, 79.5), (3.5, 95.5))
    theirs = again.gwcs().bounding_box.bounding_box(order="F")
    assert theirs == again.bounding_box


def change(node, how):
    steps = node["steps"]
    if how == "no wcs":
        return Shift(1.0).node()
    if how == "no frame":
        steps[0]["frame"] = "detector"
    if how == "one axis":
        steps[-2]["transform"] = (Identity(2) | Shift(1.0) & Shift(1.0)).node()
        steps[0]["transform"] = Identity(3).node()
        steps[1]["transform"] = Identity(3).node()
    if how == "box":
        steps[0]["transform"]["bounding_box"] = [1.0, 2.0]
    return node


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("no wcs", "no gwcs/wcs"), ("no frame", "a step without frame"),
        ("one axis", "other than two axes"), ("box", "a bounding box of other than two"),
    ],
)  # fmt: skip
def test_what_is_no_image(world, how, message):
    with pytest.raises(UnknownTransformError, match=message):
        World.from_node(change(world.node(), how))


def gwcs_of(transform):
    detector = Frame2D(name="detector", axes_order=(0, 1), unit=(units.pix, units.pix))
    return WCS(
        [
            (detector, transform),
            (CelestialFrame(name="world", reference_frame=coordinates.ICRS()), None),
        ]
    )


def test_mosaic_of_the_official_package():
    """One FITS transform, as resample writes it."""
    image = FITSImagingWCSTransform(
        models.Pix2Sky_TAN(), crpix=[10, 20], crval=[80.0, -69.5], cdelt=[1e-5, 2e-5],
        pc=[[0.6, -0.8], [0.8, 0.6]],
    )  # fmt: skip
    wcs = gwcs_of(image)
    wcs.bounding_box = ((-0.5, 95.5), (-0.5, 79.5))
    ours, _ = from_asdf(to_asdf(Metadata(), {}, wcs), "x")
    assert isinstance(ours, World)
    assert ours.bounding_box == ((-0.5, 95.5), (-0.5, 79.5))
    assert ours(3.0, 4.0) == pytest.approx(wcs(3.0, 4.0), abs=1e-13)
    assert ours.invert(*ours(3.0, 4.0)) == pytest.approx((3.0, 4.0), abs=1e-9)


def test_what_isn_t_evaluated_here_stays_with_gwcs():
    curve = models.Gaussian2D(1.0, 0, 0, 100, 100)
    wcs = gwcs_of(models.Mapping((0, 1, 0, 1)) | curve & curve)
    content = to_asdf(Metadata(), {}, wcs)
    again, _ = from_asdf(content, "x")
    assert isinstance(again, WCS)
    assert again(3.0, 4.0) == wcs(3.0, 4.0)
    assert to_asdf(Metadata(), {}, again) == content


def test_library_opens_the_extension_without_a_warning(world):
    content = to_asdf(Metadata(), {"FILTER": "F444W"}, world)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with asdf.open(io.BytesIO(content), validate_checksums=True) as file:
            assert file["meta"]["wcs"](3.0, 4.0) == pytest.approx(world(3.0, 4.0), abs=1e-13)
            assert file["meta"]["instrument"]["filter"] == "F444W"


def test_reading_needs_no_library(world):
    """Importing gwcs takes longer than a step."""
    import subprocess
    import sys

    code = (
        "import sys; from calwebb_core.framework.asdf_extension import from_asdf;"
        "from calwebb_core.science.wcs import imaging_wcs, fits_sip;"
        "wcs, _ = from_asdf(sys.stdin.buffer.read(), 'x'); wcs(1.0, 2.0);"
        "fits_sip(wcs, (2048, 2048));"
        "found = {'gwcs', 'asdf', 'astropy', 'scipy'} & set(sys.modules); assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], input=to_asdf(Metadata(), {}, world), check=True)


def test_tagged_wcs_without_steps():
    with pytest.raises(UnknownTransformError, match="a step without frame"):
        World.from_node(Tagged("tag:stsci.edu:gwcs/wcs-1.0.0", {"steps": []}))
