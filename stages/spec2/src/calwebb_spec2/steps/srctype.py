"""srctype: say whether a source is a point or extended.

Later steps correct, and extract, point and extended sources differently; SRCTYPE tells them. Where
an exposure has one target, the first of these that says something decides:

1. the option `source_type`, for exposures of one target that the observer named (`CHOOSABLE`);
2. BKGDTARG, a background target: EXTENDED;
3. a time series (TSOVISIT, or a mode that always is one): POINT;
4. SRCTYAPT, what the observer said in the proposal, unless it is UNKNOWN;
5. nods: PATTTYPE with NOD or POINT-SOURCE (MIRI MRS: DITHOPFR POINT-SOURCE): POINT;
6. what is usual in the mode (`USUAL`), else UNKNOWN.

Of NIRSpec's fixed slits that holds for the one with the target (FXD_SLIT); the others see sky and
are EXTENDED. Sources of multi-object spectroscopy go by the stellarity that the observer gave:
from 0 to 0.75 EXTENDED, otherwise (also below 0, which stands for unknown) POINT. Those of
wide-field slitless exposures go by the source catalog. Source: the official package's
documentation of the step, and what it does where that says nothing. Sets no flags.
"""

import logging
import math
from dataclasses import dataclass
from typing import Any, Final

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit, Slits
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step
from calwebb_spec2.modes import mode_of

logger = logging.getLogger(__name__)

POINT: Final = "POINT"
EXTENDED: Final = "EXTENDED"
UNKNOWN: Final = "UNKNOWN"
# Above it a source is a star, up to it from 0 it is none.
STELLARITY_LIMIT: Final = 0.75
CHOOSABLE: Final = (
    "MIR_LRS-FIXEDSLIT", "MIR_LRS-SLITLESS", "MIR_MRS", "NRC_TSGRISM", "NRS_FIXEDSLIT",
    "NRS_BRIGHTOBJ", "NRS_IFU",
)  # fmt: skip
ONE_TARGET: Final = (*CHOOSABLE, "NIS_SOSS")
TIME_SERIES: Final = ("NRC_TSGRISM", "NRS_BRIGHTOBJ")
CATALOGED: Final = ("NIS_WFSS", "NRC_WFSS", "MIR_WFSS")
USUAL: Final = {
    "MIR_LRS-FIXEDSLIT": POINT,
    "MIR_LRS-SLITLESS": POINT,
    "MIR_MRS": EXTENDED,
    "NIS_SOSS": POINT,
    "NRS_FIXEDSLIT": POINT,
    "NRS_BRIGHTOBJ": POINT,
    "NRS_IFU": EXTENDED,
}


@dataclass(frozen=True)
class SrctypeParameters:
    """Options of srctype."""

    source_type: str | None = option(
        None,
        "What the target is, for exposures of one target; by default as the header says.",
        choices=(POINT, EXTENDED),
    )


def is_time_series(metadata: Metadata) -> bool:
    """Say whether an exposure is one of a time series."""
    return metadata.get("TSOVISIT") is True or metadata.get("EXP_TYPE") in TIME_SERIES


def is_nodded(metadata: Metadata) -> bool:
    """Say whether an exposure is one of several of a point source, moved between them."""
    if metadata.get("EXP_TYPE") == "MIR_MRS":
        return metadata.get("DITHOPFR") == "POINT-SOURCE"
    pattern = str(metadata.get("PATTTYPE") or "")
    return "NOD" in pattern or pattern == "POINT-SOURCE"


def type_of_target(metadata: Metadata, chosen: str | None = None) -> str:
    """Return POINT, EXTENDED or UNKNOWN for the target of an exposure.

    Parameters
    ----------
    metadata : Metadata
        Keywords of the exposure.
    chosen : str, optional
        What the user says it is; counts for exposures of `CHOOSABLE` only.
    """
    kind = metadata.get("EXP_TYPE")
    if chosen and kind in CHOOSABLE:
        return chosen
    if kind not in ONE_TARGET:
        return POINT if is_time_series(metadata) else UNKNOWN
    if metadata.get("BKGDTARG") is True:
        return EXTENDED
    if is_time_series(metadata):
        return POINT
    if metadata.get("SRCTYAPT") in (POINT, EXTENDED):
        return str(metadata["SRCTYAPT"])
    return POINT if is_nodded(metadata) else USUAL.get(str(kind), UNKNOWN)


def type_of_stellarity(stellarity: float | None) -> str:
    """Return POINT or EXTENDED for a source of multi-object spectroscopy.

    Parameters
    ----------
    stellarity : float, optional
        From 0 (a galaxy) to 1 (a star); unknown if below 0, NaN or absent.
    """
    if stellarity is None or not math.isfinite(stellarity):
        return POINT
    return EXTENDED if 0.0 <= stellarity <= STELLARITY_LIMIT else POINT


def types_of_stellarities(slits: list[Slit], source: str) -> list[str]:
    """Return the types of multi-object sources, with a warning where nobody said anything."""
    values = [number(slit.metadata, "STLARITY") for slit in slits]
    unknown = sum(value is None or math.isnan(value) for value in values)
    if unknown:
        logger.warning(
            "%s: %d of %d slits have no stellarity (STLARITY); their sources count as POINT",
            source,
            unknown,
            len(slits),
        )
    return [type_of_stellarity(value) for value in values]


def number(metadata: Metadata, keyword: str) -> float | None:
    """Return a number of a header, None if it is absent or no number."""
    value = metadata.get(keyword)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def types_of_fixed_slits(slits: Slits, target: str) -> list[str]:
    """Return the type of the target for the slit it is in, EXTENDED for the others."""
    primary = slits.metadata.get("FXD_SLIT")
    names = [slit.metadata.get("SLTNAME") for slit in slits.slits]
    if primary not in names:
        logger.warning(
            "%s: FXD_SLIT is %r, none of the slits %s: all of them count as sky, EXTENDED",
            slits.metadata.source,
            primary,
            ", ".join(map(str, names)),
        )
    return [target if name == primary else EXTENDED for name in names]


def types_of_slits(slits: Slits, target: str) -> list[str]:
    """Return the type of the source in each slit.

    Parameters
    ----------
    slits : Slits
        With SLTNAME (fixed slits), STLARITY (multi-object) or `extended` (wide-field) of each.
    target : str
        What `type_of_target` says of the exposure.
    """
    kind = slits.metadata.get("EXP_TYPE")
    if kind == "NRS_FIXEDSLIT":
        return types_of_fixed_slits(slits, target)
    if kind == "NRS_MSASPEC":
        return types_of_stellarities(slits.slits, slits.metadata.source)
    if kind in CATALOGED:
        extended = (slit.extended is True for slit in slits.slits)
        return [EXTENDED if found else POINT for found in extended]
    return [target for _ in slits.slits]


def check_choice(metadata: Metadata, chosen: str | None) -> None:
    """Warn that the user's choice does not count for an exposure."""
    kind = metadata.get("EXP_TYPE")
    if chosen and kind not in CHOOSABLE:
        logger.warning(
            "%s: source_type %s is not used: it is for exposures of one target that the observer "
            "named, not for EXP_TYPE %s",
            metadata.source,
            chosen,
            kind,
        )


def run(model: Image | Slits, _: References, parameters: SrctypeParameters) -> tuple[Any, Status]:
    """Write SRCTYPE of an exposure, or of each of its slits, in place.

    Raises
    ------
    InputError
        If the spectra of a mode that has several are not cut out yet.
    """
    metadata = model.metadata
    mode = mode_of(metadata)
    check_choice(metadata, parameters.source_type)
    target = type_of_target(metadata, parameters.source_type)
    if isinstance(model, Slits):
        for slit, kind in zip(model.slits, types_of_slits(model, target), strict=True):
            slit.metadata["SRCTYPE"] = kind
    elif mode.cut_out and "SLTNAME" in metadata:
        alone = Slits(metadata, [Slit(metadata, model.data, model.err)])
        metadata["SRCTYPE"] = types_of_slits(alone, target)[0]
    elif mode.cut_out and metadata["EXP_TYPE"] != "NRC_GRISM":
        msg = (
            f"{metadata.source}: has one SCI array; expected one for each spectrum: srctype for "
            f"{mode.name} comes after extract_2d"
        )
        raise InputError(msg)
    else:
        metadata["SRCTYPE"] = target
    return model, COMPLETE


STEP = Step(
    name="srctype",
    keyword="S_SRCTYP",
    meaning="Say whether sources are points or extended.",
    parameters=SrctypeParameters,
    run=run,
)
