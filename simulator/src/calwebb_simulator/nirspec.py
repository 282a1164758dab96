"""The readout of NIRSpec: a picture frame in full frames.

Along the edges of full frames the level wanders with the temperature of the detectors'
electronics (Rauscher 2024, arXiv 2306.03250, describes it beside the 1/f noise).
"""

import numpy as np

from calwebb_simulator.special import Float32, SpecialReadout

FRAME_WIDTH = 90.0  # pixels over which the picture frame fades
FRAME_DN = 12.0  # rms of its step from read to read at the very edge
FRAME_LEVEL = 1.0  # in the reference file at the very edge


class NirspecReadout(SpecialReadout):
    """What NIRSpec's electronics add to the signal."""

    def disturb(self, integration: int, read: int, signal: Float32) -> None:
        """Add the picture frame."""
        if "picture_frame" in self.effects and self.frame.subarray == "FULL":
            step = self.stream("picture_frame", integration, read).normal(0, FRAME_DN)
            signal += picture_frame(self.frame.shape) * np.float32(step)


def picture_frame(shape: tuple[int, int]) -> Float32:
    """Return the picture frame's shape, 1 at the edge of a full frame: (ny, nx)."""
    along_y, along_x = (np.minimum(np.arange(size), size - 1 - np.arange(size)) for size in shape)
    distance = np.minimum(along_y[:, None], along_x[None, :])
    return np.asarray(FRAME_LEVEL * np.exp(-distance / FRAME_WIDTH), dtype=np.float32)
