"""The world coordinates of an image or spectrum: a chain of frames and transforms, without gwcs.

`World` has the methods of ``gwcs.WCS`` that this project uses, does the same arithmetic, and is
stored as the same ASDF nodes; `World.gwcs` returns the object of that library.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from calwebb_core.framework.plain_asdf import Tagged, read_tree, write_tree
from calwebb_core.science.frames import GWCS, Box, Frame, box_fields, read_box
from calwebb_core.science.transforms.base import Chain, Transform
from calwebb_core.science.transforms.nodes import UnknownTransformError, from_node

__all__ = ["Box", "Frame", "World", "read_box"]

REFINEMENTS = 4
LARGEST_STEP = 8.0  # pixels
FINE_ENOUGH = 1e-7  # pixels
# Coordinates of pixels and of the world: images, spectra, those that carry an order, and those
# whose orders lie on one another.
SHAPES = ((2, 2), (2, 3), (2, 4), (3, 4))


@dataclass(frozen=True)
class World:
    """Pixels of an image to right ascension and declination; of a spectrum to wavelength, too.

    Attributes
    ----------
    frames : tuple of Frame
        From ``detector`` to ``world``.
    transforms : tuple of Transform
        One from each frame to the next.
    bounding_box : Box or None
        Where the WCS holds, in pixels.
    pixel_shape : (nx, ny) or None
    name : str
    """

    frames: tuple[Frame, ...]
    transforms: tuple[Transform, ...]
    bounding_box: Box | None = None
    pixel_shape: tuple[int, int] | None = None
    name: str = ""
    _cache: dict[str, Transform] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.frames) != len(self.transforms) + 1:
            msg = f"{len(self.frames)} frames and {len(self.transforms)} transforms"
            raise ValueError(msg)

    @property
    def available_frames(self) -> list[str]:
        """Names of the frames, in order."""
        return [frame.name for frame in self.frames]

    @property
    def input_frame(self) -> Frame:
        """The first frame."""
        return self.frames[0]

    @property
    def output_frame(self) -> Frame:
        """The last frame."""
        return self.frames[-1]

    @property
    def forward_transform(self) -> Transform:
        """Pixels to the last frame."""
        if "forward" not in self._cache:
            self._cache["forward"] = chained(self.transforms)
        return self._cache["forward"]

    @property
    def backward_transform(self) -> Transform:
        """The last frame to pixels.

        Raises
        ------
        NoInverseError
            If a transform has no inverse.
        """
        if "backward" not in self._cache:
            self._cache["backward"] = chained([t.inverse for t in reversed(self.transforms)])
        return self._cache["backward"]

    def get_transform(self, start: str, end: str) -> Transform:
        """Return the transform between two frames.

        Raises
        ------
        ValueError
            If there is no such frame.
        """
        first, last = (self.available_frames.index(name) for name in (start, end))
        if first < last:
            return chained(self.transforms[first:last])
        return chained([t.inverse for t in reversed(self.transforms[last:first])])

    def __call__(self, *pixel: Any, with_bounding_box: bool = True) -> Any:
        """Return right ascension and declination in degrees, of a spectrum the wavelength, too.

        They are NaN outside of the bounding box. A pixel is x and y; where spectral orders lie on
        one another, before they are cut out, the order is a third.
        """
        results = self.forward_transform(*pixel)[: self.output_frame.n_axes]
        return self.inside(pixel[0], pixel[1], results) if with_bounding_box else results

    def invert(self, *position: Any, with_bounding_box: bool = True) -> Any:
        """Return pixels (0-based) of positions in degrees; NaN outside of the bounding box.

        A position is what `__call__` returns: two coordinates, or three of a spectrum.

        The inverse polynomials of distortion references are off by up to 0.3 pixel (NIRCam), those
        of NIRSpec's optics by more than one: what they are off by is measured with the forward
        transform and taken out, until a pixel found lies on its position to 1e-6 pixel.
        """
        if self.has_order:
            x, y = self.of_order(*position)
        else:
            x, y = self.refined(*self.backward_transform(*position))
        return self.inside(x, y, (x, y)) if with_bounding_box else (x, y)

    @property
    def has_order(self) -> bool:
        """Whether the transforms carry a spectral order behind the coordinates of the frames.

        Those of grisms do. All their pixels look at the same place, that of the source: what can
        be refined is its pixel in the direct image, to which their first transform leads.
        """
        return self.forward_transform.n_outputs > self.output_frame.n_axes

    def of_order(self, *position: Any) -> tuple[Any, Any]:
        """Return the pixels of positions in a spectrum; its order, if it has one, is understood."""
        if len(position) < self.backward_transform.n_inputs:
            if self.forward_transform.n_inputs > 2:
                msg = "several orders lie on one another: give the order, too"
                raise TypeError(msg)
            position = (*position, self.forward_transform(0.0, 0.0)[-1])
        rest = self.transforms[1:]
        back = chained([t.inverse for t in reversed(rest)])
        x, y, *light = np.broadcast_arrays(*back(*position))
        x, y = refine(x, y, lambda *pixel: back(*chained(rest)(*pixel, *light))[:2])
        found = self.transforms[0].inverse(x, y, *light)
        return found[0], found[1]

    def refined(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return the pixels that the forward transform takes where the backward one came from."""
        return refine(x, y, lambda *pixel: self.backward_transform(*self.forward_transform(*pixel)))

    def inside(self, x: Any, y: Any, results: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the results with NaN where pixels are outside of the bounding box."""
        if self.bounding_box is None:
            return results
        (x0, x1), (y0, y1) = self.bounding_box
        x, y = np.asarray(x), np.asarray(y)
        within = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
        if np.all(within):
            return results
        return tuple(np.where(within, result, np.nan)[()] for result in results)

    def inserted(self, after: str, name: str, transform: Transform) -> "World":
        """Return this chain with a frame inserted after another one of the same kind.

        Parameters
        ----------
        after : str
            Name of the frame before it; what followed that one follows the new frame.
        name : str
            Of the new frame.
        transform : Transform
            From the one to the new one.
        """
        place = self.available_frames.index(after) + 1
        frame = self.frames[place - 1].renamed(name)
        return replace(
            self,
            frames=(*self.frames[:place], frame, *self.frames[place:]),
            transforms=(*self.transforms[: place - 1], transform, *self.transforms[place - 1 :]),
            _cache={},
        )

    def appended(self, name: str, transform: Transform) -> "World":
        """Return this chain with a frame like the last one after it.

        Parameters
        ----------
        name : str
            Of the new frame.
        transform : Transform
            From the last frame to the new one.
        """
        return self.inserted(self.output_frame.name, name, transform)

    def node(self) -> Tagged:
        """Return the node of an ASDF file that gwcs reads."""
        steps = []
        for i, frame in enumerate(self.frames):
            transform = self.transforms[i].node() if i < len(self.transforms) else None
            if i == 0 and transform is not None and self.bounding_box is not None:
                transform |= box_fields(self.bounding_box)
            steps.append(Tagged(GWCS + "step-1.3.0", {"frame": frame.node, "transform": transform}))
        values: dict[str, Any] = {"name": self.name, "steps": steps}
        if self.pixel_shape is not None:
            values["pixel_shape"] = list(self.pixel_shape)
        return Tagged(GWCS + "wcs-1.4.0", values)

    def gwcs(self) -> Any:
        """Return the ``gwcs.WCS``, for libraries that want one; it loads that package."""
        import io

        import asdf

        content = io.BytesIO(write_tree({"wcs": self.node()}))
        with asdf.open(content, lazy_load=False, memmap=False) as file:
            return file.tree["wcs"]

    @classmethod
    def from_node(cls, node: Any) -> "World":
        """Return the chain of an ASDF node.

        Raises
        ------
        UnknownTransformError
            If it has transforms that aren't evaluated here, or is no chain of an image.
        """
        if not isinstance(node, Tagged) or node.kind != "gwcs/wcs":
            msg = "no gwcs/wcs"
            raise UnknownTransformError(msg)
        steps = node["steps"]
        if not steps or any(not isinstance(step.get("frame"), Tagged) for step in steps):
            msg = "a step without frame"
            raise UnknownTransformError(msg)
        transforms = tuple(from_node(step["transform"]) for step in steps[:-1])
        if (transforms[0].n_inputs, transforms[-1].n_outputs) not in SHAPES:
            msg = "a WCS of other than two axes of pixels and two or three of the world"
            raise UnknownTransformError(msg)
        shape = node.get("pixel_shape")
        return cls(
            tuple(Frame(step["frame"]) for step in steps),
            transforms,
            read_box(steps[0]["transform"]),
            None if shape is None else (int(shape[0]), int(shape[1])),
            str(node.get("name", "")),
        )

    @classmethod
    def of(cls, wcs: Any) -> "World":
        """Return the same chain of a ``gwcs.WCS``, or the given one if it is a World."""
        if isinstance(wcs, World):
            return wcs
        import io

        import asdf

        buffer = io.BytesIO()
        asdf.AsdfFile({"wcs": wcs}).write_to(buffer)
        return cls.from_node(read_tree(buffer.getvalue())["wcs"])


def refine(x: Any, y: Any, again: Callable[..., Any]) -> tuple[Any, Any]:
    """Return pixels such that there and back again, from them, leads to those given."""
    first = np.stack([x, y])
    pixels = first
    for _ in range(REFINEMENTS):
        step = first - np.stack(again(*pixels))
        # far outside of the detector polynomials mean nothing
        sane = np.all(np.abs(step) < LARGEST_STEP, axis=0)
        pixels = pixels + np.where(sane, step, 0.0)
        if not np.any(sane & (np.abs(step) > FINE_ENOUGH)):
            break
    return pixels[0][()], pixels[1][()]


def chained(transforms: Sequence[Transform]) -> Transform:
    """Return transforms one after the other as one."""
    result = transforms[0]
    for transform in transforms[1:]:
        result = Chain(result, transform)
    return result
