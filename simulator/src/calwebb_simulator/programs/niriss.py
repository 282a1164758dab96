"""Programs of NIRISS."""

from calwebb_simulator.programs.model import (
    STARE,
    Activity,
    Dither,
    Group,
    Observation,
    Program,
    Readout,
    Target,
    setup,
)

CLUSTER = Target("CLUSTER", 3.5875, -30.3966, "ABELL 2744")
TRANSIT = Target("WASP-96", 1.0464, -47.3606, "WASP 96")
BINARY = Target("AB-DOR", 82.1874, -65.4480, "HD 36705")
CALIBRATOR = Target("HD-37093", 82.7853, -65.0800, "HD 37093")
ANYWHERE = Target("PARALLEL-FIELD", 150.1163, 2.2058, kind="GENERIC")

NIS6 = Readout("NIS", 6)
IMAGES = Dither(
    "IMAGING", ((-1.2, -1.1), (1.3, -0.9), (1.0, 1.2), (-1.1, 0.8)), keywords={"PATTSIZE": "MEDIUM"}
)
STEPS = Dither(
    "WFSS", ((-0.6, 0.3), (0.4, 0.7), (0.7, -0.4), (-0.3, -0.6)), keywords={"PATTSIZE": "SMALL"}
)


def image(name: str, dither: Dither) -> Activity:
    """Return images through a filter, which is in one of two wheels."""
    short = int(name[1:4]) < 250
    filter_name, pupil = ("CLEAR", name) if short else (name, "CLEARP")
    optics = setup("NIS_IMAGE", "NIS", "NIS_CEN", NIS6, FILTER=filter_name, PUPIL=pupil)
    return Activity((optics,), dither)


def grism(name: str, pupil: str, dither: Dither = STEPS) -> Activity:
    """Return dispersed exposures through a blocking filter."""
    return Activity((setup("NIS_WFSS", "NIS", "NIS_CEN", NIS6, FILTER=name, PUPIL=pupil),), dither)


IMAGING = Program(
    "niriss-imaging",
    10041,
    "NIRISS",
    "A cluster of galaxies in a short and a long filter.",
    (Observation(1, "NIRISS Imaging", CLUSTER, (image("F150W", IMAGES), image("F444W", IMAGES))),),
)


def dispersed(pupil: str) -> tuple[Activity, ...]:
    """Return direct image, rows, direct image, columns, direct image."""
    look = image(pupil, STARE)
    return (look, grism("GR150R", pupil), look, grism("GR150C", pupil), look)


WFSS = Program(
    "niriss-wfss",
    10042,
    "NIRISS",
    "Spectra of a cluster with both grisms in two blocking filters, between direct images.",
    (
        Observation(
            1,
            "NIRISS Wide Field Slitless Spectroscopy",
            CLUSTER,
            (*dispersed("F115W"), *dispersed("F200W")),
        ),
    ),
)


def single(kind: str, aperture: str, readout: Readout, subarray: str, *wheels: str) -> Activity:
    """Return a stare through two wheels: FILTER, PUPIL."""
    name, pupil = wheels
    return Activity((setup(kind, "NIS", aperture, readout, subarray, FILTER=name, PUPIL=pupil),))


ACQUIRE = Readout("NISRAPID", 13)
SOSS = Program(
    "niriss-soss",
    10043,
    "NIRISS",
    "Spectra of a planet's star through a transit, then a short row with the long filter.",
    (
        Observation(
            1,
            "NIRISS Single-Object Slitless Spectroscopy",
            TRANSIT,
            (
                single("NIS_TACQ", "NIS_SOSSTA", ACQUIRE, "SUBTASOSS", "F480M", "CLEARP"),
                single("NIS_TACONFIRM", "NIS_SOSSTA", ACQUIRE, "SUBTASOSS", "F480M", "CLEARP"),
                single(
                    "NIS_SOSS",
                    "NIS_SUBSTRIP256",
                    Readout("NISRAPID", 14, 280, segments=3),
                    "SUBSTRIP256",
                    "CLEAR",
                    "GR700XD",
                ),
                single(
                    "NIS_SOSS",
                    "NIS_SUBSTRIP256",
                    Readout("NISRAPID", 14, 11),
                    "SUBSTRIP256",
                    "F277W",
                    "GR700XD",
                ),
            ),
            series=True,
        ),
    ),
)

PUPIL = (
    single("NIS_TACQ", "NIS_AMITA", Readout("NISRAPID", 5), "SUBTAAMI", "F480M", "NRM"),
    single("NIS_AMI", "NIS_AMI1", Readout("NISRAPID", 13, 65), "SUB80", "F480M", "NRM"),
    single("NIS_AMI", "NIS_AMI1", Readout("NISRAPID", 9, 69), "SUB80", "F380M", "NRM"),
)
AMI_TEMPLATE = "NIRISS Aperture Masking Interferometry"
AMI = Program(
    "niriss-ami",
    10044,
    "NIRISS",
    "A close binary through the mask with seven holes, and a single star to calibrate it.",
    (
        Observation(1, AMI_TEMPLATE, BINARY, PUPIL),
        Observation(2, AMI_TEMPLATE, CALIBRATOR, PUPIL, psf=True),
    ),
    (Group("group", (1, 2)),),
)


def beside(number: int, activity: Activity) -> Observation:
    """Return an observation while another program points the telescope."""
    return Observation(
        number,
        "NIRISS Wide Field Slitless Spectroscopy",
        ANYWHERE,
        (activity,),
        visit_type="PARALLEL_PURE",
        pure_parallel=True,
    )


PARALLEL = Program(
    "niriss-parallel",
    10045,
    "NIRISS",
    "Spectra of whatever another program points at: direct image and both grisms apart.",
    (
        beside(1, image("F115W", STARE)),
        beside(2, grism("GR150R", "F115W", STARE)),
        beside(3, grism("GR150C", "F115W", STARE)),
    ),
    (Group("direct_image", (1, 2)), Group("direct_image", (1, 3))),
)

PROGRAMS = (IMAGING, WFSS, SOSS, AMI, PARALLEL)
