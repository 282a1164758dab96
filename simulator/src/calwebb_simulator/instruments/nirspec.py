"""NIRSpec: two detectors behind gratings and slits, of which only detectors are simulated.

Wavelengths are those of the gratings; slits throw traces of known rates on the detector. Gain,
noise and the subarrays' places are rounded from the NIRSpec pages of the JWST user
documentation and from real headers.
"""

from calwebb_simulator.instruments.base import Detector, Filter, Instrument, Pattern

FIRST = {"gain": 1.0, "cds_noise": 11.0, "dark": 0.008, "well": 52_000.0, "bias": 9000.0}
SECOND = {"gain": 1.14, "cds_noise": 11.0, "dark": 0.006, "well": 59_000.0, "bias": 9000.0}
# pivot (um), width (um), FILTER
GRATINGS = {
    "PRISM": (2.95, 4.7, "CLEAR"),
    "G140M": (1.4, 0.9, "F100LP"),
    "G140H": (1.4, 0.9, "F100LP"),
    "G235M": (2.35, 1.5, "F170LP"),
    "G235H": (2.35, 1.5, "F170LP"),
    "G395M": (3.95, 2.4, "F290LP"),
    "G395H": (3.95, 2.4, "F290LP"),
}
# first column and row, columns and rows
WINDOWS = {
    "FULL": (1, 1, 2048, 2048),
    "ALLSLITS": (1, 897, 2048, 256),
    "SUBS200A1": (1, 1054, 2048, 64),
    "SUB2048": (1, 957, 2048, 32),
    "SUB512": (1025, 957, 512, 32),
    "SUB512S": (1025, 965, 512, 16),
}

NIRSPEC = Instrument(
    name="NIRSPEC",
    siaf="NIRSpec",
    image_type="NRS_FIXEDSLIT",
    template="NIRSpec Fixed Slit Spectroscopy",
    shape=(2048, 2048),
    borders=(4, 4, 4, 4),
    pixel_pitch=18.0,
    sample_time=10.0,
    full_outputs=4,
    extra_rows=1,
    detectors={
        "NRS1": Detector("NRS1", "NRS1", "", "", 491, axes=(2, 1), **FIRST),
        "NRS2": Detector("NRS2", "NRS2", "", "", 492, axes=(-2, -1), **SECOND),
    },
    filters={
        name: Filter(name, "", pivot, width, 0.4, wheel=wheel, grating=name)
        for name, (pivot, width, wheel) in GRATINGS.items()
    },
    patterns={
        "NRSRAPID": Pattern(1, 0),
        "NRS": Pattern(4, 0),
        "NRSIRS2RAPID": Pattern(1, 0, irs2=True),
        "NRSIRS2": Pattern(5, 0, irs2=True),
    },
    channels={"": tuple(GRATINGS)},
    exposure_types=("NRS_FIXEDSLIT", "NRS_BRIGHTOBJ", "NRS_MSASPEC", "NRS_IFU"),
    spectral_types=("NRS_FIXEDSLIT", "NRS_BRIGHTOBJ"),
    time_series_type="NRS_BRIGHTOBJ",
    time_series_template="NIRSpec Bright Object Time Series",
    windows=WINDOWS,
    subarray_gain=2.0,
)
