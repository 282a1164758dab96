"""Direction cosines and rotations of them, as in the parametric model of NIRSpec.

The model is that of Dorner et al. 2016 (A&A 592, A113). The nodes are those of the official
product; whoever opens them with gwcs needs the package stdatamodels.
"""

from typing import Any

import numpy as np

from calwebb_core.science.transforms.base import Arrays, Float64, Transform
from calwebb_core.science.transforms.sphere import GWCS_TAG, Rotations


class ToCosines(Transform):
    """The coordinates x, y of a ray (x, y, 1) to its direction cosines."""

    tag = "jwst_pipeline/coords-1.2.0"
    authority = GWCS_TAG
    n_inputs, n_outputs = 2, 3

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return the unit vector."""
        x, y = arrays
        length = np.sqrt(1.0 + x * x + y * y)
        return x / length, y / length, 1.0 / length

    def derived_inverse(self) -> Transform:
        """Return the way back."""
        return FromCosines()

    def fields(self) -> dict[str, Any]:
        """Return the direction."""
        return {"model_type": "unitless2directional"}


class FromCosines(Transform):
    """Direction cosines to the coordinates x, y of a ray (x, y, 1)."""

    tag = "jwst_pipeline/coords-1.2.0"
    authority = GWCS_TAG
    n_inputs, n_outputs = 3, 2

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return x / z and y / z."""
        x, y, z = arrays
        return x / z, y / z

    def derived_inverse(self) -> Transform:
        """Return the way back."""
        return ToCosines()

    def fields(self) -> dict[str, Any]:
        """Return the direction."""
        return {"model_type": "directional2unitless"}


class CosineRotations(Rotations):
    """Rotations of direction cosines, one after the other, in degrees.

    They are the rotations of vectors of `Rotations`: the official model finds the third cosine
    from the first two, which is the same for rays that go forward.
    """

    tag = "jwst_pipeline/rotation_sequence-1.2.0"
    authority = GWCS_TAG

    def derived_inverse(self) -> Transform:
        """Return the rotations back, in the other order."""
        return CosineRotations([-angle for angle in reversed(self.angles)], self.axes_order[::-1])

    def fields(self) -> dict[str, Any]:
        """Return angles and axes."""
        return {"angles": self.angles, "axes_order": self.axes_order}
