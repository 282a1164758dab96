"""Which keywords choose a reference file, for each instrument and type.

They are the observatory's, with three changes: the filter chooses a photom file, too, so that the
calibration of one filter can change without the others; the subarray chooses files of charge
traps, which may be as small as the subarray then; and what the simulator does not vary, such as
bands and stripes, is left out.
"""

NOT_APPLICABLE = "N/A"
DETECTOR = "META.INSTRUMENT.DETECTOR"
SUBARRAY = "META.SUBARRAY.NAME"
FILTER = "META.INSTRUMENT.FILTER"
PUPIL = "META.INSTRUMENT.PUPIL"
EXP_TYPE = "META.EXPOSURE.TYPE"
READPATT = "META.EXPOSURE.READPATT"
GRATING = "META.INSTRUMENT.GRATING"
CHANNEL = "META.INSTRUMENT.CHANNEL"
MODULE = "META.INSTRUMENT.MODULE"
SHORT = {
    "detector": DETECTOR,
    "exp_type": EXP_TYPE,
    "channel": CHANNEL,
    "module": MODULE,
    "subarray": SUBARRAY,
    "readpatt": READPATT,
    "filter": FILTER,
    "pupil": PUPIL,
    "grating": GRATING,
}

COMMON: dict[str, tuple[str, ...]] = {
    "mask": (DETECTOR, SUBARRAY),
    "saturation": (DETECTOR, SUBARRAY),
    "superbias": (DETECTOR, READPATT, SUBARRAY),
    "linearity": (DETECTOR, SUBARRAY),
    "dark": (DETECTOR, READPATT, SUBARRAY),
    "gain": (DETECTOR, SUBARRAY),
    "readnoise": (DETECTOR, READPATT, SUBARRAY),
    "sirskernel": (DETECTOR,),
    "persat": (DETECTOR, SUBARRAY),
    "trapdensity": (DETECTOR, SUBARRAY),
    "trappars": (DETECTOR, SUBARRAY),
    "flat": (DETECTOR, FILTER, PUPIL, SUBARRAY),
    "distortion": (EXP_TYPE, DETECTOR),
    "photom": (DETECTOR, EXP_TYPE, FILTER, PUPIL),
    "area": (DETECTOR, EXP_TYPE),
    "apcorr": (EXP_TYPE,),
    "abvegaoffset": (),
    "specwcs": (EXP_TYPE, SUBARRAY),
    "wavelengthrange": (EXP_TYPE,),
    "extract1d": (EXP_TYPE,),
    "pathloss": (EXP_TYPE,),
    "psf": (DETECTOR, FILTER, EXP_TYPE),
}
OWN: dict[str, dict[str, tuple[str, ...]]] = {
    "NIRCAM": {
        "dark": (EXP_TYPE, DETECTOR, READPATT, SUBARRAY),
        "distortion": (EXP_TYPE, DETECTOR, CHANNEL),
        "filteroffset": (CHANNEL, MODULE),
        "photom": (DETECTOR, EXP_TYPE, FILTER),
        "specwcs": (EXP_TYPE, MODULE, PUPIL),
    },
    "MIRI": {
        "linearity": (DETECTOR, SUBARRAY, FILTER),
        "reset": (DETECTOR, READPATT, SUBARRAY),
        "lastframe": (DETECTOR, READPATT, SUBARRAY),
        "rscd": (DETECTOR,),
        "emicorr": (),
        "flat": (DETECTOR, FILTER, READPATT, SUBARRAY),
        "photom": (DETECTOR, EXP_TYPE, FILTER),
        "filteroffset": (DETECTOR, EXP_TYPE),
    },
    "NIRSPEC": {
        "mask": (DETECTOR, SUBARRAY, READPATT),
        "refpix": (DETECTOR, READPATT),
        "pictureframe": (DETECTOR, READPATT),
        "photom": (DETECTOR, EXP_TYPE),
        "area": (FILTER, GRATING, EXP_TYPE),
        "fflat": (FILTER, EXP_TYPE),
        "sflat": (DETECTOR, FILTER, GRATING, EXP_TYPE, SUBARRAY),
        "dflat": (DETECTOR, EXP_TYPE, SUBARRAY),
        "wavecorr": (EXP_TYPE,),
        "disperser": (EXP_TYPE, GRATING),
        "fore": (EXP_TYPE, FILTER),
        **dict.fromkeys(("camera", "collimator", "fpa", "msa", "ote"), (EXP_TYPE,)),
    },
    "FGS": {
        "mask": (DETECTOR, SUBARRAY, EXP_TYPE),
        "flat": (DETECTOR, EXP_TYPE, SUBARRAY),
        "photom": (DETECTOR, EXP_TYPE),
        "apcorr": (DETECTOR,),
    },
}


def rule_keys(instrument: str, kind: str) -> tuple[str, ...]:
    """Return the keywords that the rules of a type look at."""
    if kind.startswith("pars-"):
        return (EXP_TYPE,)
    own = OWN.get(instrument, {})
    return own[kind] if kind in own else COMMON[kind]


def rule_values(**values: str) -> dict[str, str]:
    """Return values by the keyword's path, given by short names such as `readpatt`."""
    return {SHORT[name]: value for name, value in values.items()}
