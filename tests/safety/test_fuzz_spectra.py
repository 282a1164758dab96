"""Products of slits and of spectra: read, or refused in a sentence that names the file."""

from functools import partial

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.slit_products import read_slits
from calwebb_core.framework.spectra_products import read_spectra

from . import valid
from .damage import spoilt
from .test_fuzz import ON_FITS, check, made


def test_slits(tmp_path):
    content = spoilt(made(valid.slits), *ON_FITS)
    check(tmp_path / f"{valid.NAME}_cal.fits", read_slits, content, InputError)


def test_spectra(tmp_path):
    content = spoilt(made(partial(valid.spectra, kind="x1dints")), *ON_FITS)
    check(tmp_path / f"{valid.NAME}_x1dints.fits", read_spectra, content, InputError)
