"""The properties of a detector, pixel by pixel: what its reference files describe.

They depend on the detector's name and the number of its realisation only, not on the run's
seed, so that the same reference files serve exposures with any noise.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.science.dq import PixelDQ
from calwebb_simulator.effects import DEFAULT_EFFECTS
from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import Detector, Instrument
from calwebb_simulator.maps import Maps

Float32 = NDArray[np.float32]
UInt32 = NDArray[np.uint32]
DEAD_FRACTION = 4e-4
HOT_FRACTION = 8e-4
WARM_FRACTION = 1.5e-3
HOT_RATE = (2.0, 200.0)  # electrons per second
WARM_RATE = (0.1, 1.0)
SATURATION_MARGIN = 0.97
READ_LIMIT = 65535


@dataclass(frozen=True)
class Properties:
    """Properties of a frame's pixels, float32 (ny, nx) unless said otherwise.

    Attributes
    ----------
    sensitivity : response of a pixel to light, about 1; 0 for dead pixels
    area : pixel area relative to the nominal one
    gain : electrons per DN
    bias : DN
    read_noise : noise of a single read in DN
    dark : electrons per second
    well : electrons
    c2, c3 : coefficients of the linearity correction, 1/DN and 1/DN^2
    dq : uint32, flags of the bad-pixel mask
    mean_gain : float, the gain that the photometric calibration is about
    """

    sensitivity: Float32
    area: Float32
    gain: Float32
    bias: Float32
    read_noise: Float32
    dark: Float32
    well: Float32
    c2: Float32
    c3: Float32
    dq: UInt32
    mean_gain: float

    @property
    def science(self) -> NDArray[np.bool_]:
        """Where pixels see light."""
        return np.asarray((self.dq & np.uint32(PixelDQ.REFERENCE_PIXEL)) == 0)

    @property
    def flat(self) -> Float32:
        """What a uniform sky looks like in DN: sensitivity x area x mean gain / gain."""
        return (self.sensitivity * self.area * (self.mean_gain / self.gain)).astype(np.float32)

    @property
    def saturation(self) -> Float32:
        """Raw signal in DN above which a pixel counts as saturated."""
        linear = SATURATION_MARGIN * self.well / self.gain
        signal = linear * (1 - self.c2 * linear)
        for _ in range(4):
            excess = signal * (1 + signal * (self.c2 + self.c3 * signal)) - linear
            signal = signal - excess / (1 + signal * (2 * self.c2 + 3 * self.c3 * signal))
        threshold = np.minimum(self.bias + signal, READ_LIMIT - 1)
        return np.where(self.science, threshold, READ_LIMIT).astype(np.float32)

    def cut(self, window: tuple[slice, slice]) -> "Properties":
        """Return the properties of a part of the frame."""
        parts = {
            item.name: np.ascontiguousarray(getattr(self, item.name)[window])
            for item in fields(self)
            if item.name != "mean_gain"
        }
        return Properties(**parts, mean_gain=self.mean_gain)


def detector_properties(
    instrument: Instrument,
    frame: Frame,
    realisation: int = 0,
    effects: frozenset[str] = DEFAULT_EFFECTS,
) -> Properties:
    """Draw a frame's properties.

    Everything is drawn for the whole detector and cut out, so that a subarray's pixels are
    those of the full frame.

    Parameters
    ----------
    instrument : Instrument
    frame : Frame
    realisation : int
        Number of the detector's realisation.
    effects : frozenset of str
        Effects that are off leave their property uniform.
    """
    whole = Frame.of(instrument, frame.detector)
    make = Maps(instrument, frame.detector, realisation, whole)
    window = frame.window
    science = make.science()
    parts: dict[str, NDArray[Any]] = {}
    for name, draw in make.drawings().items():
        parts[name] = np.ascontiguousarray(draw()[window], dtype=np.float32)
    factor = np.float32(gain_factor(instrument, frame))
    parts["read_noise"] /= factor
    dq, parts = _bad_pixels(make, parts, window, effects)
    parts["area"] = detector_area(frame)
    inside = science[window]
    parts["sensitivity"][~inside] = 1.0
    parts["area"][~inside] = 1.0
    parts["dark"][~inside] = 0.0
    parts["c2"][~inside] = 0.0
    parts["c3"][~inside] = 0.0
    dq = np.where(inside, dq, np.uint32(PixelDQ.REFERENCE_PIXEL)).astype(np.uint32)
    properties = Properties(dq=dq, mean_gain=frame.detector.gain, **parts)
    properties = _without(properties, frame.detector, effects)
    return replace(properties, gain=properties.gain * factor)


def gain_factor(instrument: Instrument, frame: Frame) -> float:
    """Return GAINFACT of a frame: its gain over that of a full frame."""
    return 1.0 if frame.subarray == "FULL" else instrument.subarray_gain


def _without(properties: Properties, detector: Detector, effects: frozenset[str]) -> Properties:
    """Make the properties of effects that are off uniform."""
    shape = properties.gain.shape
    uniform: dict[str, dict[str, float]] = {
        "bias": {"bias": detector.bias},
        "nonlinearity": {"c2": 0.0, "c3": 0.0},
        "dark": {"dark": 0.0},
        "gain": {"gain": detector.gain},
    }
    changes: dict[str, Any] = {}
    for effect, values in uniform.items():
        if effect not in effects:
            changes |= {name: np.full(shape, v, np.float32) for name, v in values.items()}
    if "flat" not in effects:
        changes["sensitivity"] = (properties.sensitivity > 0).astype(np.float32)
    return replace(properties, **changes)


def detector_area(frame: Frame) -> Float32:
    """Return relative pixel areas.

    They vary so slowly that a coarse grid is enough. Those of a spectrograph are all 1.
    """
    ny, nx = frame.shape
    rows = np.linspace(0, ny - 1, min(ny, 33))
    columns = np.linspace(0, nx - 1, min(nx, 33))
    x, y = np.meshgrid(columns + frame.x_start - 1, rows + frame.y_start - 1)
    coarse = frame.distortion.relative_area(x, y)
    along_x = np.array([np.interp(np.arange(nx), columns, line) for line in coarse])
    return np.array(
        [np.interp(np.arange(ny), rows, line) for line in along_x.T], dtype=np.float32
    ).T.copy()


def _bad_pixels(
    make: Maps,
    parts: dict[str, NDArray[Any]],
    window: tuple[slice, slice],
    effects: frozenset[str],
) -> tuple[UInt32, dict[str, NDArray[Any]]]:
    """Put in dead, hot and warm pixels and flag them."""
    draw, rate = make.bad_pixels()
    draw, rate = draw[window], rate[window]
    dq = np.zeros(draw.shape, dtype=np.uint32)
    dead = draw < DEAD_FRACTION
    hot = (draw >= DEAD_FRACTION) & (draw < DEAD_FRACTION + HOT_FRACTION)
    edge = DEAD_FRACTION + HOT_FRACTION
    warm = (draw >= edge) & (draw < edge + WARM_FRACTION)
    if "dead_pixels" in effects:
        parts["sensitivity"][dead] = 0.0
        dq[dead] |= np.uint32(PixelDQ.DEAD | PixelDQ.DO_NOT_USE)
    if "dark" in effects:
        parts["dark"][hot] = _between(HOT_RATE, rate[hot])
        parts["dark"][warm] = _between(WARM_RATE, rate[warm])
        dq[hot] |= np.uint32(PixelDQ.HOT | PixelDQ.DO_NOT_USE)
        dq[warm] |= np.uint32(PixelDQ.WARM)
    return dq, parts


def _between(limits: tuple[float, float], share: Float32) -> Float32:
    return (limits[0] * (limits[1] / limits[0]) ** share).astype(np.float32)
