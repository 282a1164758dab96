"""Read what calwebb_tso3 starts from: the segments of an exposure, by an association or alone."""

import logging
from pathlib import Path
from typing import Unpack

from calwebb_core.framework.association import (
    MemberOptions,
    is_association,
    read_association,
)
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.roots import root_of
from calwebb_level3.timeseries.checks import make_series
from calwebb_level3.timeseries.series import Segment, TimeSeries

PROGRAM = "calwebb-tso3"
# Of this program; the first segment may have them from stage 2.
LATER_KEYWORDS = ("S_TSPHOT", "S_WHTLIT", "S_EXTR1D", "S_PXREPL")

logger = logging.getLogger(__name__)


def read(path: Path, **options: Unpack[MemberOptions]) -> TimeSeries:
    """Read all but the pixels of the segments of an exposure.

    Parameters
    ----------
    path : Path
        Association (.json), or the `_calints` of an exposure that has one segment.
    **options
        Where the association's members are and which of its products is wanted.

    Raises
    ------
    InputError
        If the association or a member is missing or unfit; see `checks.make_series`.
    """
    path = Path(path)
    if not is_association(path):
        return forget_later(make_series([Segment.open(path)], product=root_of(path)))
    association = read_association(path, **options)
    product = association.only_product(PROGRAM, level=3)
    for kind, count in product.not_of(("science",)).items():
        logger.warning("%s: %d members of type %s are not used by tso3", path, count, kind)
    return forget_later(
        make_series(
            [Segment.open(member.path) for member in product.of_type("science")],
            product=product.named(str(path)),
            asn_id=association.asn_id,
            pool=association.pool,
            table=path.name,
        )
    )


def forget_later(series: TimeSeries) -> TimeSeries:
    """Forget that stage 2 has extracted spectra: it is done anew, from all segments."""
    for keyword in LATER_KEYWORDS:
        series.metadata.pop(keyword, None)
    return series


def first_metadata(path: Path, **options: Unpack[MemberOptions]) -> Metadata:
    """Return the keywords of an input without its pixels: those of the first segment."""
    from calwebb_core.framework.products import read_metadata

    path = Path(path)
    if is_association(path):
        product = read_association(path, **options).only_product(PROGRAM, level=3)
        product.named(str(path))
        members = product.of_type("science")
        if not members:
            msg = f"{path}: the association has no science member; expected at least one"
            raise InputError(msg)
        path = members[0].path
    metadata = read_metadata(path)
    for keyword in LATER_KEYWORDS:
        metadata.pop(keyword, None)
    return metadata
