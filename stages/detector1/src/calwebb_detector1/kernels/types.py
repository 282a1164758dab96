"""Names of the array types in the signatures of kernels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
UInt16 = NDArray[np.uint16]
UInt32 = NDArray[np.uint32]
UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]
Product = tuple[Float32, Float32, UInt32, Float32, Float32]

# A number whose type the compiler infers from the arguments.
Scalar = Any
Scalar4 = tuple[Scalar, Scalar, Scalar, Scalar]
