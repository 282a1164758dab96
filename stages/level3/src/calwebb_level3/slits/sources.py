"""The container of calwebb_spec3: exposures through slits, and the sources that they show."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slits

if TYPE_CHECKING:
    from calwebb_core.framework.spectra import Spectra

# Exposures that differ in one of these cannot be averaged.
COMMON_KEYWORDS = ("INSTRUME", "EXP_TYPE", "FILTER", "GRATING", "BUNIT", "TARGTYPE")
SLIT_NAME = "SLTNAME"
PLAIN = re.compile(r"[A-Za-z0-9_-]*")


@dataclass(eq=False)
class Source:
    """One source, or one slit, in all exposures that show it.

    Attributes
    ----------
    name : str
        Of the slit; empty for an exposure that is one spectrum.
    product : str
        Name of its products without suffix.
    spectra : list of Image or Slit
        Those of the exposures, which they share.
    keywords : list of Metadata
        All keywords that hold for each: those of the exposure, then its own.
    resampled : Image or None
    extracted, combined : Spectra or None
    """

    name: str
    product: str
    spectra: list[Image] = field(default_factory=list)
    keywords: list[Metadata] = field(default_factory=list)
    resampled: Image | None = None
    extracted: Spectra | None = None
    combined: Spectra | None = None


@dataclass(eq=False)
class SourceSet:
    """Exposures of one target through slits, and what is made of them.

    Attributes
    ----------
    metadata : Metadata
        Keywords of the whole: the first exposure's, with the status of the steps.
    product : str
        Name of the products as the association has it, perhaps with ``{source_id}``.
    asn_id : str
        Association id that goes into the names of exposures; may be empty.
    exposures : list of Image or Slits
    sources : list of Source
    backgrounds : list of Spectra
        Spectra of the sky that belong to the association.
    user_background : Spectra or None
        What the user wants subtracted instead.
    master : Spectra or None
        The background that was subtracted.
    """

    metadata: Metadata
    product: str
    asn_id: str = ""
    exposures: list[Image | Slits] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    backgrounds: list[Spectra] = field(default_factory=list)
    user_background: Spectra | None = None
    master: Spectra | None = None


def parts_of(exposure: Image | Slits) -> list[Image]:
    """Return the spectra of an exposure."""
    return list(exposure.slits) if isinstance(exposure, Slits) else [exposure]


def merged(exposure: Image | Slits, part: Image) -> Metadata:
    """Return all keywords that hold for a part, as a copy."""
    result = exposure.metadata.copy()
    if part is not exposure:
        result.update(part.metadata)
        result.homes.update(part.metadata.homes)
    return result


def name_of(part: Image) -> str:
    """Return what tells a spectrum from others of its exposure: its slit."""
    return str(part.metadata.get(SLIT_NAME) or "")


def source_id(keywords: Metadata) -> str:
    """Return the source as it stands in the names of products: s and nine digits."""
    return f"s{keywords.optional('SOURCEID', int) or 0:09d}"


def check_common(exposures: list[Image | Slits]) -> None:
    """Refuse to combine exposures of different instruments or settings.

    Raises
    ------
    InputError
        Naming the keyword, both values and both files.
    """
    first = exposures[0].metadata
    for exposure in exposures[1:]:
        for keyword in COMMON_KEYWORDS:
            found, expected = exposure.metadata.get(keyword), first.get(keyword)
            if found != expected:
                msg = (
                    f"{exposure.metadata.source}: {keyword} is {found!r} but {expected!r} in "
                    f"{first.source}; a spec3 association holds exposures of one mode"
                )
                raise InputError(msg)


def check_exposure(exposure: Image | Slits) -> None:
    """Refuse what is no calibrated spectrum with WCS, one for all integrations.

    Raises
    ------
    InputError
        If so.
    """
    name = exposure.metadata.source
    if not parts_of(exposure):
        msg = f"{name}: has no spectrum; expected a _cal file with at least one slit"
        raise InputError(msg)
    for part in parts_of(exposure):
        if not PLAIN.fullmatch(name_of(part)):
            msg = (
                f"{name}: {SLIT_NAME} is {name_of(part)!r}; expected letters, digits, - and _: the "
                "names of products are made of it"
            )
            raise InputError(msg)
        unit = merged(exposure, part).require("BUNIT", str)
        if unit.upper().startswith("DN"):
            msg = f"{name}: BUNIT is {unit}; expected MJy or MJy/sr: run calwebb-spec2 first"
            raise InputError(msg)
        if part.data.ndim != 2:
            msg = (
                f"{name}: SCI has shape {part.data.shape}; expected one image for all "
                "integrations, a _cal file: series go to calwebb-tso3"
            )
            raise InputError(msg)
        if part.wcs is None:
            msg = f"{name}: has no WCS; expected a _cal file: run calwebb-spec2 first"
            raise InputError(msg)


def sources_of(exposures: list[Image | Slits], named: Callable[[Metadata], str]) -> list[Source]:
    """Gather the spectra of each slit from all exposures.

    Parameters
    ----------
    exposures : list of Image or Slits
    named : callable
        ``named(keywords) -> str``: the name of a source's products.

    Returns
    -------
    list of Source
        In the order of the first exposure that shows each.
    """
    found: dict[str, Source] = {}
    for exposure in exposures:
        for part in parts_of(exposure):
            keywords = merged(exposure, part)
            name = name_of(part)
            if name not in found:
                found[name] = Source(name, named(keywords))
            found[name].spectra.append(part)
            found[name].keywords.append(keywords)
    names = [source.product for source in found.values()]
    for source in found.values():
        if names.count(source.product) > 1:
            source.product = f"{source.product}-{source.name.lower()}"
    return list(found.values())
