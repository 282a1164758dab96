"""Corrections beside those of tweakwcs, which the official step uses."""

import numpy as np
import pytest
from astropy.modeling.models import Legendre2D, Mapping
from astropy.table import Table
from gwcs import WCS
from scipy.spatial import KDTree
from tweakwcs import JWSTWCSCorrector, XYXYMatch, align_wcs
from tweakwcs.linearfit import iter_linear_fit

from calwebb_core.framework.errors import InputError
from calwebb_core.science.footprint import unit_vectors
from calwebb_core.science.transforms.elementary import Shift
from calwebb_core.science.world import World
from calwebb_level3.imaging import matching as pairing
from calwebb_level3.imaging.alignment import Pointing, align_group
from calwebb_level3.imaging.correction import as_world, corrected, tangent_plane, telescope_frame
from calwebb_level3.imaging.matching import Linear
from calwebb_level3.imaging.star_matching import Matching, Positions
from calwebb_level3.imaging.stars import Stars

from .scene import exposure, offset, star_field

PIXELS = tuple(part.ravel() for part in np.meshgrid(np.linspace(0, 199, 9), np.linspace(0, 199, 9)))
TURN = np.deg2rad(0.01)
LINEAR = Linear(
    np.array([[np.cos(TURN), -np.sin(TURN)], [np.sin(TURN), np.cos(TURN)]]), np.array([0.21, -0.13])
)


def corrector(wcs, metadata, catalog=None, group=None):
    angles = {key: metadata[key.upper()] for key in ("v2_ref", "v3_ref", "roll_ref")}
    meta = {"catalog": catalog, "group_id": group, "name": "x"} if catalog is not None else None
    return JWSTWCSCorrector(wcs, angles, meta=meta)


def mas_apart(first, second):
    vectors = [unit_vectors(*w(*PIXELS, with_bounding_box=False)) for w in (first, second)]
    return np.max(np.linalg.norm(vectors[0] - vectors[1], axis=-1)) * 206264806


def image():
    return exposure(star_field(5), exposure=1)


def test_a_correction_is_that_of_tweakwcs():
    own = image()
    theirs = corrector(own.wcs.gwcs(), own.metadata)
    theirs.set_correction(LINEAR.matrix, LINEAR.shift)
    ours = corrected(own.wcs, own.metadata, LINEAR)
    assert ours.available_frames == ["detector", "v2v3", "v2v3vacorr", "v2v3corr", "world"]
    assert mas_apart(ours, theirs.wcs) < 1e-5
    assert mas_apart(ours.gwcs(), theirs.wcs) < 1e-5
    assert ours.pixel_shape == own.wcs.pixel_shape
    assert ours.bounding_box == own.wcs.bounding_box
    back = ours.gwcs().invert(*ours(*PIXELS), with_bounding_box=False)
    assert np.abs(np.array(back) - PIXELS).max() < 1e-5


def test_a_second_correction_comes_after_the_first():
    own = image()
    first = corrected(own.wcs, own.metadata, LINEAR)
    more = Linear(LINEAR.matrix.T, np.array([-0.05, 0.07]))
    second = corrected(first, own.metadata, more)
    at_once = corrected(own.wcs, own.metadata, more.after(LINEAR))
    assert second.available_frames == first.available_frames
    assert mas_apart(second, at_once) < 1e-5
    # tweakwcs takes ours as its own, and the other way round
    theirs = corrector(first.gwcs(), own.metadata)
    theirs.set_correction(np.eye(2), [0.05, 0.01])
    again = corrected(first, own.metadata, Linear.identity((0.05, 0.01)))
    assert mas_apart(theirs.wcs, again) < 1e-3
    assert mas_apart(corrected(World.of(theirs.wcs), own.metadata, LINEAR), theirs.wcs) > 100


def test_the_tangent_plane_is_that_of_tweakwcs():
    own = image()
    x, y = corrector(own.wcs.gwcs(), own.metadata).det_to_tanp(*PIXELS)
    plane = tangent_plane(own.wcs, own.metadata)
    vectors = unit_vectors(*own.wcs(*PIXELS, with_bounding_box=False))
    assert plane.project(vectors) == pytest.approx(np.stack([x, y], axis=1), abs=1e-7)
    assert plane.lift(plane.project(vectors)) == pytest.approx(vectors, abs=1e-14)


@pytest.mark.parametrize("geometry", ["shift", "rshift", "rscale", "general"])
@pytest.mark.parametrize("weighted", [False, True])
def test_fits_are_those_of_tweakwcs(geometry, weighted):
    rng = np.random.default_rng(3)
    source = rng.uniform(-30, 30, (40, 2))
    target = LINEAR(source) + rng.normal(0, 0.002, source.shape)
    target[:2] += 0.1
    weights = rng.uniform(1, 5, 40) if weighted else None
    ours = pairing.fit_clipped(source, target, weights, geometry, 1, 3.0)
    theirs = iter_linear_fit(
        target, source, wuv=weights, fitgeom=geometry, nclip=1, sigma=(3.0, "rmse")
    )
    shift = theirs["shift"] + theirs["center"] - theirs["matrix"] @ theirs["center"]
    assert ours.transform.matrix == pytest.approx(theirs["matrix"], abs=1e-12)
    assert ours.transform.shift == pytest.approx(shift, abs=1e-9)
    assert ours.rmse == pytest.approx(theirs["rmse"], rel=1e-6)
    assert np.array_equal(ours.used, theirs["fitmask"])
    if geometry != "shift":
        assert ours.transform.rotation == pytest.approx(theirs["proper_rot"], abs=1e-7)


def detectors(errors=(0.0, 0.0)):
    """Two detectors of one exposure, and the stars that they see."""
    result, catalogs = [], []
    stars = star_field(300, radius=12)
    rng = np.random.default_rng(2)
    for name, east in (("NRCA1", -4.0), ("NRCA2", 4.0)):
        ra, dec = offset(80.0, -69.5, east, 0.0)
        own = exposure(
            (stars[0][:1], stars[1][:1], stars[2][:1]), ra=ra, dec=dec, detector=name,
            V2_REF=120.0, V3_REF=-527.0, pointing_error=errors,
        )  # fmt: skip
        true = exposure(
            (stars[0][:1], stars[1][:1], stars[2][:1]), ra=ra, dec=dec, detector=name
        ).wcs
        x, y = true.invert(stars[0], stars[1], with_bounding_box=False)
        inside = (x > 0) & (x < 199) & (y > 0) & (y < 199)
        places = np.stack([x, y])[:, inside] + rng.normal(0, 0.05, (2, inside.sum()))
        weight = rng.uniform(1, 5, inside.sum())
        catalogs.append(Stars(places[0], places[1], weight, weight))
        result.append(own)
    return result, catalogs, stars


def test_an_alignment_of_two_detectors_is_that_of_tweakwcs():
    images, catalogs, stars = detectors((0.31, -0.22))
    lonely = KDTree(np.stack(stars[:2], axis=1) * [np.cos(np.deg2rad(69.5)), 1]).query(
        np.stack(stars[:2], axis=1) * [np.cos(np.deg2rad(69.5)), 1], k=2
    )[0][:, 1] > 0.5 / 3600  # fmt: skip
    reference = Table({"RA": stars[0][lonely], "DEC": stars[1][lonely]})
    theirs = [
        corrector(i.wcs.gwcs(), i.metadata, Table({"x": c.x, "y": c.y, "weight": c.weight}), "both")
        for i, c in zip(images, catalogs, strict=True)
    ]
    align_wcs(
        theirs, refcat=reference, enforce_user_order=True, minobj=5, fitgeom="rshift", nclip=0,
        match=XYXYMatch(searchrad=2.0, separation=0.1, tolerance=0.2),
    )  # fmt: skip
    pointings = [
        Pointing(i.wcs, i.metadata, c, "both") for i, c in zip(images, catalogs, strict=True)
    ]
    matching = Matching(nclip=0, separation=0.1)
    ours, outcome = align_group(pointings, Positions.of_table(reference), matching)
    assert outcome.status == "aligned"
    assert outcome.matches == theirs[0].meta["fit_info"]["nmatches"]
    for first, second in zip(ours, theirs, strict=True):
        assert mas_apart(first, second.wcs) < 0.01


def test_what_cannot_be_corrected_is_refused():
    own = image()
    bare = World(own.wcs.frames[-2:], own.wcs.transforms[-1:])
    assert telescope_frame(bare) == "v2v3vacorr"
    with pytest.raises(InputError, match="expected v2v3vacorr to align it"):
        telescope_frame(World(own.wcs.frames[:1] * 2, own.wcs.transforms[:1]))
    strange = own.wcs.inserted("v2v3vacorr", "v2v3corr", Shift(1.0) & Shift(2.0))
    with pytest.raises(InputError, match="frame v2v3corr by a transform named None"):
        corrected(strange, own.metadata, LINEAR)
    moved = own.wcs.inserted("world", "moving", Shift(1.0) & Shift(2.0))
    with pytest.raises(InputError, match="doesn't rotate V2, V3 to the sky"):
        tangent_plane(moved, own.metadata)
    steps = [(step.frame, step.transform) for step in own.wcs.gwcs().pipeline]
    steps[0] = (steps[0][0], Mapping((0, 1, 0, 1)) | Legendre2D(1, 1) & Legendre2D(1, 1))
    with pytest.raises(InputError, match="the WCS can't be aligned: it has"):
        as_world(WCS(steps), own.metadata)
