"""Small files that are well, as a start for what is not."""

import io
import json
from pathlib import Path

import asdf
import numpy as np
from astropy import coordinates, time, units
from astropy.io import fits
from astropy.modeling.models import Pix2Sky_TAN, Polynomial2D, RotateNative2Celestial, Shift
from astropy.table import QTable
from gwcs import WCS
from gwcs.coordinate_frames import CelestialFrame, Frame2D

from calwebb_core.framework.catalogs import write_catalog
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Ramp, Slit, Slits, Table
from calwebb_core.framework.products import write_image, write_ramp
from calwebb_core.framework.slit_products import write_slits
from calwebb_core.framework.spectra import COLUMNS, PER_INTEGRATION, Spectra, Spectrum
from calwebb_core.framework.spectra_products import write_spectra

NAME = "jw01345001001_02201_00001_nrcalong"
KEYWORDS = {
    "TELESCOP": "JWST", "PROGRAM": "01345", "OBSERVTN": "001", "VISIT": "001",
    "TITLE": "a proposal with a long title, " * 4, "INSTRUME": "NIRCAM", "DETECTOR": "NRCALONG",
    "MODULE": "A", "CHANNEL": "LONG", "FILTER": "F444W", "PUPIL": "CLEAR",
    "EXP_TYPE": "NRC_IMAGE", "READPATT": "BRIGHT1", "TGROUP": 21.47354, "SUBARRAY": "FULL",
    "NFRAMES": 1, "GROUPGAP": 0,
    "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 8, "SUBSIZE2": 6, "NINTS": 2, "NGROUPS": 3,
    "TARGPROP": "EGS-FIELD", "TARGNAME": "EGS", "VISITGRP": "02", "SEQ_ID": "2", "ACT_ID": "01",
    "EXPOSURE": "1", "TARG_RA": 214.9, "TARG_DEC": 52.8,
}  # fmt: skip
ASSOCIATION = {
    "asn_type": "image3",
    "asn_rule": "Asn_Lv3Image",
    "program": "01345",
    "asn_id": "o001",
    "target": "t001",
    "products": [
        {
            "name": "jw01345-o001_t001_nircam_clear-f444w",
            "members": [
                {"expname": f"{NAME}_cal.fits", "exptype": "science"},
                {"expname": "sub/other_cal.fits", "exptype": "background", "exposerr": None},
            ],
        }
    ],
}
POOL = "filename|program|obs_num|exp_type|instrume|detector|filter|pupil|asn_candidate\n" + "".join(
    f"jw01345001001_02201_0000{n}_nrcalong_uncal.fits|1345|1|nrc_image|nircam|nrcalong|f444w|clear"
    "|[('o001', 'observation')]\n"
    for n in (1, 2)
)
RULES = """
[lists]
images = ["nrc_image", "mir_image"]
[shared.one]
exp_type = "@images"
agree = ["instrume", "filter|band?"]
[[rule]]
name = "Mine"
makes = "image2"
sentence = "Each image is calibrated."
like = ["one"]
[[also]]
rule = "Asn_Lv3Image"
joins = [{exp_type = "nrc_image", as = "background"}]
"""
CSV = b"ra,dec,weight\n1.5,2.5,1\n"
RUN = {
    "program": "calwebb-detector1",
    "pipeline": "detector1",
    "software": {"calwebb_core": "0.1.0"},
    "environment": {"lock": None},
    "input": {"name": f"{NAME}_uncal.fits", "sha256": "0" * 64},
    "references": {"gain": {"name": "gain.fits", "sha256": "0" * 64}},
    "steps": [
        {"name": "dq_init", "status": "COMPLETE", "parameters": {}},
        {"name": "jump", "status": "COMPLETE", "parameters": {"rejection_threshold": 4.0},
         "post_hooks": ["ls {}"]},
    ],
}  # fmt: skip
PARAMETERS = "jump:\n  rejection_threshold: 5.0\n  skip: false\nramp_fit: {algorithm: OLS_C}\n"


def wcs() -> WCS:
    """Return the WCS of an image of 8 by 6 pixels."""
    shape = Polynomial2D(2, c1_0=1e-5, c2_0=1e-12) & Polynomial2D(1, c1_0=1e-5)
    sky = Pix2Sky_TAN() | RotateNative2Celestial(214.9, 52.9, 180)
    made = WCS(
        [
            (Frame2D(name="detector", unit=(units.pix, units.pix)), Shift(-3.5) & Shift(-2.5)),
            (Frame2D(name="v2v3", unit=(units.deg, units.deg)), sky),
            (CelestialFrame(name="world", reference_frame=coordinates.ICRS()), None),
        ]
    )
    assert shape.n_outputs == 2
    made.pixel_shape = (8, 6)
    return made


def tables() -> dict[str, Table]:
    """Return a plain table and one that only astropy reads."""
    data = np.zeros(3, [("number", "i4"), ("when", "f8"), ("who", "S7")])
    return {"INT_TIMES": Table(data, {"when": "d"})}


def image(path: Path) -> None:
    """Write a calibrated image with WCS, table and provenance."""
    planes = {
        name: np.ones((6, 8), np.float32)
        for name in ("data", "err", "var_poisson", "var_rnoise", "var_flat", "area")
    }
    metadata = Metadata(KEYWORDS | {"BUNIT": "MJy/sr"})
    metadata.provenance = {"format": 1, "runs": [{"program": "calwebb-image2"}]}
    made = Image(metadata, dq=np.zeros((6, 8), np.uint32), wcs=wcs(), tables=tables(), **planes)
    write_image(made, path)
    scaled = fits.BinTableHDU.from_columns(
        [
            fits.Column("a", "2J", array=np.ones((4, 2)), bzero=5),
            fits.Column("b", "PE()", array=np.array([np.ones(k) for k in range(4)], object)),
        ],
        name="SCALED",
    )
    with fits.open(path, mode="append") as hdus:
        hdus.append(scaled)


def ramp(path: Path) -> None:
    """Write a ramp."""
    data = np.ones((2, 3, 6, 8), np.float32)
    made = Ramp(
        Metadata(KEYWORDS),
        data,
        np.zeros((6, 8), np.uint32),
        np.zeros(data.shape, np.uint8),
        zeroframe=data[:, 0],
        tables=tables(),
    )
    write_ramp(made, path)


def reference(path: Path) -> None:
    """Write a reference file with its flags' definition."""
    keywords = {"REFTYPE": "FLAT", "INSTRUME": "NIRCAM", "DETECTOR": "NRCALONG", "SUBSTRT1": 1,
                "SUBSTRT2": 1, "SUBSIZE1": 8, "SUBSIZE2": 6}  # fmt: skip
    bits = np.array([(0, 1, b"DO_NOT_USE"), (1, 2, b"DEAD")],
                    [("BIT", "i4"), ("VALUE", "i4"), ("NAME", "S20")])  # fmt: skip
    primary = fits.PrimaryHDU()
    primary.header.update(keywords)
    fits.HDUList(
        [
            primary,
            fits.ImageHDU(np.ones((6, 8), np.float32), name="SCI"),
            fits.ImageHDU(np.zeros((6, 8), np.uint32), name="DQ"),
            fits.BinTableHDU(bits, name="DQ_DEF"),
        ]
    ).writeto(path)


def packed_reference(path: Path) -> None:
    """Write a reference file of compressed images, with rows of varying length."""
    ramp = np.arange(48, dtype=np.float32).reshape(6, 8)
    rows = np.array([np.ones(length) for length in range(4)], object)
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.CompImageHDU(ramp, name="SCI", compression_type="RICE_1"),
            fits.CompImageHDU(ramp.astype(np.int32), name="DQ", compression_type="GZIP_1"),
            fits.BinTableHDU.from_columns([fits.Column("a", "PE()", array=rows)], name="ROWS"),
        ]
    ).writeto(path)


def rates(path: Path) -> None:
    """Write count rates with the record of how they were made."""
    planes = {name: np.ones((6, 8), np.float32) for name in ("data", "err")}
    metadata = Metadata(KEYWORDS | {"BUNIT": "DN/s", "FILENAME": f"{NAME}_rate.fits"})
    metadata.provenance = {"format": 1, "runs": [RUN]}
    write_image(Image(metadata, dq=np.zeros((6, 8), np.uint32), **planes), path)


def slits(path: Path) -> None:
    """Write two spectra that were cut out, one with a WCS."""
    found = []
    for name, world in (("S200A1", wcs()), ("S400A1", None)):
        planes = {key: np.ones((6, 8), np.float32) for key in ("data", "err", "var_rnoise")}
        own = Metadata({"SLTNAME": name, "SOURCEID": 1, "SLTSTRT1": 1, "BUNIT": "MJy"})
        flags, wavelengths = np.zeros((6, 8), np.uint32), np.ones((6, 8), np.float32)
        more = {"dq": flags, "wcs": world, "planes": {"WAVELENGTH": wavelengths}}
        found.append(Slit(own, **planes, **more))
    write_slits(Slits(Metadata(KEYWORDS), found, tables()), path)


def spectra(path: Path, kind: str) -> None:
    """Write two extracted spectra; of a series each with two integrations."""
    shape = (2, 5) if kind == "x1dints" else (5,)
    columns = {
        name: np.ones(shape[:1] if name in PER_INTEGRATION else shape) for name in COLUMNS[kind]
    }
    units = {"WAVELENGTH": "um", "FLUX": "Jy"}
    found = [Spectrum(Metadata({"SLTNAME": name}), columns, units) for name in ("1", "2")]
    write_spectra(Spectra(Metadata(KEYWORDS), found, tables(), kind), path)


def catalog(path: Path) -> None:
    """Write a catalog of sources with units, a mask and a record."""
    table = QTable({"ra": [1.5, 2.5] * units.deg, "n": [1, 2], "name": ["a", "b c"]})
    write_catalog(table, path, {"calwebb_flow": {"format": 1, "runs": [RUN]}})


def table(path: Path) -> None:
    """Write a table of positions as FITS."""
    columns = [fits.Column("RA", "D", array=[1.0, 2.0]), fits.Column("DEC", "D", array=[1.0, 2.0])]
    fits.BinTableHDU.from_columns(columns).writeto(path)


def grid() -> bytes:
    """Return the file of an output grid."""
    buffer = io.BytesIO()
    asdf.AsdfFile({"wcs": wcs(), "pixel_shape": [8, 6]}).write_to(buffer)
    return buffer.getvalue()


def objects() -> bytes:
    """Return an ASDF file of objects that the asdf library makes."""
    buffer = io.BytesIO()
    content = {
        "meta": {"reftype": "distortion", "instrument": {"name": "NIRCAM"}},
        "model": Pix2Sky_TAN() | RotateNative2Celestial(214.9, 52.9, 180),
        "when": time.Time("2020-01-01T00:00:00"),
        "far": 3.5 * units.Unit("MJy/sr"),
        "values": np.arange(6.0).reshape(2, 3)[:, ::2],
    }
    asdf.AsdfFile(content).write_to(buffer)
    return buffer.getvalue()


def tree() -> bytes:
    """Return an ASDF file with a WCS, arrays and a record."""
    buffer = io.BytesIO()
    content = {
        "meta": {"wcs": wcs(), "reftype": "distortion", "instrument": {"name": "NIRCAM"}},
        "values": np.arange(6.0).reshape(2, 3),
        "calwebb_flow": {"runs": [{"program": "x"}]},
    }
    asdf.AsdfFile(content).write_to(buffer, all_array_compression="zlib")
    return buffer.getvalue()


def reference_list() -> str:
    """Return a list of references."""
    entries = {
        "flat": {"name": "flat.fits", "path": "flat.fits", "sha256": "0" * 64},
        "dark": "N/A",
        "gain": {"missing": "none fits"},
    }
    content = {"format": 1, "exposure": NAME, "context": "jwst_0001.pmap", "references": entries}
    return json.dumps(content)


def parameter_reference() -> bytes:
    """Return a pars-* file of CRDS."""
    return (
        b"#ASDF 1.0.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n"
        b"class: jwst.jump.JumpStep\nname: jump\nparameters:\n  rejection_threshold: 4.0\n"
        b"  skip: false\nsteps:\n- name: jump\n  parameters: {skip: true}\n...\n"
    )
