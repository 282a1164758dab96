"""What a run of the workflow makes, and the words of the commands that make it."""

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, Final

from calwebb_associate.configuration import changed_options
from calwebb_associate.pipelines import NIRSPEC_OPTICS, REFERENCE_TYPES, parameter_types

PRODUCTS: Final = {
    "detector1": ("rate", "rateints"),
    "dark": ("dark",),
    "guider": ("cal",),
}
EXTENSIONS: Final = {"cat": "ecsv", "phot": "ecsv", "whtlt": "ecsv"}
# Products that have a quick-look picture, and pictures of several products.
PICTURES: Final = (
    *("rate", "cal", "calints", "i2d", "segm", "footprint", "colour"),
    *("s2d", "x1d", "x1dints", "c1d", "whtlt", "phot"),
)
# Suffixes that are not made when a step is left out.
MADE_BY: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "image2": {"resample": ("i2d",)},
    "image3": {"resample": ("i2d", "cat", "segm"), "source_catalog": ("cat", "segm")},
    "spec2": {"resample_spec": ("s2d",), "extract_1d": ("x1d", "x1dints")},
    "spec3": {"resample_spec": ("s2d",), "extract_1d": ("x1d",), "combine_1d": ("c1d",)},
    "tso3": {
        "tso_photometry": ("phot",),
        "extract_1d": ("x1dints", "whtlt"),
        "white_light": ("whtlt",),
    },
}
# Raw data go through one of these; their products lie in one folder.
STAGE1: Final = ("detector1", "dark", "guider")

# What only the data tell stays open in the names of some products: they lie in a folder of their
# own, which is named so.
OPEN: Final = {"{source_id}": "sources", "{slit_name}": "slits", "{suffix}": "suffix"}
FOLDER: Final = ""

Unit = tuple[str, str]
Made = tuple[str, str, tuple[str, ...]]
NOTHING: Final = r"(?!)"


def program_of(root: str) -> str:
    """Return the program in the name of an exposure or of guide-star data: jwPPPPP..."""
    return root[2:7]


def folder_of(program: str) -> str:
    """Return the folder of a program's products."""
    pipeline = program.removeprefix("calwebb-")
    return STAGE1[0] if pipeline in STAGE1 else pipeline


def unit_name(product: str) -> str:
    """Return what the jobs of a product are named after: its name, without placeholders."""
    for placeholder, word in OPEN.items():
        product = product.replace(placeholder, word)
    return product


def is_open(product: str) -> bool:
    """Say whether a product's name leaves open what only the data tell."""
    return any(placeholder in product for placeholder in OPEN)


def product_paths(results: str, pipeline: str, made: Iterable[Made]) -> list[str]:
    """Return the paths of the products of (program, exposure or product, suffixes).

    The suffix `FOLDER` stands for a folder of products.
    """
    folder = folder_of(pipeline)
    return [
        f"{results}/{program}/{folder}/{unit}{_ending(suffix)}"
        for program, unit, suffixes in made
        for suffix in suffixes
    ]


def _ending(suffix: str) -> str:
    """Return what follows the name of a product."""
    return f"_{suffix}.{EXTENSIONS.get(suffix, 'fits')}" if suffix != FOLDER else ""


def picture_paths(results: str, pipeline: str, made: Iterable[Made]) -> list[str]:
    """Return the paths of the quick-look pictures of a pipeline's products."""
    return [
        f"{results}/{program}/quicklook/{pipeline}/{unit}{f'_{suffix}.png' if suffix else ''}"
        for program, unit, suffixes in made
        for suffix in suffixes
        if suffix in (*PICTURES, FOLDER)
    ]


def left_out_by(pipeline: str, config: Mapping[str, Any]) -> frozenset[str]:
    """Return the suffixes that are not made as their steps are switched off."""
    steps = config[pipeline]
    made = MADE_BY.get(pipeline, {})
    return frozenset(
        suffix
        for step, suffixes in made.items()
        if steps.get(step, {}).get("skip")
        for suffix in suffixes
    )


def one_of(units: Iterable[str]) -> str:
    """Return a pattern that fits these names and nothing else."""
    names = "|".join(sorted(map(re.escape, units)))
    return names or NOTHING


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
    optics = NIRSPEC_OPTICS if pipeline == "image2" else ()
    used = (*REFERENCE_TYPES[name], *optics, *parameter_types(name))
    words += [
        f"--override {kind}={shlex.quote(file)}"
        for kind, file in sorted(overrides.items())
        if kind in used
    ]
    if not config["crds_parameters"]:
        words.append("--no-crds-parameters")
    return " ".join(words)
