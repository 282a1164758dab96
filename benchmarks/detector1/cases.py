"""The measured cases of stage 1: what is simulated for each, and what is promised of it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """One raw exposure.

    Attributes
    ----------
    name : of its folder of data
    meaning : for the table
    simulate : options of `calwebb-simulate run`
    promised : how many times faster than the official package at least, or None
    peer : whether the official package is run as well
    """

    name: str
    meaning: str
    simulate: tuple[str, ...]
    promised: float | None = None
    peer: bool = True


# fmt: off
CASES = (
    Case(
        "full1",
        "NIRCam full frame, 10 groups",
        ("--scenario", "demo", "--exposures", "1"),
        8,
    ),
    Case(
        "full4",
        "NIRCam full frame, 10 groups x 4 integrations",
        ("--scenario", "big-full", "--integrations", "4"),
        12,
    ),
    Case(
        "full20",
        "NIRCam full frame, 10 groups x 20 integrations (memory)",
        ("--scenario", "big-full", "--integrations", "20"),
        peer=False,
    ),
    Case(
        "miri",
        "MIRI full frame, 20 groups x 2 integrations",
        ("--scenario", "miri", "--subarray", "FULL", "--groups", "20", "--integrations", "2",
         "--exposures", "1"),
    ),
    Case(
        "series60",
        "time series 160 x 160, 10 groups x 60 integrations",
        ("--scenario", "big-series", "--integrations", "60"),
        3,
    ),
    Case(
        "series1050",
        "time series 160 x 160, 10 groups x 1050 integrations, 0.54 GB",
        ("--scenario", "big-series", "--integrations", "1050"),
        12,
    ),
    Case(
        "series2100",
        "time series 160 x 160, 10 groups x 2100 integrations, 1.08 GB",
        ("--scenario", "big-series"),
        12,
        peer=False,  # it needs about 27 GB
    ),
    Case(
        "irs2",
        "NIRSpec IRS2 full frame, 5 groups",
        ("--scenario", "nirspec-irs2", "--groups", "5", "--exposures", "1"),
    ),
    Case(
        "subarray",
        "NIRCam subarray 160 x 160",
        ("--scenario", "tiny", "--exposures", "1"),
        3,
    ),
)


# fmt: on


def raw_file(data: Path, case: Case) -> Path:
    """Return the first raw exposure of a case.

    Raises
    ------
    FileNotFoundError
        If nothing is simulated yet.
    """
    found = sorted((data / case.name / "uncal").glob("*_uncal.fits"))
    if not found:
        msg = f"{data / case.name}: no raw exposure; simulate it with --make"
        raise FileNotFoundError(msg)
    return found[0]
