"""NIRCam: ten detectors, filters with a clear pupil, readout patterns.

Wavelengths, widths, mean throughputs, noise and gain are rounded from the NIRCam pages of the
JWST user documentation (filters, detector performance, readout patterns). The filter offsets
are of the size that the observatory's files give, with values of our own.
"""

from calwebb_simulator.instruments.base import Detector, Filter, Instrument, Pattern

SHORT = {"gain": 2.05, "cds_noise": 15.8, "dark": 0.0019, "well": 105_000.0, "bias": 9000.0}
LONG = {"gain": 1.82, "cds_noise": 13.3, "dark": 0.034, "well": 85_000.0, "bias": 9000.0}

# pivot (um), width (um), throughput, column and row offset (pixels)
SHORT_FILTERS = {
    "F070W": (0.704, 0.128, 0.237, 0.21, -0.14),
    "F090W": (0.901, 0.194, 0.318, 0.12, 0.08),
    "F115W": (1.154, 0.225, 0.333, -0.09, 0.11),
    "F140M": (1.404, 0.142, 0.434, 0.05, -0.06),
    "F150W": (1.501, 0.318, 0.476, 0.07, 0.04),
    "F182M": (1.845, 0.238, 0.505, -0.03, 0.06),
    "F187N": (1.874, 0.024, 0.434, 0.31, -0.22),
    "F200W": (1.990, 0.461, 0.525, 0.04, -0.05),
    "F210M": (2.093, 0.205, 0.522, 0.0, 0.0),
    "F212N": (2.120, 0.027, 0.420, -0.25, 0.17),
}
LONG_FILTERS = {
    "F250M": (2.503, 0.181, 0.370, -0.10, -0.13),
    "F277W": (2.786, 0.672, 0.412, -0.08, -0.07),
    "F300M": (2.996, 0.318, 0.432, 0.01, -0.23),
    "F322W2": (3.247, 1.339, 0.499, 0.10, 0.13),
    "F335M": (3.365, 0.347, 0.480, 0.0, 0.0),
    "F356W": (3.563, 0.787, 0.530, 0.06, -0.03),
    "F360M": (3.621, 0.372, 0.515, 0.08, -0.20),
    "F410M": (4.092, 0.436, 0.499, 0.08, -0.11),
    "F430M": (4.280, 0.228, 0.526, 0.11, -0.05),
    "F444W": (4.421, 1.024, 0.533, 0.02, 0.06),
    "F460M": (4.624, 0.228, 0.460, 0.06, -0.07),
    "F480M": (4.834, 0.303, 0.447, 0.01, -0.04),
}
# filters behind the grism that disperses along rows
GRISMS = {
    f"{name}-GRISMR": Filter(f"{name}-GRISMR", "GRISMR", *LONG_FILTERS[name][:3], wheel=name)
    for name in ("F277W", "F322W2", "F356W", "F444W")
}
PATTERNS = {
    "RAPID": (1, 0),
    "BRIGHT1": (1, 1),
    "BRIGHT2": (2, 0),
    "SHALLOW2": (2, 3),
    "SHALLOW4": (4, 1),
    "MEDIUM2": (2, 8),
    "MEDIUM8": (8, 2),
    "DEEP2": (2, 18),
    "DEEP8": (8, 12),
}


def _detectors() -> dict[str, Detector]:
    found = {}
    for index, (module, number) in enumerate((m, n) for m in "AB" for n in range(1, 6)):
        channel, values = ("LONG", LONG) if number == 5 else ("SHORT", SHORT)
        name = f"NRC{module}LONG" if number == 5 else f"NRC{module}{number}"
        found[name] = Detector(
            name, f"NRC{module}{number}", module, channel, 481 + index, axes=None, **values
        )
    return found


NIRCAM = Instrument(
    name="NIRCAM",
    siaf="NIRCam",
    image_type="NRC_IMAGE",
    template="NIRCam Imaging",
    time_series_type="NRC_TSIMAGE",
    time_series_template="NIRCam Time Series Imaging",
    shape=(2048, 2048),
    borders=(4, 4, 4, 4),
    pixel_pitch=18.0,
    sample_time=10.0,
    full_outputs=4,
    detectors=_detectors(),
    filters={
        name: Filter(name, "CLEAR", *values[:3], offset=values[3:])
        for name, values in {**SHORT_FILTERS, **LONG_FILTERS}.items()
    }
    | GRISMS,
    patterns={name: Pattern(*values) for name, values in PATTERNS.items()},
    exposure_types=(
        "NRC_IMAGE",
        "NRC_TSIMAGE",
        "NRC_CORON",
        "NRC_FOCUS",
        "NRC_TACQ",
        "NRC_TACONFIRM",
    ),
    spectral_types=("NRC_TSGRISM",),
    apertures={f"SUBGRISM{rows}": f"NRCA5_GRISM{rows}_F322W2" for rows in (64, 128, 256)},
    models="NrcImg",
    channels={"SHORT": tuple(SHORT_FILTERS), "LONG": (*LONG_FILTERS, *GRISMS)},
)
