"""Shift, scale, order, constants, matrices, arithmetic and polynomials."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from calwebb_core.science.transforms.base import Arrays, Float64, NoInverseError, Transform

Interval = tuple[float, float]


class Shift(Transform):
    """Add a number."""

    tag = "transform/shift-1.4.0"

    def __init__(self, offset: float, name: str | None = None) -> None:
        self.offset, self.name = float(offset), name

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Add it."""
        return (arrays[0] + self.offset,)

    def derived_inverse(self) -> Transform:
        """Return the shift back."""
        return Shift(-self.offset)

    def fields(self) -> dict[str, Any]:
        """Return the offset."""
        return {"offset": self.offset}


class Scale(Transform):
    """Multiply by a number."""

    tag = "transform/scale-1.4.0"

    def __init__(self, factor: float, name: str | None = None) -> None:
        self.factor, self.name = float(factor), name

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Multiply by it."""
        return (arrays[0] * self.factor,)

    def derived_inverse(self) -> Transform:
        """Return the scale back.

        Raises
        ------
        NoInverseError
            If the factor is zero.
        """
        if self.factor == 0:
            msg = "a scale of zero"
            raise NoInverseError(msg)
        return Scale(1.0 / self.factor)

    def fields(self) -> dict[str, Any]:
        """Return the factor."""
        return {"factor": self.factor}


class Identity(Transform):
    """Leave coordinates as they are."""

    tag = "transform/identity-1.4.0"

    def __init__(self, n: int) -> None:
        self.n_inputs = self.n_outputs = n

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return them."""
        return arrays

    def derived_inverse(self) -> Transform:
        """Return itself."""
        return Identity(self.n_inputs)

    def fields(self) -> dict[str, Any]:
        """Return the number of coordinates, 1 being understood."""
        return {"n_dims": self.n_inputs} if self.n_inputs != 1 else {}


class Remap(Transform):
    """Choose, repeat or reorder coordinates."""

    tag = "transform/remap_axes-1.5.0"

    def __init__(self, mapping: Sequence[int], n_inputs: int | None = None) -> None:
        self.mapping = tuple(int(index) for index in mapping)
        self.n_inputs = max(self.mapping) + 1 if n_inputs is None else n_inputs
        self.n_outputs = len(self.mapping)

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return the chosen ones."""
        return tuple(arrays[index] for index in self.mapping)

    def derived_inverse(self) -> Transform:
        """Return the order that undoes it.

        Raises
        ------
        NoInverseError
            If a coordinate is dropped.
        """
        if set(self.mapping) != set(range(self.n_inputs)):
            msg = f"the mapping {self.mapping} drops a coordinate"
            raise NoInverseError(msg)
        return Remap([self.mapping.index(i) for i in range(self.n_inputs)], self.n_outputs)

    def fields(self) -> dict[str, Any]:
        """Return the mapping, and the number of inputs where the mapping doesn't tell it."""
        fields: dict[str, Any] = {"mapping": list(self.mapping)}
        if self.n_inputs != max(self.mapping) + 1:
            fields["n_inputs"] = self.n_inputs
        return fields


class Constant(Transform):
    """Return a number whatever the one or two coordinates."""

    tag = "transform/constant-1.6.0"

    def __init__(self, value: float, n_inputs: int = 1) -> None:
        self.value, self.n_inputs = float(value), n_inputs

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return it."""
        return (np.full_like(arrays[0], self.value),)

    def fields(self) -> dict[str, Any]:
        """Return the value."""
        return {"value": self.value, "dimensions": self.n_inputs}


class Affine(Transform):
    """A 2 x 2 matrix and a translation."""

    tag = "transform/affine-1.5.0"
    n_inputs = n_outputs = 2

    def __init__(self, matrix: ArrayLike, translation: ArrayLike = (0.0, 0.0)) -> None:
        self.matrix = np.array(matrix, np.float64).reshape(2, 2)
        self.translation = np.array(translation, np.float64).reshape(2)

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Multiply and add."""
        x, y = arrays
        (a, b), (c, d) = self.matrix
        return a * x + b * y + self.translation[0], c * x + d * y + self.translation[1]

    def derived_inverse(self) -> Transform:
        """Return the inverse matrix with its translation.

        Raises
        ------
        NoInverseError
            If the matrix is singular.
        """
        if np.linalg.det(self.matrix) == 0:
            msg = "a singular matrix"
            raise NoInverseError(msg)
        inverse = np.linalg.inv(self.matrix)
        return Affine(inverse, -inverse @ self.translation)

    def fields(self) -> dict[str, Any]:
        """Return matrix and translation."""
        return {"matrix": self.matrix, "translation": self.translation}


class Arithmetic(Transform):
    """The same operation on the outputs of two transforms of the same inputs."""

    operations: ClassVar[dict[str, Callable[[Float64, Float64], Float64]]] = {
        "add": np.add,
        "subtract": np.subtract,
        "multiply": np.multiply,
        "divide": np.divide,
    }

    def __init__(self, operation: str, first: Transform, second: Transform) -> None:
        self.operation, self.first, self.second = operation, first, second
        self.n_inputs, self.n_outputs = first.n_inputs, first.n_outputs
        self.tag = f"transform/{operation}-1.4.0"  # type: ignore[misc]

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Apply it to each output."""
        pairs = zip(self.first.evaluate(*arrays), self.second.evaluate(*arrays), strict=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            return tuple(self.operations[self.operation](a, b) for a, b in pairs)

    def fields(self) -> dict[str, Any]:
        """Return both nodes."""
        return {"forward": [self.first.node(), self.second.node()]}


class Fixed(Transform):
    """Another transform, some of whose inputs are constants.

    Parameters
    ----------
    inner : Transform
    values : dict
        Constants by the place of the input, from 0.
    """

    tag = "transform/fix_inputs-1.4.0"

    def __init__(self, inner: Transform, values: dict[int, float]) -> None:
        self.inner, self.values = inner, dict(values)
        self.n_inputs, self.n_outputs = inner.n_inputs - len(values), inner.n_outputs

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Apply it with the constants in their places."""
        free = iter(arrays)
        inputs = [
            np.full_like(arrays[0], self.values[place]) if place in self.values else next(free)
            for place in range(self.inner.n_inputs)
        ]
        return self.inner.evaluate(*inputs)

    def fields(self) -> dict[str, Any]:
        """Return the other node and the constants."""
        given = {"keys": list(self.values), "values": list(self.values.values())}
        return {"forward": [self.inner.node(), given]}


class Polynomial(Transform):
    """A polynomial in one or two coordinates.

    Parameters
    ----------
    coefficients : float64, (n,) or (n, n)
        Of x**i, or of x**i y**j.
    domain, window : intervals, one a coordinate, optional
        The domain is mapped on the window first.
    """

    tag = "transform/polynomial-1.3.0"

    def __init__(
        self,
        coefficients: ArrayLike,
        domain: Sequence[Interval] | None = None,
        window: Sequence[Interval] | None = None,
    ) -> None:
        self.coefficients = np.array(coefficients, np.float64)
        self.n_inputs = self.coefficients.ndim
        self.domain, self.window = domain, window

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Evaluate by Horner's scheme."""
        mapped = [self.map(i, array) for i, array in enumerate(arrays)]
        if self.n_inputs == 1:
            return (horner(self.coefficients, mapped[0]),)
        rows = [horner(used_part(row), mapped[1]) for row in self.coefficients]
        return (horner(rows, mapped[0]),)

    def map(self, axis: int, array: Float64) -> Float64:
        """Map a coordinate from its domain on its window."""
        if self.domain is None or self.window is None:
            return array
        (a, b), (c, d) = self.domain[axis], self.window[axis]
        if (a, b) == (c, d):
            return array
        return c + (array - a) * ((d - c) / (b - a))

    def fields(self) -> dict[str, Any]:
        """Return coefficients, domain and window."""
        fields: dict[str, Any] = {"coefficients": self.coefficients}
        if self.domain is not None and self.window is not None:
            pairs = {"domain": self.domain, "window": self.window}
            values = {key: [list(interval) for interval in pair] for key, pair in pairs.items()}
            fields |= values if self.n_inputs == 2 else {k: v[0] for k, v in values.items()}
        return fields


def used_part(row: Float64) -> Float64:
    """Return the coefficients of a row up to the last that isn't zero."""
    used = np.flatnonzero(row)
    return row[: used[-1] + 1] if used.size else row[:1]


def horner(coefficients: Any, x: Float64) -> Float64:
    """Evaluate sum c_i x**i; coefficients may be arrays of x's shape."""
    result = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        result = result * x + coefficient
    return result if isinstance(result, np.ndarray) else np.full_like(x, result)
