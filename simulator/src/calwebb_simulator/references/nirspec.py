"""Reference files that only NIRSpec has: refpix of the IRS2 readout, picture frames."""

from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from calwebb_core.science.dq import PixelDQ
from calwebb_simulator.clocks import IRS2_ROW
from calwebb_simulator.detector import Properties
from calwebb_simulator.irs2 import BAD, OUTPUTS, embed, reference_bias, weights
from calwebb_simulator.nirspec import picture_frame
from calwebb_simulator.references.base import Scope, dq_def, image, keywords, write
from calwebb_simulator.references.detector import HISTORY

IRS2_PATTERNS = "NRSIRS2|NRSIRS2RAPID"
OTHER_PATTERNS = "NRS|NRSRAPID"
BAD_DTYPE = np.dtype([("OUTPUT", "u2"), ("ODD_EVEN", "u2"), ("MASK", "u4")])


def write_irs2_mask(path: Path, scope: Scope, properties: Properties) -> Path:
    """Write the bad pixels with the reference samples of IRS2 frames between: (3200, 2048)."""
    header = keywords(scope, "mask", "MaskModel", "Bad pixels, IRS2") | pattern_keywords()
    template = reference_bias(scope.frame, scope.realisation, frozenset())
    flags = np.where(template > 0, np.uint32(PixelDQ.REFERENCE_PIXEL), np.uint32(0))
    dq = embed(scope.frame, properties.dq, flags.astype(np.uint32))
    return write(path, header, [image("DQ", dq), dq_def(dq)], HISTORY)


def write_irs2_superbias(path: Path, scope: Scope, properties: Properties) -> Path:
    """Write the bias of pixels and reference samples of IRS2 frames in DN: (3200, 2048)."""
    header = keywords(scope, "superbias", "SuperBiasModel", "Bias, IRS2") | pattern_keywords()
    header["BUNIT"] = "DN"
    reference = reference_bias(scope.frame, scope.realisation, scope.effects)
    bias = embed(scope.frame, properties.bias, reference)
    dq = np.zeros(bias.shape, dtype=np.uint32)
    error = np.full(bias.shape, 0.3, dtype=np.float32)
    return write(
        path,
        header,
        [image("SCI", bias), image("ERR", error), image("DQ", dq), dq_def(dq)],
        HISTORY,
    )


def pattern_keywords() -> dict[str, str]:
    """Return the keywords of files for IRS2 frames."""
    return {"READPATT": "NRSIRS2RAPID", "P_READPA": IRS2_PATTERNS + "|"}


def write_refpix(path: Path, scope: Scope) -> Path:
    """Write the weights of IRS2's reference output and reference pixels, and the bad ones.

    The weights are transforms of real, even kernels: complex numbers at all frequencies, real
    and imaginary parts in turns.
    """
    header = keywords(scope, "refpix", "IRS2Model", "Weights of reference samples")
    header |= pattern_keywords()
    detector = scope.frame.detector
    rows = scope.frame.read_shape[0]
    alpha, beta = weights(rows, detector.cds_noise / np.sqrt(2) / detector.gain)
    dtype = [(f"{name}_{number}", ">f4") for name in ("alpha", "beta") for number in range(OUTPUTS)]
    table = np.zeros(2 * rows * IRS2_ROW, dtype=dtype)
    for number in range(OUTPUTS):
        table[f"alpha_{number}"][::2] = both_signs(alpha[number])
        table[f"beta_{number}"][::2] = both_signs(beta[number])
    hdus = [
        fits.BinTableHDU(table, name="IRS2"),
        fits.BinTableHDU(bad_table(scope.effects), name="DQ"),
    ]
    return write(path, header, hdus, HISTORY)


def both_signs(half: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an even function of frequency at all frequencies from its values from 0 up."""
    return np.concatenate([half, half[-2:0:-1]])


def bad_table(effects: frozenset[str]) -> NDArray[np.void]:
    """Return the table of bad reference pixels: output, first or second pair, visits as bits.

    Pairs and outputs are counted from 1; outputs 2 and 4 count the pairs in the order of time.
    """
    bad = BAD if "bad_reference_pixels" in effects else ()
    rows = [
        (output, 2 - pair if output % 2 == 0 else pair + 1, 1 << visit)
        for output, visit, pair in bad
    ]
    return np.array(rows, dtype=BAD_DTYPE)


def write_pictureframe(path: Path, scope: Scope) -> Path:
    """Write the picture frame of full frames."""
    header = keywords(scope, "pictureframe", "PictureFrameModel", "Picture frame")
    return write(path, header, [image("SCI", picture_frame(scope.frame.shape))], HISTORY)
