"""The modes of calwebb_spec2 and the order of their steps, as data.

An order names every step that the mode may run, also those that are off by default and those that
do not exist yet (`calwebb_spec2.steps` says which do).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata

INSTRUMENTS: Final = {"NRC": "NIRCAM", "NIS": "NIRISS", "MIR": "MIRI", "NRS": "NIRSPEC"}
# What takes exposures that are none of these, by words in their EXP_TYPE.
OTHERS: Final = (
    (("DARK",), "a dark shows no spectrum; calwebb-dark takes it"),
    (("FLAT", "LED", "LAMP", "EXTCAL", "AUTOWAVE"), "lamp exposures are not available yet"),
    (("FGS_ID", "FGS_ACQ", "FGS_TRACK", "FGS_FINE"), "calwebb-guider takes guide-star data"),
)


@dataclass(frozen=True)
class Mode:
    """A mode of observation.

    Attributes
    ----------
    name : str
        For people.
    exp_types : tuple of str
        EXP_TYPE of its exposures.
    steps : tuple of str
        Names of its steps in order.
    cut_out : bool
        Whether extract_2d makes a slit or a source of its own of each spectrum.
    not_yet : tuple of str
        Those of its steps that exist for other modes, but not for this one yet.
    """

    name: str
    exp_types: tuple[str, ...]
    steps: tuple[str, ...]
    cut_out: bool = False
    not_yet: tuple[str, ...] = ()


FIXED_SLITS: Final = Mode(
    "NIRSpec fixed slits",
    ("NRS_FIXEDSLIT",),
    (
        "assign_wcs", "clean_flicker_noise", "bkg_subtract", "extract_2d", "srctype", "wavecorr",
        "flat_field", "pathloss", "photom", "adaptive_trace_model", "pixel_replace",
        "resample_spec", "extract_1d",
    ),
    cut_out=True,
)  # fmt: skip
MULTI_OBJECT: Final = Mode(
    "NIRSpec multi-object spectroscopy",
    ("NRS_MSASPEC",),
    (
        "assign_wcs", "msa_flagging", "clean_flicker_noise", "imprint_subtract", "bkg_subtract",
        "extract_2d", "srctype", "master_background_mos", "wavecorr", "flat_field", "pathloss",
        "barshadow", "photom", "adaptive_trace_model", "pixel_replace", "resample_spec",
        "extract_1d",
    ),
    cut_out=True,
    not_yet=(
        "assign_wcs", "clean_flicker_noise", "extract_2d", "wavecorr", "flat_field", "pathloss",
        "photom",
    ),
)  # fmt: skip
NIRSPEC_IFU: Final = Mode(
    "NIRSpec integral-field spectroscopy",
    ("NRS_IFU",),
    (
        "assign_wcs", "badpix_selfcal", "msa_flagging", "clean_flicker_noise", "imprint_subtract",
        "bkg_subtract", "srctype", "flat_field", "pathloss", "photom", "adaptive_trace_model",
        "pixel_replace", "cube_build", "extract_1d",
    ),
    not_yet=(
        "assign_wcs", "clean_flicker_noise", "flat_field", "pathloss", "photom", "pixel_replace",
        "extract_1d",
    ),
)  # fmt: skip
BRIGHT_OBJECT: Final = Mode(
    "NIRSpec bright-object time series",
    ("NRS_BRIGHTOBJ",),
    (
        "assign_wcs", "clean_flicker_noise", "extract_2d", "srctype", "wavecorr", "flat_field",
        "photom", "adaptive_trace_model", "pixel_replace", "extract_1d",
    ),
)  # fmt: skip
LRS_SLIT: Final = Mode(
    "MIRI LRS with slit",
    ("MIR_LRS-FIXEDSLIT",),
    (
        "assign_wcs", "bkg_subtract", "srctype", "targ_centroid", "flat_field", "pathloss",
        "photom", "adaptive_trace_model", "pixel_replace", "resample_spec", "extract_1d",
    ),
)  # fmt: skip
LRS_SLITLESS: Final = Mode(
    "MIRI LRS without slit",
    ("MIR_LRS-SLITLESS",),
    (
        "assign_wcs", "srctype", "targ_centroid", "flat_field", "photom", "adaptive_trace_model",
        "pixel_replace", "extract_1d",
    ),
)  # fmt: skip
MRS: Final = Mode(
    "MIRI medium-resolution spectroscopy",
    ("MIR_MRS",),
    (
        "assign_wcs", "badpix_selfcal", "bkg_subtract", "srctype", "straylight", "flat_field",
        "fringe", "photom", "residual_fringe", "adaptive_trace_model", "pixel_replace",
        "cube_build", "extract_1d",
    ),
    not_yet=("assign_wcs", "photom", "pixel_replace", "extract_1d"),
)  # fmt: skip
SOSS: Final = Mode(
    "NIRISS single-object slitless spectroscopy",
    ("NIS_SOSS",),
    (
        "assign_wcs", "bkg_subtract", "srctype", "flat_field", "pathloss", "extract_1d", "photom",
    ),
    not_yet=("assign_wcs", "bkg_subtract", "pathloss", "photom", "extract_1d"),
)  # fmt: skip
WIDE_FIELD: Final = Mode(
    "NIRCam or NIRISS wide-field slitless spectroscopy",
    ("NRC_WFSS", "NRC_GRISM", "NIS_WFSS"),
    (
        "assign_wcs", "bkg_subtract", "flat_field", "extract_2d", "srctype", "wfss_contam",
        "photom", "pixel_replace", "extract_1d",
    ),
    cut_out=True,
    not_yet=("assign_wcs", "extract_2d", "bkg_subtract", "photom", "extract_1d"),
)  # fmt: skip
MIRI_WIDE_FIELD: Final = Mode(
    "MIRI wide-field slitless spectroscopy",
    ("MIR_WFSS",),
    (
        "assign_wcs", "bkg_subtract", "flat_field", "extract_2d", "srctype", "photom",
        "pixel_replace", "extract_1d",
    ),
    cut_out=True,
    not_yet=("assign_wcs", "extract_2d", "bkg_subtract", "photom", "extract_1d"),
)  # fmt: skip
GRISM_SERIES: Final = Mode(
    "NIRCam grism time series",
    ("NRC_TSGRISM",),
    ("assign_wcs", "flat_field", "extract_2d", "srctype", "photom", "extract_1d"),
)
MODES: Final = (
    FIXED_SLITS, MULTI_OBJECT, NIRSPEC_IFU, BRIGHT_OBJECT, LRS_SLIT, LRS_SLITLESS, MRS, SOSS,
    WIDE_FIELD, MIRI_WIDE_FIELD, GRISM_SERIES,
)  # fmt: skip


def mode_of(metadata: Metadata) -> Mode:
    """Return the mode of an exposure.

    Raises
    ------
    InputError
        If EXP_TYPE is missing or no spectrum that calwebb-spec2 knows, or INSTRUME is not that of
        EXP_TYPE; in one sentence that says why.
    """
    kind = metadata.require("EXP_TYPE", str)
    for mode in MODES:
        if kind in mode.exp_types:
            check_instrument(metadata, kind)
            return mode
    known = ", ".join(name for mode in MODES for name in mode.exp_types)
    reasons = (why for words, why in OTHERS if any(word in kind for word in words))
    reason = next(reasons, f"it handles {known}")
    msg = (
        f"{metadata.source}: EXP_TYPE {kind} is no spectrum that calwebb-spec2 calibrates: {reason}"
    )
    raise InputError(msg)


def check_instrument(metadata: Metadata, kind: str) -> None:
    """Refuse an exposure whose INSTRUME is not that of its EXP_TYPE.

    Raises
    ------
    InputError
        If so, or if it is missing.
    """
    found, expected = metadata.require("INSTRUME", str), INSTRUMENTS[kind[:3]]
    if found != expected:
        msg = f"{metadata.source}: INSTRUME is {found}, but EXP_TYPE {kind} is one of {expected}"
        raise InputError(msg)


def name_of(metadata: Metadata) -> str:
    """Return what an exposure's mode is called, with its EXP_TYPE."""
    return f"{mode_of(metadata).name} (EXP_TYPE {metadata['EXP_TYPE']})"


def every_step(modes: Iterable[Mode]) -> tuple[str, ...]:
    """Return the names of the steps of all modes, each once, as nearly in order as can be."""
    names: list[str] = []
    for mode in modes:
        place = 0
        for name in mode.steps:
            if name in names:
                place = max(place, names.index(name) + 1)
            else:
                names.insert(place, name)
                place += 1
    return tuple(names)
