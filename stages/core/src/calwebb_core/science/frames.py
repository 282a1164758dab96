"""Coordinate frames and bounding boxes as an ASDF file states them."""

from dataclasses import dataclass
from typing import Any

from calwebb_core.framework.plain_asdf import STANDARD_TAG, Tagged, TaggedText
from calwebb_core.science.transforms.nodes import UnknownTransformError

GWCS = "tag:stsci.edu:gwcs/"
ICRS_TAG = "tag:astropy.org:astropy/coordinates/frames/icrs-1.1.0"
UNIT_TAG = STANDARD_TAG + "unit/unit-1.0.0"
BOX_TAG = STANDARD_TAG + "transform/property/bounding_box-1.2.0"

Interval = tuple[float, float]


class Box(tuple[Interval, Interval]):
    """A bounding box: ((x0, x1), (y0, y1)) in pixels, edges included."""

    __slots__ = ()

    def bounding_box(self, order: str = "F") -> tuple[Interval, Interval]:
        """Return ((x0, x1), (y0, y1)), or with order "C" ((y0, y1), (x0, x1))."""
        return (self[0], self[1]) if order == "F" else (self[1], self[0])


@dataclass(frozen=True)
class Frame:
    """A coordinate frame: its name, and its node as it is stored."""

    node: Tagged

    @property
    def name(self) -> str:
        """What it is called, as ``v2v3``."""
        return str(self.node["name"])

    @classmethod
    def plane(cls, name: str, axes: tuple[str, str], unit: str) -> "Frame":
        """Return a frame of two coordinates of one unit."""
        values = {
            "axes_names": list(axes),
            "axes_order": [0, 1],
            "axis_physical_types": [f"custom:{axis}" for axis in axes],
            "name": name,
            "unit": [TaggedText(UNIT_TAG, unit), TaggedText(UNIT_TAG, unit)],
        }
        return cls(Tagged(GWCS + "frame2d-1.2.0", values))

    @classmethod
    def sky(cls, name: str = "world") -> "Frame":
        """Return the frame of right ascension and declination, ICRS, in degrees."""
        values = {
            "axes_names": ["lon", "lat"],
            "axes_order": [0, 1],
            "axis_physical_types": ["pos.eq.ra", "pos.eq.dec"],
            "name": name,
            "reference_frame": Tagged(ICRS_TAG, {"frame_attributes": {}}),
            "unit": [TaggedText(UNIT_TAG, "deg"), TaggedText(UNIT_TAG, "deg")],
        }
        return cls(Tagged(GWCS + "celestial_frame-1.2.0", values))

    @classmethod
    def spectral(cls, name: str = "spectral", unit: str = "um", axis: int = 2) -> "Frame":
        """Return the frame of a wavelength; `axis` is its place among the coordinates."""
        values = {
            "axes_names": ["wavelength"],
            "axes_order": [axis],
            "axis_physical_types": ["em.wl"],
            "name": name,
            "unit": [TaggedText(UNIT_TAG, unit)],
        }
        return cls(Tagged(GWCS + "spectral_frame-1.2.0", values))

    @classmethod
    def composite(cls, name: str, *frames: "Frame") -> "Frame":
        """Return several frames as one; the coordinates of each have their own places."""
        values = {"frames": [frame.node for frame in frames], "name": name}
        return cls(Tagged(GWCS + "composite_frame-1.0.0", values))

    @property
    def n_axes(self) -> int:
        """Number of its coordinates."""
        parts = self.node.get("frames", [self.node])
        return sum(len(part.get("axes_order", (0,))) for part in parts)

    def renamed(self, name: str) -> "Frame":
        """Return the same frame under another name."""
        return Frame(Tagged(self.node.tag, self.node | {"name": name}))


def box_fields(box: Box) -> dict[str, Any]:
    """Return the fields that state a bounding box in a transform's node."""
    intervals = {"x0": list(box[0]), "x1": list(box[1])}
    values = {"ignore": [], "intervals": intervals, "order": "F"}
    return {"inputs": ["x0", "x1"], "bounding_box": Tagged(BOX_TAG, values)}


def read_box(transform: Tagged) -> Box | None:
    """Return the bounding box in a transform's node; old files have a list, y first.

    Raises
    ------
    UnknownTransformError
        If it isn't one of two coordinates.
    """
    stated = transform.get("bounding_box")
    if stated is None:
        return None
    try:
        if isinstance(stated, Tagged):
            intervals = stated["intervals"]
            pairs = [intervals[name] for name in transform.get("inputs", sorted(intervals))]
        else:
            pairs = list(reversed(stated))
        (x0, x1), (y0, y1) = pairs
        return Box(((float(x0), float(x1)), (float(y0), float(y1))))
    except (KeyError, TypeError, ValueError) as error:
        msg = "a bounding box of other than two coordinates"
        raise UnknownTransformError(msg) from error
