"""Which files say where a mode's spectra fall: invented ones, or those of the observatory.

The observatory's files (`specwcs`, NIRSpec's optics) come from a CRDS cache that the user names;
what is not in it is written as without it. The msa is always made here, with the slits where the
SIAF has them on the sky as telescope and fore optics show them.
"""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import asdf

from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.reference_files import read_reference
from calwebb_simulator.references import spectra_optics, spectra_wcs
from calwebb_simulator.spectra.modes import SpectralMode

Writer = Callable[[Path, SpectralMode], Path]
OPTICS: Final = ("camera", "collimator", "disperser", "fore", "fpa", "msa", "ote")
WRITERS: Final[Mapping[str, Mapping[str, Writer]]] = {
    "MIRI": {"specwcs": spectra_wcs.write_lrs_specwcs},
    "NIRCAM": {
        "specwcs": spectra_wcs.write_grism_specwcs,
        "wavelengthrange": spectra_wcs.write_grism_range,
    },
    "NIRSPEC": {
        "wavelengthrange": spectra_wcs.write_nirspec_range,
        **{name: getattr(spectra_optics, f"write_{name}") for name in OPTICS},
    },
}
EXTENSIONS: Final = {"MIRI": "fits", "NIRCAM": "asdf", "NIRSPEC": "asdf"}
# names of the observatory's files, by type and by what they depend on
REAL: Final[Mapping[tuple[str, str], Mapping[str, str]]] = {
    ("MIRI", "specwcs"): {
        "MIR_LRS-FIXEDSLIT": "jwst_miri_specwcs_0005.fits",
        "MIR_LRS-SLITLESS": "jwst_miri_specwcs_0006.fits",
    },
    ("NIRCAM", "specwcs"): {"NRCALONG": "jwst_nircam_specwcs_0010.asdf"},
    ("NIRSPEC", "camera"): {"NIRSPEC": "jwst_nirspec_camera_0004.asdf"},
    ("NIRSPEC", "collimator"): {"NIRSPEC": "jwst_nirspec_collimator_0004.asdf"},
    ("NIRSPEC", "fpa"): {"NIRSPEC": "jwst_nirspec_fpa_0005.asdf"},
    ("NIRSPEC", "ote"): {"NIRSPEC": "jwst_nirspec_ote_0005.asdf"},
    ("NIRSPEC", "fore"): {
        "F290LP": "jwst_nirspec_fore_0022.asdf",
        "F100LP": "jwst_nirspec_fore_0023.asdf",
        "F170LP": "jwst_nirspec_fore_0027.asdf",
        "CLEAR": "jwst_nirspec_fore_0028.asdf",
    },
    ("NIRSPEC", "disperser"): {
        "G140M": "jwst_nirspec_disperser_0032.asdf",
        "PRISM": "jwst_nirspec_disperser_0034.asdf",
        "G395H": "jwst_nirspec_disperser_0035.asdf",
        "G395M": "jwst_nirspec_disperser_0036.asdf",
        "G235M": "jwst_nirspec_disperser_0037.asdf",
    },
}


def real_file(kind: str, mode: SpectralMode, cache: Path | None) -> Path | None:
    """Return the observatory's file of a type in a CRDS cache, or None if it isn't there."""
    if cache is None:
        return None
    names = REAL.get((mode.instrument, kind), {})
    keys = (mode.exp_type, mode.detector, mode.filter, mode.grating, mode.instrument)
    name = next((names[key] for key in keys if key in names), "")
    path = cache / "references" / "jwst" / mode.instrument.lower() / name
    return path if name and path.is_file() else None


def write_geometry(kind: str, path: Path, mode: SpectralMode, cache: Path | None) -> Path:
    """Write a file of where spectra fall, or copy the observatory's."""
    source = real_file(kind, mode, cache)
    if source is not None:
        shutil.copyfile(source, path)
        return path
    telescope, fore = (real_file(name, mode, cache) for name in ("ote", "fore"))
    if kind == "msa" and telescope is not None and fore is not None:
        with asdf.open(telescope) as first, asdf.open(fore) as second:
            return spectra_optics.write_msa(path, mode, first["model"], second["model"])
    return WRITERS[mode.instrument][kind](path, mode)


def geometry_references(mode: SpectralMode, cache: Path | None = None) -> dict[str, Reference]:
    """Return the references that say where a mode's spectra fall, as its cache holds them."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in WRITERS[mode.instrument]:
            path = Path(folder) / f"{kind}.{EXTENSIONS[mode.instrument]}"
            found[kind] = read_reference(kind, write_geometry(kind, path, mode, cache))
    return found
