"""Made IRS2 exposures: drifts of the electronics of which the samples in between know."""

from dataclasses import dataclass

import numpy as np

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Ramp, Table
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_detector1.irs2 import layout

TIMES, LINES, ROWS = 712, 2048, 3200
SAMPLES = TIMES * LINES
AXES = {"NRS1": (2, 1), "NRS2": (-2, -1)}
KEYWORDS = {
    "TELESCOP": "JWST", "INSTRUME": "NIRSPEC", "FILTER": "F170LP", "GRATING": "G235M",
    "EXP_TYPE": "NRS_DARK", "SUBARRAY": "FULL", "READPATT": "NRSIRS2RAPID", "NRS_NORM": 16,
    "NRS_REF": 4, "DATE-OBS": "2023-05-01", "TIME-OBS": "12:00:00.000", "NFRAMES": 1,
    "GROUPGAP": 0, "FRMDIVSR": 1, "NOUTPUTS": 5, "TGROUP": 14.589, "TFRAME": 14.589,
    "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 2048, "SUBSIZE2": 2048, "TSOVISIT": False,
}  # fmt: skip


def keywords(detector="NRS1", nints=1, ngroups=3, **changes):
    fast, slow = AXES[detector]
    more = {
        "DETECTOR": detector, "FASTAXIS": fast, "SLOWAXIS": slow, "NINTS": nints,
        "NGROUPS": ngroups,
    }  # fmt: skip
    name = f"jw09999001001_02101_00001_{detector.lower()}_uncal.fits"
    return Metadata(KEYWORDS | more | changes, name)


def pink(rng, size, corner=1.0):
    """Return noise whose power falls as 1/f, standard deviation 1, float64."""
    spectrum = np.fft.rfft(rng.normal(size=size))
    spectrum[1:] /= np.sqrt(np.arange(1, spectrum.size) / corner)
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, size)
    return noise / noise.std()


def put(frame, section, stream, reverse):
    """Add what a section reads, (lines, times), to a frame (3200, 2048)."""
    rows = layout.section_rows(section)
    values = stream[:, layout.TIME].T
    if reverse:
        frame[ROWS - 1 - rows] += values[:, ::-1]
    else:
        frame[rows] += values


@dataclass
class Made:
    """A made exposure: data (nints, ngroups, 3200, 2048) and the pixels without drifts."""

    data: np.ndarray
    truth: np.ndarray
    detector: str

    def ramp(self, **changes):
        nints, ngroups = self.data.shape[:2]
        return Ramp(
            keywords(self.detector, nints, ngroups, **changes), self.data.copy(),
            np.zeros(self.data.shape[2:], np.uint32), np.zeros(self.data.shape, np.uint8),
        )  # fmt: skip


def make(seed=1, nints=1, ngroups=2, detector="NRS1", *, drift=10.0, alternating=4.0, noise=1.0):
    """Make frames: a steady pattern, drift shared by all outputs, own drift, white noise."""
    rng = np.random.default_rng(seed)
    reverse = detector == "NRS2"
    steady = rng.normal(10000, 300, (ROWS, LINES)).astype(np.float32)
    truth = np.broadcast_to(steady, (nints, ngroups, ROWS, LINES)).copy()
    truth += rng.normal(0, noise, truth.shape).astype(np.float32)
    data = truth.copy()
    for frame in data.reshape(-1, ROWS, LINES):
        shared = drift * pink(rng, SAMPLES).reshape(LINES, TIMES)
        sign = alternating * rng.normal() * (-1.0) ** np.arange(SAMPLES).reshape(LINES, TIMES)
        for section in range(5):
            own = drift / 10 * pink(rng, SAMPLES).reshape(LINES, TIMES) if section else 0
            put(frame, section, shared + sign + own, reverse)
    rows = np.flatnonzero(science(reverse))
    return Made(data, truth[:, :, rows], detector)


def science(reverse):
    """Return which rows of a frame hold pixels."""
    mask = np.zeros(ROWS, bool)
    for section in range(1, 5):
        n = np.arange(512)
        mask[section * 640 + n + 4 * ((n + 8) // 16)] = True
    return mask[::-1] if reverse else mask


def plain_weights():
    """Return weights with which the reference output is the drift: alpha 1, beta 0."""
    one = np.zeros(2 * SAMPLES, np.float32)
    one[::2] = 1
    zero = np.zeros_like(one)
    return {f"alpha_{k}": one for k in range(4)} | {f"beta_{k}": zero for k in range(4)}


def random_weights(seed=2):
    """Return weights without any symmetry."""
    rng = np.random.default_rng(seed)
    names = [f"{kind}_{k}" for kind in ("alpha", "beta") for k in range(4)]
    return {name: rng.normal(0.3, 0.3, 2 * SAMPLES).astype(np.float32) for name in names}


def zero_weights():
    """Return weights that subtract nothing but straight lines."""
    zero = np.zeros(2 * SAMPLES, np.float32)
    return {f"{kind}_{k}": zero for kind in ("alpha", "beta") for k in range(4)}


def reference(weights, bad=()):
    """Return a REFPIX reference in memory."""
    table = np.zeros(len(weights["alpha_0"]), [(name, "f4") for name in weights])
    for name, values in weights.items():
        table[name] = values
    types = [("OUTPUT", "u2"), ("ODD_EVEN", "u2"), ("MASK", "u4")]
    tables = {"IRS2": Table(table), "DQ": Table(np.array([tuple(row) for row in bad], types))}
    return Reference("refpix", "refpix.fits", tables=tables)


def references(weights, bad=()):
    return References.of(refpix=reference(weights, bad))


def streams(made):
    """Return what varies of all sections, in time: (nints, ngroups, 5, lines, 712), and known."""
    varying = made.data.astype(np.float64) - made.data.mean(axis=1, keepdims=True, dtype=float)
    if made.detector == "NRS2":
        varying = varying[:, :, ::-1, ::-1]
    found = np.zeros((*varying.shape[:2], 5, LINES, TIMES))
    for section in range(5):
        rows = layout.section_rows(section)
        found[:, :, section][..., layout.TIME] = varying[:, :, rows].swapaxes(-1, -2)
    return found


def without_lines(stream, known):
    """Return a stream (lines, 712) without the straight line through its rim."""
    time = np.arange(SAMPLES, dtype=float).reshape(LINES, TIMES) - (SAMPLES - 1) / 2
    rim = known & ((time < time[4, 0]) | (time >= time[-4, 0]))
    slope, level = np.polyfit(time[rim], stream[rim], 1)
    return np.where(known, stream - level - slope * time, 0)


def filled(stream, pixels, known):
    """Return the reference output at all times by slow and simple means."""
    window = np.sin(np.pi * np.arange(1, 32) / 32)
    wrapped = [
        np.concatenate([x.ravel()[-15:], x.ravel(), x.ravel()[:15]]) for x in (stream, known)
    ]
    above, below = (np.convolve(x, window, mode="valid") for x in wrapped)
    guess = np.where(known.ravel(), stream.ravel(), above / below)
    half = np.arange(SAMPLES // 2)
    distance = np.minimum(half, half[::-1])
    taper = (np.cos(np.pi * np.clip((distance - 30268) / 5000, 0, 1)) + 1) / 2
    response = np.append(taper, 1.0)
    for _ in range(3):
        slow = np.fft.irfft(np.fft.rfft(guess) * response, SAMPLES)
        guess = np.where(pixels.ravel(), stream.ravel(), slow)
    return guess


def plain_drift(made, weights):
    """Return the drift of the pixels of made frames, (nints, ngroups, 2048, 2048), float64."""
    values = {name: x[::2] + 1j * x[1::2].astype(float) for name, x in weights.items()}
    known, pixels = np.zeros((2, LINES, TIMES), bool)
    known[:, layout.TIME] = True
    pixels[:, layout.TIME[~layout.IS_REFERENCE]] = True
    result = np.zeros(made.data.shape)
    for index in np.ndindex(made.data.shape[:2]):
        sections = [without_lines(x, known) for x in streams(made)[index]]
        output = np.fft.fft(filled(sections[0], pixels, known))
        for k in range(4):
            repeated = np.zeros((LINES, TIMES))
            for visit in range(32):
                first = 22 * visit + 9
                for shift, read in zip(range(-2, 6), (0, 2, 0, 2, 1, 3, 1, 3), strict=True):
                    repeated[:, first + shift] = sections[k + 1][:, first + read]
            spectrum = values[f"beta_{k}"] * np.fft.fft(repeated.ravel())
            spectrum += values[f"alpha_{k}"] * output
            drift = np.fft.ifft(spectrum).real.reshape(LINES, TIMES)
            put(result[index], k + 1, drift, made.detector == "NRS2")
    return result[:, :, np.flatnonzero(science(made.detector == "NRS2"))]
