"""The exposures of the imaging comparison: what is simulated, which of it is taken."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """One instrument.

    Attributes
    ----------
    title : for the tables
    scenario : of calwebb-simulate
    band : value of FILTER or PUPIL of the exposures that are taken; all if empty
    integrations : whether `_rateints` are calibrated, too
    own : whether the official image3 also runs on the official `_cal` files
    isolation : distance of a star's neighbour in pixels, at least
    """

    title: str
    scenario: str
    band: str = ""
    integrations: bool = False
    own: bool = True
    isolation: float = 8.0
    words: tuple[str, ...] = field(default=())


CASES: dict[str, Case] = {
    "nircam": Case("NIRCam, NRCB1 SUB160, F200W", "tiny", isolation=6.0),
    "niriss": Case("NIRISS, SUB128, F200W", "niriss-image", band="F200W"),
    "miri": Case("MIRI, SUB128, F770W", "miri-image", integrations=True),
    "miri-background": Case("MIRI, SUB128, F1280W, four backgrounds", "background"),
    "fgs": Case("FGS, GUIDER1 SUB128CNTR", "fgs-image"),
    "nircam-full": Case("NIRCam, NRCALONG full frame, F277W", "demo", own=False),
}
