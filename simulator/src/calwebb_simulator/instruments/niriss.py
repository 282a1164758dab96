"""NIRISS imaging: one detector; the filter is in one of two wheels.

Wavelengths, widths, mean efficiencies, gain and noise are rounded from the NIRISS pages of the
JWST user documentation.
"""

from calwebb_simulator.instruments.base import Detector, Filter, Instrument, Pattern

# pivot (um), width (um), throughput; the short ones are in the pupil wheel
SHORT = {
    "F090W": (0.902, 0.219, 0.28),
    "F115W": (1.150, 0.226, 0.33),
    "F140M": (1.404, 0.142, 0.40),
    "F150W": (1.494, 0.335, 0.43),
    "F158M": (1.582, 0.196, 0.45),
    "F200W": (1.989, 0.461, 0.49),
}
LONG = {
    "F277W": (2.764, 0.715, 0.51),
    "F356W": (3.593, 0.914, 0.56),
    "F380M": (3.828, 0.205, 0.58),
    "F430M": (4.287, 0.202, 0.58),
    "F444W": (4.427, 1.108, 0.58),
    "F480M": (4.817, 0.298, 0.56),
}

NIRISS = Instrument(
    name="NIRISS",
    siaf="NIRISS",
    image_type="NIS_IMAGE",
    template="NIRISS Imaging",
    shape=(2048, 2048),
    borders=(4, 4, 4, 4),
    pixel_pitch=18.0,
    sample_time=10.0,
    full_outputs=4,
    detectors={
        "NIS": Detector(
            name="NIS",
            siaf="NIS",
            module="",
            channel="",
            sca=496,
            gain=1.62,
            cds_noise=15.0,
            dark=0.026,
            well=80_000.0,
            bias=9000.0,
            axes=(-2, -1),
        )
    },
    filters={
        **{name: Filter(name, name, *values, wheel="CLEAR") for name, values in SHORT.items()},
        **{name: Filter(name, "CLEARP", *values) for name, values in LONG.items()},
    },
    patterns={"NISRAPID": Pattern(1, 0), "NIS": Pattern(4, 0)},
    channels={"": (*SHORT, *LONG)},
    exposure_types=("NIS_IMAGE", "NIS_AMI", "NIS_TACQ", "NIS_TACONFIRM", "NIS_FOCUS"),
    models="NisImg",
    apertures={"FULL": "NIS_CEN", "SUB80": "NIS_AMI1"},
)
