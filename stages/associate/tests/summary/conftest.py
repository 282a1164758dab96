"""A program half-way through: header-only files in every state, and a hostile one."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner

from calwebb_associate.headers import read_primary
from calwebb_associate.pool import make_pool, write_pool
from calwebb_associate.summary.command import main

HOSTILE = """<script>alert(1)</script>'"&<img src=x onerror=alert(2)>"""
PROGRAM = "01345"
SKY = {
    "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": 32.5, "CRPIX2": 32.5,
    "CRVAL1": 150.1, "CRVAL2": 2.2,
    "CD1_1": -1.7e-5, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 1.7e-5,
    "RA_REF": 150.1, "DEC_REF": 2.2,
}  # fmt: skip


class Program:
    """Raw exposures, products and logs of a program below one folder."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.raw = base / "raw"
        self.folder = base / "results" / PROGRAM
        self.logs = base / "results" / "logs" / PROGRAM
        for place in (self.raw, self.folder, self.logs):
            place.mkdir(parents=True)

    def expose(self, number, detector="nrcalong", observation=1, *, sky=None, **keywords):
        """Write a raw exposure; return its root."""
        root = f"jw{PROGRAM}{observation:03d}001_02101_{number:05d}_{detector}"
        start = 60017.25 + 3 * (observation - 1) + 0.002 * number
        header = {
            "TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DETECTOR": detector.upper(),
            "PROGRAM": PROGRAM, "OBSERVTN": f"{observation:03d}", "VISIT": "001",
            "VISITGRP": "02", "SEQ_ID": "1", "ACT_ID": "01", "EXPOSURE": f"{number:05d}",
            "OBS_ID": f"V{PROGRAM}{observation:03d}001P0000000002101",
            "EXP_TYPE": "NRC_IMAGE", "FILTER": "F277W", "PUPIL": "CLEAR", "MODULE": "A",
            "CHANNEL": "LONG", "SUBARRAY": "FULL", "TARGPROP": "FIELD-1", "TARGTYPE": "FIXED",
            "TARG_RA": 150.1, "TARG_DEC": 2.2, "NINTS": 1, "NGROUPS": 8, "READPATT": "RAPID",
            "EFFEXPTM": 85.9, "EXPSTART": start, "EXPEND": start + 0.001,
            "SUBSIZE1": 64, "SUBSIZE2": 64, "VISITYPE": "PRIME_TARGETED_FIXED",
            "BKGDTARG": False, "TSOVISIT": False, "PATT_NUM": number,
        } | keywords  # fmt: skip
        write(self.raw / f"{root}_uncal.fits", header, SKY if sky is None else sky)
        return root

    def pool(self):
        """Write the pool."""
        headers = {path: read_primary(path) for path in self.raw.glob("*_uncal.fits")}
        write_pool(make_pool(headers, "pool.csv"), self.folder / "pool.csv")

    def make(self, root, pipeline, *suffixes, picture=False, **keywords):
        """Write products of an exposure or association, and their log."""
        for suffix in suffixes:
            path = self.folder / pipeline / f"{root}_{suffix}.fits"
            path.parent.mkdir(exist_ok=True)
            write(path, {"EXP_TYPE": "NRC_IMAGE", "TARGPROP": "FIELD-1"} | keywords, SKY)
            if picture:
                draw(self.folder / "quicklook" / pipeline / f"{root}_{suffix}.png")
        self.say(root, pipeline, "2026-01-01T00:00:00.000Z INFO calwebb: done\n")

    def say(self, root, pipeline, text):
        """Write a log."""
        path = self.logs / pipeline / f"{root}.log"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def report(self, *options, name="page.html"):
        """Run the program; return the page's path."""
        page = self.folder / "report" / name
        words = [self.folder, "-o", page, "--uncal", self.raw, *options]
        done = CliRunner().invoke(main, [str(word) for word in words])
        assert done.exit_code == 0, done.output
        return page


def write(path, primary, science):
    """Write a FITS file with keywords; control characters as they are."""
    header = fits.Header([(key, value) for key, value in primary.items() if value is not None])
    sci = fits.ImageHDU(np.zeros((2, 2), np.float32), fits.Header(science.items()), name="SCI")
    fits.HDUList([fits.PrimaryHDU(header=header), sci]).writeto(path)


def draw(path):
    """Write a picture."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (640, 480), (40, 10, 90)).save(path)


@pytest.fixture(scope="session")
def half_way(tmp_path_factory):
    """A program in every state at once: see the names."""
    program = Program(tmp_path_factory.mktemp("program"))
    done, failed, running, damaged, left = (program.expose(n) for n in range(1, 6))
    other = [program.expose(n, observation=2, FILTER="F444W") for n in (1, 2)]
    lost = program.expose(
        1, "mirifushort", observation=3, INSTRUME="MIRI", EXP_TYPE="MIR_MRS", FILTER=None,
        PUPIL=None, CHANNEL="12", BAND="SHORT", TARGPROP=HOSTILE, sky={"RA_REF": 150.2},
        TARG_RA=None, TARG_DEC=None, EXPSTART=None,
    )  # fmt: skip
    program.pool()
    versions = {"CAL_VER": "0.1.0", "CRDS_CTX": "jwst_0001.pmap", "S_JUMP": "COMPLETE"}
    for root in (done, failed, *other):
        program.make(root, "detector1", "rate", "rateints", picture=root == done, **versions)
    for root in (done, *other):
        program.make(
            root, "image2", "cal", "i2d", S_FLAT="COMPLETE", S_PHOTOM="SKIPPED", **versions
        )
    program.make("jw01345-o002_t001_nircam_clear-f444w", "image3", "i2d", picture=True)
    program.make("jw01345-o009_t001_nircam_clear-f444w", "image3", "i2d")
    error = "2026-01-01T00:00:00.000Z ERROR calwebb_core: failed\nTraceback (most recent call last)"
    program.say(failed, "image2", f"{error}:\n  x\nour.errors.InputError: flat is all <b>NaN</b>\n")
    program.say(running, "detector1", "2026-01-01T00:00:00.000Z INFO calwebb: linearity\n")
    program.make(damaged, "detector1", "rate")
    path = program.folder / "detector1" / f"{damaged}_rate.fits"
    path.write_bytes(path.read_bytes()[:3000])
    program.names = {
        "done": done, "failed": failed, "running": running, "damaged": damaged, "left": left,
        "lost": lost, "other": other,
    }  # fmt: skip
    return program


@pytest.fixture
def program(tmp_path):
    """An empty program."""
    return Program(tmp_path)
