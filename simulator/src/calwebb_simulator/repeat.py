"""Long exposures in short time: few noise realisations, moved about, make many integrations.

Some integrations are simulated in full. Every integration is then what light gives without
noise, as its own light curve says, plus the noise of one of these (all that is not light: photon
and read noise, cosmic rays, drifts), moved cyclically by a random number of rows, and of columns
where a single output reads the frame. Reference pixels move with their rows and in no other way.
So the noise of bright pixels lands elsewhere: rates and light curves have the right mean but a
wrong scatter there. This is for benchmarks; the lists of cosmic rays and large events stay right
(an event that is moved across an edge goes on at the other one, and none glows after a reset).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.cosmic_rays import HIT_DTYPE, Hits
from calwebb_simulator.effects import NOISE
from calwebb_simulator.events import EVENT_DTYPE, EventRows
from calwebb_simulator.kernels.repeat import compose
from calwebb_simulator.ramp import Chamber, Exposed, Float32, Variable, expose
from calwebb_simulator.random import stream
from calwebb_simulator.segments import Segment

Shift = tuple[int, int]
Box = tuple[int, int, int, int]


def expose_repeated(
    chamber: Chamber,
    rate: Float32,
    distinct: int,
    progress: Callable[[], None] = lambda: None,
    *,
    variable: Variable | None = None,
) -> Exposed:
    """Simulate the raw counts of an exposure from a few noise realisations.

    Parameters
    ----------
    chamber : Chamber
    rate : float32, (ny, nx)
        Electrons per second from steady light.
    distinct : int
        How many integrations are simulated in full.
    progress : callable
        Called once a group.
    variable : Variable, optional
        Light beside `rate` that changes between the integrations.
    """
    light = np.ones(len(chamber.integrations)) if variable is None else variable.light
    levels = float(light.max()), float(light.min())
    bright, dim = (_quiet(chamber, _seen(rate, variable, level)) for level in levels)
    noisy = [
        expose(_one(chamber, index), _seen(rate, variable, levels[0])) for index in range(distinct)
    ]
    noise = [_difference(item.data[0], bright.data[0]) for item in noisy]
    first = [_difference(item.zeroframe, bright.zeroframe) for item in noisy]
    shape = (len(light), *bright.data.shape[1:])
    data = np.empty(shape, dtype=np.uint16)
    zeroframe = np.empty((shape[0], *shape[2:]), dtype=np.uint16)
    box = _box(chamber)
    hits: list[Hits] = [np.zeros(0, dtype=HIT_DTYPE)]
    events: list[EventRows] = [np.zeros(0, dtype=EVENT_DTYPE)]
    for row, integration in enumerate(chamber.integrations):
        chosen, shift = _draw(chamber, integration, distinct, box)
        weight = (levels[0] - light[row]) / max(levels[0] - levels[1], 1e-12)
        compose(data[row], bright.data[0], dim.data[0], weight, noise[chosen], shift, box)
        frames = zeroframe[row : row + 1]
        compose(frames, bright.zeroframe, dim.zeroframe, weight, first[chosen], shift, box)
        hits.append(_moved(noisy[chosen].hits, row, shift, box))
        events.append(_moved(noisy[chosen].events, row, shift, box))
        for _ in range(shape[1]):
            progress()
    joined = np.concatenate(events)
    return Exposed(data, zeroframe, np.concatenate(hits), events=joined)


def _seen(rate: Float32, variable: Variable | None, level: float) -> Float32:
    if variable is None:
        return rate
    return np.asarray(rate + variable.rate * np.float32(level), dtype=np.float32)


def _quiet(chamber: Chamber, rate: Float32) -> Exposed:
    return expose(replace(_one(chamber, 0), effects=chamber.effects - NOISE), rate)


def _one(chamber: Chamber, integration: int) -> Chamber:
    return replace(chamber, segment=Segment(1, 1, integration, 1))


def _difference(noisy: NDArray[np.uint16], quiet: NDArray[np.uint16]) -> NDArray[np.int32]:
    return noisy.astype(np.int32) - quiet


def _box(chamber: Chamber) -> Box:
    """Return the smallest box around the pixels that see light."""
    rows, columns = (np.flatnonzero(chamber.properties.science.any(axis=k)) for k in (1, 0))
    return int(columns[0]), int(columns[-1]) + 1, int(rows[0]), int(rows[-1]) + 1


def _draw(chamber: Chamber, integration: int, distinct: int, box: Box) -> tuple[int, Shift]:
    """Return which realisation an integration takes and how it is moved; the first as they are."""
    if integration < distinct:
        return integration, (0, 0)
    rng = stream(*chamber.seed, "repeat", integration)
    # odd and even columns, and outputs, have drifts of their own
    across = 2 * int(rng.integers((box[1] - box[0]) // 2)) if chamber.frame.outputs == 1 else 0
    down = 2 * int(rng.integers((box[3] - box[2]) // 2))
    return int(rng.integers(distinct)), (across, down)


def _moved(rows: NDArray[Any] | None, row: int, shift: Shift, box: Box) -> NDArray[Any]:
    """Return hits or large events of a realisation where an integration has them."""
    if rows is None:
        return np.zeros(0, dtype=EVENT_DTYPE)
    moved = rows.copy()
    moved["integration"] = row
    moved["x"] = box[0] + (rows["x"] - box[0] + shift[0]) % (box[1] - box[0])
    moved["y"] = box[2] + (rows["y"] - box[2] + shift[1]) % (box[3] - box[2])
    return moved
