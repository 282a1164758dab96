"""The WCS of several slits as the official product stores it: one chain that takes a slit's number.

Every transform of the chain carries that number along; two of them choose by it. The third
coordinate of pixels is the number, the fourth of the sky.
"""

from collections.abc import Sequence
from typing import Any, Final

from calwebb_core.framework.plain_asdf import STANDARD_TAG, Tagged
from calwebb_core.framework.plain_values import mapping_of
from calwebb_core.science.frames import BOX_TAG, GWCS, Box, Frame
from calwebb_core.science.nirspec.apertures import Aperture
from calwebb_core.science.transforms import (
    Beside,
    Chain,
    Transform,
    UnknownTransformError,
    from_node,
)
from calwebb_core.science.transforms.elementary import Identity, Remap
from calwebb_core.science.transforms.sphere import GWCS_TAG
from calwebb_core.science.world import World

Pairs = Sequence[tuple[Aperture, World]]

STEPS: Final = 9  # with the last frame
COMPOUND_BOX: Final = STANDARD_TAG + "transform/property/compound_bounding_box-1.2.0"
TO_SLIT: Final = "jwst_pipeline/gwa_to_slit"
TO_MSA: Final = "jwst_pipeline/slit_to_msa"
VERSION: Final = "-1.2.0"
ANGLES: Final = ["angle1", "angle2", "angle3"]
PLACE: Final = ["x_slit", "y_slit"]
# coordinates between the steps by the names that official steps know them by
COORDINATES: Final = (
    ["x", "y", "name"],
    ["x", "y", "name"],
    ["name", *ANGLES],
    ["name", *PLACE, "lam"],
    ["x_msa", "y_msa", "lam", "name"],
    ["x_ote", "y_ote", "lam", "name"],
    ["v2", "v3", "lam", "name"],
    ["v2", "v3", "lam", "name"],
    ["ra", "dec", "lam", "name"],
)


def node_of(slits: Pairs) -> Tagged:
    """Return the node of an ASDF file that gwcs reads, with the package stdatamodels."""
    world = slits[0][1]
    number = Identity(1)
    transforms: list[Any] = [
        (world.transforms[0] & number).named("dms2sca").node(),
        ((world.transforms[1] & number) | Remap([3, 0, 1, 2])).named("det2gwa").node(),
        choice(TO_SLIT, slits, [w.transforms[2] for _, w in slits]),
        slit_to_msa(slits),
        *((transform & number).node() for transform in world.transforms[4:]),
        None,
    ]
    for transform, before, after in zip(
        transforms[:-1], COORDINATES, COORDINATES[1:], strict=False
    ):
        transform |= {"inputs": before, "outputs": after}
    transforms[0]["bounding_box"] = compound_box(slits)
    steps = [
        Tagged(GWCS + "step-1.3.0", {"frame": frame.node, "transform": transform})
        for frame, transform in zip(world.frames, transforms, strict=True)
    ]
    return Tagged(GWCS + "wcs-1.4.0", {"name": "", "steps": steps})


def choice(kind: str, slits: Pairs, models: list[Transform]) -> Tagged:
    """Return the node of what chooses a transform by the slit's number."""
    values: dict[str, Any] = {
        "slits": [described(aperture) for aperture, _ in slits],
        "models": [model.node() for model in models],
    }
    if kind == TO_SLIT:
        values["name"] = "gwa2slit"
    return Tagged(GWCS_TAG + kind + VERSION, values)


def slit_to_msa(slits: Pairs) -> Tagged:
    """Return the node of the way from slits to the MSA."""
    models = [in_plane(world.transforms[3]) for _, world in slits]
    chosen = choice(TO_MSA, slits, models)
    chosen |= {"inputs": ["name", *PLACE], "outputs": ["x_msa", "y_msa", "name"]}
    both = Tagged(STANDARD_TAG + Beside.tag, {"forward": [chosen, Identity(1).node()]})
    forward = [both, Remap([0, 1, 3, 2]).node()]
    return Tagged(STANDARD_TAG + Chain.tag, {"forward": forward, "name": "slit2msa"})


def in_plane(transform: Any) -> Transform:
    """Return the part of a transform side by side that leaves the wavelength out."""
    return transform.first  # type: ignore[no-any-return]


def described(aperture: Aperture) -> list[Any]:
    """Return a slit as the official product lists it.

    Name, number, dither position, centre, ends, part, source, what is known of shutters and source,
    scales, key.
    """
    ends = [aperture.low, aperture.high, aperture.part, aperture.source]
    source = ["", "", "", 0.0, 0.0, 0.0, 0.0, 0.0]
    return [aperture.name, aperture.number, 0, 0, 0, *ends, *source, 1.0, 1.0, aperture.key]


def compound_box(slits: Pairs) -> Tagged:
    """Return the bounding boxes by the slits' numbers."""
    boxes = []
    for aperture, world in slits:
        if world.bounding_box is not None:
            x, y = (list(interval) for interval in world.bounding_box)
            box = {"ignore": ["name"], "intervals": {"x": x, "y": y}, "order": "F"}
            boxes.append({"bbox": Tagged(BOX_TAG, box), "key": [aperture.key]})
    chosen_by = [{"argument": "name", "ignore": True}]
    values = {"cbbox": boxes, "ignore": [], "order": "F", "selector_args": chosen_by}
    return Tagged(COMPOUND_BOX, values)


def is_of_slits(node: Any) -> bool:
    """Say whether a WCS node is one of several slits."""
    steps = mapping_of(node).get("steps")
    if not isinstance(steps, list) or len(steps) != STEPS:
        return False
    transform = mapping_of(steps[2]).get("transform")
    return isinstance(transform, Tagged) and transform.kind == TO_SLIT


def slits_of(node: Any) -> list[tuple[Aperture, World]]:
    """Return slits and their WCS from a node for which `is_of_slits` holds.

    Raises
    ------
    UnknownTransformError
        If it has parts that are not known here.
    """
    steps = node["steps"]
    try:
        return [world_of(steps, i) for i in range(len(steps[2]["transform"]["slits"]))]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        msg = f"a WCS of several slits: {' '.join(str(error).split())}"
        raise UnknownTransformError(msg) from error


def world_of(steps: list[Any], place: int) -> tuple[Aperture, World]:
    """Return a slit and its WCS by its place in the list."""
    nodes = [step["transform"] for step in steps]
    entry = nodes[2]["slits"][place]
    name, number, low, high, part, source = (entry[i] for i in (0, 1, 5, 6, 7, 8))
    aperture = Aperture(str(name), int(part), int(number), float(low), float(high), int(source))
    plane = from_node(nodes[3]["forward"][0]["forward"][0]["models"][place])
    others = (from_node(node["forward"][0]) for node in nodes[4:-1])
    transforms = (
        from_node(nodes[0]["forward"][0]),
        from_node(nodes[1]["forward"][0]["forward"][0]),
        from_node(nodes[2]["models"][place]),
        (plane & Identity(1)).named("slit2msa"),
        *(other if other.n_inputs == 3 else other & Identity(1) for other in others),
    )
    frames = tuple(Frame(step["frame"]) for step in steps)
    return aperture, World(frames, transforms, box_of(nodes[0], int(entry[-1])))


def box_of(node: Tagged, key: int) -> Box | None:
    """Return the bounding box of a slit by its number."""
    for entry in mapping_of(node.get("bounding_box")).get("cbbox", []):
        if list(entry["key"]) == [key]:
            (x0, x1), (y0, y1) = (entry["bbox"]["intervals"][axis] for axis in "xy")
            return Box(((float(x0), float(x1)), (float(y0), float(y1))))
    return None
