"""Kinds of exposures that the programs take, each made small, in seconds.

All but guide stars come from calwebb-simulate. Data of a kind are a folder with `uncal`, of spectra
`rates`, and `crds_cache`; that of guide stars, of which the simulator knows nothing, has files made
here.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

GUIDER_SHAPE = (6, 2, 32, 32)  # integrations, groups, rows, columns
GUIDER_NAME = "jw09999001001_gs-acq1_2026001003102_uncal.fits"
GUIDER_KEYWORDS: dict[str, Any] = {
    "TELESCOP": "JWST", "INSTRUME": "FGS", "DETECTOR": "GUIDER1", "EXP_TYPE": "FGS_ACQ1",
    "SUBARRAY": "32X32", "READPATT": "ACQ1", "DATE-OBS": "2026-01-01", "TIME-OBS": "12:00:00.000",
    "NINTS": GUIDER_SHAPE[0], "NGROUPS": GUIDER_SHAPE[1], "NFRAMES": 1, "GROUPGAP": 0,
    "TGROUP": 0.25, "TFRAME": 0.25, "FASTAXIS": 1, "SLOWAXIS": 2, "SUBSTRT1": 1, "SUBSTRT2": 1,
    "SUBSIZE1": GUIDER_SHAPE[3], "SUBSIZE2": GUIDER_SHAPE[2], "PROGRAM": "09999",
    "OBSERVTN": "001", "VISIT": "001",
}  # fmt: skip
GAIN, READ_NOISE = 1.7, 9.0
DARK = "NRC_DARK"
SWITCHED_ON = (
    "charge_migration.skip=false",
    "clean_flicker_noise.skip=false",
    "jump.expand_large_events=true",
    "ramp_fit.algorithm=LIKELY",
)


@dataclass(frozen=True)
class Kind:
    """A kind of exposure.

    Attributes
    ----------
    name, meaning : str
        For files, and for the table.
    simulated : tuple of str
        Words for calwebb-simulate; none: made here.
    program : str
        Takes the raw exposures.
    words : tuple of str
        More words for that program.
    drawn : bool
        Whether pictures and the summary are made of it, too.
    dark : bool
        Whether the simulated exposures are renamed darks.
    exceptions : tuple of str
        Cases in which products may differ: the page says why, and by how much.
    command : str
        Of calwebb-simulate: `run` makes raw exposures, `rates` count rates of spectra.
    """

    name: str
    meaning: str
    simulated: tuple[str, ...] = ()
    program: str = "calwebb-detector1"
    words: tuple[str, ...] = ()
    drawn: bool = False
    dark: bool = False
    exceptions: tuple[str, ...] = ()
    command: str = "run"

    @property
    def spectral(self) -> bool:
        """Whether it begins with count rates of spectra."""
        return self.command == "rates"

    @property
    def only_simulated(self) -> bool:
        """Whether what is looked at is what the simulator writes."""
        return self.program == "calwebb-simulate"


def scenario(name: str, *words: str) -> tuple[str, ...]:
    """Return the words for a scenario of the simulator."""
    return ("--scenario", name, *words)


IMAGING = Kind(
    "imaging",
    "two dithers of NIRCam, to mosaic, catalog, pictures and summary",
    scenario("tiny", "--exposures", "2"),
    drawn=True,
)
SIMULATION = Kind(
    "simulation",
    "what calwebb-simulate itself writes: raw exposures, truth, reference files and their rules",
    scenario("tiny", "--exposures", "1"),
    program="calwebb-simulate",
    exceptions=("libm",),
)
GUIDER = Kind("guider", "an acquisition of a guide star", program="calwebb-guider")
KINDS = (
    Kind(
        "options",
        "NIRCam with steps that are off by default, and the likelihood fit of ramps",
        scenario("tiny", "--exposures", "1"),
        words=tuple(word for option in SWITCHED_ON for word in ("--set", option)),
    ),
    Kind(
        "series",
        "a time series of NIRCam in three segments",
        scenario("time-series", "--integrations", "6", "--groups", "6"),
    ),
    Kind(
        "moving",
        "two dithers of NIRCam that follow a moving target, to the mosaic",
        scenario("moving-target", "--exposures", "2"),
    ),
    Kind(
        "miri",
        "an image of MIRI of two integrations",
        scenario("miri", "--exposures", "1", "--integrations", "2"),
    ),
    Kind("niriss", "an image of NIRISS in SUB80", scenario("niriss", "--exposures", "1")),
    Kind("fgs", "an image of FGS", scenario("fgs-image", "--exposures", "1")),
    Kind(
        "nirspec",
        "NIRSpec in two subarrays, one of them a time series",
        scenario("nirspec-subarray"),
    ),
    Kind("irs2", "a full frame of NIRSpec in IRS2", scenario("nirspec-irs2", "--groups", "3")),
    Kind(
        "dark",
        "a dark of NIRCam",
        scenario("tiny", "--exposures", "1"),
        program="calwebb-dark",
        dark=True,
    ),
    GUIDER,
    SIMULATION,
)
SEGMENTS = ("--integrations", "6", "--segments", "2")
MODES = (
    Kind(
        "lrs-slit",
        "two nods of MIRI LRS in its slit, to the combined spectrum",
        scenario("lrs-slit"),
        program="calwebb-spec3",
    ),
    Kind(
        "nirspec-slit",
        "two nods of NIRSpec in fixed slits, to the combined spectra",
        scenario("nirspec-slit"),
        program="calwebb-spec3",
    ),
    Kind(
        "lrs-slitless",
        "a time series of MIRI LRS without slit in two segments, to the light curve",
        scenario("lrs-slitless", *SEGMENTS),
        program="calwebb-tso3",
    ),
    Kind(
        "nirspec-bright",
        "a time series of NIRSpec in its wide slit in two segments, to the light curve",
        scenario("nirspec-bright", *SEGMENTS),
        program="calwebb-tso3",
    ),
    Kind(
        "nircam-grism",
        "a time series of NIRCam behind its grism in two segments, to the light curve",
        scenario("nircam-grism", *SEGMENTS),
        program="calwebb-tso3",
    ),
    Kind(
        "rates",
        "what `calwebb-simulate rates` itself writes: count rates, truth, reference files",
        scenario("lrs-slitless", *SEGMENTS),
        program="calwebb-simulate",
        exceptions=("libm",),
    ),
)
SPECTRA = tuple(replace(kind, command="rates", drawn=True) for kind in MODES)


def make_data(kind: Kind, folder: Path, simulate: Callable[..., None]) -> None:
    """Make the data of a kind, whole or not at all.

    Parameters
    ----------
    kind : Kind
    folder : Path
        Made here; what is there already stays as it is.
    simulate : callable
        Runs calwebb-simulate with these words.
    """
    if folder.exists():
        return
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    if kind.simulated:
        simulate(kind.command, *kind.simulated, "--output-dir", unfinished)
    else:
        make_guider(unfinished)
    if kind.dark:
        for raw in (unfinished / "uncal").iterdir():
            fits.setval(raw, "EXP_TYPE", value=DARK)
    unfinished.rename(folder)


def make_guider(folder: Path) -> None:
    """Write a raw guide-star exposure and its reference files, `references/TYPE.fits`."""
    rng = np.random.default_rng(11)
    shape = GUIDER_SHAPE[2:]
    rows, columns = np.indices(shape)
    star = 3000 * np.exp(-((rows - 15.3) ** 2 + (columns - 16.8) ** 2) / 4)
    electrons = rng.poisson(star + 5, GUIDER_SHAPE)
    counts = np.cumsum(electrons, axis=1) / GAIN + 9000 + rng.normal(0, READ_NOISE, GUIDER_SHAPE)
    for name in ("uncal", "references", "crds_cache"):
        (folder / name).mkdir()
    write(folder / "uncal" / GUIDER_NAME, {"SCI": np.round(counts).astype(np.uint16)})
    mask = np.zeros(shape, np.uint32)
    mask[1, 1] = 1
    noise = rng.normal(1, 0.02, (3, *shape)).astype(np.float32)
    made = {
        "mask": {"DQ": mask},
        "gain": {"SCI": GAIN * noise[0]},
        "readnoise": {"SCI": READ_NOISE * noise[1]},
        "flat": {"SCI": noise[2], "ERR": 0.01 * noise[2], "DQ": 0 * mask},
    }
    for name, arrays in made.items():
        write(folder / "references" / f"{name}.fits", arrays, REFTYPE=name.upper())


def write(path: Path, arrays: dict[str, Any], **cards: str) -> None:
    """Write a FITS file with the keywords of the guide-star exposure."""
    primary = fits.PrimaryHDU()
    primary.header.update(GUIDER_KEYWORDS | cards)
    hdus = [primary, *(fits.ImageHDU(array, name=name) for name, array in arrays.items())]
    if "DQ" in arrays:
        types = [("BIT", "i4"), ("VALUE", "i4"), ("NAME", "S40"), ("DESCRIPTION", "S80")]
        hdus.append(fits.BinTableHDU(np.array([(0, 1, "DO_NOT_USE", "")], types), name="DQ_DEF"))
    fits.HDUList(hdus).writeto(path)
