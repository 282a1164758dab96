"""flat_field: divide by the flat field.

``S' = S / F`` with VAR_POISSON and VAR_RNOISE divided by ``F^2`` and
``VAR_FLAT = S'^2 (sigma_F / F)^2`` (see `calwebb_core.science.flat`). Pixels whose flat is NaN,
zero or NO_FLAT_FIELD get DO_NOT_USE | NO_FLAT_FIELD; a warning says how many were usable until
then. Pixels flagged DO_NOT_USE become NaN. Does not run where the reference is N/A.

NIRSpec's flat depends on wavelength and is put together for each slit from those of fore optics,
spectrograph and detector (see `calwebb_spec2.slit_flats`); pixels without one also get
UNRELIABLE_FLAT. A slit with a point source where the observer aimed (FXD_SLIT) keeps it as
FLATFIELD_PS, and that of light that fills the slit as FLATFIELD_UN: the master background needs
both.
"""

import logging
from dataclasses import dataclass, replace
from typing import Any, Final

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit, Slits
from calwebb_core.framework.parameters import option
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped

logger = logging.getLogger(__name__)
PARTS: Final = ("fflat", "sflat", "dflat")


@dataclass(frozen=True)
class FlatFieldParameters:
    """Options of flat_field."""

    inverse: bool = option(False, "Multiply by the flat field instead.")


def types_of(metadata: Metadata) -> tuple[str, ...]:
    """Return the CRDS types that an exposure's flat is made of."""
    return PARTS if str(metadata.get("EXP_TYPE")).startswith("NRS_") else ("flat",)


def divide_slit(part: Image, keywords: Metadata, flats: dict[str, Reference], inverse: bool) -> int:
    """Divide the spectrum of a slit by its flat, in place.

    Returns
    -------
    int
        Number of pixels with a wavelength, but without a usable flat value, that were usable
        before.
    """
    import numpy as np

    from calwebb_core.science.dq import DO_NOT_USE, NO_FLAT_FIELD
    from calwebb_core.science.flat import Flat, apply_flat, as_cube
    from calwebb_core.science.spectral.wavelengths import dispersion_axis, wavelengths
    from calwebb_spec2.slit_flats import Pixels, slit_flat
    from calwebb_spec2.slit_light import is_target, uniform_wavelengths, whole, window_of

    window = window_of(part) if isinstance(part, Slit) else whole(part)
    slit = keywords.require("SLTNAME", str)
    pixels = Pixels(wavelengths(part), dispersion_axis(keywords), window, slit)
    found = slit_flat(flats, pixels)
    if isinstance(part, Slit) and is_target(keywords):
        other = slit_flat(flats, replace(pixels, wavelengths=uniform_wavelengths(part)))
        part.planes["FLATFIELD_PS"] = found.values
        part.planes["FLATFIELD_UN"] = other.values
    flat = Flat({"SCI": found.values, "ERR": found.errors}, found.flags, "the slit's flat")
    lost = np.isfinite(pixels.wavelengths) & ((found.flags & np.uint32(NO_FLAT_FIELD)) != 0)
    if part.dq is not None:
        lost &= np.any((as_cube(part.dq) & np.uint32(DO_NOT_USE)) == 0, axis=0)
    apply_flat(part, flat, inverse=inverse)
    return int(np.count_nonzero(lost))


def divide_slits(
    model: Image | Slits, references: References, parameters: FlatFieldParameters
) -> tuple[Any, Status]:
    """Divide the slits of a NIRSpec exposure by their flats, in place."""
    from calwebb_spec2.parts import keywords_of, parts

    loaded = {kind: references.load(kind, model.metadata) for kind in PARTS}
    flats = {kind: reference for kind, reference in loaded.items() if reference is not None}
    if not flats:
        return model, skipped("the fflat, sflat and dflat references are N/A")
    missing = [kind for kind in PARTS if kind not in flats]
    if missing:
        logger.warning(
            "%s: the references %s are N/A; their part of the flat counts as 1",
            model.metadata.source,
            ", ".join(missing),
        )
    for part in parts(model):
        keywords = keywords_of(model, part)
        lost = divide_slit(part, keywords, flats, parameters.inverse)
        if lost:
            logger.warning(
                "%s: %d pixels of slit %s have no flat value and are flagged DO_NOT_USE, "
                "NO_FLAT_FIELD",
                model.metadata.source,
                lost,
                keywords.get("SLTNAME"),
            )
    return model, COMPLETE


def divide_image(
    image: Image, references: References, parameters: FlatFieldParameters
) -> tuple[Image, Status]:
    """Divide an exposure by its flat, in place."""
    from calwebb_core.science.flat import apply_flat, flat_of

    reference = references.load("flat", image.metadata)
    if reference is None:
        return image, skipped("the flat reference is N/A")
    lost = apply_flat(image, flat_of(reference), inverse=parameters.inverse)
    if lost:
        logger.warning(
            "%s: %d pixels have no flat value in %s and are flagged DO_NOT_USE, NO_FLAT_FIELD",
            image.metadata.source,
            lost,
            reference.name,
        )
    return image, COMPLETE


def run(
    model: Image | Slits, references: References, parameters: FlatFieldParameters
) -> tuple[Any, Status]:
    """Divide the spectra of an exposure by their flat, in place.

    Raises
    ------
    InputError
        If a slit lacks its name, its place on the detector or its wavelengths.
    ReferenceFileError
        If the flat does not cover the spectra, or no value of it can be divided by.
    """
    if types_of(model.metadata) == PARTS or isinstance(model, Slits):
        return divide_slits(model, references, parameters)
    return divide_image(model, references, parameters)


STEP = Step(
    name="flat_field",
    keyword="S_FLAT",
    meaning="Divide by the flat field.",
    parameters=FlatFieldParameters,
    run=run,
    references=("flat", *PARTS),
)
