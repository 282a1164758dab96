"""Programs of NIRCam."""

from calwebb_simulator.programs.model import (
    Activity,
    Dither,
    Group,
    Observation,
    Program,
    Readout,
    Setup,
    Target,
    setup,
)

RIDGE = Target("RIDGE-2", 83.8221, -5.3911, "M 42")
FIELD = Target("DEEP-FIELD", 53.1625, -27.7914)
TRANSIT = Target("WASP-39", 217.3267, -3.4445, "WASP 39")
DISK = Target("HD-DISK", 260.8501, 20.4170, "HD 157171")
DISK_PSF = Target("HD-DISK-REF", 261.2010, 19.9150, "HD 157466")

SHORT_A = "NRCA1 NRCA2 NRCA3 NRCA4"
SHORT_B = "NRCB1 NRCB2 NRCB3 NRCB4"
BOX = Dither(
    "INTRAMODULEBOX",
    ((-2.9, -2.9), (-2.9, 2.9), (2.9, 2.9), (2.9, -2.9)),
    keywords={"PRIDTYPE": "4TIGHT", "SUBPXPAT": "STANDARD"},
)
THREE = Dither("INTRAMODULEX", ((-24.6, -2.0), (0.0, 0.0), (24.6, 2.0)), keywords={"PRIDTYPE": "3"})
CIRCLE = Dither(
    "NONE",
    subpixel=5,
    keywords={"SMGRDPAT": "5-POINT-BOX", "SUBPXPAT": "SMALL-GRID-DITHER"},
)
SHALLOW = Readout("SHALLOW4", 5)
BRIGHT = Readout("BRIGHT1", 6)


def pair(short: str, long: str) -> Activity:
    """Return an activity of module B through a short and a long filter."""
    return Activity(
        (
            setup("NRC_IMAGE", SHORT_B, "{}_FULL", SHALLOW, FILTER=short, PUPIL="CLEAR"),
            setup("NRC_IMAGE", "NRCBLONG", "{}_FULL", SHALLOW, FILTER=long, PUPIL="CLEAR"),
        ),
        BOX,
        point="NRCBS_FULL",
    )


TILE = (pair("F090W", "F277W"), pair("F200W", "F444W"))
IMAGING = Program(
    "nircam-imaging",
    10001,
    "NIRCAM",
    "A bright ridge in four filters, two tiles of a mosaic, four dithers each.",
    (
        Observation(1, "NIRCam Imaging", RIDGE, TILE, label="Tile 1"),
        Observation(2, "NIRCam Imaging", RIDGE, TILE, label="Tile 2", tiles=((45.0, 10.0),)),
    ),
    (Group("mosaic", (1, 2)),),
)


def grism(pupil: str) -> Activity:
    """Return dispersed exposures of module A, with images of the short channel."""
    long = setup(
        "NRC_WFSS", "NRCALONG", f"NRCA5_{pupil}_WFSS", SHALLOW, FILTER="F356W", PUPIL=pupil
    )
    short = setup("NRC_IMAGE", SHORT_A, "{}_FULL", SHALLOW, FILTER="F200W", PUPIL="CLEAR")
    return Activity((long, short), THREE, specification=1)


def direct(pupil: str) -> Activity:
    """Return the direct image that belongs to dispersed exposures."""
    aperture = f"NRCA5_{pupil}_WFSS"
    long = setup("NRC_IMAGE", "NRCALONG", aperture, SHALLOW, FILTER="F356W", PUPIL="CLEAR")
    short = setup("NRC_IMAGE", SHORT_A, "{}_FULL", SHALLOW, FILTER="F200W", PUPIL="CLEAR")
    return Activity((long, short), specification=2)


WFSS = Program(
    "nircam-wfss",
    10002,
    "NIRCAM",
    "Spectra of all galaxies of a field with both grisms, each followed by direct images.",
    (
        Observation(
            1,
            "NIRCam Wide Field Slitless Spectroscopy",
            FIELD,
            (grism("GRISMR"), direct("GRISMR"), grism("GRISMC"), direct("GRISMC")),
        ),
    ),
)

SERIES = Readout("RAPID", 12, 540, segments=3)
GRISM_SERIES = Program(
    "nircam-grism-series",
    10003,
    "NIRCAM",
    "Spectra of a transiting planet's star, with the short channel defocused for photometry.",
    (
        Observation(
            1,
            "NIRCam Grism Time Series",
            TRANSIT,
            (
                Activity(
                    (
                        setup(
                            "NRC_TACQ",
                            "NRCALONG",
                            "NRCA5_TAGRISMTS32",
                            Readout("RAPID", 3),
                            "SUB32TATSGRISM",
                            FILTER="F335M",
                            PUPIL="CLEAR",
                        ),
                    )
                ),
                Activity(
                    (
                        setup(
                            "NRC_TSGRISM",
                            "NRCALONG",
                            "NRCA5_GRISM256_F444W",
                            SERIES,
                            "SUBGRISM256",
                            FILTER="F444W",
                            PUPIL="GRISMR",
                        ),
                        setup(
                            "NRC_TSIMAGE",
                            "NRCA1 NRCA3",
                            "{}_GRISMTS256",
                            SERIES,
                            "SUBGRISM256",
                            FILTER="F210M",
                            PUPIL="WLP8",
                        ),
                    )
                ),
            ),
            series=True,
        ),
    ),
)

FAST = Readout("RAPID", 20, 2000, segments=2)
IMAGING_SERIES = Program(
    "nircam-imaging-series",
    10004,
    "NIRCAM",
    "Photometry of a bright star through a transit, at two wavelengths.",
    (
        Observation(
            1,
            "NIRCam Time Series",
            TRANSIT,
            (
                Activity(
                    (
                        setup(
                            "NRC_TACQ",
                            "NRCBLONG",
                            "NRCB5_TAPSIMG32",
                            Readout("RAPID", 3),
                            "SUB32TATS",
                            FILTER="F335M",
                            PUPIL="CLEAR",
                        ),
                    )
                ),
                Activity(
                    (
                        setup(
                            "NRC_TSIMAGE",
                            "NRCB1",
                            "{}_SUB160P",
                            FAST,
                            "SUB160P",
                            FILTER="F212N",
                            PUPIL="WLP8",
                        ),
                        setup(
                            "NRC_TSIMAGE",
                            "NRCBLONG",
                            "{}_SUB160P",
                            FAST,
                            "SUB160P",
                            FILTER="F444W",
                            PUPIL="CLEAR",
                        ),
                    )
                ),
            ),
            series=True,
        ),
    ),
)

MASK = {"PUPIL": "MASKRND", "CORONMSK": "MASKA335R"}
ACQUIRE = Activity(
    (
        setup(
            "NRC_TACQ",
            "NRCALONG",
            "NRCA5_TAMASK335R",
            Readout("RAPID", 17),
            "SUBNDA335R",
            FILTER="F335M",
            **MASK,
        ),
    )
)
CONFIRM = Activity(
    (
        setup(
            "NRC_TACONFIRM",
            "NRCALONG",
            "NRCA5_MASK335R",
            Readout("RAPID", 2),
            "SUB320A335R",
            FILTER="F335M",
            **MASK,
        ),
    )
)
COMPANIONS: tuple[Setup, ...] = (
    setup("NRC_CORON", "NRCALONG", "NRCA5_FULL_MASK335R", BRIGHT, FILTER="F444W", **MASK),
    setup("NRC_CORON", "NRCA2", "NRCA2_FULL_MASK335R", BRIGHT, FILTER="F210M", **MASK),
    setup("NRC_CORON", "NRCA1 NRCA3 NRCA4", "{}_FULL_WEDGE_RND", BRIGHT, FILTER="F210M", **MASK),
)


def behind_mask(dither: Dither) -> tuple[Activity, ...]:
    """Return the activities of one visit behind the round mask."""
    small = setup(
        "NRC_CORON",
        "NRCALONG",
        "NRCA5_MASK335R",
        Readout("BRIGHT1", 6, 10),
        "SUB320A335R",
        FILTER="F335M",
        **MASK,
    )
    return (ACQUIRE, CONFIRM, Activity((small,), dither), Activity(COMPANIONS, dither))


HIDDEN = behind_mask(Dither())
CORONAGRAPHY = Program(
    "nircam-coronagraphy",
    10005,
    "NIRCAM",
    "A disk behind the round mask at two rolls, and a reference star in small steps.",
    (
        Observation(1, "NIRCam Coronagraphic Imaging", DISK, HIDDEN, label="Roll 1"),
        Observation(2, "NIRCam Coronagraphic Imaging", DISK, HIDDEN, label="Roll 2", roll=105.0),
        Observation(
            3,
            "NIRCam Coronagraphic Imaging",
            DISK_PSF,
            behind_mask(CIRCLE),
            label="Reference",
            psf=True,
        ),
    ),
    (Group("coronagraphic", (1, 3)), Group("coronagraphic", (2, 3))),
)

PROGRAMS = (IMAGING, WFSS, GRISM_SERIES, IMAGING_SERIES, CORONAGRAPHY)
