"""NIRSpec's fixed slits with made optics: where spectra fall, what is cut out, what is refused."""

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.models import Image
from calwebb_core.framework.products import read_image, write_image
from calwebb_core.science.nirspec.apertures import FIXED_SLITS, fixed_slit
from calwebb_core.science.nirspec.cutting import cut
from calwebb_core.science.nirspec.open_slits import (
    open_slits,
    place_of_source,
    region,
    slit_keywords,
)
from calwebb_core.science.nirspec.slit_worlds import chosen, slit_worlds
from calwebb_core.science.nirspec.slits import TYPES, Spectrograph
from calwebb_core.science.nirspec.zero_point import correct, zero_point
from calwebb_core.science.spectral.wavelengths import wavelengths
from spectrograph_optics import DENSITY, NAME, SLITS, keywords, references

FRAMES = [
    "detector", "sca", "gwa", "slit_frame", "msa_frame", "oteip", "v2v3", "v2v3vacorr", "world",
]  # fmt: skip
LIMITS = (-0.55, 0.55)
PRISM = {"GRATING": "PRISM", "FILTER": "CLEAR"}
SUBARRAY = {"SUBARRAY": "SUB2048", "SUBSTRT2": 881, "SUBSIZE2": 48}


def spectrograph(**values):
    metadata = keywords(**values)
    return Spectrograph.of(metadata, references(metadata["GRATING"]))


def exposure(nints=None, **values):
    metadata = keywords(**values)
    shape = (metadata["SUBSIZE2"], metadata["SUBSIZE1"])
    shape = shape if nints is None else (nints, *shape)
    data = np.broadcast_to(np.arange(shape[-1], dtype="f4"), shape)
    image = Image(metadata, data, data + 1, np.zeros(shape, "u4"), data + 2, data + 3)
    image.wcs, _ = slit_worlds(metadata, references(metadata["GRATING"]), LIMITS)
    return image


def slit_of(nints=None, name="S1600A1", **values):
    image = exposure(nints, **SUBARRAY | values)
    ((aperture, world),) = chosen(image, [name])
    return cut(image, world, slit_keywords(image.metadata, world, aperture))


def lit_pixel(slit):
    """The middle one of the pixels that have a wavelength."""
    y, x = np.nonzero(np.isfinite(slit.planes["WAVELENGTH"]))
    return int(x[x.size // 2]), int(y[y.size // 2])


def on_slit(count=7):
    """Places in a slit's middle and wavelengths in metres."""
    places, light = np.linspace(-0.5, 0.5, count), np.linspace(2.9e-6, 3.6e-6, count)
    places, light = np.meshgrid(places, light)
    return np.zeros_like(places), places, light


def test_types_are_those_of_the_helper():
    assert set(TYPES) | {"wavecorr"} == set(references())


def test_frames():
    world = spectrograph().world(fixed_slit("S200A1"))
    assert world.available_frames == FRAMES
    assert [frame.node.kind for frame in world.frames[:4]] == ["gwcs/frame2d"] * 3 + [
        "gwcs/composite_frame"
    ]


@pytest.mark.parametrize("name", FIXED_SLITS)
@pytest.mark.parametrize("values", [{}, PRISM], ids=["grating", "prism"])
def test_from_the_slit_to_pixels_and_back(name, values):
    world = spectrograph(**values).world(fixed_slit(name))
    start = on_slit()
    pixels = world.get_transform("slit_frame", "detector")(*start)
    back = world.get_transform("detector", "slit_frame")(*pixels)
    assert np.abs(back[1] - start[1]).max() < 1e-5
    # the tables have straight lines between their points
    assert np.abs(back[2] - start[2]).max() < 2e-11
    sky = world(*pixels, with_bounding_box=False)
    assert np.abs(np.subtract(world.invert(*sky, with_bounding_box=False), pixels)).max() < 0.02


def test_grating_equation():
    """A wavelength twice as far from the zeroth order is twice as long."""
    world = spectrograph(VELOSYS=None).world(fixed_slit("S1600A1"))
    to_wheel = world.get_transform("slit_frame", "gwa")
    light = np.array([1e-6, 2e-6, 3e-6])
    alpha, _, _ = to_wheel(np.zeros(3), np.zeros(3), light)
    assert np.diff(alpha) == pytest.approx([DENSITY * 1e-6] * 2, rel=1e-9)


def test_velocity_moves_wavelengths():
    still, moving = (
        spectrograph(VELOSYS=velocity).world(fixed_slit("S1600A1")) for velocity in (None, 2e5)
    )
    pixel = (1000.0, 905.0)
    ratio = moving(*pixel)[2] / still(*pixel)[2]
    assert ratio == pytest.approx(1.0 / (1.0 + 2e5 / 299792458.0), rel=1e-12)


def test_beside_the_slit_there_is_nothing():
    world = spectrograph().slit_world(fixed_slit("S1600A1"))
    (_, _), (low, high) = world.bounding_box
    column = world(np.full(40, 1000.0), np.linspace(low, high, 40))
    lit = np.isfinite(column[2])
    assert 0 < lit.sum() < 40
    assert not lit[0]
    assert not lit[-1]


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_both_detectors_see_their_part_of_the_spectrum(detector):
    world = spectrograph(DETECTOR=detector).slit_world(fixed_slit("S1600A1"))
    (left, right), (low, high) = world.bounding_box
    pixels = np.meshgrid([left + 20, right - 20], np.arange(low + 0.5, high))
    light = np.nanmean(world(*pixels)[2], axis=0)
    assert light[0] < light[1]
    assert (light[1] < 4.2) == (detector == "NRS1")


def test_spectrum_off_the_detector():
    assert spectrograph().slit_world(fixed_slit("S200B1")) is None
    with pytest.raises(InputError, match=r"no spectrum of S1600A1 with PRISM and CLEAR falls on"):
        slit_worlds(
            keywords(**PRISM | SUBARRAY, DETECTOR="NRS2"), references("PRISM"), LIMITS
        )  # fmt: skip


def test_subarray_sees_the_same_light():
    whole, part = slit_of(SUBARRAY="FULL", SUBSTRT2=1, SUBSIZE2=2048), slit_of()
    assert part.metadata["SLTSTRT2"] == whole.metadata["SLTSTRT2"] - 880
    assert np.array_equal(part.planes["WAVELENGTH"], whole.planes["WAVELENGTH"], equal_nan=True)


@pytest.mark.parametrize(
    ("subarray", "names"),
    [
        ("FULL", FIXED_SLITS), ("ALLSLITS", FIXED_SLITS), ("SUB2048", ["S1600A1"]),
        ("SUB512S", ["S1600A1"]), ("SUB1024A", ["S1600A1"]), ("SUBS200A2", ["S200A2"]),
        ("SUBS400A1", ["S400A1"]),
    ],
)  # fmt: skip
def test_open_slits(subarray, names):
    slits = open_slits(keywords(SUBARRAY=subarray))
    assert [slit.name for slit in slits] == list(names)


def test_sources_of_slits():
    """The numbers are the official ones: 1 in the slit that was pointed."""
    found = {slit.name: slit.source for slit in open_slits(keywords(FXD_SLIT="S200A2"))}
    assert found == {"S200A1": 21, "S200A2": 1, "S400A1": 23, "S1600A1": 24, "S200B1": 25}
    found = [slit.source for slit in open_slits(keywords(FXD_SLIT="NONE"))]
    assert found == [1, 2, 3, 4, 5]


def test_time_series_has_one_slit():
    values = {"EXP_TYPE": "NRS_BRIGHTOBJ", "SUBARRAY": "FULL"}
    assert [slit.name for slit in open_slits(keywords(**values))] == ["S1600A1"]


def test_subarray_without_slits():
    with pytest.raises(InputError, match="SUBARRAY is 32X32; expected one of NIRSpec that shows"):
        open_slits(keywords(SUBARRAY="32X32"))


def test_cut_out():
    image = exposure(3, **SUBARRAY)
    slit = slit_of(3)
    x, nx = slit.metadata["SLTSTRT1"] - 1, slit.metadata["SLTSIZE1"]
    assert slit.data.shape == (3, slit.metadata["SLTSIZE2"], nx)
    assert np.array_equal(slit.data[0, 0], image.data[0, 0, x : x + nx])
    assert slit.var_rnoise.shape == slit.data.shape
    assert slit.planes["WAVELENGTH"].dtype == np.float32
    assert wavelengths(slit).shape == slit.data.shape[1:]
    x, y = lit_pixel(slit)
    assert slit.wcs(x, y)[2] == pytest.approx(slit.planes["WAVELENGTH"][y, x], rel=1e-6)
    assert slit.metadata.homes["SLTNAME"] == "SCI"
    image.data = image.data.copy()
    slit.data[:] = 0
    assert image.data.max() > 0


def test_keywords_of_a_slit():
    metadata = slit_of().metadata
    assert [metadata[k] for k in ("SLTNAME", "SHUTTRID", "SOURCEID")] == ["S1600A1", 3, 1]
    assert metadata["S_REGION"].startswith("POLYGON ICRS  ")
    assert len(metadata["S_REGION"].split()) == 10
    assert metadata["RA_REF"] == 80.0


def test_region_is_the_slit_on_the_sky():
    aperture = fixed_slit("S1600A1")
    world = spectrograph().world(aperture)
    corners = np.array(region(world, aperture).split()[2:], float).reshape(4, 2)
    offset = (corners - corners.mean(axis=0)) * [np.cos(np.deg2rad(69.5)), 1.0]
    sides = np.linalg.norm(np.diff(offset, axis=0, append=offset[:1]), axis=1) * 3600
    width, height = SLITS[3][3:]
    assert sides[0] == pytest.approx(sides[2], rel=1e-3)
    assert sides[0] / sides[1] == pytest.approx(1.1 * height / width, rel=1e-3)


def test_source_moves_with_the_dither():
    world = spectrograph().world(fixed_slit("S1600A1"))
    nominal = keywords(XOFFSET=0.0, YOFFSET=0.0)
    centre = place_of_source(nominal, world)
    moved = place_of_source(keywords(XOFFSET=0.2, YOFFSET=0.0), world)
    width, height = SLITS[3][3:]
    step = np.subtract(moved, centre) * [width, height]
    assert np.linalg.norm(step) == pytest.approx(0.2 / 1000.0, rel=2e-3)


@pytest.mark.parametrize(
    ("kind", "change", "match"),
    [
        ("msa", {"Q5": None}, "msa reference has no Q5"),
        ("msa", {"Q5": {"data": np.zeros(2), "model": None}}, "no row 4 of five numbers in Q5"),
        ("wavelengthrange", {"waverange_selector": ["X"]}, "has no F290LP_G395H; "),
        ("wavelengthrange", {"order": None}, "wavelengthrange reference is incomplete"),
        ("disperser", {"groovedensity": 0.0}, "is not one of G395H: groovedensity is 0.0"),
        ("disperser", {"theta_x": None}, "disperser reference has no `theta_x`"),
        ("collimator", {"model": None}, "collimator reference has no `model` with an inverse"),
    ],
)  # fmt: skip
def test_bad_references(kind, change, match):
    optics = references()
    tree = {**optics[kind].tree, **change}
    optics[kind].tree = {key: value for key, value in tree.items() if value is not None}
    with pytest.raises(ReferenceFileError, match=match):
        Spectrograph.of(keywords(), optics).world(fixed_slit("S1600A1"))


def test_prism_in_air_or_without_its_properties():
    for change, match in (({"pref": 1.0}, "expected 0, a vacuum"), ({"kcoef": [1.0]}, "not 3, 3")):
        optics = references("PRISM")
        optics["disperser"].tree |= change
        with pytest.raises(ReferenceFileError, match=match):
            Spectrograph.of(keywords(**PRISM), optics)
    with pytest.raises(ReferenceFileError, match="is not one of PRISM: 'pref'"):
        Spectrograph.of(keywords(**PRISM), references("PRISM") | {"disperser": grating()})


def grating():
    return references()["disperser"]


def test_size_of_a_slit_must_be_positive():
    optics = references()
    optics["msa"].tree["Q5"]["data"]["WIDTH"] = 0.0
    with pytest.raises(ReferenceFileError, match="place and size of S200A1 are"):
        Spectrograph.of(keywords(), optics).world(fixed_slit("S200A1"))


def test_wanted_slit_that_is_not_there():
    with pytest.raises(InputError, match="has no spectrum of S200B1; it has S200A1, S200A2"):
        chosen(exposure(), ["S200B1"])


def test_wcs_of_another_kind():
    image = exposure()
    image.wcs = None
    with pytest.raises(InputError, match="not one of NIRSpec's slits; run assign_wcs again"):
        chosen(image)


def test_no_bounding_box():
    image = exposure()
    world = spectrograph().world(fixed_slit("S1600A1"))
    with pytest.raises(InputError, match="WCS of S1600A1 has no bounding box"):
        cut(image, world, {"SLTNAME": "S1600A1"})


def test_stored_and_read_again(tmp_path):
    image = exposure()
    path = tmp_path / NAME.replace("rate", "assign_wcs")
    image.data = np.ascontiguousarray(image.data)
    write_image(image, path)
    again = read_image(path)
    for (aperture, world), (other, copy) in zip(chosen(image), chosen(again), strict=True):
        assert aperture == other
        assert world.bounding_box == copy.bounding_box
        (x0, x1), (y0, y1) = world.bounding_box
        pixels = np.meshgrid(np.linspace(x0, x1, 9), np.linspace(y0, y1, 9))
        assert np.array_equal(np.array(world(*pixels)), copy(*pixels), equal_nan=True)


def test_gwcs_sees_the_same():
    pytest.importorskip("stdatamodels")
    for values in ({}, PRISM):
        world = spectrograph(**values).slit_world(fixed_slit("S1600A1"))
        (x0, x1), (y0, y1) = world.bounding_box
        pixels = np.meshgrid(np.linspace(x0, x1, 9), np.linspace(y0, y1, 9))
        ours, theirs = world(*pixels), world.gwcs()(*pixels)
        for mine, other in zip(ours, theirs, strict=True):
            assert mine == pytest.approx(np.asarray(other), rel=1e-12, nan_ok=True)
        seen = world.gwcs().invert(*ours, with_bounding_box=False)
        raw = world.backward_transform(*ours)
        assert np.array(raw) == pytest.approx(np.array(seen), abs=1e-8, nan_ok=True)


def test_gwcs_sees_the_same_of_several_slits():
    pytest.importorskip("stdatamodels")
    import io

    import asdf

    from calwebb_core.framework.plain_asdf import write_tree

    worlds = exposure().wcs
    content = io.BytesIO(write_tree({"wcs": worlds.node()}))
    with asdf.open(content, lazy_load=False, memmap=False) as file:
        theirs = file.tree["wcs"]
        for aperture, world in worlds.slits:
            x, y = 1000.0, float(np.mean(world.bounding_box[1]))
            seen = theirs(x, y, aperture.key)
            assert world(x, y) == pytest.approx(seen[:3], rel=1e-12)


def shifts():
    return zero_point(references()["wavecorr"], "S1600A1")


def test_zero_point_moves_wavelengths_by_pixels():
    slit = slit_of()
    before, place = wavelengths(slit), 0.25
    correct(slit, shifts(), place)
    after, pixel = wavelengths(slit), np.gradient(before, axis=1)
    expected = 4.0 * place * (1.0 - 0.02 * before)
    moved = (after - before) / pixel
    middle = np.isfinite(moved)
    assert np.abs(moved - expected)[middle].max() < 5e-3
    assert slit.metadata["WAVECOR"] is True
    assert slit.wcs.available_frames == [*FRAMES[:4], "wavecorr_frame", *FRAMES[4:]]
    x, y = lit_pixel(slit)
    assert slit.wcs(x, y)[2] == pytest.approx(after[y, x], rel=1e-6)
    assert slit.wcs.invert(*slit.wcs(x, y)) == pytest.approx((x, y), abs=1e-3)


def test_nothing_moves_for_a_star_in_the_middle():
    slit = slit_of()
    before = slit.planes["WAVELENGTH"].copy()
    correct(slit, shifts(), 0.0)
    assert slit.planes["WAVELENGTH"] == pytest.approx(before, rel=1e-6, nan_ok=True)


@pytest.mark.parametrize("place", [0.6, -20.0, np.nan])
def test_source_outside_of_its_slit(place):
    with pytest.raises(InputError, match=r"widths of slit S1600A1 from its middle \(SRCXPOS\)"):
        correct(slit_of(), shifts(), place)


def test_zero_point_needs_the_slits_wcs():
    slit = slit_of()
    slit.wcs = None
    with pytest.raises(InputError, match="slit S1600A1 has no WCS of NIRSpec"):
        correct(slit, shifts(), 0.1)


def test_bad_zero_points():
    reference = references()["wavecorr"]
    assert zero_point(reference, "S200A1") is None
    reference.tree["apertures"][0]["zero_point_offset"]["lookup_table"][0, 0] = np.nan
    with pytest.raises(ReferenceFileError, match="of S1600A1 in the wavecorr reference is no tab"):
        zero_point(reference, "S1600A1")
    reference.tree["apertures"][0]["zero_point_offset"] = {"points": 1}
    with pytest.raises(ReferenceFileError, match="of S1600A1 in the wavecorr reference is no tab"):
        zero_point(reference, "S1600A1")
    reference.tree = {}
    with pytest.raises(ReferenceFileError, match="no list of `apertures`"):
        zero_point(reference, "S1600A1")


def test_light_of_all_slits_before_they_are_cut_out():
    image = exposure(**SUBARRAY)
    everywhere = wavelengths(image)
    slit = slit_of()
    x, y = (slit.metadata[key] - 1 for key in ("SLTSTRT1", "SLTSTRT2"))
    part = everywhere[y : y + slit.data.shape[0], x : x + slit.data.shape[1]]
    lit = np.isfinite(part)
    assert part[lit] == pytest.approx(slit.planes["WAVELENGTH"][lit], rel=1e-6)
    assert lit.sum() == np.isfinite(everywhere).sum() > 10000
