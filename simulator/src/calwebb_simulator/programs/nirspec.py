"""Programs of NIRSpec."""

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

DWARF = Target("BROWN-DWARF", 64.7010, -9.5857, "2MASS J04151954-0935066")
QUASAR = Target("QUASAR", 205.9651, 9.4777, "ULAS J1342+0928")
QUASAR_SKY = Target("QUASAR-SKY", 205.9900, 9.5100)
MERGER = Target("MERGER", 143.9650, 61.3530, "UGC 5101")
FIELD = Target("DEEP-FIELD-MSA", 214.8557, 52.8556)
TRANSIT = Target("WASP-39", 217.3267, -3.4445, "WASP 39")
LAMPS = Target("CALIBRATION", 270.0000, 66.5607)

BOTH = "NRS1 NRS2"
RAPID = Readout("NRSRAPID", 20)
IRS2 = Readout("NRSIRS2", 14)
IRS2_RAPID = Readout("NRSIRS2RAPID", 20)
CLOSED = "PRIMARYPARK_ALLCLOSED"
OPEN = "PRIMARYPARK_ALLOPEN"
CONFIGURED = "PRIMARYPARK_CONFIGURED"

FIVE = Dither(
    "5-POINT-NOD",
    ((0.0, -1.2), (0.0, -0.6), (0.0, 0.0), (0.0, 0.6), (0.0, 1.2)),
    keywords={"SUBPXPAT": "NONE"},
)
TWO_FINE = Dither(
    "2-POINT-NOD", ((0.0, -0.34), (0.0, 0.34)), subpixel=3, keywords={"SUBPXPAT": "SPECTRAL"}
)
FOUR_NOD = Dither("4-POINT-NOD", ((-0.8, -0.8), (-0.8, 0.8), (0.8, 0.8), (0.8, -0.8)))
TWO_NOD = Dither("2-POINT-NOD", ((0.0, -0.8), (0.0, 0.8)))
FOUR_DITHER = Dither("4-POINT-DITHER", ((0.2, 0.1), (-0.1, 0.2), (-0.2, -0.1), (0.1, -0.2)))
SHUTTERS = Dither(
    "NONE",
    ((0.0, 0.0), (0.0, 0.529), (0.0, -0.529)),
    keywords={"NOD_TYPE": "3-SHUTTER-SLITLET"},
)

ACQUIRE = Activity(
    (
        setup(
            "NRS_WATA",
            "NRS1",
            "NRS_S1600A1_SLIT",
            Readout("NRSRAPID", 3),
            "SUB2048",
            FILTER="F140X",
            GRATING="MIRROR",
            FXD_SLIT="S1600A1",
            MSASTATE=CLOSED,
            OPMODE="FIXEDSLIT",
        ),
    )
)


def slit(
    name: str, disperser: str, detectors: str, subarray: str, dither: Dither, readout: Readout
) -> Activity:
    """Return spectra in a fixed slit; the disperser is grating/filter."""
    grating, filter_name = disperser.split("/")
    through = setup(
        "NRS_FIXEDSLIT",
        detectors,
        f"NRS_{name}_SLIT",
        readout,
        subarray,
        FILTER=filter_name,
        GRATING=grating,
        FXD_SLIT=name,
        MSASTATE=CLOSED,
        OPMODE="FIXEDSLIT",
    )
    return Activity((through,), dither)


FIXED_SLIT = Program(
    "nirspec-fixed-slit",
    10061,
    "NIRSPEC",
    "A brown dwarf nodded in two slits that close each other's gap, then in the wide one.",
    (
        Observation(
            1,
            "NIRSpec Fixed Slit Spectroscopy",
            DWARF,
            (
                ACQUIRE,
                slit("S200A1", "G235H/F170LP", BOTH, "SUBS200A1", FIVE, RAPID),
                slit("S200A2", "G235H/F170LP", BOTH, "SUBS200A2", FIVE, RAPID),
            ),
        ),
        Observation(
            2,
            "NIRSpec Fixed Slit Spectroscopy",
            DWARF,
            (
                ACQUIRE,
                slit("S1600A1", "G140M/F100LP", "NRS1", "SUB2048", TWO_FINE, RAPID),
                slit("S200A1", "PRISM/CLEAR", "NRS1", "ALLSLITS", FIVE, RAPID),
            ),
        ),
    ),
)


def cube(disperser: str, dither: Dither, *, imprint: bool = False) -> Activity:
    """Return spectra of the slicer; an imprint has its entrance closed."""
    grating, filter_name = disperser.split("/")
    detectors = BOTH if grating.endswith("H") else "NRS1"
    slicer = setup(
        "NRS_IFU",
        detectors,
        "NRS_FULL_IFU",
        IRS2_RAPID,
        FILTER=filter_name,
        GRATING=grating,
        MSASTATE=CLOSED,
        OPMODE="IFU",
    )
    return Activity((slicer,), dither, imprint=imprint, specification=1)


HIGH = "G235H/F170LP"
NODDED = (cube(HIGH, FOUR_NOD), cube(HIGH, FOUR_NOD, imprint=True))
IFU = Program(
    "nirspec-ifu",
    10062,
    "NIRSPEC",
    "A quasar in four nods with leakage exposures, dithered as well, and a background field.",
    (
        Observation(1, "NIRSpec IFU Spectroscopy", QUASAR, NODDED),
        Observation(
            2,
            "NIRSpec IFU Spectroscopy",
            QUASAR,
            (cube("PRISM/CLEAR", FOUR_DITHER), cube("PRISM/CLEAR", FOUR_DITHER, imprint=True)),
        ),
        Observation(
            3,
            "NIRSpec IFU Spectroscopy",
            QUASAR_SKY,
            (cube("PRISM/CLEAR", FOUR_DITHER), cube("PRISM/CLEAR", FOUR_DITHER, imprint=True)),
            background=True,
        ),
    ),
    (Group("background", (2, 3)),),
)

MEDIUM = "G235M/F170LP"
IFU_MOSAIC = Program(
    "nirspec-ifu-mosaic",
    10063,
    "NIRSPEC",
    "A merging galaxy in two tiles of two nods, each with leakage exposures of its own.",
    (
        Observation(
            1,
            "NIRSpec IFU Spectroscopy",
            MERGER,
            (cube(MEDIUM, TWO_NOD), cube(MEDIUM, TWO_NOD, imprint=True)),
            tiles=((-1.4, 0.0), (1.4, 0.0)),
        ),
    ),
)


def shutters(number: int, disperser: str, detectors: str = BOTH) -> Activity:
    """Return spectra through a configuration of the shutters in three nods."""
    grating, filter_name = disperser.split("/")
    return Activity((_array("NRS_MSASPEC", number, grating, filter_name, detectors),), SHUTTERS)


def _array(kind: str, number: int, grating: str, filter_name: str, detectors: str = BOTH) -> Setup:
    configured: dict[str, str | int] = {"MSASTATE": OPEN}
    if number:
        file_name = f"jw{{program}}{{observation}}001_{number:02d}_msa.fits"
        configured = {"MSASTATE": CONFIGURED, "MSAMETFL": file_name, "MSAMETID": number}
        configured["MSACONID"] = number
    readout = IRS2 if kind == "NRS_MSASPEC" else Readout("NRSRAPID", 3)
    optics = {
        "FILTER": filter_name,
        "GRATING": grating,
        "OPMODE": "MSASPEC" if number else "IMAGE",
        **configured,
    }
    return Setup(kind, tuple(detectors.split()), "NRS_FULL_MSA", readout, "FULL", optics)


MOS = Program(
    "nirspec-mos",
    10064,
    "NIRSPEC",
    "Two configurations of the shutter array in three nods, after acquisition and confirmation.",
    (
        Observation(
            1,
            "NIRSpec MultiObject Spectroscopy",
            FIELD,
            (
                Activity((_array("NRS_MSATA", 0, "MIRROR", "F110W"),), TWO_NOD),
                Activity((_array("NRS_CONFIRM", 1, "MIRROR", "F110W"),)),
                shutters(1, "PRISM/CLEAR"),
                shutters(1, "G395M/F290LP"),
                shutters(2, "PRISM/CLEAR"),
                Activity((_array("NRS_VERIFY", 0, "MIRROR", "F110W"),)),
            ),
        ),
    ),
)


def bright(disperser: str, detectors: str, subarray: str, readout: Readout) -> Activity:
    """Return a time series in the wide slit."""
    grating, filter_name = disperser.split("/")
    wide = setup(
        "NRS_BRIGHTOBJ",
        detectors,
        "NRS_S1600A1_SLIT",
        readout,
        subarray,
        FILTER=filter_name,
        GRATING=grating,
        FXD_SLIT="S1600A1",
        MSASTATE=CLOSED,
        OPMODE="BRIGHTOBJ",
    )
    return Activity((wide,))


BOTS = Program(
    "nirspec-bots",
    10065,
    "NIRSPEC",
    "Two transits of a planet in the wide slit: with the prism, and at high resolution.",
    (
        Observation(
            1,
            "NIRSpec Bright Object Time Series",
            TRANSIT,
            (ACQUIRE, bright("PRISM/CLEAR", "NRS1", "SUB512", Readout("NRSRAPID", 5, 21500, 4))),
            series=True,
        ),
        Observation(
            2,
            "NIRSpec Bright Object Time Series",
            TRANSIT,
            (ACQUIRE, bright("G395H/F290LP", BOTH, "SUB2048", Readout("NRSRAPID", 70, 465, 3))),
            series=True,
        ),
    ),
)


def lamp(kind: str, mode: str, grating: str, name: str, *, shutter_file: bool = False) -> Activity:
    """Return exposures of an internal lamp; the filter wheel is closed."""
    optics: dict[str, str | int] = {"MSASTATE": OPEN if mode == "IMAGE" else CLOSED}
    if shutter_file:
        file_name = "jw{program}{observation}001_01_msa.fits"
        optics = {"MSASTATE": CONFIGURED, "MSAMETFL": file_name, "MSAMETID": 1, "MSACONID": 1}
    if mode == "FIXEDSLIT":
        optics["FXD_SLIT"] = "S200A1"
    optics |= {"FILTER": "OPAQUE", "GRATING": grating, "LAMP": name, "OPMODE": mode}
    readout = Readout("NRSIRS2RAPID", 5)
    light = Setup(kind, tuple(BOTH.split()), "NRS_FULL_MSA", readout, "FULL", optics)
    return Activity((light,))


LAMP = Program(
    "nirspec-lamp",
    10066,
    "NIRSPEC",
    "Lamps for wavelengths and flat fields through slits, slicer, shutters and as an image.",
    (
        Observation(
            1,
            "NIRSpec Internal Lamp",
            LAMPS,
            (
                lamp("NRS_LAMP", "FIXEDSLIT", "G140M", "LINE1"),
                lamp("NRS_LAMP", "IFU", "G235H", "FLAT2"),
                lamp("NRS_LAMP", "MSASPEC", "G395M", "LINE3", shutter_file=True),
                lamp("NRS_LAMP", "IMAGE", "MIRROR", "TEST"),
                lamp("NRS_AUTOFLAT", "MSASPEC", "G235M", "FLAT2", shutter_file=True),
                lamp("NRS_AUTOWAVE", "MSASPEC", "G235M", "LINE2", shutter_file=True),
            ),
            visit_type="PRIME_UNTARGETED",
        ),
    ),
)

PROGRAMS = (FIXED_SLIT, IFU, IFU_MOSAIC, MOS, BOTS, LAMP)
