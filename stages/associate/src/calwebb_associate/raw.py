"""Raw files of a plan: exposures and guide-star data, and their headers."""

import os
from collections.abc import Iterable
from pathlib import Path

from calwebb_associate.exposure_types import GUIDE
from calwebb_associate.headers import Header
from calwebb_associate.pool import raw_exposure
from calwebb_associate.pool_cache import read_headers
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import GuideStarName

__all__ = ["apart", "guide_refused", "read_headers"]


def apart(files: Iterable[str | os.PathLike[str]]) -> tuple[list[Path], dict[str, Path]]:
    """Return exposures, and guide-star data by root, after checking their names.

    Raises
    ------
    InputError
        If a name does not fit, or guide-star data are there twice.
    """
    science: list[Path] = []
    guide: dict[str, Path] = {}
    for file in sorted(Path(name) for name in files):
        try:
            name = GuideStarName.parse(file)
        except InputError:
            raw_exposure(file)
            science.append(file)
            continue
        if name.suffix != "uncal":
            msg = f"{file}: is a _{name.suffix}; expected raw data (_uncal.fits)"
            raise InputError(msg)
        if name.root in guide:
            msg = f"{file}: {name.root} is there twice, also as {guide[name.root]}; give it once"
            raise InputError(msg)
        guide[name.root] = file
    return science, guide


def guide_refused(header: Header) -> str:
    """Return why a file named as guide-star data is none, or ""."""
    exp_type = str(header.get("EXP_TYPE", ""))
    if exp_type.lower() in GUIDE:
        return ""
    return f"{exp_type or 'no EXP_TYPE'} in a file named as guide-star data"
