"""Reference files that only MIRI has: reset, rscd, lastframe, emicorr, darks by integration."""

from pathlib import Path

import numpy as np
from astropy.io import fits

from calwebb_simulator.anomalies import (
    RESET_FRAMES,
    WAVES,
    last_share,
    reset_level,
    reset_pattern,
    waves_of,
)
from calwebb_simulator.clocks import MIRI_ROWS, frame_clocks
from calwebb_simulator.detector import Properties
from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import Instrument
from calwebb_simulator.miri import first_dark
from calwebb_simulator.readout import Timing
from calwebb_simulator.references.base import Scope, dq_def, image, keywords, write
from calwebb_simulator.references.detector import HISTORY, dark_keywords
from calwebb_simulator.references.optics import asdf_meta, write_tree

INTEGRATIONS = 2  # the first and all later ones
GROUPS_TO_SKIP = (1, 4)  # in the first and in later integrations
RSCD_DTYPE = np.dtype(
    [("subarray", "S17"), ("readpatt", "S12"), ("group_skip1", "i4"), ("group_skip", "i4")]
)


def write_miri_dark(
    path: Path, scope: Scope, properties: Properties, timing: Timing, readpatt: str
) -> Path:
    """Write the dark signal of the first and of later integrations in linear DN."""
    header = keywords(scope, "dark", "DarkMIRIModel", "Dark signal")
    header |= dark_keywords(scope, timing, readpatt) | {"NINTS": INTEGRATIONS}
    rate = properties.dark / properties.gain
    times = timing.group_times().astype(np.float32)[:, None, None]
    planes = [times * (rate * np.float32(first_dark(number))) for number in range(INTEGRATIONS)]
    dq = np.zeros((INTEGRATIONS, 1, *rate.shape), dtype=np.uint32)
    hdus = [
        image("SCI", np.stack(planes)),
        image("DQ", dq),
        image("AVDRKCUR", properties.dark),
        dq_def(dq),
    ]
    return write(path, header, hdus, HISTORY)


def write_reset(path: Path, scope: Scope, timing: Timing, readpatt: str) -> Path:
    """Write the reset anomaly in DN at the groups of a readout pattern."""
    header = keywords(scope, "reset", "ResetModel", "Reset anomaly")
    groups = min(timing.groups, -(-RESET_FRAMES // timing.pattern.frames))
    header |= {"READPATT": readpatt, "NINTS": INTEGRATIONS, "NGROUPS": groups, "BUNIT": "DN"}
    names = scope.instrument.name, scope.frame.detector.name, scope.frame.subarray
    pattern = reset_pattern(*names, scope.realisation)
    present = float("reset" in scope.effects)
    level = [
        [
            present * np.mean([reset_level(number, read) for read in timing.reads(group)])
            for group in range(groups)
        ]
        for number in range(INTEGRATIONS)
    ]
    signal = np.array(level, dtype=np.float32)[:, :, None, None] * pattern
    dq = np.zeros(pattern.shape, dtype=np.uint32)
    hdus = [image("SCI", signal), image("DQ", dq), dq_def(dq)]
    return write(path, header, hdus, HISTORY)


def write_lastframe(path: Path, scope: Scope, readpatt: str) -> Path:
    """Write the change of the last frame as a share of the signal."""
    header = keywords(scope, "lastframe", "LastFrameModel", "Last frame") | {"READPATT": readpatt}
    share = np.broadcast_to(last_share(scope.frame.ny), scope.frame.shape)
    share = share * np.float32("last_frame" in scope.effects)
    dq = np.zeros(scope.frame.shape, dtype=np.uint32)
    hdus = [image("SCI", share), image("ERR", np.zeros_like(share)), image("DQ", dq), dq_def(dq)]
    return write(path, header, hdus, HISTORY)


def write_rscd(path: Path, scope: Scope) -> Path:
    """Write how many groups to skip at the start of integrations."""
    header = keywords(scope, "rscd", "RSCDModel", "Groups after a reset")
    rows = [
        (subarray.encode(), readpatt.encode(), *GROUPS_TO_SKIP)
        for subarray in MIRI_ROWS
        for readpatt in scope.instrument.patterns
    ]
    table = fits.BinTableHDU(np.array(rows, dtype=RSCD_DTYPE), name="RSCD_GROUP_SKIP")
    return write(path, header, [table], HISTORY)


def write_emicorr(path: Path, instrument: Instrument) -> Path:
    """Write the waves of the electronics and the clocks of every subarray."""
    detector = next(iter(instrument.detectors.values()))
    cases = {}
    for subarray, row in MIRI_ROWS.items():
        frame = Frame.of(instrument, detector, subarray)
        name = "FULL_FAST" if subarray == "FULL" else subarray
        names = [wave.name for wave in waves_of(subarray)]
        cases[name] = {
            "rowclocks": row,
            "frameclocks": frame_clocks(instrument, frame),
            "freqs": {"FAST": names, "SLOW": {detector.name: names}},
        }
    waves = {
        name: {"frequency": wave.frequency, "phase_amplitudes": wave.table()}
        for name, wave in WAVES.items()
    }
    meta = asdf_meta("emicorr", "EmiModel", "Waves of the electronics", name=instrument.name)
    return write_tree(path, {"frequencies": waves, "meta": meta, "subarray_cases": cases})
