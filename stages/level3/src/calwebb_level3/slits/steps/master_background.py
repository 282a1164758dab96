"""master_background: subtract the spectrum of the sky, measured elsewhere.

The spectra of the association's background members (surface brightness of light that fills the
slit) are averaged, weighted by exposure time, smoothed by a moving median of `median_kernel`
points, and interpolated to the wavelength of every pixel. A spectrum that was calibrated as a
point source's gets the background that went through the same calibration.

It does not run without background members, unless the user gives a spectrum (`user_background`),
nor if stage 2 has subtracted a background already (`force_subtract` runs it nevertheless).

Pixels outside the background's range of wavelengths get DO_NOT_USE.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.parameters import option
from calwebb_core.framework.spectra import Spectra
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.science.spectral.background import (
    background_of,
    smoothed,
    subtract_background,
)
from calwebb_level3.slits.sources import SourceSet

logger = logging.getLogger(__name__)
APPLIED: Final = "applied"
IGNORED: Final = "ignored"
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class MasterBackgroundParameters:
    """Options of master_background; names as in the official step."""

    median_kernel: int = option(1, "Points of the moving median over the background.", minimum=1)
    user_background: str | None = option(None, "Spectrum to subtract (_x1d or _c1d).")
    save_background: bool = option(False, "Also write the background (_masterbg1d).")
    force_subtract: bool = option(False, "Subtract also from what stage 2 has subtracted from.")
    lrs_pathloss: str = option(
        APPLIED,
        "Point sources of MIRI LRS: multiply the background as the spectrum was for what the slit "
        "loses, or subtract it as it is, as the official step does. Ours.",
        choices=(APPLIED, IGNORED),
    )


def run(
    sources: SourceSet,
    references: Any,  # noqa: ARG001
    parameters: MasterBackgroundParameters,
) -> tuple[SourceSet, Status]:
    """Subtract the background from all spectra, in place."""
    skies = sources.backgrounds
    if sources.user_background is not None:
        skies = [sources.user_background]
    if not skies:
        return sources, skipped("there is no background exposure")
    done = [e for e in sources.exposures if e.metadata.get("S_BKDSUB") == "COMPLETE"]
    if done and not parameters.force_subtract:
        return sources, skipped("stage 2 has subtracted the background already")
    curve = curve_of(skies, parameters.median_kernel)
    if parameters.save_background:
        sources.master = master_of(skies, *curve)
    for source in sources.sources:
        subtract(source.spectra, source.keywords, curve, parameters.lrs_pathloss == APPLIED)
    if parameters.user_background:
        for exposure in sources.exposures:
            exposure.metadata["MASTERBG"] = parameters.user_background.rpartition("/")[2]
    return sources, COMPLETE


def subtract(spectra: list[Any], keywords: list[Any], curve: Curve, factor: bool = True) -> None:
    """Subtract the background from the spectra of one source."""
    for spectrum, words in zip(spectra, keywords, strict=True):
        point = words.get("SRCTYPE") == "POINT"
        lost = subtract_background(
            spectrum, background_of(spectrum, *curve, point=point, factor=factor)
        )
        if lost:
            logger.warning(
                "%s: the background says nothing of %d pixels; they are not used",
                words.source,
                lost,
            )


def curve_of(skies: list[Spectra], kernel: int) -> Curve:
    """Return wavelength and surface brightness of the background.

    Raises
    ------
    InputError
        If it has fewer than two points.
    """
    wave, brightness = averaged(skies)
    known = np.isfinite(wave) & np.isfinite(brightness)
    if np.count_nonzero(known) < 2:
        msg = (
            f"{skies[0].metadata.source}: SURF_BRIGHT has {np.count_nonzero(known)} finite values; "
            "expected a spectrum of the sky: check the background exposures"
        )
        raise InputError(msg)
    return wave[known], smoothed(brightness[known], kernel)


def averaged(skies: list[Spectra]) -> Curve:
    """Return the mean of spectra of the sky, weighted by exposure time, on the first one's points.

    Where only some have a value, these count.
    """
    first = np.asarray(skies[0].spectra[0].columns["WAVELENGTH"], np.float64)
    total, weights = np.zeros(first.shape), np.zeros(first.shape)
    for sky in skies:
        times = (sky.metadata.optional(name, float) for name in ("EFFEXPTM", "XPOSURE"))
        time = next((found for found in times if found), 1.0)
        for spectrum in sky.spectra:
            values = sampled(spectrum.columns, first)
            known = np.isfinite(values)
            total[known] += time * values[known]
            weights[known] += time
    mean = np.full(first.shape, np.nan)
    np.divide(total, weights, out=mean, where=weights > 0)
    return first, mean


def sampled(columns: Mapping[str, Any], wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the surface brightness of a spectrum at other wavelengths, NaN where it has none."""
    own = np.asarray(columns["WAVELENGTH"], np.float64)
    values = np.asarray(columns["SURF_BRIGHT"], np.float64)
    values = np.where(np.asarray(columns["DQ"]) & 1, np.nan, values)
    if own.shape == wave.shape and np.array_equal(own, wave, equal_nan=True):
        return values
    order = np.argsort(own)
    return np.interp(wave, own[order], values[order], left=np.nan, right=np.nan)


def master_of(skies: list[Spectra], wave: Any, brightness: Any) -> Spectra:
    """Return the background as a product of one spectrum."""
    from calwebb_core.framework.metadata import Metadata
    from calwebb_core.framework.spectra import COMBINED, Spectrum

    columns: dict[str, NDArray[Any]] = {name: np.zeros(len(wave)) for name in COMBINED}
    columns |= {"WAVELENGTH": wave, "SURF_BRIGHT": brightness}
    columns["N_INPUT"] = np.full(len(wave), float(len(skies)))
    units = {"WAVELENGTH": "um", "SURF_BRIGHT": "MJy/sr", "SB_ERROR": "MJy/sr", "FLUX": "Jy"}
    spectrum = Spectrum(Metadata({"SRCTYPE": "EXTENDED"}), columns, units | {"ERROR": "Jy"})
    return Spectra(skies[0].metadata.copy(), [spectrum], {}, "c1d")


STEP = Step(
    name="master_background",
    keyword="S_MSBSUB",
    meaning="Subtract the spectrum of the sky, measured elsewhere.",
    parameters=MasterBackgroundParameters,
    run=run,
)
