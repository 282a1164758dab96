"""assign_wcs: say where each pixel looks, and at which wavelength.

Builds the chain of frames from pixels to right ascension, declination (degrees) and wavelength
(micrometres) for the modes of `MODES`: MIRI's low-resolution spectrometer
(`calwebb_core.science.spectral.lrs`), NIRCam's grism time series
(`calwebb_core.science.spectral.grism_series`), and NIRSpec's fixed slits
(`calwebb_core.science.nirspec`), where each slit has a WCS of its own. It is stored as a gwcs that
the official data models open. Writes DISPAXIS, SPECSYS and, where the slit's corners are known,
S_REGION; for MIRI's slit DITH_RA, DITH_DEC, where the target is by pointing and offset. Sets no
flags.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.parameters import option
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step


@dataclass(frozen=True)
class AssignWcsParameters:
    """Options of assign_wcs."""

    lrs_smoothing: float = option(
        0.002,
        "MIRI LRS: smooth the wavelengths of the reference up to this sum of squared differences, "
        "as the official step does; 0 takes them as they are. Not an official option.",
        minimum=0.0,
        unit="micrometre^2",
    )
    slit_y_low: float = option(
        -0.55,
        "NIRSpec slits: lower end of the spectrum along the slit, from the slit's middle.",
        unit="slit height",
    )
    slit_y_high: float = option(
        0.55,
        "NIRSpec slits: upper end of the spectrum along the slit, from the slit's middle.",
        unit="slit height",
    )


@dataclass(frozen=True)
class Branch:
    """How the WCS of a mode is made.

    Attributes
    ----------
    references : tuple of str
        CRDS types.
    run : callable
        ``run(image, references, parameters)``: attaches the WCS and writes keywords, in place.
    """

    references: tuple[str, ...]
    run: Callable[[Image, References, AssignWcsParameters], None]


def loaded(references: References, kind: str, metadata: Metadata) -> Reference:
    """Return a reference that a WCS can't do without.

    Raises
    ------
    ReferenceFileError
        If it is N/A.
    """
    reference = references.load(kind, metadata, cutout=False)
    if reference is None:
        msg = f"{metadata.source}: the {kind} reference is N/A; the WCS needs one"
        raise ReferenceFileError(msg)
    return reference


def model_of(reference: Reference) -> Any:
    """Return the transform that a reference holds.

    Raises
    ------
    ReferenceFileError
        If it holds none.
    """
    if "model" not in (reference.tree or {}):
        msg = f"{reference.name}: the {reference.type} reference has no `model`"
        raise ReferenceFileError(msg)
    return (reference.tree or {})["model"]


def run_lrs(image: Image, references: References, parameters: AssignWcsParameters) -> None:
    """Attach the WCS to an exposure of MIRI's low-resolution spectrometer."""
    from calwebb_core.science.spectral.lrs import lrs_wcs, slit_region
    from calwebb_core.science.spectral.pointing import dithered_sky

    metadata = image.metadata
    distortion, specwcs = (loaded(references, kind, metadata) for kind in LRS)
    image.wcs = lrs_wcs(
        metadata,
        model_of(distortion),
        specwcs,
        smoothing=parameters.lrs_smoothing,
        source=distortion.name,
    )
    metadata.update({"DISPAXIS": 2, "SPECSYS": "BARYCENT"})
    if metadata["EXP_TYPE"] != "MIR_LRS-FIXEDSLIT":
        return
    metadata["DITH_RA"], metadata["DITH_DEC"] = dithered_sky(metadata, image.wcs)
    region = slit_region(image.wcs, specwcs)
    if region:
        metadata["S_REGION"] = region


def run_grism_series(image: Image, references: References, _: AssignWcsParameters) -> None:
    """Attach the WCS to an exposure of a NIRCam grism time series."""
    from calwebb_core.science.spectral.grism_series import grism_series_wcs

    metadata = image.metadata
    distortion, specwcs = (loaded(references, kind, metadata) for kind in LRS)
    image.wcs = grism_series_wcs(
        metadata,
        model_of(distortion),
        specwcs,
        filter_offset(references, metadata),
        source=distortion.name,
    )
    metadata.update({"DISPAXIS": 1, "SPECSYS": "BARYCENT"})


def filter_offset(references: References, metadata: Metadata) -> tuple[float, float] | None:
    """Return column and row offset of the exposure's filter in pixels, None without one.

    Raises
    ------
    ReferenceFileError
        If the reference has no list of filters.
    """
    from calwebb_core.science.wcs import find_filter_offset

    reference = references.load("filteroffset", metadata, cutout=False)
    if reference is None:
        return None
    rows = (reference.tree or {}).get("filters")
    if rows is None:
        msg = f"{reference.name}: the filteroffset reference has no `filters`"
        raise ReferenceFileError(msg)
    return find_filter_offset(rows, metadata)


def run_slits(image: Image, references: References, parameters: AssignWcsParameters) -> None:
    """Attach the WCS of each fixed slit of NIRSpec to an exposure.

    Raises
    ------
    InputError
        If the ends of the spectra are no range.
    """
    from calwebb_core.science.nirspec.slit_worlds import slit_worlds

    metadata, limits = image.metadata, (parameters.slit_y_low, parameters.slit_y_high)
    if not limits[0] < limits[1]:
        msg = f"slit_y_low is {limits[0]} and slit_y_high {limits[1]}; expected the first below"
        raise InputError(msg)
    optics = {kind: loaded(references, kind, metadata) for kind in NIRSPEC}
    image.wcs, light = slit_worlds(metadata, optics, limits)
    metadata.update({"DISPAXIS": 1, "SPORDER": light.order})
    metadata.update({"WAVSTART": light.low, "WAVEND": light.high})
    if metadata.get("VELOSYS") is not None:
        metadata["SPECSYS"] = "BARYCENT"


LRS: Final = ("distortion", "specwcs")
NIRSPEC: Final = (
    "camera", "collimator", "disperser", "fore", "fpa", "msa", "ote", "wavelengthrange",
)  # fmt: skip
MODES: Final[dict[str, Branch]] = {
    "NRC_TSGRISM": Branch((*LRS, "filteroffset"), run_grism_series),
    "MIR_LRS-FIXEDSLIT": Branch(LRS, run_lrs),
    "MIR_LRS-SLITLESS": Branch(LRS, run_lrs),
    "NRS_FIXEDSLIT": Branch(NIRSPEC, run_slits),
    "NRS_BRIGHTOBJ": Branch(NIRSPEC, run_slits),
}


def types_of(metadata: Metadata) -> tuple[str, ...]:
    """Return the CRDS types that an exposure's WCS needs."""
    branch = MODES.get(str(metadata.get("EXP_TYPE")))
    return () if branch is None else branch.references


def run(
    image: Image, references: References, parameters: AssignWcsParameters
) -> tuple[Image, Status]:
    """Attach the WCS to an exposure and update its keywords, in place.

    Raises
    ------
    InputError
        If a keyword is missing, the spectrum is not on the exposure's pixels, or the WCS of its
        mode is not available yet.
    ReferenceFileError
        If a reference is missing, or lacks what it should hold.
    """
    kind = image.metadata.require("EXP_TYPE", str)
    if kind not in MODES:
        msg = f"{image.metadata.source}: the WCS of EXP_TYPE {kind} is not available yet"
        raise InputError(msg)
    MODES[kind].run(image, references, parameters)
    return image, COMPLETE


STEP = Step(
    name="assign_wcs",
    keyword="S_WCS",
    meaning="Say where each pixel looks, and at which wavelength.",
    parameters=AssignWcsParameters,
    run=run,
    references=tuple(dict.fromkeys(kind for mode in MODES.values() for kind in mode.references)),
)
