"""Names of products and members, as the documents compose them."""

import re
from typing import Final

from calwebb_associate.conditions import (
    BACKGROUND,
    SCIENCE,
    TARGET_ACQUISITION,
    Exposure,
)
from calwebb_associate.direct_images import DIRECT_IMAGE_NAME
from calwebb_associate.exposure_types import (
    ACQUISITION,
    CORONAGRAPHY,
    FOCUS,
    IMAGE,
    INTERFEROMETRY,
    SPECTRA,
    TIME_SERIES,
)
from calwebb_associate.grouping import EPOCH, Group
from calwebb_core.framework.errors import InputError

# Exposures that level 2 calibrates; of others only the slopes are there.
CALIBRATED: Final = frozenset(
    (*IMAGE, *CORONAGRAPHY, *INTERFEROMETRY, *TIME_SERIES, *SPECTRA, *ACQUISITION, *FOCUS)
) - {"nrc_grism"}
# What the names of the documents are made of; braces hold what later steps fill in.
NAME: Final = re.compile(r"[a-z0-9_.+{}-]+")


def combined_product(program: str, group: Group) -> str:
    """Return the name of a level-3 product by the form that its rule gives.

    Raises
    ------
    InputError
        If a value of the pool cannot be part of a name.
    """
    members = [one for one, part in group.parts if part != TARGET_ACQUISITION]
    first = group.taken[0]
    elements = sorted("-".join(_values(members, columns)) for columns in group.rule.elements)
    subarray = first.first("subarray")
    slits = "-".join(_values(members, ("fxd_slit",)))
    name = group.rule.product.format(
        program=program,
        candidate=group.candidate[0],
        target=target_name(group.target),
        epoch=epoch_name(first),
        instrument=first.first("instrume"),
        optical_elements="-".join(filter(None, elements)) or "clear",
        slit=f"-{slits}" if slits else "",
        subarray=f"-{subarray}" if subarray not in ("", "full") else "",
        detector=first.first("detector"),
        activity=first.first("act_id").zfill(2),
    )
    return _checked(name, first)


def catalog_product(program: str, group: Group, direct: Exposure) -> str:
    """Return the name of the level-3 product that a direct image is part of."""
    elements = sorted(filter(None, (direct.get(columns) for columns in _elements(direct))))
    subarray = direct.first("subarray")
    name = DIRECT_IMAGE_NAME.format(
        program=program,
        candidate=group.candidate[0],
        target=target_name(group.target),
        epoch=epoch_name(direct),
        instrument=direct.first("instrume"),
        optical_elements="-".join(elements) or "clear",
        subarray=f"-{subarray}" if subarray not in ("", "full") else "",
    )
    return _checked(name, direct)


def target_name(number: str) -> str:
    """Return a target in a product's name: "t001"."""
    return f"t{number.zfill(3)}"


def epoch_name(exposure: Exposure) -> str:
    """Return the epoch in a product's name, "-epoch2", or "" if the pool names none."""
    epoch = exposure.first(EPOCH)
    return f"-epoch{epoch}" if epoch else ""


def _elements(direct: Exposure) -> tuple[tuple[str, ...], ...]:
    """Return the columns of an image's optical elements."""
    if direct.first("instrume") == "miri":
        return (("filter",),)
    return (("filter", "band"), ("pupil", "grating"))


def _values(members: list[Exposure], columns: tuple[str, ...]) -> list[str]:
    """Return the different values that members have, sorted."""
    return sorted({one.get(columns) for one in members} - {""})


def _checked(name: str, exposure: Exposure) -> str:
    """Return a name if it is one."""
    if not NAME.fullmatch(name):
        msg = (
            f"{exposure.row['filename']}: its values give the product name {name!r}, which is "
            "not one; check program, targetid, instrume, filter, pupil, grating, fxd_slit and "
            "subarray in the pool"
        )
        raise InputError(msg)
    return name


def member_name(exposure: Exposure, part: str, group: Group) -> str:
    """Return the file of a member: what level 2 starts from, or what level 3 combines."""
    by_integration = group.rule.integrations and integrations(exposure)
    if group.rule.level == 2:
        suffix = "rate"
    elif part == BACKGROUND and exposure.exp_type in SPECTRA:
        suffix = "x1d"
    else:
        suffix = "cal" if exposure.exp_type in CALIBRATED else "rate"
    return f"{exposure.root}_{suffix}{'ints' * by_integration}.fits"


def integrations(exposure: Exposure) -> bool:
    """Tell whether an exposure goes on as one image an integration.

    Time series, masked interferometry and coronagraphy do, except for detectors beside the
    coronagraph's mask; target acquisitions never do.
    """
    if exposure.first("pntgtype") not in ("", SCIENCE) or exposure.exp_type in ACQUISITION:
        return False
    if exposure.exp_type in CORONAGRAPHY:
        return exposure.exp_type != "nrc_coron" or not _beside_mask(exposure)
    return exposure.exp_type in INTERFEROMETRY or exposure.meets("time series")


def _beside_mask(exposure: Exposure) -> bool:
    """Tell whether the mask is out of the detector's field."""
    known = exposure.first("pupil") and exposure.first("subarray")
    return bool(known) and not exposure.meets("occulter in field")
