"""How far two products lie apart: values in units of their noise, flags bit by bit."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.references import References
from calwebb_core.science.dq import PixelDQ

Array = NDArray[Any]
RAMP = ("SCI", "ZEROFRAME")
RATE = ("SCI", "ERR", "VAR_POISSON", "VAR_RNOISE")
FLAGS = ("GROUPDQ", "PIXELDQ", "DQ")


@dataclass
class Values:
    """Differences of one array, in units of noise, gathered over exposures."""

    parts: list[Array] = field(default_factory=list)
    size: int = 0
    nan_here: int = 0
    nan_there: int = 0

    def add(self, ours: Array, theirs: Array, noise: Array | float) -> None:
        """Take in two arrays; what is NaN in one of them only is counted apart."""
        here, there = ~np.isfinite(ours), ~np.isfinite(theirs)
        self.size += ours.size
        self.nan_here += int((here & ~there).sum())
        self.nan_there += int((there & ~here).sum())
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = np.abs(ours.astype(np.float64) - theirs) / noise
        # where both are the same number nothing is to be measured, whatever the noise
        apart[ours == theirs] = 0.0
        self.parts.append(apart[~here & ~there].astype(np.float32).ravel())

    def figures(self) -> dict[str, float]:
        """Return the largest difference, the 99.9th percentile and the counts."""
        apart = np.concatenate(self.parts)
        apart = apart[np.isfinite(apart)]
        found = apart.size > 0
        return {
            "max": float(apart.max()) if found else 0.0,
            "p99.9": float(np.quantile(apart, 0.999)) if found else 0.0,
            "above_0.001": int((apart > 1e-3).sum()),
            "size": self.size,
            "nan_only_here": self.nan_here,
            "nan_only_there": self.nan_there,
        }


@dataclass
class Flags:
    """Flags that differ, gathered over exposures."""

    size: int = 0
    equal: int = 0
    here: dict[str, int] = field(default_factory=dict)
    there: dict[str, int] = field(default_factory=dict)

    def add(self, ours: Array, theirs: Array) -> None:
        """Take in two arrays of flags."""
        mine, other = ours.astype(np.uint32), theirs.astype(np.uint32)
        self.size += mine.size
        self.equal += int((mine == other).sum())
        for counts, only in ((self.here, mine & ~other), (self.there, other & ~mine)):
            for bit in PixelDQ:
                number = int(np.count_nonzero(only & np.uint32(bit.value)))
                if number:
                    counts[str(bit.name)] = counts.get(str(bit.name), 0) + number

    def figures(self) -> dict[str, Any]:
        """Return the share of equal flags and how often which bit is set by one alone."""
        return {
            "equal": self.equal / self.size,
            "differ": self.size - self.equal,
            "size": self.size,
            "only_here": self.here,
            "only_there": self.there,
        }


def arrays_of(path: Path) -> dict[str, Array]:
    """Return the images of a product by extension."""
    with fits.open(path, memmap=False) as hdus:
        return {
            hdu.name: np.asarray(hdu.data)
            for hdu in hdus
            if hdu.is_image and hdu.data is not None and hdu.name in (*RAMP, *RATE, *FLAGS)
        }


class Noise:
    """Noise of one sample, in DN: sqrt(read noise^2 / (2 NFRAMES) + signal / gain).

    READNOISE is that of the difference of two frames; the signal is what the sample has risen
    since the first group in the last ramps before the fit, and the first rise once more.
    """

    def __init__(self, references: References, metadata: Metadata, last_ramp: Path) -> None:
        planes = []
        for kind in ("readnoise", "gain"):
            reference = references.load(kind, metadata)
            if reference is None:
                msg = f"{kind} is N/A; the noise of a sample is not known"
                raise ValueError(msg)
            planes.append(np.asarray(reference.arrays["SCI"], dtype=np.float64))
        readnoise, self.gain = planes
        self.read = readnoise**2 / 2 / metadata.require("NFRAMES", int)
        ramps = np.nan_to_num(arrays_of(last_ramp)["SCI"])
        rises = np.maximum(ramps - ramps[:, :1], 0.0)
        self.signal = rises + rises[:, 1:2] if ramps.shape[1] > 1 else np.maximum(ramps, 0.0)

    def of(self, samples: Array) -> Array | float:
        """Return the noise of samples; of the darkest alone if frames have another shape."""
        if samples.shape[-2:] != self.read.shape:
            return float(np.sqrt(np.nanmedian(self.read)))
        signal = self.signal[:, 0] if samples.ndim == 3 else self.signal
        with np.errstate(divide="ignore", invalid="ignore"):
            photons = signal / self.gain
        return np.asarray(np.sqrt(self.read + photons))


class Comparison:
    """Two results of one step, gathered over the exposures of a case."""

    def __init__(self) -> None:
        self.values: dict[str, Values] = {}
        self.flags: dict[str, Flags] = {}

    def add(self, ours: Path, theirs: Path, noise: Noise, label: str = "") -> None:
        """Take in the products of a step for one exposure."""
        mine, other = arrays_of(ours), arrays_of(theirs)
        names: Iterable[str] = RATE if "ERR" in other else RAMP
        for name in names:
            if name not in mine or name not in other:
                continue
            scale = self.scale(name, other, noise)
            self.values.setdefault(label + name, Values()).add(mine[name], other[name], scale)
        for name in FLAGS:
            if name in mine and name in other:
                self.flags.setdefault(label + name, Flags()).add(mine[name], other[name])

    @staticmethod
    def scale(name: str, other: dict[str, Array], noise: Noise) -> Array | float:
        """Return what one unit of a difference is."""
        if "ERR" not in other:
            return noise.of(other[name])
        error = other["ERR"].astype(np.float64)
        return error**2 if name.startswith("VAR") else error

    def figures(self) -> dict[str, Any]:
        """Return all figures by extension."""
        return {
            "values": {name: values.figures() for name, values in self.values.items()},
            "flags": {name: flags.figures() for name, flags in self.flags.items()},
        }
