"""FGS imaging: two guiders without filters, sensitive from 0.6 to 5 um."""

from calwebb_simulator.instruments.base import Detector, Filter, Instrument, Pattern

LEVELS = {"gain": 1.7, "cds_noise": 15.0, "dark": 0.03, "well": 90_000.0, "bias": 9000.0}

FGS = Instrument(
    name="FGS",
    siaf="FGS",
    image_type="FGS_IMAGE",
    template="FGS External Calibration",
    shape=(2048, 2048),
    borders=(4, 4, 4, 4),
    pixel_pitch=18.0,
    sample_time=10.0,
    full_outputs=4,
    detectors={
        "GUIDER1": Detector("GUIDER1", "FGS1", "", "", 497, axes=(-2, -1), **LEVELS),
        "GUIDER2": Detector("GUIDER2", "FGS2", "", "", 498, axes=(2, -1), **LEVELS),
    },
    filters={"OPEN": Filter("OPEN", "", 2.5, 3.8, 0.55, wheel="N/A")},
    patterns={"FGSRAPID": Pattern(1, 0)},
    channels={"": ("OPEN",)},
    exposure_types=("FGS_IMAGE", "FGS_FOCUS", "FGS_SKYFLAT", "FGS_INTFLAT"),
    models="FgsImg",
    optical_keys=(),
)
