"""Made interference: when MIRI's samples are read, and a wave added to them."""

import numpy as np

ROW, FRAME, ROWS = 28, 8512, 1024
FREQUENCY = 390.625


def wave(size=64):
    """Return one period of a wave that is no sine, DN."""
    phase = (np.arange(size) + 0.5) / size
    return 3 * np.sin(2 * np.pi * phase) + np.sin(4 * np.pi * phase + 1) + 0.4


def read_times(shape, *, row=ROW, frame_of_reset=FRAME, nsamples=1):
    """Return the clock cycle at which each sample is read, (nints, ngroups, ny, nx)."""
    nints, ngroups, ny, nx = shape
    i, g, y, x = np.ogrid[:nints, :ngroups, :ny, :nx]
    frame = ny * row + (ROWS - ny) * 7
    return (i * ngroups + g) * frame + i * frame_of_reset + y * row + (x // 4) * nsamples


def disturbance(shape, *, frequency=FREQUENCY, amplitude=1.0, phase=0.0, size=64, **timing):
    """Return what a wave adds to every sample, DN."""
    period = 1 / frequency / 10e-6
    return amplitude * at_phase(wave(size), read_times(shape, **timing) / period + phase)


def at_phase(samples, phases):
    """Return a wave between its samples, by a cubic through four of them (slow, periodic)."""
    from scipy.interpolate import CubicSpline

    n = samples.size
    knots = (np.arange(n + 1) + 0.5) / n
    return CubicSpline(knots, np.append(samples, samples[0]), bc_type="periodic")(phases % 1)


def tree(*, row=ROW, frame=FRAME, size=64, frequencies=(FREQUENCY,), case="SUB64"):
    """Return the content of an EMICORR file."""
    names = [f"Hz{value:.0f}" for value in frequencies]
    return {
        "frequencies": {
            name: {"frequency": value, "phase_amplitudes": wave(size)}
            for name, value in zip(names, frequencies, strict=True)
        },
        "subarray_cases": {
            case: {
                "rowclocks": row,
                "frameclocks": frame,
                "freqs": {"FAST": names, "SLOW": {"MIRIMAGE": names}},
            }
        },
    }
