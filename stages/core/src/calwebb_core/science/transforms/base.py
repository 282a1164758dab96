"""What a transform is, and how two make one: one after the other, or side by side."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.plain_asdf import STANDARD_TAG, Tagged

Float64 = NDArray[np.float64]
Arrays = tuple[Float64, ...]

CHUNK = 1 << 14


class NoInverseError(Exception):
    """The transform has no inverse of its own and none was given."""


class Transform(ABC):
    """Coordinates to coordinates.

    Attributes
    ----------
    n_inputs, n_outputs : int
    name : str or None
    own_inverse : Transform or None
        Given with the transform; takes the place of the derived one.
    tag : str
        Of its ASDF node, without authority.
    """

    tag: ClassVar[str] = ""
    authority: ClassVar[str] = STANDARD_TAG
    n_inputs: int = 1
    n_outputs: int = 1
    name: str | None = None
    own_inverse: "Transform | None" = None

    @abstractmethod
    def evaluate(self, *arrays: Float64) -> Arrays:
        """Return the outputs for float64 arrays of one shape."""

    def derived_inverse(self) -> "Transform":
        """Return the inverse that follows from the parameters.

        Raises
        ------
        NoInverseError
            If there is none.
        """
        raise NoInverseError(type(self).__name__)

    def fields(self) -> dict[str, Any]:
        """Return what its ASDF node holds beside name and inverse."""
        return {}

    def node(self) -> Tagged:
        """Return the ASDF node."""
        node = Tagged(self.authority + self.tag, self.fields())
        if self.name is not None:
            node["name"] = self.name
        if self.own_inverse is not None:
            node["inverse"] = self.own_inverse.node()
        return node

    @property
    def inverse(self) -> "Transform":
        """The given inverse, or the derived one.

        Raises
        ------
        NoInverseError
            If there is none.
        """
        return self.derived_inverse() if self.own_inverse is None else self.own_inverse

    def named(self, name: str) -> "Transform":
        """Return the same transform with a name."""
        other = copy.copy(self)
        other.name = name
        return other

    def with_inverse(self, inverse: "Transform") -> "Transform":
        """Return the same transform with another inverse."""
        other = copy.copy(self)
        other.own_inverse = inverse
        return other

    def __or__(self, following: "Transform") -> "Chain":
        return Chain(self, following)

    def __and__(self, neighbour: "Transform") -> "Beside":
        return Beside(self, neighbour)

    def __call__(self, *values: Any, with_bounding_box: bool = False) -> Any:  # noqa: ARG002
        """Evaluate; a single output comes alone, numbers for numbers.

        `with_bounding_box` is taken for likeness with gwcs and has no effect.
        """
        arrays = np.broadcast_arrays(*(np.asarray(value, np.float64) for value in values))
        if len(arrays) != self.n_inputs:
            msg = f"{type(self).__name__} takes {self.n_inputs} inputs; {len(arrays)} were given"
            raise TypeError(msg)
        large = arrays[0].size > CHUNK
        evaluated = self.in_chunks(arrays) if large else self.evaluate(*arrays)
        results = tuple(np.broadcast_to(r, arrays[0].shape)[()] for r in evaluated)
        return results if self.n_outputs > 1 else results[0]

    def in_chunks(self, arrays: Sequence[Float64]) -> Arrays:
        """Evaluate large arrays piece by piece: what stays in the cache is twice as fast."""
        flat = [array.reshape(-1) for array in arrays]
        results = tuple(np.empty(flat[0].size) for _ in range(self.n_outputs))
        for start in range(0, flat[0].size, CHUNK):
            part = slice(start, start + CHUNK)
            for result, values in zip(
                results, self.evaluate(*(array[part] for array in flat)), strict=True
            ):
                result[part] = values
        return tuple(result.reshape(arrays[0].shape) for result in results)


class Chain(Transform):
    """Two transforms, one after the other."""

    tag = "transform/compose-1.4.0"

    def __init__(self, first: Transform, second: Transform) -> None:
        if first.n_outputs != second.n_inputs:
            msg = (
                f"{type(first).__name__} gives {first.n_outputs} coordinates, "
                f"{type(second).__name__} takes {second.n_inputs}"
            )
            raise ValueError(msg)
        self.first, self.second = first, second
        self.n_inputs, self.n_outputs = first.n_inputs, second.n_outputs

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Apply the first, then the second."""
        return self.second.evaluate(*self.first.evaluate(*arrays))

    def derived_inverse(self) -> Transform:
        """Return the inverses in the other order."""
        return Chain(self.second.inverse, self.first.inverse)

    def fields(self) -> dict[str, Any]:
        """Return both nodes."""
        return {"forward": [self.first.node(), self.second.node()]}


class Beside(Transform):
    """Two transforms side by side, each on its own coordinates."""

    tag = "transform/concatenate-1.4.0"

    def __init__(self, first: Transform, second: Transform) -> None:
        self.first, self.second = first, second
        self.n_inputs = first.n_inputs + second.n_inputs
        self.n_outputs = first.n_outputs + second.n_outputs

    def evaluate(self, *arrays: Float64) -> Arrays:
        """Apply each to its own."""
        border = self.first.n_inputs
        return (*self.first.evaluate(*arrays[:border]), *self.second.evaluate(*arrays[border:]))

    def derived_inverse(self) -> Transform:
        """Return both inverses side by side."""
        return Beside(self.first.inverse, self.second.inverse)

    def fields(self) -> dict[str, Any]:
        """Return both nodes."""
        return {"forward": [self.first.node(), self.second.node()]}
