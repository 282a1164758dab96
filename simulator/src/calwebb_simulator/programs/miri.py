"""Programs of MIRI."""

from calwebb_simulator.programs.model import (
    Activity,
    Dither,
    Group,
    Observation,
    Program,
    Readout,
    Target,
    setup,
)

GALAXY = Target("SPIRAL", 24.1739, 15.7836, "M 74")
SKY = Target("SPIRAL-SKY", 24.2900, 15.9100)
STAR = Target("BD-STAR", 269.7273, 60.4306, "BD+60 1753")
TRANSIT = Target("WASP-43", 154.9083, -9.8064, "WASP 43")
NUCLEUS = Target("SEYFERT", 345.8151, 8.8739, "NGC 7469")
NUCLEUS_SKY = Target("SEYFERT-SKY", 345.8600, 8.9100)
PLANET = Target("PLANET-HOST", 346.8696, 21.1342, "HR 8799")
PLANET_PSF = Target("PLANET-REF", 346.0461, 21.3800, "HD 218261")
PLANET_SKY = Target("PLANET-SKY", 346.9200, 21.2000)
FOMALHAUT = Target("BELT", 344.4127, -29.6222, "Fomalhaut")
FOMALHAUT_PSF = Target("BELT-REF", 342.1388, -32.8755, "HD 216149")
FOMALHAUT_SKY = Target("BELT-SKY", 344.5500, -29.5000)
FIELD = Target("DEEP-FIELD", 53.1625, -27.7914)

CYCLING = Dither(
    "CYCLING",
    ((-3.1, -2.2), (3.3, -2.7), (2.5, 3.4), (-2.8, 2.9)),
    keywords={"PATTSIZE": "MEDIUM"},
)
FAST5 = Readout("FASTR1", 5)
FAST30 = Readout("FASTR1", 30)


def image(name: str, dither: Dither = CYCLING) -> Activity:
    """Return images through a filter."""
    return Activity((setup("MIR_IMAGE", "MIRIMAGE", "MIRIM_FULL", FAST30, FILTER=name),), dither)


COLOURS = (image("F770W"), image("F1500W"))
IMAGING = Program(
    "miri-imaging",
    10021,
    "MIRI",
    "A spiral galaxy in two filters, and an empty field nearby for the background.",
    (
        Observation(1, "MIRI Imaging", GALAXY, COLOURS),
        Observation(2, "MIRI Imaging", SKY, COLOURS, background=True),
    ),
    (Group("background", (1, 2)),),
)

NODS = Dither("ALONG-SLIT-NOD", ((-0.945, 0.0), (0.945, 0.0)))
LRS_SLIT = Program(
    "miri-lrs-slit",
    10022,
    "MIRI",
    "A star put in the slit by target acquisition, confirmed, and nodded along the slit.",
    (
        Observation(
            1,
            "MIRI Low Resolution Spectroscopy",
            STAR,
            (
                Activity((setup("MIR_TACQ", "MIRIMAGE", "MIRIM_TALRS", FAST5, FILTER="F560W"),)),
                Activity(
                    (setup("MIR_TACONFIRM", "MIRIMAGE", "MIRIM_SLIT", FAST5, FILTER="F560W"),)
                ),
                Activity(
                    (setup("MIR_LRS-FIXEDSLIT", "MIRIMAGE", "MIRIM_SLIT", FAST30, FILTER="P750L"),),
                    NODS,
                ),
            ),
        ),
    ),
)

SLITLESS = {"subarray": "SLITLESSPRISM"}
LRS_SLITLESS = Program(
    "miri-lrs-slitless",
    10023,
    "MIRI",
    "Spectra of a planet's star through a transit, without a slit.",
    (
        Observation(
            1,
            "MIRI Low Resolution Spectroscopy",
            TRANSIT,
            (
                Activity(
                    (
                        setup(
                            "MIR_TACQ",
                            "MIRIMAGE",
                            "MIRIM_TASLITLESSPRISM",
                            FAST5,
                            "SLITLESSPRISM",
                            FILTER="F560W",
                        ),
                    )
                ),
                Activity(
                    (
                        setup(
                            "MIR_LRS-SLITLESS",
                            "MIRIMAGE",
                            "MIRIM_SLITLESSPRISM",
                            Readout("FASTR1", 64, 1600, segments=4),
                            "SLITLESSPRISM",
                            FILTER="P750L",
                        ),
                    )
                ),
            ),
            series=True,
        ),
    ),
)

FOUR = Dither(
    "4-POINT",
    ((1.0785, -0.3060), (-1.0665, 0.2870), (-1.0915, 0.3350), (1.0545, -0.2580)),
    keywords={"PATTSIZE": "EXTENDED"},
)
TWO = Dither("2-POINT", ((1.0785, -0.3060), (-1.0665, 0.2870)))
SLICES = Readout("FASTR1", 36)


def slices(band: str, dither: Dither, *, imager: bool) -> Activity:
    """Return spectra of both detectors in one band, with images beside them."""
    setups = [
        setup("MIR_MRS", detector, "MIRIFU_CHANNEL1A", SLICES, "FULL", CHANNEL=channel, BAND=band)
        for detector, channel in (("MIRIFUSHORT", "12"), ("MIRIFULONG", "34"))
    ]
    if imager:
        setups.append(setup("MIR_IMAGE", "MIRIMAGE", "MIRIM_ILLUM", SLICES, FILTER="F770W"))
    return Activity(tuple(setups), dither)


BANDS = ("SHORT", "MEDIUM", "LONG")
MRS = Program(
    "miri-mrs",
    10024,
    "MIRI",
    "An active nucleus in all twelve bands with images beside it, and a background field.",
    (
        Observation(
            1,
            "MIRI Medium Resolution Spectroscopy",
            NUCLEUS,
            (
                Activity(
                    (
                        setup(
                            "MIR_TACQ",
                            "MIRIMAGE",
                            "MIRIM_TAMRS",
                            FAST5,
                            FILTER="FND",
                        ),
                    )
                ),
                *(slices(band, FOUR, imager=True) for band in BANDS),
            ),
        ),
        Observation(
            2,
            "MIRI Medium Resolution Spectroscopy",
            NUCLEUS_SKY,
            tuple(slices(band, TWO, imager=False) for band in BANDS),
            background=True,
        ),
    ),
    (Group("background", (1, 2)),),
)

GRID = Dither(
    "NONE",
    subpixel=9,
    keywords={"SMGRDPAT": "9-POINT-SMALL-GRID", "SUBPXPAT": "SMALL-GRID-DITHER"},
)
APART = Dither("BACKGROUND", ((0.0, 0.0), (4.0, 4.0)))


def masked(kind: str, filter_name: str, mask: str, dither: Dither = GRID) -> tuple[Activity, ...]:
    """Return target acquisition and exposures behind a coronagraph's mask."""
    name = mask.split("_")[1]
    place = "LYOT" if name == "2300" else name
    subarray = f"MASK{place}"
    acquire = setup(
        "MIR_TACQ", "MIRIMAGE", f"MIRIM_TA{place}_CUR", FAST5, subarray, FILTER="FND", CORONMSK=mask
    )
    science = setup(
        kind,
        "MIRIMAGE",
        f"MIRIM_{subarray}",
        Readout("FASTR1", 100, 5),
        subarray,
        FILTER=filter_name,
        CORONMSK=mask,
    )
    return (Activity((acquire,)), Activity((science,), dither))


STARE_4QPM = masked("MIR_4QPM", "F1140C", "4QPM_1140", Dither())
QPM = Program(
    "miri-4qpm",
    10025,
    "MIRI",
    "Planets behind a phase mask at two rolls, a reference star, and the glow of both masks.",
    (
        Observation(1, "MIRI Coronagraphic Imaging", PLANET, STARE_4QPM, label="Roll 1"),
        Observation(2, "MIRI Coronagraphic Imaging", PLANET, STARE_4QPM, label="Roll 2", roll=104),
        Observation(
            3,
            "MIRI Coronagraphic Imaging",
            PLANET_PSF,
            masked("MIR_4QPM", "F1140C", "4QPM_1140"),
            psf=True,
        ),
        Observation(
            4,
            "MIRI Coronagraphic Imaging",
            PLANET_SKY,
            masked("MIR_4QPM", "F1140C", "4QPM_1140", APART)[1:],
            background=True,
        ),
    ),
    (
        Group("coronagraphic", (1, 3)),
        Group("coronagraphic", (2, 3)),
        Group("background", (1, 2, 3, 4)),
    ),
)

LYOT = Program(
    "miri-lyot",
    10026,
    "MIRI",
    "A debris belt behind the Lyot spot, its reference star, and a background field.",
    (
        Observation(
            1,
            "MIRI Coronagraphic Imaging",
            FOMALHAUT,
            masked("MIR_LYOT", "F2300C", "LYOT_2300", Dither()),
        ),
        Observation(
            2,
            "MIRI Coronagraphic Imaging",
            FOMALHAUT_PSF,
            masked("MIR_LYOT", "F2300C", "LYOT_2300"),
            psf=True,
        ),
        Observation(
            3,
            "MIRI Coronagraphic Imaging",
            FOMALHAUT_SKY,
            masked("MIR_LYOT", "F2300C", "LYOT_2300", APART)[1:],
            background=True,
        ),
    ),
    (Group("coronagraphic", (1, 2)), Group("background", (1, 2, 3))),
)

PRISM = setup("MIR_WFSS", "MIRIMAGE", "MIRIM_FULL", FAST30, FILTER="P750L")
WFSS = Program(
    "miri-wfss",
    10027,
    "MIRI",
    "Low-resolution spectra of a whole field with the prism, after a direct image.",
    (
        Observation(
            1,
            "MIRI Wide Field Slitless Spectroscopy",
            FIELD,
            (image("F1000W", Dither()), Activity((PRISM,), CYCLING)),
        ),
    ),
)

PROGRAMS = (IMAGING, LRS_SLIT, LRS_SLITLESS, MRS, QPM, LYOT, WFSS)
