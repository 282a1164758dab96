"""What the rules ask of an exposure: its part, and the conditions that it meets.

Rules name conditions by the words of `CONDITIONS`; each says here what it means.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Final

from calwebb_associate.exposure_types import ACQUISITION, TIME_SERIES
from calwebb_associate.optical_paths import (
    fixed_slit_lit,
    lamp_lit,
    mask_in_field,
    spectrograph_lit,
)
from calwebb_associate.pool import Row, candidates, flag, root_of, value

SCIENCE: Final = "science"
PSF: Final = "psf"
IMPRINT: Final = "imprint"
BACKGROUND: Final = "background"
TARGET_ACQUISITION: Final = "target_acquisition"

# Exposure types that are never science, by the part they play.
PART_OF_TYPE: Final[dict[str, str]] = {
    **dict.fromkeys(("mir_darkall", "mir_darkimg", "mir_darkmrs", "nis_dark", "nrc_dark"), "dark"),
    "nrs_dark": "dark",
    **dict.fromkeys(("mir_flatimage", "mir_flatimage-ext", "mir_flatmrs"), "flat"),
    **dict.fromkeys(("mir_flatmrs-ext", "nrc_flat"), "flat"),
    **dict.fromkeys(("nis_focus", "nrc_focus", "nrs_focus"), "engineering"),
    **dict.fromkeys(("nis_lamp", "nrc_led", "nrs_image", "nrs_lamp"), "engineering"),
    "nrs_autoflat": "autoflat",
    "nrs_autowave": "autowave",
    **dict.fromkeys(ACQUISITION, TARGET_ACQUISITION),
    "nrs_verify": SCIENCE,
}
# The first that an exposure's flags say is its part.
FLAGS: Final = (("is_psf", PSF), ("is_imprt", IMPRINT), ("bkgdtarg", BACKGROUND))


class Exposure:
    """A row of the pool with what the rules ask of it.

    Attributes
    ----------
    row : Row
    root : str
        Name of the exposure without suffix.
    exp_type : str
        Lower case.
    """

    def __init__(self, row: Row) -> None:
        self.row = row
        self.root = root_of(row)
        self.exp_type = value(row, "exp_type")
        self._met: dict[str, bool] = {}
        self._values: dict[tuple[str, ...], str] = {}

    @cached_property
    def role(self) -> str:
        """The part it plays: science, psf, imprint, background, target_acquisition, ...

        The kind of pointing decides first, then the type of exposure, then its flags.
        """
        pointing = value(self.row, "pntgtype") or SCIENCE
        if pointing != SCIENCE:
            return pointing
        part = PART_OF_TYPE.get(self.exp_type, SCIENCE)
        if part != SCIENCE:
            return part
        return next((part for column, part in FLAGS if flag(self.row, column)), SCIENCE)

    @cached_property
    def candidates(self) -> tuple[tuple[str, str], ...]:
        """The association candidates that it belongs to: ("o001", "observation"), ..."""
        return tuple(candidates(self.row))

    @property
    def time_series(self) -> bool:
        """Whether it is part of a time series."""
        return self.meets("time series")

    @property
    def wavefront_sensing(self) -> bool:
        """Whether its visit senses the wavefront."""
        return self.meets("wavefront sensing")

    def meets(self, condition: str) -> bool:
        """Tell whether it meets one of `CONDITIONS`."""
        met = self._met.get(condition)
        if met is None:
            met = self._met[condition] = CONDITIONS[condition][1](self)
        return met

    def get(self, columns: tuple[str, ...]) -> str:
        """Return the value of the first of these columns that has one, or ""."""
        found = self._values.get(columns)
        if found is None:
            values = (value(self.row, column) for column in columns)
            found = self._values[columns] = next(filter(None, values), "")
        return found

    def first(self, column: str) -> str:
        """Return the value of one column, or ""."""
        return self.get((column,))


def facts(row: Row) -> Exposure:
    """Return what the rules ask of a row of the pool."""
    return Exposure(row)


def _time_series(exposure: Exposure) -> bool:
    """Tell whether its visit or its type is a time series; target acquisitions never are."""
    if exposure.first("pntgtype") not in ("", SCIENCE) or exposure.exp_type in ACQUISITION:
        return False
    return flag(exposure.row, "tsovisit") or exposure.exp_type in TIME_SERIES


def _flagged(column: str) -> Callable[[Exposure], bool]:
    """Return the test of a yes-or-no column."""
    return lambda exposure: flag(exposure.row, column)


# Name in the rules -> (what it means, test).
CONDITIONS: Final[dict[str, tuple[str, Callable[[Exposure], bool]]]] = {
    "time series": ("its visit or its type is a time series", _time_series),
    "wavefront sensing": (
        "its visit senses or controls the wavefront",
        lambda exposure: "wfsc" in exposure.first("visitype"),
    ),
    "line-of-sight jitter": (
        "a wavefront exposure that only measures the jitter of the line of sight",
        lambda exposure: exposure.first("dms_note") == "wfsc_los_jitter",
    ),
    "background target": ("taken of a background target", _flagged("bkgdtarg")),
    "psf reference": ("taken of a PSF reference star", _flagged("is_psf")),
    "imprint": ("a leakage calibration with closed shutters", _flagged("is_imprt")),
    "auxiliary": (
        "taken of a background target or a PSF reference",
        lambda exposure: flag(exposure.row, "bkgdtarg") or flag(exposure.row, "is_psf"),
    ),
    "opaque": ("taken with the shutter closed", lambda e: e.first("filter") == "opaque"),
    "fixed slit on detector": (
        "slit, grating and filter put light on this NIRSpec detector",
        lambda e: fixed_slit_lit(
            e.first("fxd_slit"), e.first("grating"), e.first("filter"), e.first("detector")
        ),
    ),
    "spectrum on detector": (
        "grating and filter put an IFU spectrum on this detector; always so for other modes",
        lambda e: (
            e.exp_type != "nrs_ifu"
            or spectrograph_lit(e.first("grating"), e.first("filter"), e.first("detector"))
        ),
    ),
    "lamp on detector": (
        "mode, grating and lamp put light on this NIRSpec detector",
        lambda e: lamp_lit(
            e.first("opmode"), e.first("grating"), e.first("lamp"), e.first("detector")
        ),
    ),
    "occulter in field": (
        "the detector sees the coronagraph's mask, or the exposure is of a subarray",
        lambda e: mask_in_field(e.first("subarray"), e.first("pupil"), e.first("detector")),
    ),
}
