"""Every EXP_TYPE: its part in an association and the stage it belongs to."""

from difflib import get_close_matches
from typing import Final

from calwebb_core.framework.errors import InputError

IMAGE: Final = ("fgs_image", "mir_image", "nis_image", "nrc_image", "nrs_mimf")
CORONAGRAPHY: Final = ("mir_4qpm", "mir_lyot", "nrc_coron")
INTERFEROMETRY: Final = ("nis_ami",)
TIME_SERIES: Final = ("nrc_tsgrism", "nrc_tsimage", "nrs_brightobj")
SPECTRA: Final = (
    "mir_lrs-fixedslit",
    "mir_lrs-slitless",
    "mir_mrs",
    "mir_wfss",
    "nis_soss",
    "nis_wfss",
    "nrc_grism",
    "nrc_tsgrism",
    "nrc_wfss",
    "nrs_brightobj",
    "nrs_fixedslit",
    "nrs_ifu",
    "nrs_msaspec",
)
ACQUISITION: Final = (
    "mir_taconfirm",
    "mir_tacq",
    "nis_taconfirm",
    "nis_tacq",
    "nrc_taconfirm",
    "nrc_tacq",
    "nrs_confirm",
    "nrs_msata",
    "nrs_taconfirm",
    "nrs_tacq",
    "nrs_taslit",
    "nrs_verify",
    "nrs_wata",
)
# As pools of the years before launch call them.
EARLIER_ACQUISITION: Final = ("nrs_bota",)
FOCUS: Final = ("mir_coroncal", "nis_focus", "nrc_focus", "nrs_focus", "nrs_image")
FGS: Final = ("fgs_focus", "fgs_image")
CALIBRATION: Final = (
    "fgs_intflat",
    "fgs_skyflat",
    "mir_flatimage",
    "mir_flatimage-ext",
    "mir_flatmrs",
    "mir_flatmrs-ext",
    "nis_extcal",
    "nis_lamp",
    "nrc_flat",
    "nrc_led",
    "nrc_wfsc",
    "nrs_autoflat",
    "nrs_autowave",
    "nrs_lamp",
)
DARK: Final = (
    "fgs_dark",
    "mir_darkall",
    "mir_darkimg",
    "mir_darkmrs",
    "nis_dark",
    "nrc_dark",
    "nrs_dark",
)
EARLIER_GUIDE: Final = ("fgs_id-acq1", "fgs_id-acq2", "fgs_id-fineguide", "fgs_id-track")
GUIDE: Final = (
    "fgs_acq1",
    "fgs_acq2",
    "fgs_fineguide",
    "fgs_id-image",
    "fgs_id-stack",
    "fgs_track",
    *EARLIER_GUIDE,
)

# What people call it, for the sentence that says what cannot be processed yet.
KINDS: Final[dict[str, tuple[str, ...]]] = {
    "imaging": IMAGE,
    "coronagraphy": CORONAGRAPHY,
    "aperture masking interferometry": INTERFEROMETRY,
    "time series": TIME_SERIES,
    "spectroscopy": tuple(word for word in SPECTRA if word not in TIME_SERIES),
    "target acquisition": (*ACQUISITION, *EARLIER_ACQUISITION),
    "focus": (*FOCUS, "fgs_focus"),
    "calibration lamp or flat": CALIBRATION,
    "dark": DARK,
    "guide star": GUIDE,
}
KIND_OF: Final = {word: kind for kind, words in KINDS.items() for word in words}
EXP_TYPES: Final = frozenset(KIND_OF)


# Exposures that go on as one image an integration (`_rateints`).
INTEGRATIONS: Final = frozenset((*CORONAGRAPHY, *INTERFEROMETRY, *TIME_SERIES))


def check_exp_type(value: str, source: str) -> str:
    """Return an EXP_TYPE in lower case.

    Raises
    ------
    InputError
        If there is no such type; the message suggests the closest.
    """
    word = value.lower()
    if word in EXP_TYPES:
        return word
    close = get_close_matches(word, sorted(EXP_TYPES), n=1)
    advice = f"did you mean {close[0].upper()}?" if close else "expected one such as NRC_IMAGE"
    msg = f"{source}: unknown EXP_TYPE {value!r}; {advice}"
    raise InputError(msg)
