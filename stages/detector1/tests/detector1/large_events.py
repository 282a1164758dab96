"""Made snowballs and showers of known place and size."""

from dataclasses import dataclass

import numpy as np

from .ramps import GAIN, READ_NOISE, TGROUP


@dataclass
class Sky:
    """Ramps with events; `inside[k]` are the pixels of event k in its group."""

    data: np.ndarray
    groupdq: np.ndarray
    pixeldq: np.ndarray
    gain: np.ndarray
    readnoise: np.ndarray
    events: list
    inside: list


def disk(shape, event, factor=1.0):
    """Return the pixels of an event: (integration, group, y, x, radius, axis ratio, angle)."""
    _, _, y, x, radius, ratio, angle = event
    v, u = np.mgrid[: shape[0], : shape[1]]
    v, u = v - y, u - x
    along = v * np.cos(angle) + u * np.sin(angle)
    across = v * np.sin(angle) - u * np.cos(angle)
    return np.hypot(along, across / ratio) <= radius * factor


def place(rng, n, shape, radii, *, margin=35, ratios=(0.6, 1.0)):
    """Place events at random, apart from one another."""
    nints, ngroups, ny, nx = shape
    events = []
    while len(events) < n:
        y, x = rng.uniform(margin, ny - margin), rng.uniform(margin, nx - margin)
        if all(np.hypot(y - e[2], x - e[3]) > 3.5 * radii[1] for e in events):
            events.append((
                int(rng.integers(nints)), int(rng.integers(2, ngroups - 1)), y, x,
                rng.uniform(*radii), rng.uniform(*ratios), rng.uniform(0, np.pi),
            ))  # fmt: skip
    return events


def quiet(seed, shape, rate=3.0):
    """Return ramps of an even sky with Poisson and read noise, DN."""
    rng = np.random.default_rng(seed)
    electrons = np.cumsum(rng.poisson(rate * GAIN * TGROUP, shape), axis=1)
    noise = rng.normal(0, READ_NOISE / np.sqrt(2), shape)
    return rng, (electrons / GAIN + noise).astype(np.float32)


def sky(data, groupdq, events, inside):
    plane = data.shape[2:]
    return Sky(
        data, groupdq, np.zeros(plane, np.uint32), np.full(plane, GAIN, np.float32),
        np.full(plane, READ_NOISE, np.float32), events, inside,
    )  # fmt: skip


def snowballs(seed, shape, n, *, radii=(4.0, 12.0), core=0.45, stars=0):
    """Make snowballs: a saturated core, and around it charge that falls off outwards.

    Beyond the radius, charge of about 1.5 sigma reaches out to 1.5 radii.
    """
    rng, data = quiet(seed, shape)
    groupdq = np.zeros(shape, np.uint8)
    events = place(rng, n, shape, radii)
    inside = []
    v, u = np.mgrid[: shape[2], : shape[3]]
    for event in events:
        i, g, y, x, radius, ratio, angle = event
        along = (v - y) * np.cos(angle) + (u - x) * np.sin(angle)
        across = (v - y) * np.sin(angle) - (u - x) * np.cos(angle)
        distance = np.hypot(along, across / ratio) / radius
        charge = 60000 * np.exp(-8.0 * distance**2) + 25 * np.exp(-((distance / 1.6) ** 4))
        data[i, g:] += charge.astype(np.float32)
        groupdq[i, g:, distance <= core] |= 2
        inside.append(distance <= 1.5)
    for _ in range(stars):
        y, x, g = rng.integers(30, shape[2] - 30), rng.integers(30, shape[3] - 30), 3
        star = np.hypot(v - y, u - x) < 4
        groupdq[:, g:, star] |= 2
    return sky(data, groupdq, events, inside)


def showers(seed, shape, n, *, amplitude=1.5, radii=(8.0, 20.0)):
    """Make showers: even patches of `amplitude` sigma of a difference, in one group each."""
    rng, data = quiet(seed, shape)
    events = place(rng, n, shape, radii)
    sigma = np.sqrt(3.0 * TGROUP / GAIN + READ_NOISE**2)
    inside = [disk(shape[2:], event) for event in events]
    for event, pixels in zip(events, inside, strict=True):
        data[event[0], event[1] :, pixels] += np.float32(amplitude * sigma)
    return sky(data, np.zeros(shape, np.uint8), events, inside)
