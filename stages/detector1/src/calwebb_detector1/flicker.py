"""What clean_flicker_noise does with ramps: differences cleaned and summed up again."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from calwebb_core.framework.models import Float32, Planes, Ramp, UInt8
from calwebb_core.framework.threads import in_threads
from calwebb_core.science.clipping import clipped_median, sorted_values
from calwebb_core.science.dq import DO_NOT_USE, JUMP_DET
from calwebb_core.science.flicker_noise import Flicker, FlickerOptions, flicker_noise
from calwebb_core.science.scene_mask import Mask

UNUSABLE = np.uint8(DO_NOT_USE)
JUMP = np.uint8(JUMP_DET)
# Samples of the integrations whose noise is held at once.
CHUNK = 1 << 25

Place = tuple[int, int]
Find = Callable[[Place], Flicker | None]


class Medians(NamedTuple):
    """The median over integrations of each group, and how it is scaled to an integration.

    Attributes
    ----------
    groups : float32, (ngroups, ny, nx), DN
    levels : float32, (ngroups,), DN, of their background, which is not scaled
    scales : float32, (nints,), of what is above it
    """

    groups: Float32
    levels: Float32
    scales: Float32

    def of(self, integration: int, group: int) -> Float32:
        """Return what a group of an integration is expected to look like."""
        level = self.levels[group]
        scaled: Float32 = level + (self.groups[group] - level) * self.scales[integration]
        return scaled


def mask_of(mask: Mask, integration: int) -> Mask:
    """Return the mask of an integration, from one for each or one for all."""
    own: Mask = mask[integration] if mask.ndim == 3 else mask
    return own


def clean_ramps(
    data: Float32,
    groupdq: UInt8,
    mask: Mask,
    options: FlickerOptions,
    flat: Float32 | None,
    background: Float32 | None,
) -> int:
    """Clean the differences of successive groups; see `clean_flicker`."""

    def find(place: Place) -> Flicker | None:
        i, g = place
        flags, before = groupdq[i, g + 1], groupdq[i, g]
        usable = mask_of(mask, i) & (flags & (UNUSABLE | JUMP) == 0) & (before & UNUSABLE == 0)
        return flicker_noise(data[i, g + 1] - data[i, g], usable, options, flat=flat)

    left = 0
    for i, found in by_integration(data, data.shape[1] - 1, find):
        total = np.zeros(data.shape[2:], np.float32)
        for g, flicker in enumerate(found):
            if flicker is None:
                left += 1
            else:
                total += flicker.noise
                if background is not None:
                    background[i, g + 1] = flicker.background
            data[i, g + 1] -= total
    return left


def clean_groups(
    data: Float32,
    groupdq: UInt8,
    medians: Medians,
    mask: Mask,
    options: FlickerOptions,
    flat: Float32 | None,
    background: Float32 | None,
) -> int:
    """Clean groups of what differs from their median over integrations; see `clean_flicker`."""

    def find(place: Place) -> Flicker | None:
        i, g = place
        # what a jump added stays in all groups after it
        struck = np.bitwise_or.reduce(groupdq[i, : g + 1] & JUMP, axis=0) != 0
        usable = mask_of(mask, i) & ~struck & (groupdq[i, g] & UNUSABLE == 0)
        return flicker_noise(data[i, g] - medians.of(i, g), usable, options, flat=flat)

    left = 0
    for i, found in by_integration(data, data.shape[1], find):
        for g, flicker in enumerate(found):
            if background is not None:
                background[i, g] = medians.of(i, g)
            if flicker is None:
                left += 1
            else:
                data[i, g] -= flicker.noise
    return left


def by_integration(
    data: Float32, nimages: int, find: Find
) -> Iterator[tuple[int, list[Flicker | None]]]:
    """Yield each integration and what `find` says of its images, found in threads beforehand."""
    step = max(1, CHUNK // max(1, data[0].size))
    for start in range(0, len(data), step):
        part = range(start, min(start + step, len(data)))
        found = in_threads(find, [(i, g) for i in part for g in range(nimages)])
        for k, i in enumerate(part):
            yield i, found[k * nimages : (k + 1) * nimages]


def scaled_medians(data: Float32, rateints: Float32, lit: Mask) -> Medians:
    """Return the median of each group over integrations, and its scale in each.

    The scale is the sum of the rate over lit pixels, relative to its median; what is lit but
    not finite in an integration counts in none.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
    rateints : float32, (nints, ny, nx), DN/s
    lit : bool, (ny, nx), pixels of sources
    """
    dark = ~lit
    groups = np.empty(data.shape[1:], np.float32)
    levels = np.zeros(data.shape[1], np.float32)
    for g in range(len(groups)):
        groups[g] = np.median(data[:, g], axis=0)
        levels[g] = np.nan_to_num(clipped_median(finite_values(groups[g], dark)))
    counted = lit & np.isfinite(rateints).all(axis=0)
    sums = np.array([light_of(rate, counted, dark) for rate in rateints])
    middle = np.median(sums)
    scales = sums / middle if middle > 0 else np.ones(len(sums))
    return Medians(groups, levels, scales.astype(np.float32))


def light_of(rate: Float32, lit: Mask, dark: Mask) -> float:
    """Return the sum of a rate over lit pixels above the background of the others."""
    level = np.nan_to_num(clipped_median(finite_values(rate, dark)))
    return float(np.sum(rate[lit].astype(np.float64) - level))


def finite_values(image: Float32, mask: Mask) -> Float32:
    """Return the finite values of an image within a mask, sorted."""
    return sorted_values(image, mask & np.isfinite(image))


def products_of(
    ramp: Ramp, mask: Mask | None, background: Float32 | None, before: Float32 | None
) -> list[Planes]:
    """Return the optional products of those arrays that are there.

    Parameters
    ----------
    ramp : Ramp, cleaned
    mask : bool, (ny, nx) or (nints, ny, nx)
    background : float32, shape of the ramps
    before : float32, the ramps before they were cleaned
    """
    found = []
    if mask is not None:
        model = "ImageModel" if mask.ndim == 2 else "CubeModel"
        found.append(Planes(ramp.metadata.copy(), model, "mask", {"SCI": mask.astype(np.float32)}))
    if background is not None:
        found.append(Planes(ramp.metadata.copy(), "RampModel", "flicker_bkg", {"SCI": background}))
    if before is not None:
        noise = before - ramp.data
        found.append(Planes(ramp.metadata.copy(), "RampModel", "flicker_noise", {"SCI": noise}))
    return found
