"""What a run of the workflow makes, and the words of the commands that make it."""

import shlex
from collections.abc import Iterable, Mapping
from typing import Any, Final

from calwebb_associate.configuration import changed_options
from calwebb_associate.pipelines import REFERENCE_TYPES, parameter_types

PRODUCTS: Final = {
    "detector1": ("rate.fits", "rateints.fits"),
    "dark": ("dark.fits",),
    "guider": ("cal.fits",),
    "image2": ("cal.fits", "i2d.fits"),
    "image3": ("i2d.fits", "cat.ecsv", "segm.fits"),
}
PICTURES: Final = {"detector1": ("rate",), "image2": ("cal", "i2d"), "image3": ("i2d",)}
# Raw data go through one of these; their products lie in one folder.
STAGE1: Final = ("detector1", "dark", "guider")

Unit = tuple[str, str]


def program_of(root: str) -> str:
    """Return the program in the name of an exposure or of guide-star data: jwPPPPP..."""
    return root[2:7]


def product_paths(results: str, pipeline: str, units: Iterable[Unit]) -> list[str]:
    """Return the paths of the products of (program, exposure or product) pairs."""
    folder = STAGE1[0] if pipeline in STAGE1 else pipeline
    return [
        f"{results}/{program}/{folder}/{unit}_{suffix}"
        for program, unit in units
        for suffix in PRODUCTS[pipeline]
    ]


def picture_paths(results: str, pipeline: str, units: Iterable[Unit]) -> list[str]:
    """Return the paths of the quick-look pictures of a pipeline's products."""
    return [
        f"{results}/{program}/quicklook/{pipeline}/{unit}_{suffix}.png"
        for program, unit in units
        for suffix in PICTURES[pipeline]
    ]


def option_words(
    pipeline: str,
    config: Mapping[str, Any],
    schema: Mapping[str, Any],
    overrides: Mapping[str, str],
) -> str:
    """Return `--set` for options not at their default, `--override` for the user's files.

    Parameters
    ----------
    pipeline : str
        Section of the configuration.
    config, schema : mapping
        The whole configuration and its schema.
    overrides : mapping
        File or "N/A" by reference type.
    """
    changed = changed_options(config[pipeline], schema["properties"][pipeline])
    words = [f"--set {shlex.quote(text)}" for text in changed]
    name = f"calwebb-{pipeline}"
    used = (*REFERENCE_TYPES[name], *parameter_types(name))
    words += [
        f"--override {kind}={shlex.quote(file)}"
        for kind, file in sorted(overrides.items())
        if kind in used
    ]
    if not config["crds_parameters"]:
        words.append("--no-crds-parameters")
    return " ".join(words)
