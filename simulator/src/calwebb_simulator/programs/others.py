"""Programs of the guiders and the telescope, darks, lamps and flats, a moving target."""

from calwebb_simulator.programs.model import (
    STARE,
    Activity,
    Dither,
    Observation,
    Program,
    Readout,
    Target,
    setup,
)

FIELD = Target("ASTROMETRIC-FIELD", 80.4875, -69.4975, "LMC")
STAR = Target("WFS-STAR", 256.2500, 65.8700, "2MASS J17050000+6552120")
DARKNESS = Target("DARK", 90.0000, -66.5607)
COMET = Target("COMET", 41.2000, 15.1000, "C/2017 K2", kind="MOVING")
LAMPS = Target("CALIBRATION", 270.0000, 66.5607)

FGS = Program(
    "fgs-imaging",
    10081,
    "FGS",
    "An astrometric field with both guiders, one after the other.",
    (
        Observation(
            1,
            "FGS External Calibration",
            FIELD,
            tuple(
                Activity(
                    (setup("FGS_IMAGE", guider, "{}_FULL", Readout("FGS60", 4)),),
                    Dither("IMAGING", ((0.0, 0.0), (2.0, 1.0), (-1.5, 2.0))),
                )
                for guider in ("GUIDER1", "GUIDER2")
            ),
        ),
    ),
)


def defocused(pupil: str) -> Activity:
    """Return a pair of images through a weak lens."""
    lens = setup(
        "NRC_IMAGE", "NRCA3", "NRCA3_FP1", Readout("BRIGHT1", 10), FILTER="F212N", PUPIL=pupil
    )
    return Activity((lens,), Dither("WFSC", ((0.0, 0.0), (0.5, 0.5))))


WAVEFRONT = Program(
    "wavefront-sensing",
    10082,
    "NIRCAM",
    "The telescope's mirrors: pairs of images of a star on both sides of focus.",
    (
        Observation(
            1,
            "WFSC NIRCam Fine Phasing",
            STAR,
            (defocused("WLP8"), defocused("WLM8")),
            visit_type="PRIME_WFSC_ROUTINE",
        ),
    ),
)

COMET_IMAGES = Activity(
    (
        setup(
            "NRC_IMAGE",
            "NRCB1 NRCB2 NRCB3 NRCB4",
            "{}_FULL",
            Readout("BRIGHT1", 6),
            FILTER="F200W",
            PUPIL="CLEAR",
        ),
        setup(
            "NRC_IMAGE",
            "NRCBLONG",
            "{}_FULL",
            Readout("BRIGHT1", 6),
            FILTER="F444W",
            PUPIL="CLEAR",
        ),
    ),
    Dither("INTRAMODULEX", ((-24.6, -2.0), (0.0, 0.0), (24.6, 2.0)), keywords={"PRIDTYPE": "3"}),
    point="NRCBS_FULL",
)
MOVING = Program(
    "moving-target",
    10083,
    "NIRCAM",
    "A comet that the telescope follows while stars trail, three dithers.",
    (Observation(1, "NIRCam Imaging", COMET, (COMET_IMAGES,)),),
)


def calibration(
    number: int, template: str, *activities: Activity, target: Target = LAMPS, kind: str = ""
) -> Observation:
    """Return an observation without a target on the sky, unless it has one."""
    untargeted = kind or "PRIME_UNTARGETED"
    return Observation(number, template, target, activities, visit_type=untargeted)


def plain(
    kind: str, detectors: str, aperture: str, readout: Readout, **optics: str | int
) -> Activity:
    """Return full frames in one position."""
    return Activity((setup(kind, detectors, aperture, readout, "FULL", **optics),), STARE)


NRC, NIS, NRS = Readout("SHALLOW4", 10), Readout("NIS", 10), Readout("NRSIRS2", 10)
MIR, GUIDER = Readout("FASTR1", 40), Readout("FGS60", 5)
SHUT = {"FILTER": "OPAQUE", "GRATING": "MIRROR", "MSASTATE": "PRIMARYPARK_ALLCLOSED"}
SLICER = {"BAND": "SHORT"}
MODULE_A = "NRCA1 NRCA2 NRCA3 NRCA4"
PARALLEL = "PARALLEL_DARK_CALIBRATION"
DARK_OBSERVATIONS = (
    calibration(
        1,
        "NIRCam Dark",
        plain("NRC_DARK", MODULE_A, "{}_FULL", NRC, FILTER="F200W", PUPIL="FLAT"),
        target=DARKNESS,
        kind=PARALLEL,
    ),
    calibration(
        2,
        "MIRI Dark",
        plain("MIR_DARKIMG", "MIRIMAGE", "MIRIM_FULL", MIR, FILTER="OPAQUE"),
        plain("MIR_DARKMRS", "MIRIFUSHORT", "MIRIFU_CHANNEL1A", MIR, CHANNEL="12", **SLICER),
        plain("MIR_DARKALL", "MIRIFULONG", "MIRIFU_CHANNEL1A", MIR, CHANNEL="34", **SLICER),
        target=DARKNESS,
        kind=PARALLEL,
    ),
    calibration(
        3,
        "NIRISS Dark",
        plain("NIS_DARK", "NIS", "NIS_CEN", NIS, FILTER="CLEAR", PUPIL="F200W"),
        target=DARKNESS,
        kind=PARALLEL,
    ),
    calibration(
        4,
        "NIRSpec Dark",
        plain("NRS_DARK", "NRS1 NRS2", "NRS_FULL_MSA", NRS, **SHUT),
        target=DARKNESS,
        kind=PARALLEL,
    ),
    calibration(
        5,
        "FGS Internal Flat",
        plain("FGS_DARK", "GUIDER1 GUIDER2", "{}_FULL", GUIDER),
        target=DARKNESS,
        kind=PARALLEL,
    ),
)
DARKS = Program(
    "darks",
    10084,
    "ALL",
    "Dark exposures of every instrument, in parallel to slews.",
    DARK_OBSERVATIONS,
)

ON_SKY = "PRIME_TARGETED_FIXED"
NRS_OPEN = {"FILTER": "F110W", "GRATING": "MIRROR", "MSASTATE": "PRIMARYPARK_ALLOPEN"}
ENGINEERING = Program(
    "engineering",
    10085,
    "ALL",
    "Flats, lamps, focus and checks: the exposures that are for the instruments themselves.",
    (
        calibration(
            1,
            "NIRCam External Flat",
            plain("NRC_FLAT", MODULE_A, "{}_FULL", NRC, FILTER="F200W", PUPIL="CLEAR"),
            plain("NRC_LED", "NRCALONG", "{}_FULL", NRC, FILTER="F277W", PUPIL="FLAT"),
        ),
        calibration(
            2,
            "NIRCam Focus",
            plain("NRC_FOCUS", "NRCA1 NRCALONG", "{}_FULL", NRC, FILTER="F322W2", PUPIL="CLEAR"),
            plain("NRC_WFSC", "NRCA3", "NRCA3_FP1", NRC, FILTER="F212N", PUPIL="WLP8"),
            target=FIELD,
            kind=ON_SKY,
        ),
        calibration(
            3,
            "MIRI External Flat",
            plain("MIR_FLATIMAGE", "MIRIMAGE", "MIRIM_FULL", MIR, FILTER="F560W"),
            plain("MIR_FLATMRS", "MIRIFUSHORT", "MIRIFU_CHANNEL1A", MIR, CHANNEL="12", **SLICER),
            plain("MIR_FLATIMAGE-EXT", "MIRIMAGE", "MIRIM_FULL", MIR, FILTER="F560W"),
            plain("MIR_FLATMRS-EXT", "MIRIFULONG", "MIRIFU_CHANNEL1A", MIR, CHANNEL="34", **SLICER),
            plain("MIR_CORONCAL", "MIRIMAGE", "MIRIM_FULL", MIR, FILTER="F1065C"),
        ),
        calibration(
            4,
            "NIRISS External Calibration",
            plain("NIS_EXTCAL", "NIS", "NIS_CEN", NIS, FILTER="CLEAR", PUPIL="F200W"),
            plain("NIS_LAMP", "NIS", "NIS_CEN", NIS, FILTER="CLEAR", PUPIL="F200W"),
            plain("NIS_FOCUS", "NIS", "NIS_CEN", NIS, FILTER="CLEAR", PUPIL="F200W"),
            target=FIELD,
            kind=ON_SKY,
        ),
        calibration(
            5,
            "NIRSpec Focus",
            plain("NRS_IMAGE", "NRS1 NRS2", "NRS_FULL_MSA", NRS, **NRS_OPEN),
            plain("NRS_FOCUS", "NRS1 NRS2", "NRS_FULL_MSA", NRS, **NRS_OPEN),
            plain("NRS_MIMF", "NRS1 NRS2", "NRS_FULL_MSA", NRS, **NRS_OPEN),
            plain("NRS_TACQ", "NRS1 NRS2", "NRS_FULL_MSA", NRS, **NRS_OPEN),
            plain("NRS_TACONFIRM", "NRS1 NRS2", "NRS_FULL_MSA", NRS, **NRS_OPEN),
            plain("NRS_TASLIT", "NRS1 NRS2", "NRS_FULL_MSA", NRS, **NRS_OPEN),
            target=FIELD,
            kind=ON_SKY,
        ),
        calibration(
            6,
            "FGS Focus",
            plain("FGS_FOCUS", "GUIDER1", "{}_FULL", GUIDER),
            plain("FGS_INTFLAT", "GUIDER2", "{}_FULL", GUIDER),
            plain("FGS_SKYFLAT", "GUIDER2", "{}_FULL", GUIDER),
            target=FIELD,
            kind=ON_SKY,
        ),
    ),
)

PROGRAMS = (FGS, WAVEFRONT, MOVING, DARKS, ENGINEERING)
