"""The drift of IRS2 frames from their reference samples.

After Moseley et al. (2010, Proc. SPIE 7742, 77421B) and Rauscher et al. (2017, PASP 129, 105003).

Of every frame what is steady over the integration's groups is put aside, and so is a straight
line for each output. The reference output, sampled at every time but in the gaps, is made whole
by interpolation; the reference pixels of an output, read in 4 of 22 times, are repeated over
their neighbours, zero elsewhere. With weights by frequency,

    FT(drift) = alpha FT(reference output) + beta FT(reference pixels),

and drift and line are subtracted from the output's pixels.
"""

from dataclasses import dataclass

import numpy as np

from calwebb_core.framework.models import Float32
from calwebb_core.framework.threads import in_threads
from calwebb_detector1.irs2 import fourier
from calwebb_detector1.irs2.layout import (
    IS_REFERENCE,
    LINES,
    SECTIONS,
    TIME,
    TIMES,
    Indices,
    Layout,
    Mask,
    pack,
    section_rows,
)
from calwebb_detector1.irs2.lines import StraightLine, fit_lines
from calwebb_detector1.irs2.weights import Weights
from calwebb_detector1.kernels import irs2 as kernels

# Times from the first sample of a visit to the reference pixels, and which of its four samples is
# taken there: odd and even reference pixels in turn, as their neighbours are odd and even.
REPEATED = ((-2, 0), (0, 0), (-1, 2), (1, 2), (2, 1), (4, 1), (3, 3), (5, 3))
REFERENCE_TIMES = TIME[IS_REFERENCE].reshape(-1, 4)


@dataclass(frozen=True)
class Integration:
    """What the frames of one integration share.

    Attributes
    ----------
    layout : Layout
    lost : bool, (3200,): rows of reference samples without content
    mean_output : float32, (640, 2048): mean over groups of the reference output, in time
    mean_pixels : float32, (4, 128, 2048): of the reference pixels of each output
    lines : straight line by group and section
    """

    layout: Layout
    lost: Mask
    mean_output: Float32
    mean_pixels: Float32
    lines: list[list[StraightLine]]


def rows_of(section: int, layout: Layout, kind: Mask | None = None) -> Indices:
    """Return the rows of the image that hold a section, or samples of one kind, in time."""
    places = section_rows(section)
    return np.ascontiguousarray(layout.rows(places if kind is None else places[kind]))


def means(frames: Float32, rows: Indices) -> Float32:
    """Return the mean over groups of some rows, float32 (nrows, 2048)."""
    mean = np.empty((rows.size, LINES), np.float32)
    kernels.mean_of_groups(frames, rows, mean)
    return mean


def describe(frames: Float32, layout: Layout, lost: Mask) -> Integration:
    """Find what the frames (ngroups, 3200, 2048) of an integration share."""
    pixels = [means(frames, rows_of(s, layout, IS_REFERENCE)) for s in range(1, SECTIONS)]
    return Integration(
        layout=layout,
        lost=lost,
        mean_output=means(frames, rows_of(0, layout)),
        mean_pixels=np.stack(pixels),
        lines=fit_lines(frames, layout, lost),
    )


def reference_output(frame: Float32, shared: Integration, line: StraightLine) -> Float32:
    """Return the drift of the reference output at all times, float32 (712, 2048)."""
    rows = rows_of(0, shared.layout)
    values = read(frame, rows, shared.mean_output, line, TIME, shared)
    stream = np.zeros((TIMES, LINES), np.float32)
    stream[TIME] = values
    known = np.zeros(TIMES, np.bool_)
    known[TIME] = ~shared.lost[rows]
    fourier.interpolate_gaps(stream, known)
    known[TIME[IS_REFERENCE]] = False
    fourier.fill_slowly(stream, known)
    return stream


def read(
    frame: Float32,
    rows: Indices,
    mean: Float32,
    line: StraightLine,
    times: Indices,
    shared: Integration,
) -> Float32:
    """Return rows of a frame in the order of time without what is steady; lost ones are zero."""
    start, slope = line.along(times, shared.layout)
    values = np.empty((rows.size, LINES), np.float32)
    kernels.read_rows(frame, rows, mean, start, slope, shared.layout.reverse, values)
    values[shared.lost[rows]] = 0
    return values


def repeated() -> list[tuple[Indices, Indices]]:
    """Return at which times which of an output's 128 rows of reference pixels are taken."""
    rows = np.arange(REFERENCE_TIMES.size).reshape(REFERENCE_TIMES.shape)
    return [(REFERENCE_TIMES[:, 0] + shift, rows[:, read]) for shift, read in REPEATED]


def correct_frame(
    frame: Float32,
    group: int,
    shared: Integration,
    weights: Weights,
    targets: Indices,
    *,
    preserve: bool,
) -> Float32:
    """Return a frame without its drift.

    Parameters
    ----------
    frame : float32, (3200, 2048), DN
    group : int
    shared : Integration
    weights : Weights
    targets : int64, (3200,): row of the result for each row of pixels
    preserve : whether the result keeps the rows that are not pixels

    Returns
    -------
    float32, (2048, 2048), or (3200, 2048) with `preserve`
    """
    lines = shared.lines[group]
    stream = reference_output(frame, shared, lines[0])
    output = fourier.spectrum(stream)
    result = np.empty(frame.shape if preserve else (LINES, LINES), np.float32)
    for section in range(1, SECTIONS):
        mean = shared.mean_pixels[section - 1]
        rows = rows_of(section, shared.layout, IS_REFERENCE)
        times = TIME[IS_REFERENCE]
        values = read(frame, rows, mean, lines[section], times, shared)
        drift = fourier.spectrum_of_rows(values, repeated())
        kernels.weigh(drift, weights.beta[section - 1], output, weights.alpha[section - 1])
        wanted = TIME if preserve else TIME[~IS_REFERENCE]
        found = fourier.stream_of(drift, wanted)
        kind = None if preserve else ~IS_REFERENCE
        sources = rows_of(section, shared.layout, kind)
        start, slope = lines[section].along(wanted, shared.layout)
        kernels.subtract_drift(
            frame, sources, found, start, slope, shared.layout.reverse, targets[sources], result
        )
        if preserve:
            result[rows] -= mean
    if preserve:
        put_output(result, stream, shared)
    return result


def put_output(result: Float32, stream: Float32, shared: Integration) -> None:
    """Write the reference output as interpolated, with its mean, into a frame of 3200 rows."""
    values = stream[TIME]
    values = values[:, ::-1] if shared.layout.reverse else values
    result[rows_of(0, shared.layout)] = values + shared.mean_output


def subtract_drifts(
    data: Float32, *, layout: Layout, lost: Mask, weights: Weights, preserve: bool = False
) -> Float32:
    """Return frames without their drift, trimmed to pixels; `data` is overwritten.

    Parameters
    ----------
    data : float32, (nints, ngroups, 3200, 2048), DN
    layout : Layout
    lost : bool, (3200,): rows of reference samples without content
    weights : Weights
    preserve : keep the rows that are not pixels

    Returns
    -------
    float32, (nints, ngroups, 2048, 2048), or the shape of `data`: a part of its memory
    """
    nints, ngroups = data.shape[:2]
    rows = np.arange(data.shape[2])
    targets = rows if preserve else np.searchsorted(layout.science_rows, rows)
    height = data.shape[2] if preserve else LINES
    shared = in_threads(lambda frames: describe(frames, layout, lost), list(data))

    def correct(item: tuple[int, int]) -> None:
        integration, group = item
        frame = data[item]
        frame[:height] = correct_frame(
            frame, group, shared[integration], weights, targets, preserve=preserve
        )

    in_threads(correct, [(i, g) for i in range(nints) for g in range(ngroups)])
    return pack(data, height)
