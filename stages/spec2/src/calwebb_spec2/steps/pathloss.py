"""pathloss: correct for light that a slit, and what is behind it, lets past.

Which share gets through depends on wavelength and, for a point source, on where in the slit it is
(see `calwebb_spec2.slit_losses`). NIRSpec's fixed slits are divided by that of their source: of a
point at SRCXPOS, SRCYPOS, or of light that fills the slit; both are kept as PATHLOSS_PS and
PATHLOSS_UN (Ferruit, ESA-JWST-SCI-NRS-TN-2016-004). MIRI LRS is multiplied by the factor for a
point source at the target's place along the slit (TARG_RA, TARG_DEC), kept as PATHLOSS_PS; across
it the source counts as centred unless `user_slit_loc` says otherwise. Where targ_centroid has found
the source, its place is taken in both directions (SRCXPOS, SRCYPOS), and `user_slit_loc` is added.
It does not run for other sources in that slit.

PTHLOSS says which correction was made, POINT or UNIFORM. Pixels at wavelengths that the reference
does not have become NaN and DO_NOT_USE. A target outside of its slit, or in a slit that the
reference does not have, is refused; slits without the target that the reference does not have stay
as they are, with a warning.
"""

import logging
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit, Slits, Table
from calwebb_core.framework.parameters import option
from calwebb_core.framework.reference_data import ANY_VALUE, Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped

logger = logging.getLogger(__name__)

Float64 = NDArray[np.float64]
SLITS: Final = "NRS_FIXEDSLIT"
LRS: Final = "MIR_LRS-FIXEDSLIT"
POINT: Final = "POINT"
UNIFORM: Final = "UNIFORM"
HALF_WIDTH: Final = 0.255  # arcsec, of the slit of MIRI LRS


@dataclass(frozen=True)
class PathlossParameters:
    """Options of pathloss."""

    inverse: bool = option(False, "Undo the correction instead.")
    source_type: str | None = option(
        None, "What the sources are, instead of what srctype said.", choices=("POINT", "EXTENDED")
    )
    user_slit_loc: float | None = option(
        None,
        "MIRI LRS: where the source is across the slit, from its centre.",
        minimum=-HALF_WIDTH,
        maximum=HALF_WIDTH,
        unit="arcsec",
    )
    outside_slit: str = option(
        "refuse",
        "What to do if the target is outside of its slit; not an official option. As the official "
        "step does: MIRI LRS is corrected as if centred, other slits stay uncorrected.",
        choices=("refuse", "official"),
    )


def check_reference(reference: Reference, metadata: Metadata) -> None:
    """Refuse a reference that says it is for other exposures.

    Raises
    ------
    ReferenceFileError
        If so.
    """
    found = str(reference.metadata.get("EXP_TYPE") or "").strip().upper()
    if found not in ANY_VALUE and metadata["EXP_TYPE"] not in found.split("|"):
        msg = (
            f"{reference.name}: the pathloss reference is for EXP_TYPE {found}, the exposure "
            f"{metadata.source} is {metadata['EXP_TYPE']}: choose another file"
        )
        raise ReferenceFileError(msg)


def known_somewhere(losses: Float64, wavelengths: Float64, what: str) -> Float64:
    """Return losses of pixels, if they are known for any.

    Raises
    ------
    ReferenceFileError
        If not.
    """
    if np.isnan(losses).all() and np.isfinite(wavelengths).any():
        low, high = np.nanmin(wavelengths), np.nanmax(wavelengths)
        msg = f"{what}: has no value at {low:.4g}-{high:.4g} um: choose another pathloss reference"
        raise ReferenceFileError(msg)
    return losses


def outside(text: str, parameters: PathlossParameters, instead: str) -> None:
    """Refuse a source outside of its slit, or warn if the user wants what `instead` says.

    Raises
    ------
    InputError
        If it is refused.
    """
    if parameters.outside_slit == "refuse":
        msg = (
            f"{text}; check the pointing, or say what it is with --set "
            "pathloss.source_type=EXTENDED, or --set pathloss.outside_slit=official"
        )
        raise InputError(msg)
    logger.warning("%s: %s", text, instead)


def correct_slit(
    slit: Slit, keywords: Metadata, reference: Reference, parameters: PathlossParameters
) -> bool:
    """Correct the spectrum of a fixed slit, in place; return whether that was possible."""
    from calwebb_core.science.spectral.factors import apply_factors
    from calwebb_core.science.spectral.wavelengths import wavelengths
    from calwebb_spec2.slit_light import uniform_wavelengths
    from calwebb_spec2.slit_losses import slit_losses

    name = keywords.require("SLTNAME", str)
    point = (parameters.source_type or keywords.get("SRCTYPE")) == POINT
    losses = slit_losses(reference, name)
    if losses is None or losses.uniform is None:
        text = f"{reference.name}: the pathloss reference has no aperture {name}"
        if point:
            msg = f"{text}, where {keywords.source} has a point source: choose another file"
            raise ReferenceFileError(msg)
        logger.warning("%s: that slit of %s stays uncorrected", text, keywords.source)
        return False
    x, y = (place_of(keywords, axis, needed=point) for axis in ("X", "Y"))
    curve = losses.point(x, y)
    if curve is None and point:
        text = f"{keywords.source}: the source is outside of slit {name}, at {x:.3f}, {y:.3f}"
        outside(f"{text} (SRCXPOS, SRCYPOS)", parameters, "the slit stays uncorrected")
        return False
    waves, sky = wavelengths(slit), uniform_wavelengths(slit)
    found = {"PATHLOSS_UN": known_somewhere(losses.uniform.at(sky), sky, losses.what)}
    if curve is not None:
        found["PATHLOSS_PS"] = known_somewhere(curve.at(waves), waves, losses.what)
    slit.planes |= {key: found[key].astype(np.float32) for key in sorted(found)}
    used = found["PATHLOSS_PS" if point else "PATHLOSS_UN"]
    slit.metadata["PTHLOSS"] = POINT if point else UNIFORM
    apply_factors(slit, used if parameters.inverse else 1.0 / used)
    return True


def place_of(keywords: Metadata, axis: str, *, needed: bool) -> float:
    """Return where in its slit a source is, in parts of the slit; 0 for what is not needed."""
    keyword = f"SRC{axis}POS"
    if needed:
        return keywords.require(keyword, float)
    value = keywords.get(keyword)
    return float(value) if isinstance(value, int | float) else 0.0


def middle_of(image: Image, step: float = 0.0) -> tuple[float, float, float]:
    """Return alpha, beta (arcsec) and wavelength (um) of a pixel `step` beside the middle.

    Raises
    ------
    InputError
        If the WCS is none of the slit of MIRI LRS.
    """
    world = image.wcs
    if world is None or "alpha_beta" not in world.available_frames:
        msg = f"{image.metadata.source}: has no WCS of the slit; run assign_wcs first"
        raise InputError(msg)
    (x0, x1), (y0, y1) = world.bounding_box
    to_slit = world.get_transform("detector", "alpha_beta")
    alpha, beta, wavelength = to_slit((x0 + x1) / 2 + step, (y0 + y1) / 2)
    return float(alpha), float(beta), float(wavelength)


def pixel_scale(image: Image) -> float:
    """Return arcsec of a pixel along the slit."""
    return middle_of(image, 1.0)[0] - middle_of(image)[0]


def found_in_lrs(
    image: Image, references: References, parameters: PathlossParameters
) -> tuple[float, float]:
    """Return where targ_centroid found the source, in pixels from the reference pixel.

    Raises
    ------
    ReferenceFileError
        If the specwcs reference is N/A or has no reference pixel.
    """
    from calwebb_core.science.spectral.lrs import reference_pixel

    metadata = image.metadata
    specwcs = references.load("specwcs", metadata, cutout=False)
    if specwcs is None:
        msg = f"{metadata.source}: the specwcs reference is N/A; it has the middle of the slit"
        raise ReferenceFileError(msg)
    x0, y0 = reference_pixel(metadata, specwcs)
    x, y = (metadata.require(key, float) for key in ("SRCXPOS", "SRCYPOS"))
    return x - x0, y - y0 + (parameters.user_slit_loc or 0.0) / pixel_scale(image)


def place_in_lrs(image: Image, parameters: PathlossParameters) -> tuple[float, float]:
    """Return where the target of MIRI LRS is, in pixels from the reference pixel.

    Raises
    ------
    InputError
        If keywords are missing, or the WCS is none of the slit.
    """
    metadata, world = image.metadata, image.wcs
    ra, dec = (metadata.require(name, float) for name in ("TARG_RA", "TARG_DEC"))
    scale, wavelength = pixel_scale(image), middle_of(image)[2]
    alpha, beta, _ = world.get_transform("world", "alpha_beta")(ra, dec, wavelength)
    if parameters.user_slit_loc is None and abs(beta) > HALF_WIDTH:
        logger.warning(
            "%s: TARG_RA, TARG_DEC are %.2f arcsec beside the middle of the slit, whose half width "
            "is %.3f; the source counts as centred: user_slit_loc says otherwise",
            metadata.source, beta, HALF_WIDTH,
        )  # fmt: skip
    return float(alpha) / scale, (parameters.user_slit_loc or 0.0) / scale


def correct_lrs(
    image: Image, reference: Reference, references: References, parameters: PathlossParameters
) -> Status:
    """Correct an exposure of MIRI LRS with its slit, in place."""
    from calwebb_core.science.spectral.factors import apply_factors
    from calwebb_core.science.spectral.wavelengths import wavelengths
    from calwebb_spec2.slit_losses import lrs_losses

    kind = parameters.source_type or image.metadata.get("SRCTYPE")
    if kind != POINT:
        return skipped(f"the source is {kind}; MIRI LRS is corrected for point sources only")
    losses = lrs_losses(reference)
    if image.metadata.get("S_TACNTR") == COMPLETE.word:
        x, y = found_in_lrs(image, references, parameters)
    else:
        x, y = place_in_lrs(image, parameters)
    curve = losses.point(x, y)
    if curve is None:
        text = f"{image.metadata.source}: the target is {x:.1f} pixels along the slit from its"
        outside(f"{text} reference pixel, outside of it", parameters, "it counts as centred")
        curve = losses.point(0.0, y)
    if curve is None:
        msg = f"{losses.what}: does not cover the middle of the slit: choose another file"
        raise ReferenceFileError(msg)
    waves = wavelengths(image)
    factors = known_somewhere(curve.at(waves), waves, losses.what)
    image.metadata["PTHLOSS"] = POINT
    image.tables["PATHLOSS_PS"] = Table(factors.astype(np.float32))
    apply_factors(image, 1.0 / factors if parameters.inverse else factors)
    return COMPLETE


def correct_slits(
    model: Image | Slits, reference: Reference, parameters: PathlossParameters
) -> Status:
    """Correct the fixed slits of an exposure, in place."""
    from calwebb_spec2.parts import keywords_of, parts

    done = [
        correct_slit(part, keywords_of(model, part), reference, parameters)
        for part in parts(model)
        if isinstance(part, Slit)
    ]
    if not any(done):
        return skipped("no slit could be corrected" if done else "there are no slits")
    return COMPLETE


def run(
    model: Image | Slits, references: References, parameters: PathlossParameters
) -> tuple[Any, Status]:
    """Correct the spectra of an exposure for what is lost at the slit, in place.

    Raises
    ------
    InputError
        If a keyword is missing, or the target is outside of its slit.
    ReferenceFileError
        If the reference is for another mode, or lacks the slit, or its numbers cannot be used.
    """
    metadata = model.metadata
    kind = metadata.require("EXP_TYPE", str)
    if kind not in (SLITS, LRS):
        msg = f"{metadata.source}: pathloss for EXP_TYPE {kind} does not exist yet"
        raise InputError(msg)
    reference = references.load("pathloss", metadata)
    if reference is None:
        return model, skipped("the pathloss reference is N/A")
    check_reference(reference, metadata)
    if kind == LRS and isinstance(model, Image):
        return model, correct_lrs(model, reference, references, parameters)
    return model, correct_slits(model, reference, parameters)


def types_of(metadata: Metadata) -> tuple[str, ...]:
    """Return the CRDS types for an exposure; of MIRI LRS, specwcs has the middle of the slit."""
    return ("pathloss", "specwcs") if metadata.get("EXP_TYPE") == LRS else ("pathloss",)


STEP = Step(
    name="pathloss",
    keyword="S_PTHLOS",
    meaning="Correct for light lost at the slit.",
    parameters=PathlossParameters,
    run=run,
    references=("pathloss",),
)
