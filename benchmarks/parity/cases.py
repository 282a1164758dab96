"""The exposures that are compared: which scenario, which steps beyond those on by default."""

from dataclasses import dataclass, field
from typing import Any

Options = dict[str, dict[str, Any]]

# 3.0.0 leaves an array of average dark currents unused ("does not match shape of data"); ours
# counts it into VAR_POISSON. It is switched off where the two are compared.
ALWAYS: Options = {"dark_current": {"average_dark_current": 0.0}}


@dataclass(frozen=True)
class Case:
    """One row of tables: how to simulate, what to run."""

    title: str
    simulate: tuple[str, ...]
    files: str = "*_uncal.fits"
    most_files: int = 1
    also: tuple[str, ...] = ()
    options: Options = field(default_factory=dict)

    def of_step(self, step: str) -> dict[str, Any]:
        """Return the options of a step, the same for both."""
        return {**ALWAYS.get(step, {}), **self.options.get(step, {})}


def scenario(name: str, *words: str) -> tuple[str, ...]:
    """Return the words of calwebb-simulate run."""
    return ("--scenario", name, *words)


TWO_OF_EIGHT = ("--integrations", "2", "--groups", "8")
CASES: dict[str, Case] = {
    "nircam-subarray": Case(
        "NIRCam, SUB160 of NRCB1, RAPID, 8 groups",
        scenario("tiny", "--exposures", "1", "--groups", "8"),
    ),
    "nircam-full": Case(
        "NIRCam, full frame of NRCALONG, 5 groups",
        scenario("demo", "--exposures", "1", "--groups", "5"),
    ),
    "nircam-averaged": Case(
        "NIRCam, SUB160, averaged groups with zero frame: MEDIUM8 and DEEP8",
        scenario("averaged"),
        files="*_0210[14]_*_uncal.fits",
        most_files=2,
    ),
    "nircam-series": Case(
        "NIRCam time series, SUB160, 12 integrations of 8 groups in three segments",
        scenario("time-series", "--integrations", "12", "--segments", "3", "--groups", "8"),
        most_files=3,
    ),
    "niriss": Case(
        "NIRISS, SUB80, NISRAPID, 8 groups",
        scenario("niriss", "--exposures", "1", "--groups", "8"),
    ),
    "miri": Case(
        "MIRI, SUB64, FASTR1, three integrations of 12 groups, with emicorr",
        scenario("miri", "--exposures", "1"),
        also=("emicorr",),
    ),
    "miri-full": Case(
        "MIRI, full frame, FASTR1, two integrations of 8 groups, with emicorr",
        scenario("miri", "--exposures", "1", "--subarray", "FULL", *TWO_OF_EIGHT),
        also=("emicorr",),
    ),
    "nirspec-irs2": Case(
        "NIRSpec, full frame of NRS1, NRSIRS2RAPID, 5 groups",
        scenario("nirspec-irs2", "--groups", "5"),
    ),
    "fgs": Case(
        "FGS, full frame of GUIDER1, 4 groups",
        scenario("fgs", "--groups", "4"),
    ),
    "nirspec-subarray": Case(
        "NIRSpec, SUB512 (no reference pixels) and SUBS200A1",
        scenario("nirspec-subarray"),
        most_files=2,
    ),
    "nircam-options": Case(
        "NIRCam, SUB160, with steps and options that are off by default: charge_migration, "
        "clean_flicker_noise, LIKELY (ipc finds no reference)",
        scenario("tiny", "--exposures", "1", "--groups", "8", "--on", "ipc"),
        also=("ipc", "charge_migration", "clean_flicker_noise"),
        options={
            "charge_migration": {"signal_threshold": 15000.0},
            "ramp_fit": {"algorithm": "LIKELY"},
        },
    ),
}
