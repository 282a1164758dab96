"""Transforms of coordinates as arrays in, arrays out; the same trees as astropy and gwcs store.

gwcs and astropy.modeling take longer to import than the steps that use them. These classes do the
same arithmetic with numpy alone, and turn into the nodes of an ASDF file that those libraries read.
"""

from calwebb_core.science.transforms.base import (
    Beside,
    Chain,
    NoInverseError,
    Transform,
)
from calwebb_core.science.transforms.nodes import UnknownTransformError, from_node

__all__ = ["Beside", "Chain", "NoInverseError", "Transform", "UnknownTransformError", "from_node"]
