"""Run by the official package's Python: spectra, their references, and what its steps make of them.

    python peer_flux.py FOLDER [REALDATA]

Makes exposures of NIRSpec's slits (fixed, bright object), of a NIRCam grism series and, with real
references, of MIRI LRS, with the official data models; runs flat_field, pathloss and photom one
after the other, pixel_replace and clean_flicker_noise; leaves all products and references in the
folder. The numbers are random, so that no two pixels are alike.
"""

import logging
import sys
import warnings
from pathlib import Path

import numpy as np
from jwst.assign_wcs import AssignWcsStep
from jwst.clean_flicker_noise import CleanFlickerNoiseStep
from jwst.flatfield import FlatFieldStep
from jwst.pathloss import PathLossStep
from jwst.photom import PhotomStep
from jwst.pixel_replace import PixelReplaceStep
from stdatamodels.jwst import datamodels

REPLACED = [
    ("mingrad", PixelReplaceStep, {"skip": False}),
    ("fit-profile", PixelReplaceStep, {"skip": False, "algorithm": "fit_profile"}),
]
RNG = np.random.default_rng(20)
POINTS = 40
DETECTOR = (90, 120)  # rows and columns of NIRSpec's detector here
PLACES = {"S200A1": (10, 20), "S200A2": (30, 25), "S1600A1": (50, 22)}  # row, column, 0-based
SHAPE = (12, 60)  # of a slit
STERADIAN = np.deg2rad(1 / 3600) ** 2  # of a square arcsec
ROOT = "jw09999001001_0{}101_00001_{}_{}.fits"


def described(model, kind, instrument, exp_type, detector=None):
    """Give a reference what every reference has to have."""
    meta = model.meta
    meta.description, meta.author, meta.pedigree = "made for a comparison", "a test", "DUMMY"
    meta.useafter, meta.reftype, meta.telescope = "2020-01-01T00:00:00", kind, "JWST"
    meta.instrument.name, meta.exposure.type = instrument, exp_type
    if detector:
        meta.instrument.detector = detector
    return model


def fast(rows, first, last, scale):
    """Return a table of fast variation with some wiggles."""
    waves = np.linspace(first, last, 400)
    dtype = [("slit_name", "S15"), ("nelem", "i4")] + [
        (name, "f4", (400,)) for name in ("wavelength", "data", "error")
    ]
    table = np.zeros(len(rows), dtype)
    for number, name in enumerate(rows):
        values = scale * (1 + 0.2 * np.sin(9 * waves + number))
        table[number] = (name, 380, waves, values, 0.01 * values)
    return table


def flats(folder):
    """Write the three flats of NIRSpec."""
    for kind, planes in (("fflat", 0), ("sflat", 1), ("dflat", 4)):
        model = datamodels.NirspecFlatModel()
        rows = list(PLACES) if kind == "fflat" else ["ANY"]
        model.flat_table = fast(rows, 0.55, 3.2, {"fflat": 0.6, "sflat": 0.9, "dflat": 1.0}[kind])
        if planes:
            shape = DETECTOR if planes == 1 else (planes, *DETECTOR)
            model.data = RNG.uniform(0.8, 1.2, shape).astype("f4")
            model.err = RNG.uniform(0.01, 0.03, shape if kind == "sflat" else DETECTOR).astype("f4")
            model.dq = np.zeros(DETECTOR, "u4")
            model.dq[15, 40:44], model.dq[16, 45], model.dq[17, 46] = 1, 2, 4
            model.data[..., 18, 47], model.data[..., 19, 48] = np.nan, 0
            model.dq_def = np.array(
                [(0, 1, "DO_NOT_USE", ""), (1, 2, "NO_FLAT_FIELD", ""), (2, 4, "HOT", "")],
                [("BIT", "i4"), ("VALUE", "u4"), ("NAME", "S40"), ("DESCRIPTION", "S80")],
            )
        if planes > 1:
            model.wavelength = np.array(
                [(wave,) for wave in (0.8, 1.4, 2.0, 2.9)], [("wavelength", "f4")]
            )
        described(model, kind.upper(), "NIRSPEC", "NRS_FIXEDSLIT", "NRS1")
        model.save(folder / f"{kind}.fits")


def losses(folder):
    """Write the losses of NIRSpec's slits, but one."""
    model = datamodels.PathlossModel()
    described(model, "PATHLOSS", "NIRSPEC", "NRS_FIXEDSLIT")
    for name in ("S200A1", "S1600A1"):
        model.apertures.append({"name": name, "shutters": 1})
        one = model.apertures[-1]
        one.pointsource_data = RNG.uniform(0.5, 0.9, (9, 7, 6)).astype("f4")
        one.pointsource_err = np.zeros((9, 7, 6), "f4")
        one.uniform_data = RNG.uniform(0.5, 0.9, 9).astype("f4")
        one.uniform_err = np.zeros(9, "f4")
        wave = {"crpix": 1.0, "crval": 0.65e-6, "cdelt": 0.25e-6}
        places = {f"{key}{axis}": value for axis, step in ((1, 0.2), (2, 1 / 6))
                  for key, value in (("crpix", 1.0), ("crval", -0.5), ("cdelt", step))}  # fmt: skip
        one.pointsource_wcs = places | {f"{key}3": value for key, value in wave.items()}
        one.uniform_wcs = {f"{key}1": value for key, value in wave.items()}
    model.save(folder / "pathloss.fits")


def table_of_photom(keys, scalar, first, last):
    """Return a PHOTOM table with one row for each mapping of keys."""
    count = POINTS + 3
    dtype = [(name, "i2" if isinstance(value, int) else "S15") for name, value in keys[0].items()]
    dtype += [(scalar, "f4"), ("uncertainty", "f4"), ("nelem", "i2")]
    dtype += [(name, "f4", (count,)) for name in ("wavelength", "relresponse", "reluncertainty")]
    table = np.zeros(len(keys), dtype)
    waves = np.zeros(count)
    waves[:POINTS] = np.linspace(first, last, POINTS)
    for number, key in enumerate(keys):
        response = np.where(waves > 0, 1 + 0.3 * np.sin(5 * waves + number), 0)
        table[number] = (*key.values(), 2.5 + number, 0.1, POINTS, waves, response, 0 * waves)
    return table


def photoms(folder):
    """Write the flux calibrations."""
    keys = [{"filter": "F100LP", "grating": "G140M", "slit": name} for name in PLACES]
    model = datamodels.NrsFsPhotomModel(
        phot_table=table_of_photom(keys, "photmj", 0.75, 1.95)
    )  # fmt: skip
    described(model, "PHOTOM", "NIRSPEC", "NRS_FIXEDSLIT", "NRS1").save(folder / "photom.fits")
    areas = np.array(
        [(name, 0.02 + 0.001 * i) for i, name in enumerate(PLACES)],
        [("slit_id", "S15"), ("pixarea", "f4")],
    )
    model = datamodels.NirspecSlitAreaModel(area_table=areas)
    described(model, "AREA", "NIRSPEC", "NRS_FIXEDSLIT").save(folder / "area.fits")
    keys = [{"filter": "F322W2", "pupil": "GRISMR", "order": order} for order in (1, 2)]
    model = datamodels.NrcWfssPhotomModel(phot_table=table_of_photom(keys, "photmjsr", 2.4, 3.9))
    described(model, "PHOTOM", "NIRCAM", "NRC_TSGRISM", "NRCALONG")
    model.meta.photometry = {
        "pixelarea_steradians": 9.3e-14,
        "pixelarea_arcsecsq": 9.3e-14 / STERADIAN,
    }
    model.save(folder / "grism_photom.fits")
    keys = [{"filter": "P750L", "subarray": name} for name in ("FULL", "SLITLESSPRISM")]
    model = datamodels.MirLrsPhotomModel(phot_table=table_of_photom(keys, "photmjsr", 5.1, 11.5))
    described(model, "PHOTOM", "MIRI", "MIR_LRS-FIXEDSLIT|MIR_LRS-SLITLESS", "MIRIMAGE")
    model.meta.photometry = {
        "pixelarea_steradians": 2.8e-13,
        "pixelarea_arcsecsq": 2.8e-13 / STERADIAN,
    }
    model.timecoeff_powerlaw = np.array(
        [("P750L", "FULL", 59000.0, 0.9, 1.0, -0.1), ("P750L", "SLITLESSPRISM", 0, 1, 1, 0)],
        model.get_dtype("timecoeff_powerlaw"),
    )
    model.save(folder / "lrs_photom.fits")


def lrs_losses(folder):
    """Write the losses of the slit of MIRI LRS; wavelengths fall, as in the flight files."""
    shape = (25, 20, 50)
    dtype = [("wavelength", "f4"), ("pathloss", "f4", shape[1:]), ("pathloss_err", "f4", shape[1:])]
    table = np.zeros(shape[0], dtype)
    table["wavelength"] = np.linspace(13.0, 4.5, shape[0])
    table["pathloss"] = RNG.uniform(1.1, 1.6, shape)
    model = datamodels.MirLrsPathlossModel(pathloss_table=table)
    described(model, "PATHLOSS", "MIRI", "MIR_LRS-FIXEDSLIT")
    model.meta.wcsinfo = {"crpix1": 1.0, "crval1": -25.0, "cdelt1": 1.0,
                          "crpix2": 1.0, "crval2": -5.0, "cdelt2": 0.5}  # fmt: skip
    model.save(folder / "lrs_pathloss.fits")


def filled(model, shape):
    """Fill a data model with random values, and flags and NaN here and there."""
    model.data = RNG.uniform(5, 10, shape).astype("f4")
    model.var_poisson = RNG.uniform(0.1, 0.2, shape).astype("f4")
    model.var_rnoise = RNG.uniform(0.1, 0.2, shape).astype("f4")
    model.err = np.sqrt(model.var_poisson + model.var_rnoise)
    model.dq = np.zeros(shape, "u4")
    model.dq[..., 3, 7] = 4
    for y, x in ((2, 3), (5, 20), (5, 30), (6, 30)):
        model.dq[..., y, x] = 1
        for array in (model.data, model.err, model.var_poisson, model.var_rnoise):
            array[..., y, x] = np.nan
    return model


def about(model, **values):
    """Write keywords by their place in the tree."""
    model.meta.telescope = "JWST"
    for place, value in values.items():
        parent, _, leaf = place.replace("__", ".").rpartition(".")
        target = model.meta
        for name in filter(None, parent.split(".")):
            if not target.hasattr(name):
                setattr(target, name, {})
            target = getattr(target, name)
        setattr(target, leaf, value)
    return model


NIRSPEC = {
    "instrument__name": "NIRSPEC", "instrument__detector": "NRS1", "instrument__filter": "F100LP",
    "instrument__grating": "G140M", "subarray__xstart": 1, "subarray__ystart": 1,
    "subarray__xsize": DETECTOR[1], "subarray__ysize": DETECTOR[0], "subarray__name": "SUB512",
    "exposure__mid_time": 60000.0,
}  # fmt: skip


def slit(name, shape, source):
    """Return a slit with slanted wavelengths, none in two corners."""
    model = filled(datamodels.SlitModel(shape), shape)
    ny, nx = shape[-2:]
    y, x = np.mgrid[:ny, :nx]
    waves = 0.7 + 0.0222 * x + 1e-5 * x**2 + 0.0007 * y
    waves[(x < 2) & (y > 6)] = np.nan
    model.wavelength = waves.astype("f4")
    model.name, model.source_type = name, source
    row, column = PLACES[name]
    model.ystart, model.xstart, model.ysize, model.xsize = row + 1, column + 1, ny, nx
    model.source_xpos, model.source_ypos = 0.13, -0.21
    return about(model, wcsinfo__dispersion_direction=1)


def nirspec(folder):
    """Write exposures of fixed slits and of a bright object; run the steps."""
    slits = datamodels.MultiSlitModel()
    about(slits, exposure__type="NRS_FIXEDSLIT", instrument__fixed_slit="S200A1", **NIRSPEC)
    for name, source in (("S200A1", "POINT"), ("S200A2", "EXTENDED"), ("S1600A1", "EXTENDED")):
        slits.slits.append(slit(name, SHAPE, source))
    kinds = {
        f"override_{kind}": str(folder / f"{kind}.fits") for kind in ("fflat", "sflat", "dflat")
    }
    kinds["override_flat"] = "N/A"
    loss = {"override_pathloss": str(folder / "pathloss.fits")}
    photom = {name: str(folder / f"{name.split('_')[1]}.fits")
              for name in ("override_photom", "override_area")}  # fmt: skip
    steps = [("flat_field", FlatFieldStep, kinds), ("pathloss", PathLossStep, loss),
             ("photom", PhotomStep, photom)]  # fmt: skip
    chain(slits, folder, 1, "nrs1", [*steps, *REPLACED])
    series = slit("S1600A1", (3, *SHAPE), "POINT")
    about(
        series,
        target__source_type="POINT",
        exposure__type="NRS_BRIGHTOBJ",
        instrument__fixed_slit="S1600A1",
        **NIRSPEC,
    )
    chain(series, folder, 2, "nrs1", [steps[0], steps[2], *REPLACED])


def grism(folder):
    """Write a cut-out of a grism series; run photom."""
    series = slit("S200A1", (3, *SHAPE), "POINT")
    series.wavelength = (2.4 + 0.025 * np.mgrid[:12, :60][1] ** 1.01).astype("f4")
    series.name = "1"
    about(
        series, exposure__type="NRC_TSGRISM", instrument__name="NIRCAM",
        instrument__detector="NRCALONG", instrument__module="A", instrument__filter="F322W2",
        instrument__pupil="GRISMR", wcsinfo__spectral_order=1,
    )  # fmt: skip
    photom = {"override_photom": str(folder / "grism_photom.fits"), "override_area": "N/A"}
    chain(series, folder, 3, "nrcalong", [("photom", PhotomStep, photom)])


def lrs(folder, real):
    """Write exposures of MIRI LRS with real WCS; run the steps."""
    cache = real / "crds_cache" / "references" / "jwst" / "miri"
    distortion = cache / "jwst_miri_distortion_0028.asdf"
    common = {
        "instrument__name": "MIRI", "instrument__detector": "MIRIMAGE",
        "instrument__filter": "P750L", "exposure__mid_time": 59700.0,
        "exposure__start_time": 59700.0, "exposure__end_time": 59700.1,
        "observation__date": "2022-06-01", "observation__time": "12:00:00.000",
        "subarray__fastaxis": 1, "subarray__slowaxis": 2, "target__ra": 30.0002,
        "target__dec": -45.00005, "wcsinfo__v2_ref": -414.2774, "wcsinfo__v3_ref": -400.6946,
        "wcsinfo__ra_ref": 30.0, "wcsinfo__dec_ref": -45.0, "wcsinfo__roll_ref": 20.0,
        "wcsinfo__v3yangle": 4.75, "wcsinfo__vparity": -1, "velocity_aberration__scale_factor": 1.0,
        "target__source_type": "POINT", "dither__x_offset": 0.0, "dither__y_offset": 0.0,
    }  # fmt: skip
    cases = (
        (4, "MIR_LRS-FIXEDSLIT", "FULL", (1, 1, 350, 400), "jwst_miri_specwcs_0005.fits"),
        (5, "MIR_LRS-SLITLESS", "SLITLESSPRISM", (1, 529, 72, 416), "jwst_miri_specwcs_0006.fits"),
    )
    for number, kind, subarray, (x, y, nx, ny), specwcs in cases:
        slitless = subarray != "FULL"
        shape = (2, ny, nx) if slitless else (ny, nx)
        model = datamodels.CubeModel(shape) if slitless else datamodels.ImageModel(shape)
        window = {"xstart": x, "ystart": y, "xsize": nx, "ysize": ny, "name": subarray}
        about(filled(model, shape), exposure__type=kind, **common,
              **{f"subarray__{key}": value for key, value in window.items()})  # fmt: skip
        wcs = {f"override_{kind}": "N/A" for kind in AssignWcsStep.reference_file_types}
        wcs |= {"override_distortion": str(distortion), "override_specwcs": str(cache / specwcs)}
        photom = {"override_photom": str(folder / "lrs_photom.fits"), "override_area": "N/A"}
        steps = [("assign_wcs", AssignWcsStep, wcs), ("photom", PhotomStep, photom)]
        if not slitless:
            loss = {"override_pathloss": str(folder / "lrs_pathloss.fits")}
            steps.insert(1, ("pathloss", PathLossStep, loss))
        chain(model, folder, number, "mirimage", steps)


def flicker(folder):
    """Write rates of a bright object with noise in lines along the columns; clean them."""
    shape = (3, 32, 256)
    model = filled(datamodels.CubeModel(shape), shape)
    model.data = (RNG.normal(1, 0.1, shape) + RNG.normal(0, 0.5, (3, 1, 256))).astype("f4")
    model.data[:, 14:18] += 20
    model.data[1, 3, 4], model.data[2, 5, 6] = np.nan, 9
    values = NIRSPEC | {"subarray__xsize": 256, "subarray__ysize": 32}
    about(model, exposure__type="NRS_BRIGHTOBJ", subarray__fastaxis=2, subarray__slowaxis=1,
          instrument__fixed_slit="S1600A1", **values)  # fmt: skip
    options = {"skip": False, "override_flat": "N/A", "override_pastasoss": "N/A"}
    cases = {
        "one_mask": {},
        "masks": {"single_mask": False},
        "model": {"background_method": "model"},
    }
    for name, more in cases.items():
        chain(model, folder, 6, "nrs1", [(name, CleanFlickerNoiseStep, options | more)])


def chain(model, folder, number, detector, steps):
    """Save an exposure, and what each step makes of what the one before made.

    Steps whose names have a hyphen start from the same product as the one before them.
    """
    path = folder / ROOT.format(number, detector, "start")
    model.meta.filename = path.name
    model.save(path)
    before = path
    for name, step, options in steps:
        before = before if "-" in name else path
        with datamodels.open(before) as given:
            result = step.call(given, **options)
        path = folder / ROOT.format(number, detector, name.replace("-", ""))
        result.save(path)


def main():
    """Make everything."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    folder = Path(sys.argv[1])
    for make in (flats, losses, photoms, lrs_losses, nirspec, grism, flicker):
        make(folder)
    if len(sys.argv) > 2:
        lrs(folder, Path(sys.argv[2]))


main()
