"""The keywords of raw counts that only spectra have, or have otherwise than images."""

from typing import Any, Final

from calwebb_simulator.plan import Planned
from calwebb_simulator.references.spectra_optics import TEMPERATURE, tilt_readings

TEMPLATES: Final = {
    "MIR_LRS-FIXEDSLIT": "MIRI Low Resolution Spectroscopy",
    "MIR_LRS-SLITLESS": "MIRI Low Resolution Spectroscopy",
    "NRS_FIXEDSLIT": "NIRSpec Fixed Slit Spectroscopy",
    "NRS_BRIGHTOBJ": "NIRSpec Bright Object Time Series",
    "NRC_TSGRISM": "NIRCam Grism Time Series",
}
NODS: Final = {"MIR_LRS-FIXEDSLIT": "ALONG-SLIT-NOD", "NRS_FIXEDSLIT": "2-POINT-NOD"}
IMAGES: Final = "INTRAMODULEX"


def template(entry: Planned) -> str:
    """Return TEMPLATE."""
    instrument = entry.instrument
    usual = instrument.time_series_template if entry.group.time_series else instrument.template
    return TEMPLATES.get(entry.group.exp_type, usual)


def pattern(entry: Planned) -> str:
    """Return PATTTYPE of an exposure with more than one dither."""
    return NODS.get(entry.group.exp_type, IMAGES)


def spectrograph_keywords(entry: Planned) -> dict[str, Any]:
    """Return what NIRSpec says of its slits and its grating wheel, and the kind of a source."""
    values: dict[str, Any] = {}
    if entry.group.exp_type in TEMPLATES and not entry.group.background:
        values["SRCTYAPT"] = "POINT"
    if not entry.instrument.spectral:
        return values
    narrow = entry.frame.subarray.startswith("SUBS200A1")
    x_tilt, y_tilt = tilt_readings(entry.optics.grating)
    return values | {
        "FXD_SLIT": entry.group.slit or ("S200A1" if narrow else "S1600A1"),
        "LAMP": "NONE",
        "OPMODE": "BRIGHTOBJ" if entry.group.time_series else "FIXEDSLIT",
        "GWA_TILT": TEMPERATURE,
        "GWA_XTIL": x_tilt,
        "GWA_YTIL": y_tilt,
    }
