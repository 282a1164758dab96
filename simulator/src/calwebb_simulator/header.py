"""The keywords of raw counts, complete as the archive delivers them, and their tables."""

from typing import Any

from astropy.time import Time, TimeDelta

from calwebb_core.framework.metadata import Metadata
from calwebb_simulator import __version__
from calwebb_simulator.clocks import IRS2_NORMAL, IRS2_REFERENCE
from calwebb_simulator.header_spectra import pattern, spectrograph_keywords, template
from calwebb_simulator.header_tables import light_delay
from calwebb_simulator.header_wcs import linear_wcs
from calwebb_simulator.instruments import Instrument, Pattern
from calwebb_simulator.moving import moving_keywords
from calwebb_simulator.plan import POSITION, START_OF_VISIT, VELOCITY, Planned
from calwebb_simulator.scenario import Scenario
from calwebb_simulator.siaf import siaf_folder


def raw_metadata(scenario: Scenario, instrument: Instrument, entry: Planned) -> Metadata:
    """Return the keywords of an exposure."""
    parts = (
        _general(),
        _program(scenario, instrument, entry),
        _target(scenario, entry),
        _instrument(instrument, entry),
        _readout(instrument, entry),
        _times(entry),
        _frame(entry),
        _dither(entry),
        _pointing(entry),
        moving_keywords(entry),
        _guiding(scenario),
    )
    values: dict[str, Any] = {}
    for part in parts:
        values |= part
    metadata = Metadata(values, f"{entry.root}_uncal.fits")
    metadata.history.append(
        f"Simulated by calwebb-simulator {__version__}: scenario {scenario.name}"
    )
    return metadata


def _general() -> dict[str, Any]:
    return {
        "ORIGIN": "CALWEBB-SIMULATOR",
        "TIMESYS": "UTC",
        "TIMEUNIT": "s",
        "SDP_VER": __version__,
        "PRD_VER": siaf_folder()[1],
        "OSS_VER": "8.4.3",
        "TELESCOP": "JWST",
        "HGA_MOVE": False,
        "COMPRESS": False,
    }


def _program(scenario: Scenario, instrument: Instrument, entry: Planned) -> dict[str, Any]:
    name = entry.name
    visit = f"{name.program}{name.observation}{name.visit}"
    exposures = sum(
        len(group.dithers)
        for group in scenario.exposures
        if (group.observation, group.visit) == (entry.group.observation, entry.group.visit)
    )
    series = entry.group.time_series
    began = entry.start - TimeDelta(START_OF_VISIT, format="sec")
    return {
        "TITLE": scenario.description or scenario.name,
        "PI_NAME": "Simulator",
        "CATEGORY": "CAL",
        "SUBCAT": instrument.name,
        "SCICAT": "Stellar Populations",
        "OBS_ID": f"V{visit}P00000000{name.visit_group}{name.sequence}{name.activity}",
        "VISIT_ID": visit,
        "PROGRAM": name.program,
        "OBSERVTN": name.observation,
        "VISIT": name.visit,
        "VISITGRP": name.visit_group,
        "SEQ_ID": name.sequence,
        "ACT_ID": name.activity,
        "EXPOSURE": str(int(name.exposure)),
        "BKGDTARG": entry.group.background,
        "TEMPLATE": template(entry),
        "OBSLABEL": scenario.name,
        "OBSFOLDR": "Simulations",
        "ENG_QUAL": "OK",
        "ENGQLPTG": "CALCULATED_TRACK_TR_202111",
        "VISITYPE": f"PRIME_TARGETED_{_kind(entry)}",
        "VSTSTART": began.strftime("%Y-%m-%d %H:%M:%S.0000000"),
        "VISITSTA": "SUCCESSFUL",
        "NEXPOSUR": exposures,
        "INTARGET": False,
        "TARGOOPP": False,
        "TSOVISIT": series,
        "EXP_ONLY": False,
        "CROWDFLD": False,
        "EXPCOUNT": entry.count,
        "EXPRIPAR": "PRIME",
    }


def _kind(entry: Planned) -> str:
    return "MOVING" if any(entry.motion) else "FIXED"


def _target(scenario: Scenario, entry: Planned) -> dict[str, Any]:
    name = entry.group.target or scenario.target
    return {
        "TARGPROP": name,
        "TARGNAME": name,
        "TARGTYPE": _kind(entry),
        "TARGCAT": "Calibration",
        "TARGDESC": "Simulated field",
        "TARG_RA": entry.aim.ra,
        "TARG_DEC": entry.aim.dec,
        "TARGURA": 0.1,
        "TARGUDEC": 0.1,
        "MU_RA": 0.0,
        "MU_DEC": 0.0,
        "MU_EPOCH": "2016-01-01 00:00:00.0000000",
        "PROP_RA": entry.aim.ra,
        "PROP_DEC": entry.aim.dec,
    }


def _instrument(instrument: Instrument, entry: Planned) -> dict[str, Any]:
    detector, optics = entry.frame.detector, entry.optics
    series = entry.group.time_series
    usual = instrument.time_series_type if series else instrument.image_type
    values: dict[str, Any] = {
        "INSTRUME": instrument.name,
        "DETECTOR": detector.name,
        "MODULE": detector.module,
        "CHANNEL": detector.channel,
        "FILTER": optics.keyword,
        "PUPIL": optics.pupil,
        "GRATING": optics.grating,
        "EXP_TYPE": entry.group.exp_type or usual,
        "SCA_NUM": detector.sca,
    }
    if instrument.name == "NIRCAM":
        values["PILIN"] = False
    values |= spectrograph_keywords(entry)
    return {keyword: value for keyword, value in values.items() if value != ""}


def _readout(instrument: Instrument, entry: Planned) -> dict[str, Any]:
    timing = entry.timing
    return {
        "READPATT": entry.group.readpatt,
        "NOUTPUTS": entry.frame.outputs,
        "NINTS": timing.integrations,
        "INTSTART": entry.segment.first + 1,
        "INTEND": entry.segment.first + entry.segment.count,
        "EXSEGNUM": entry.segment.number,
        "EXSEGTOT": entry.segment.total,
        "NGROUPS": timing.groups,
        "NFRAMES": timing.pattern.frames,
        "FRMDIVSR": timing.pattern.frames,
        "GROUPGAP": timing.pattern.gap,
        "DRPFRMS1": 0,
        "DRPFRMS3": 0,
        "NSAMPLES": 1,
        "TSAMPLE": instrument.sample_time,
        "TFRAME": timing.frame_time,
        "TGROUP": timing.group_time,
        "EFFINTTM": timing.integration_time,
        "EFFEXPTM": timing.exposure_time,
        "TMEASURE": timing.group_time * (timing.groups - 1) * timing.integrations,
        "DURATION": timing.duration,
        "XPOSURE": timing.exposure_time,
        "TELAPSE": timing.duration,
        **_interleaving(timing.pattern),
        "NRSTSTRT": 1,
        "NRESETS": 1,
        "ZEROFRAM": entry.group.zeroframe,
        "DATAPROB": False,
        "DATAMODE": 33,
        "SCTARATE": 0.0,
        "IS_PSF": False,
        "SELFREF": False,
    }


def _interleaving(pattern: Pattern) -> dict[str, int]:
    """Return the keywords of the IRS2 readout: pixels, and reference pixels between them."""
    return {"NRS_NORM": IRS2_NORMAL, "NRS_REF": IRS2_REFERENCE} if pattern.irs2 else {}


def moments(entry: Planned) -> tuple[Time, Time, Time]:
    """Return start, middle and end of an exposure, UTC."""
    length = TimeDelta(entry.timing.duration, format="sec")
    return entry.start, entry.start + length / 2, entry.start + length


def _times(entry: Planned) -> dict[str, Any]:
    start, middle, end = moments(entry)
    delay = light_delay(entry.commanded)
    values: dict[str, Any] = {
        "DATE-OBS": start.strftime("%Y-%m-%d"),
        "TIME-OBS": start.isot.split("T")[1],
        "DATE-BEG": start.isot,
        "DATE-END": end.isot,
        "BARTDELT": delay,
        "HELIDELT": delay,
        "EPH_TYPE": "Predicted",
        "EPH_TIME": middle.mjd,
        "REFFRAME": "EME2000",
    }
    names = ("START", "STRTIME", "BEG"), ("MID", "MIDTIME", "AVG"), ("END", "ENDTIME", "END")
    for moment, (utc, barycentric, short) in zip((start, middle, end), names, strict=True):
        tdb = moment.tdb.mjd + delay / 86400
        values[f"EXP{utc}"] = moment.mjd
        values[f"B{barycentric}"] = values[f"H{barycentric}"] = tdb
        values[f"MJD-{short}"] = moment.mjd
        values[f"TDB-{'MID' if short == 'AVG' else short}"] = tdb
    for axis, position, velocity in zip("XYZ", POSITION, VELOCITY, strict=True):
        values[f"JWST_{axis}"] = position
        values[f"JWST_D{axis}"] = velocity
    return values


def _frame(entry: Planned) -> dict[str, Any]:
    frame = entry.frame
    return {
        "SUBARRAY": frame.subarray,
        "SUBSTRT1": frame.x_start,
        "SUBSTRT2": frame.y_start,
        "SUBSIZE1": frame.nx,
        "SUBSIZE2": frame.ny,
        "FASTAXIS": frame.fast,
        "SLOWAXIS": frame.slow,
        "APERNAME": frame.aperture.name,
        "PPS_APER": frame.aperture.name,
    }


def _dither(entry: Planned) -> dict[str, Any]:
    points = len(entry.group.dithers)
    x, y = entry.group.dithers[entry.dither - 1]
    several = points > 1
    return {
        "PATTTYPE": pattern(entry) if several else "NONE",
        "PRIDTYPE": pattern(entry) if several else "NONE",
        "PRIDTPTS": points,
        "PATT_NUM": entry.dither,
        "NUMDTHPT": points,
        "SUBPXPTS": 1,
        "SUBPXPAT": "STANDARD",
        "XOFFSET": x,
        "YOFFSET": y,
    }


def _pointing(entry: Planned) -> dict[str, Any]:
    placement, aperture = entry.commanded, entry.frame.aperture
    ra, dec, roll = placement.reference
    ra_v1, dec_v1 = (float(angle) for angle in placement.attitude.sky(0.0, 0.0))
    return {
        "RADESYS": "ICRS",
        "RA_V1": ra_v1,
        "DEC_V1": dec_v1,
        "PA_V3": placement.attitude.roll(0.0, 0.0),
        "V2_REF": aperture["V2Ref"],
        "V3_REF": aperture["V3Ref"],
        "VPARITY": int(aperture["VIdlParity"]),
        "V3I_YANG": aperture["V3IdlYAngle"],
        "RA_REF": ra,
        "DEC_REF": dec,
        "ROLL_REF": roll,
        "XREF_SCI": aperture["XSciRef"],
        "YREF_SCI": aperture["YSciRef"],
        "PA_APER": (roll + aperture["V3IdlYAngle"]) % 360,
        "VA_SCALE": placement.va_scale,
        "VA_RA": entry.aberrated[0],
        "VA_DEC": entry.aberrated[1],
        "VELOSYS": 0.0,
        "BUNIT": "DN",
        **linear_wcs(placement),
    }


def _guiding(scenario: Scenario) -> dict[str, Any]:
    return {
        "GS_ORDER": 1,
        "GDSTARID": "SIMULATED",
        "GS_RA": scenario.ra,
        "GS_DEC": scenario.dec,
        "GS_MAG": 15.0,
        "GS_V3_PA": scenario.roll,
        "PCS_MODE": "FINEGUIDE",
    }
