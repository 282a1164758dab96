"""How well jumps were found, group by group, from the GROUPDQ of a saved intermediate.

A cosmic ray counts where its track left the most charge, if nothing else hit that pixel in that
integration and it came after the first group. It is found if its group has JUMP_DET; with
averaged frames it may also be the next group, which holds the rest of the step. A flag is false
if no charge of the truth fell on the pixel or a neighbour of it in that group (with averaged
frames, or in the one before) and it lies in no large event. Its energy is that of the step in
the data: the difference of the two groups less the median one of the pixel.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray
from scipy import ndimage

from calwebb_core.framework.errors import InputError
from calwebb_core.science.dq import GroupDQ, PixelDQ
from calwebb_simulator.events import elliptical_radius
from calwebb_simulator.statistics import mean

Bool = NDArray[np.bool_]
JUMP_EDGES = (0.0, 30.0, 60.0, 100.0, 150.0, np.inf)
UNUSABLE = int(GroupDQ.DO_NOT_USE | GroupDQ.SATURATED)
MARGIN = 1.5  # of an event's halo: beyond, a flag is not the event's
CORE_MARGIN = 2.5  # of a core: within, flags of later integrations are the event's
PARTS = ("core", "ring", "halo")


@dataclass
class Tally:
    """Counts over exposures, by interval of energy unless said otherwise.

    Attributes
    ----------
    hits, found, false : int64, (intervals,)
    differences : int
        Pairs of neighbouring groups in which a jump could be found.
    events : list of dict
        Parts of each large event that were flagged.
    """

    hits: NDArray[np.int64]
    found: NDArray[np.int64]
    false: NDArray[np.int64]
    differences: int
    events: list[dict[str, Any]]


def score_jumps(truth: Path, ramps: dict[str, Path]) -> dict[str, Any]:
    """Compare the flags of ramps with the truth.

    Parameters
    ----------
    truth : Path
        Folder of the truth.
    ramps : dict
        `_jump` or `_ramp` files by root.

    Returns
    -------
    dict
        intervals: a list with from, to (electrons), hits, found (fraction), false (number) and
        false_per_difference; false_per_difference of all; large_events: by kind, how many there
        are and the fractions of core, ring and halo flagged in their group, and of a glowing
        core in the next integration. Empty without files.

    Raises
    ------
    InputError
        If a file has no GROUPDQ or not the truth's shape.
    """
    if not ramps:
        return {}
    nothing = [np.zeros(len(JUMP_EDGES) - 1, dtype=np.int64) for _ in range(3)]
    tally = Tally(nothing[0], nothing[1], nothing[2], 0, [])
    for root, path in ramps.items():
        with fits.open(truth / f"{root}_truth.fits") as known, fits.open(path) as hdus:
            check(path, hdus, known)
            _add_exposure(tally, known, hdus)
    per = max(tally.differences, 1)
    intervals = [
        {
            "from": low,
            "to": float(high) if np.isfinite(high) else None,
            "hits": int(tally.hits[k]),
            "found": tally.found[k] / tally.hits[k] if tally.hits[k] else float("nan"),
            "false": int(tally.false[k]),
            "false_per_difference": tally.false[k] / per,
        }
        for k, (low, high) in enumerate(pairwise(JUMP_EDGES))
    ]
    total = int(tally.false.sum()) / per
    large = large_events(tally.events)
    return {"intervals": intervals, "false_per_difference": total, "large_events": large}


def check(path: Path, hdus: fits.HDUList, known: fits.HDUList) -> None:
    """Refuse a ramp that does not fit to the truth."""
    if "GROUPDQ" not in hdus:
        msg = f"{path}: has no GROUPDQ; expected a ramp as the step jump leaves it"
        raise InputError(msg)
    shape, expected = hdus["GROUPDQ"].data.shape, known["SCI"].data.shape
    header = known[0].header
    wanted = (header["INTEND"] - header["INTSTART"] + 1, header["NGROUPS"], *expected)
    if shape != wanted:
        msg = f"{path}: GROUPDQ has shape {shape}; the truth has {wanted}"
        raise InputError(msg)


def _add_exposure(tally: Tally, known: fits.HDUList, hdus: fits.HDUList) -> None:
    hits = np.array(known["COSMIC_RAYS"].data)
    events: Any = known["LARGE_EVENTS"].data if "LARGE_EVENTS" in known else ()
    gain, averaged = known[0].header["GAIN"], int(known[0].header["NFRAMES"]) > 1
    usable_pixel = (hdus["PIXELDQ"].data & np.uint32(PixelDQ.DO_NOT_USE)) == 0
    usable_pixel &= known["SCI"].data > 0
    flags = hdus["GROUPDQ"].data
    for number, groups in enumerate(flags):
        usable = ((groups & UNUSABLE) == 0) & usable_pixel
        pairs = np.zeros(groups.shape, dtype=bool)
        pairs[1:] = usable[1:] & usable[:-1]
        jumps = ((groups & GroupDQ.JUMP_DET) != 0) & pairs
        here = hits[hits["integration"] == number]
        large: list[Any] = [row for row in events if row["integration"] == number]
        tally.differences += int(np.count_nonzero(pairs))
        _count_hits(tally, brightest(here), jumps, pairs, averaged)
        explained = explained_by(here, groups.shape, averaged) | covered(large, groups.shape)
        for row in (row for row in events if row["integration"] < number):
            explained |= event_radius(row, groups.shape[1:]) < CORE_MARGIN * row["core"]
        _count_false(tally, hdus["SCI"].data[number], jumps & ~explained, pairs, gain)
        following = flags[number + 1] if number + 1 < len(flags) else None
        tally.events += [event_flags(row, groups, following, usable_pixel) for row in large]


def brightest(hits: NDArray[Any]) -> NDArray[Any]:
    """Return of one integration's hits the brightest of each track that are alone on a pixel."""
    order = np.argsort(-hits["charge"], kind="stable")
    _, first = np.unique(hits["track"][order], return_index=True)
    place = hits["y"].astype(np.int64) * 65536 + hits["x"]
    _, inverse, count = np.unique(place, return_inverse=True, return_counts=True)
    chosen = order[first]
    chosen = chosen[(count[inverse[chosen]] == 1) & (hits["group"][chosen] > 0)]
    return np.asarray(hits[chosen])


def _count_hits(tally: Tally, hits: NDArray[Any], jumps: Bool, pairs: Bool, averaged: bool) -> None:
    place = hits["group"], hits["y"], hits["x"]
    found = jumps[place]
    if averaged:
        found = found | jumps[np.minimum(hits["group"] + 1, len(jumps) - 1), hits["y"], hits["x"]]
    usable = pairs[place]
    for counts, chosen in ((tally.hits, usable), (tally.found, usable & found)):
        counts += np.histogram(hits["charge"][chosen], JUMP_EDGES)[0]


def explained_by(hits: NDArray[Any], shape: tuple[int, ...], averaged: bool) -> Bool:
    """Return where a jump has a cause among the hits: on their pixels and next to them."""
    hit = np.zeros(shape, dtype=bool)
    hit[hits["group"], hits["y"], hits["x"]] = True
    hit = ndimage.binary_dilation(hit, np.ones((1, 3, 3), dtype=bool))
    if averaged:
        hit[1:] |= hit[:-1].copy()
    return np.asarray(hit)


def covered(events: list[Any], shape: tuple[int, ...]) -> Bool:
    """Return where large events are or have been, with a margin."""
    inside = np.zeros(shape, dtype=bool)
    for row in events:
        inside[row["group"] :] |= event_radius(row, shape[1:]) < MARGIN * row["halo"]
    return inside


def event_radius(row: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the distances of all pixels from an event, along its major axis."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    angle = float(np.radians(row["angle"]))
    return elliptical_radius(x - row["x"], y - row["y"], float(row["ratio"]), angle)


def _count_false(tally: Tally, data: NDArray[Any], false: Bool, pairs: Bool, gain: float) -> None:
    groups, rows, columns = np.nonzero(false)
    if len(groups) == 0:
        return
    steps = np.diff(data[:, rows, columns].astype(float), axis=0)
    good = pairs[1:, rows, columns]
    middle = np.nanmedian(np.where(good, steps, np.nan), axis=0)
    energy = np.abs(steps[groups - 1, np.arange(len(rows))] - middle) * gain
    tally.false += np.histogram(energy, JUMP_EDGES)[0]


def event_flags(
    row: Any, groups: NDArray[Any], following: NDArray[Any] | None, usable: Bool
) -> dict[str, Any]:
    """Return which parts of an event's core, ring and halo are flagged."""
    flagged = (groups[row["group"]] & (UNUSABLE | int(GroupDQ.JUMP_DET))) != 0
    radius = event_radius(row, usable.shape)
    kind = row["kind"]
    result: dict[str, Any] = {"kind": kind.decode() if isinstance(kind, bytes) else str(kind)}
    inner = -1.0
    for name in PARTS:
        part = usable & (radius > inner) & (radius <= row[name])
        result[name] = mean(flagged[part])
        inner = max(inner, float(row[name]))
    core = usable & (radius <= row["core"])
    if following is not None and row["glow"] > 0 and np.any(core):
        result["next_core"] = mean(np.any(following[:, core] & GroupDQ.JUMP_DET, axis=0))
    return result


def large_events(events: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the mean parts flagged by kind of event."""
    return {kind: dict(_parts(events, kind)) for kind in sorted({row["kind"] for row in events})}


def _parts(events: list[dict[str, Any]], kind: str) -> Iterator[tuple[str, float]]:
    rows = [row for row in events if row["kind"] == kind]
    yield "events", len(rows)
    for name in (*PARTS, "next_core"):
        values = np.array([row[name] for row in rows if name in row], dtype=float)
        yield name, mean(values[np.isfinite(values)])
