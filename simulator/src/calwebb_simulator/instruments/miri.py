"""MIRI imaging: one detector of 1032 x 1024 pixels, broad filters, fast readout.

Wavelengths, widths, mean efficiencies, gain and noise are rounded from the MIRI pages of the
JWST user documentation.
"""

from calwebb_simulator.instruments.base import Detector, Filter, Instrument, Pattern

# pivot (um), width (um), throughput, column and row offset (pixels, of the observatory's size)
FILTERS = {
    "F560W": (5.635, 1.000, 0.245, 0.31, -0.22),
    "F770W": (7.639, 1.950, 0.355, 0.0, 0.0),
    "F1000W": (9.953, 1.800, 0.466, 0.27, 0.18),
    "F1130W": (11.309, 0.730, 0.412, -0.35, 0.24),
    "F1280W": (12.810, 2.470, 0.384, -0.19, -0.41),
    "F1500W": (15.064, 2.920, 0.442, 0.44, 0.13),
    "F1800W": (17.984, 2.950, 0.447, -0.28, 0.36),
    "F2100W": (20.795, 4.580, 0.352, 0.39, -0.33),
    "F2550W": (25.365, 3.670, 0.269, 0.15, 0.29),
}
PRISM = Filter("P750L", "", 7.5, 9.0, 0.30)  # of the low-resolution spectrometer

MIRI = Instrument(
    name="MIRI",
    siaf="MIRI",
    image_type="MIR_IMAGE",
    template="MIRI Imaging",
    shape=(1024, 1032),
    borders=(4, 4, 0, 0),
    pixel_pitch=25.0,
    sample_time=10.0,
    full_outputs=4,
    subarray_outputs=4,
    interleaved=True,
    detectors={
        "MIRIMAGE": Detector(
            name="MIRIMAGE",
            siaf="MIRIM",
            module="",
            channel="",
            sca=493,
            gain=4.0,
            cds_noise=32.0,
            dark=0.12,
            well=200_000.0,
            bias=9000.0,
            axes=(1, 2),
        )
    },
    filters={
        name: Filter(name, "", *values[:3], offset=values[3:]) for name, values in FILTERS.items()
    }
    | {PRISM.name: PRISM},
    patterns={"FASTR1": Pattern(1, 0)},
    channels={"": (*FILTERS, PRISM.name)},
    exposure_types=("MIR_IMAGE", "MIR_LYOT", "MIR_4QPM", "MIR_TACQ", "MIR_TACONFIRM"),
    spectral_types=("MIR_LRS-FIXEDSLIT", "MIR_LRS-SLITLESS"),
    models="MirImg",
    optical_keys=("filter", "subarray"),
    superbias=False,
)
