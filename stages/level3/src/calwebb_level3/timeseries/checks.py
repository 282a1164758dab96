"""What makes files one time series: all segments of one exposure, with times, in order."""

from itertools import islice

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_level3.imageset import EXPOSURE_KEYWORDS
from calwebb_level3.timeseries.series import Segment, TimeSeries

# Always of time series; images of MIRI are if TSOVISIT says so.
SERIES_TYPES = ("NRC_TSIMAGE", "NRC_TSGRISM", "NRS_BRIGHTOBJ")
TIME_COLUMNS = ("integration_number", "int_mid_MJD_UTC", "int_mid_BJD_TDB")
# Missing segments that a message names.
NAMED = 5
COMMON_KEYWORDS = (
    "INSTRUME", "EXP_TYPE", "FILTER", "PUPIL", "GRATING", "SUBARRAY", "BUNIT", "EXSEGTOT",
)  # fmt: skip


def check_series(metadata: Metadata) -> None:
    """Refuse an exposure that is not of a time series.

    Raises
    ------
    InputError
        If so.
    """
    kind = metadata.require("EXP_TYPE", str)
    if metadata.get("TSOVISIT") is True or kind in SERIES_TYPES:
        return
    msg = (
        f"{metadata.source}: TSOVISIT is {metadata.get('TSOVISIT', 'absent')} and EXP_TYPE {kind}: "
        "it is not of a time series; use calwebb-image3 or calwebb-spec3"
    )
    raise InputError(msg)


def make_series(
    segments: list[Segment], *, product: str, asn_id: str = "", pool: str = "", table: str = ""
) -> TimeSeries:
    """Check that segments make one exposure and put them in order.

    Parameters
    ----------
    segments : list of Segment
        In any order.
    product : str
        Name of the products without suffix.
    asn_id, pool, table : str
        Association id, and the names of pool and association for ASNPOOL and ASNTABLE.

    Raises
    ------
    InputError
        If there is none, one is not of a time series, in DN/s or without INT_TIMES, they are of
        several exposures, or some are missing.
    """
    if not segments:
        msg = f"{table or product}: the association has no science member; expected at least one"
        raise InputError(msg)
    for segment in segments:
        check_segment(segment)
    check_common(segments)
    result = TimeSeries(segments[0].metadata, product, asn_id, segments)
    ordered = []
    for part in result.parts():
        ordered += in_order(part.segments)
    metadata = ordered[0].metadata.copy()
    for keyword, value in (("ASNTABLE", table), ("ASNPOOL", pool)):
        for owner in (metadata, *(segment.metadata for segment in ordered)):
            if value:
                owner[keyword] = value
    return TimeSeries(metadata, product, asn_id, ordered)


def check_segment(segment: Segment) -> None:
    """Refuse a file that is no calibrated part of a time series with times.

    Raises
    ------
    InputError
        If so.
    """
    metadata = segment.metadata
    check_series(metadata)
    unit = str(metadata.get("BUNIT", ""))
    if unit.upper().startswith("DN"):
        msg = f"{segment.path}: BUNIT is {unit}; expected MJy/sr or MJy: run stage 2 first"
        raise InputError(msg)
    if segment.times is None or not len(segment.times.data):
        msg = (
            f"{segment.path}: has no table INT_TIMES, so that nothing says when its integrations "
            "were taken; expected one row for each: make the file again from the _uncal"
        )
        raise InputError(msg)
    check_times(segment)


def check_times(segment: Segment) -> None:
    """Refuse times that do not belong to the integrations.

    Raises
    ------
    InputError
        If an integration has no row, or a column is missing.
    """
    assert segment.times is not None  # noqa: S101 - asked by the caller
    table = segment.times.data
    absent = [name for name in TIME_COLUMNS if name not in (table.dtype.names or ())]
    if absent:
        msg = (
            f"{segment.path}: INT_TIMES has no column {absent[0]}; it has "
            f"{', '.join(table.dtype.names or ())}: make the file again from the _uncal"
        )
        raise InputError(msg)
    numbers = table["integration_number"].tolist()
    first = segment.metadata.optional("INTSTART", int) or 1
    wanted = range(first, first + segment.nints)
    missing = sorted(set(wanted) - set(numbers))
    if missing:
        msg = (
            f"{segment.path}: INT_TIMES has no row for integration {missing[0]}"
            f"{f' and {len(missing) - 1} more' if missing[1:] else ''}; it has "
            f"{min(numbers)} to {max(numbers)}, expected {wanted[0]} to {wanted[-1]} (INTSTART and "
            "the size of SCI)"
        )
        raise InputError(msg)


def exposure_of(metadata: Metadata) -> tuple[str, ...]:
    """Return the keywords that name an exposure."""
    return tuple(str(metadata.get(keyword, "")) for keyword in EXPOSURE_KEYWORDS)


def check_common(segments: list[Segment]) -> None:
    """Refuse files of several exposures or settings.

    Raises
    ------
    InputError
        Naming both files and what differs.
    """
    first = segments[0]
    for segment in segments[1:]:
        pairs = zip(
            EXPOSURE_KEYWORDS,
            exposure_of(first.metadata),
            exposure_of(segment.metadata),
            strict=True,
        )
        for keyword, expected, found in pairs:
            if found != expected:
                msg = (
                    f"{segment.path}: {keyword} is {found}, but {expected} in {first.path}: they "
                    "are segments of two exposures; expected those of one, give each an "
                    "association of its own"
                )
                raise InputError(msg)
        for keyword in COMMON_KEYWORDS:
            own, other = segment.metadata.get(keyword), first.metadata.get(keyword)
            if own != other:
                msg = (
                    f"{segment.path}: {keyword} is {own!r}, but {other!r} in {first.path}; "
                    "segments of one exposure agree in it"
                )
                raise InputError(msg)


def in_order(segments: list[Segment]) -> list[Segment]:
    """Return the segments of one detector in the order of time, with their places.

    Raises
    ------
    InputError
        If one is missing, is there twice, does not follow the one before, or has another size.
    """
    first = segments[0]
    total = first.metadata.optional("EXSEGTOT", int) or 1
    numbered: dict[int, Segment] = {}
    for segment in segments:
        number = segment.metadata.optional("EXSEGNUM", int) or 1
        if number in numbered:
            msg = (
                f"{segment.path}: EXSEGNUM is {number}, as in {numbered[number].path}; expected "
                "each segment once"
            )
            raise InputError(msg)
        numbered[number] = segment
    # a header may claim any number of segments: the first that are not there will do
    missing = list(islice((n for n in range(1, total + 1) if n not in numbered), NAMED))
    if missing or len(numbered) > total:
        names = ", ".join(map(str, missing))
        what = f"segment {names} is missing" if missing else f"there are {len(numbered)} segments"
        msg = (
            f"{first.path}: {what}: EXSEGTOT is {total}, found {sorted(numbered)}; expected all "
            "segments of the exposure in the association"
        )
        raise InputError(msg)
    ordered = [numbered[number] for number in sorted(numbered)]
    place(ordered)
    return ordered


def place(ordered: list[Segment]) -> None:
    """Write where each segment begins in the exposure.

    Raises
    ------
    InputError
        If INTSTART of one does not follow INTEND of the one before, or sizes differ.
    """
    before = None
    for segment in ordered:
        if before is not None:
            if segment.shape[1:] != before.shape[1:]:
                msg = (
                    f"{segment.path}: images have shape {segment.shape[1:]}, but "
                    f"{before.shape[1:]} in {before.path}; segments of one exposure have one"
                )
                raise InputError(msg)
            end = before.metadata.optional("INTEND", int)
            begin = segment.metadata.optional("INTSTART", int)
            if end is not None and begin is not None and begin != end + 1:
                msg = (
                    f"{segment.path}: INTSTART is {begin}, but INTEND is {end} in {before.path}; "
                    f"expected {end + 1}: integrations between are missing"
                )
                raise InputError(msg)
            segment.start = before.start + before.nints
        else:
            segment.start = 0
        before = segment
