"""The direct image that shows what a slitless spectrum disperses.

Its combination (`_i2d`), catalog of sources and map of segments are products of level 3 and
take the place of the exposures among the members.
"""

from collections.abc import Sequence
from typing import Final

from calwebb_associate.conditions import Exposure

MADE_OF_IT: Final = (
    ("_i2d.fits", "direct_image"),
    ("_cat.ecsv", "sourcecat"),
    ("_segm.fits", "segmap"),
)
LONG_WAVE: Final = "long"
DIRECT_IMAGE_NAME: Final = (
    "jw{program}-{candidate}_{target}{epoch}_{instrument}_{optical_elements}{subarray}"
)


def nearest(science: Exposure, directs: Sequence[Exposure], *, parallel: bool) -> Exposure:
    """Return the direct image that a spectrum's sources are taken from.

    Parameters
    ----------
    science : Exposure
    directs : sequence of Exposure
        At least one.
    parallel : bool
        Whether it is of another observation, so that only the long-wave detectors of NIRCam,
        which see the spectra, count, and images through the same filter come first; else the
        next one after the spectrum does, in the sequence of its visit.

    Returns
    -------
    Exposure
        The first one if there is none such.
    """
    ordered = sorted(directs, key=lambda one: (_sequence(one), one.root))
    if parallel:
        ordered = [one for one in ordered if LONG_WAVE in one.root] or ordered
        blocking = [one for one in ordered if _blocking(one) == _blocking(science)]
        return (blocking or ordered)[0]
    later = (one for one in ordered if _sequence(one) > _sequence(science))
    last = _sequence(ordered[-1])
    return next(later, next(one for one in ordered if _sequence(one) == last))


def _blocking(exposure: Exposure) -> str:
    """Return the filter that limits the waves, which NIRISS has beside its grisms."""
    return exposure.first("pupil" if exposure.first("instrume") == "niriss" else "filter")


def _sequence(exposure: Exposure) -> int:
    """Return the number of an exposure's specification in its visit, 0 for none."""
    text = exposure.first("expspcin")
    return int(text) if text.isdecimal() else 0
