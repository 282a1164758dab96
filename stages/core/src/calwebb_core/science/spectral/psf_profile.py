"""The profile of a star across the dispersion, from a PSF reference.

The reference (SpecPsfModel) tabulates by wavelength what a pixel gets whose centre is at a distance
from the star: ``PSF`` on a grid SUBPIX times finer than pixels, centred on the element CENTCOL
(vertical dispersion) or CENTROW, with the wavelength of every row in ``WAVE``. It is interpolated
linearly in both and divided by the sum over pixels: over all that the table has, so that the
fitted flux holds the light beyond the ends of a slit, or over the array as the official step does.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.spectral.extraction import VERTICAL

Float64 = NDArray[np.float64]

PSF: Final = "PSF"
WAVE: Final = "WAVE"
CENTRES: Final = {1: "CENTROW", 2: "CENTCOL"}
LEAST_ROWS: Final = 2


@dataclass(frozen=True)
class SpectralPsf:
    """A PSF by wavelength.

    Attributes
    ----------
    table : float64 (nwave, nplace)
    waves : float64 (nwave,)
        Micrometres, ascending.
    centre : float
        Element of the table where the star is.
    fineness : float
        Elements of the table in a pixel.
    """

    table: Float64
    waves: Float64
    centre: float
    fineness: float

    def profile(self, wavelengths: Float64, trace: Float64, *, whole: bool) -> Float64:
        """Return the part of a star's light in every pixel.

        Parameters
        ----------
        wavelengths : float64 (nalong, nacross)
            Micrometres; a pixel without one (NaN) has no light.
        trace : float64 (nalong,)
            Pixel across the dispersion where the star is.
        whole : bool
            Whether all the light that the table knows counts as 1; otherwise that on the array.

        Returns
        -------
        float64 (nalong, nacross)
            Zero beyond the table and where the trace is unknown.
        """
        across = np.arange(wavelengths.shape[1])
        place = (across - trace[:, None]) * self.fineness + self.centre
        lit = np.isfinite(wavelengths) & np.isfinite(place)
        last = self.table.shape[1] - 1
        lit &= (place >= 0.0) & (place <= last)
        row = np.interp(np.where(lit, wavelengths, self.waves[0]), self.waves, self.rows)
        place = np.where(lit, place, 0.0)
        i = np.minimum(row.astype(np.intp), len(self.waves) - 2)
        k = np.minimum(place.astype(np.intp), last - 1)
        u, v = row - i, place - k
        low = (1.0 - v) * self.table[i, k] + v * self.table[i, k + 1]
        high = (1.0 - v) * self.table[i + 1, k] + v * self.table[i + 1, k + 1]
        light = np.where(lit, (1.0 - u) * low + u * high, 0.0)
        if whole:
            total = self.table.sum(axis=1) / self.fineness
            norm = (1.0 - u) * total[i] + u * total[i + 1]
        else:
            norm = light.sum(axis=1, keepdims=True)
        result: Float64 = np.divide(light, norm, out=np.zeros(light.shape), where=norm > 0.0)
        return result

    @property
    def rows(self) -> Float64:
        """Numbers of the rows."""
        return np.arange(len(self.waves), dtype=np.float64)


def psf_of(reference: Reference, names: tuple[str, ...], axis: int) -> SpectralPsf:
    """Return the PSF of an aperture: the only one of a file, or the one of its name.

    Parameters
    ----------
    reference : Reference
        PSF.
    names : tuple of str
        What the aperture may be called.
    axis : 1 or 2
        Of the dispersion.

    Raises
    ------
    ReferenceFileError
        If there is none, or one that makes no sense.
    """
    source = reference.path or reference.name
    keys = [name for name in reference.arrays if name.split(",")[0] == PSF]
    key = chosen(reference, keys, names)
    if key is None:
        msg = (
            f"{source}: has {len(keys)} PSFs, none of {' or '.join(names)}; "
            "name another file with --override psf=FILE, or use extraction_type=box"
        )
        raise ReferenceFileError(msg)
    header = reference.headers.get(key, {})
    try:
        waves = np.asarray(reference.arrays[key.replace(PSF, WAVE)], np.float64).reshape(-1)
        table = np.asarray(reference.arrays[key], np.float64)
        table = np.ascontiguousarray(table if axis == VERTICAL else table.T)
        centre, fineness = float(header[CENTRES[axis]]), float(header["SUBPIX"])
    except KeyError as error:
        msg = f"{source}: has no {error.args[0]} for {key}; expected a PSF of spectra"
        raise ReferenceFileError(msg) from error
    except (TypeError, ValueError) as error:
        msg = f"{source}: {key} makes no sense: {' '.join(str(error).split())}"
        raise ReferenceFileError(msg) from error
    order = np.argsort(waves, kind="stable")
    problem = problem_of(table, waves, centre, fineness)
    if problem:
        msg = f"{source}: {key} makes no sense: {problem}"
        raise ReferenceFileError(msg)
    return SpectralPsf(np.ascontiguousarray(table[order]), waves[order], centre, fineness)


def chosen(reference: Reference, keys: list[str], names: tuple[str, ...]) -> str | None:
    """Return the key of the PSF of an aperture, None without one."""
    if len(keys) == 1:
        return keys[0]
    called: dict[Any, str] = {
        str(reference.headers.get(key, {}).get("APERTURE", "")).strip().upper(): key for key in keys
    }
    return next((called[name.upper()] for name in (*names, "ANY") if name.upper() in called), None)


def problem_of(table: Float64, waves: Float64, centre: float, fineness: float) -> str:
    """Return what is wrong with a PSF, "" where nothing is."""
    if table.ndim != 2 or min(table.shape) < LEAST_ROWS or len(waves) != len(table):
        return f"it has shape {table.shape} and {len(waves)} wavelengths"
    if not (np.isfinite(waves).all() and np.isfinite(table).all()):
        return "it has values that are no numbers"
    if not 0.0 < fineness < np.inf or not 0.0 <= centre <= table.shape[1] - 1:
        return f"SUBPIX is {fineness}, its centre {centre} of {table.shape[1]} elements"
    if not (table.sum(axis=1) > 0.0).all():
        return "it has a wavelength without light"
    return ""
