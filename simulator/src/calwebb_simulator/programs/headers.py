"""Headers of the files, with the keywords and spellings of raw data from the archive."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from calwebb_simulator import __version__
from calwebb_simulator.programs.detectors import DETECTORS, outputs, window
from calwebb_simulator.programs.places import Sight, pointed_with, pointing, target_place
from calwebb_simulator.programs.schedule import Raw
from calwebb_simulator.siaf import siaf_folder

MJD_EPOCH: Final = datetime(1858, 11, 17)
TDB_AHEAD: Final = timedelta(seconds=69.184)  # TDB - UTC since 2017, but for its 2 ms
GRATING_TILTS: Final = {"GWA_XTIL": 0.338, "GWA_YTIL": 0.032, "GWA_TILT": 36.05}
Values = dict[str, Any]


def primary(raw: Raw) -> Values:
    """Return the primary header's keywords, in the order of the archive's."""
    return {
        **_file(raw),
        **_program(raw),
        **_target(raw),
        **_instrument(raw),
        **_exposure(raw),
        **_subarray(raw),
        **_dither(raw),
        "APERNAME": raw.aperture,
        "PPS_APER": pointed_with(raw),
        "GDSTARID": "SIMULATED",
        "PCS_MODE": "TRACK" if raw.observation.target.kind == "MOVING" else "FINEGUIDE",
    }


def science(raw: Raw) -> Values:
    """Return the keywords of the SCI extension."""
    times = moments(raw)
    values: Values = {}
    for name, moment in zip(("BEG", "AVG", "END"), times, strict=True):
        values[f"MJD-{name}"] = mjd(moment)
    for name, moment in zip(("BEG", "MID", "END"), times, strict=True):
        values[f"TDB-{name}"] = mjd(moment + TDB_AHEAD)
    values |= {"XPOSURE": raw.timing.exposure, "TELAPSE": raw.timing.duration}
    if raw.observation.target.kind == "MOVING":
        values |= dict(zip(("MT_RA", "MT_DEC"), target_place(raw), strict=True))
    return {**values, **pointing(Sight.of(raw)), "BUNIT": "DN"}


def moments(raw: Raw) -> tuple[datetime, datetime, datetime]:
    """Return start, middle and end of an exposure, UTC."""
    length = timedelta(seconds=raw.timing.duration)
    return raw.start, raw.start + length / 2, raw.start + length


def mjd(moment: datetime) -> float:
    """Return a modified Julian date."""
    return (moment - MJD_EPOCH) / timedelta(days=1)


def iso(moment: datetime) -> str:
    """Return a date and time with milliseconds."""
    return moment.isoformat(timespec="milliseconds")


@cache
def siaf_version() -> str:
    """Return the version of the apertures."""
    return siaf_folder()[1]


def _file(raw: Raw) -> Values:
    return {
        "DATE": iso(moments(raw)[2]),
        "ORIGIN": "CALWEBB-SIMULATOR",
        "TIMESYS": "UTC",
        "TIMEUNIT": "s",
        "FILENAME": f"{raw.root}_uncal.fits",
        "SDP_VER": __version__,
        "PRD_VER": siaf_version(),
        "OSS_VER": "8.4.3",
        "DATAMODL": "Level1bModel",
        "TELESCOP": "JWST",
    }


def _program(raw: Raw) -> Values:
    start, _, end = moments(raw)
    observation = raw.observation
    return {
        "TITLE": raw.program.sentence[:68].rstrip(),
        "PI_NAME": "Simulator",
        "CATEGORY": "CAL",
        "DATE-OBS": iso(start).split("T")[0],
        "TIME-OBS": iso(start).split("T")[1],
        "DATE-BEG": iso(start),
        "DATE-END": iso(end),
        "OBS_ID": f"V{raw.visit}P00000000{raw.group}1{raw.activity.upper()}",
        "VISIT_ID": raw.visit,
        "PROGRAM": raw.visit[:5],
        "OBSERVTN": raw.visit[5:8],
        "VISIT": raw.visit[8:],
        "VISITGRP": raw.group,
        "SEQ_ID": "1",
        "ACT_ID": raw.activity.upper(),
        "EXPOSURE": str(raw.position),
        "BKGDTARG": observation.background,
        "TEMPLATE": observation.template,
        "OBSLABEL": observation.label or f"Observation {observation.number}",
        "ENG_QUAL": "OK",
        "ENGQLPTG": "CALCULATED_TRACK_TR_202111",
        "VISITYPE": visit_type(raw),
        "VSTSTART": f"{raw.began:%Y-%m-%d %H:%M:%S}.0000000",
        "VISITSTA": "SUCCESSFUL",
        "NEXPOSUR": raw.total,
        "TSOVISIT": observation.series,
    }


def visit_type(raw: Raw) -> str:
    """Return VISITYPE."""
    kind = "MOVING" if raw.observation.target.kind == "MOVING" else "FIXED"
    return raw.observation.visit_type or f"PRIME_TARGETED_{kind}"


def _target(raw: Raw) -> Values:
    target = raw.observation.target
    ra, dec = target_place(raw)
    return {
        "TARGPROP": target.name,
        "TARGNAME": target.catalog or target.name,
        "TARGTYPE": target.kind,
        "TARG_RA": ra,
        "TARG_DEC": dec,
        "PROP_RA": target.ra,
        "PROP_DEC": target.dec,
    }


def _instrument(raw: Raw) -> Values:
    detector = DETECTORS[raw.detector]
    values: Values = {"INSTRUME": detector.instrument, "DETECTOR": raw.detector}
    if detector.module:
        values |= {"MODULE": detector.module, "CHANNEL": detector.channel}
    for keyword, value in raw.setup.optics.items():
        known = {"program": raw.visit[:5], "observation": raw.visit[5:8]}
        values[keyword] = value.format(**known) if isinstance(value, str) else value
    if detector.instrument == "NIRSPEC":
        values = {**values, "LAMP": values.get("LAMP", "NONE"), **GRATING_TILTS}
    return values


def _exposure(raw: Raw) -> Values:
    readout, times = raw.setup.readout, raw.timing
    start, middle, end = (mjd(moment) for moment in moments(raw))
    values: Values = {
        "EXPCOUNT": raw.count,
        "EXPRIPAR": "PARALLEL_PURE" if raw.observation.pure_parallel else "PRIME",
        "EXP_TYPE": raw.setup.exp_type,
        "EXPSTART": start,
        "EXPMID": middle,
        "EXPEND": end,
        "READPATT": readout.pattern,
        "NOUTPUTS": outputs(raw.detector, raw.setup.subarray, readout),
        "NINTS": readout.integrations,
        "NGROUPS": readout.groups,
        "NFRAMES": times.frames,
        "FRMDIVSR": times.frames,
        "GROUPGAP": times.gap,
        "NSAMPLES": 1,
        "TSAMPLE": 10.0,
        "TFRAME": times.frame,
        "TGROUP": times.group,
        "EFFINTTM": times.integration,
        "EFFEXPTM": times.exposure,
        "DURATION": times.duration,
        "NRSTSTRT": 1,
        "NRESETS": 1,
        "ZEROFRAM": False,
        "SCA_NUM": DETECTORS[raw.detector].sca,
        **_segment(raw),
        "IS_PSF": raw.observation.psf,
    }
    if DETECTORS[raw.detector].instrument == "NIRSPEC":
        values["IS_IMPRT"] = raw.doing.imprint
    return values


def _segment(raw: Raw) -> Values:
    readout = raw.setup.readout
    if readout.segments == 1:
        return {}
    share = -(-readout.integrations // readout.segments)
    first = (raw.segment - 1) * share + 1
    return {
        "INTSTART": first,
        "INTEND": min(first + share - 1, readout.integrations),
        "EXSEGNUM": raw.segment,
        "EXSEGTOT": readout.segments,
    }


def _subarray(raw: Raw) -> Values:
    detector = DETECTORS[raw.detector]
    x, y, columns, rows = window(raw.detector, raw.aperture, raw.setup.subarray)
    return {
        "SUBARRAY": raw.setup.subarray,
        "SUBSTRT1": x,
        "SUBSTRT2": y,
        "SUBSIZE1": columns,
        "SUBSIZE2": rows,
        "FASTAXIS": detector.fast,
        "SLOWAXIS": detector.slow,
    }


def _dither(raw: Raw) -> Values:
    dither = raw.doing.dither
    return {
        "PATTTYPE": dither.pattern,
        "PRIDTPTS": len(dither.offsets),
        "PATT_NUM": raw.position,
        "NUMDTHPT": len(dither.positions),
        "SUBPXPTS": dither.subpixel,
        **dither.keywords,
        "XOFFSET": raw.offset[0],
        "YOFFSET": raw.offset[1],
    }
