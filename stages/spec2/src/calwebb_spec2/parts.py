"""The spectra of an exposure one by one, whether it is one array or one a slit."""

from collections.abc import Callable

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slits


def parts(model: Image | Slits) -> list[Image]:
    """Return the spectra of an exposure: its slits, or itself."""
    return list(model.slits) if isinstance(model, Slits) else [model]


def keywords_of(model: Image | Slits, part: Image) -> Metadata:
    """Return all keywords that hold for a part: those of the exposure, then its own.

    It is a copy, except for an exposure of one part: what is to be kept is written in the
    metadata of the part.
    """
    if part is model:
        return part.metadata
    merged = model.metadata.copy()
    merged.update(part.metadata)
    merged.homes.update(part.metadata.homes)
    return merged


def each(model: Image | Slits, function: Callable[[Image, Metadata], None]) -> None:
    """Apply a function to every spectrum of an exposure, in place.

    Parameters
    ----------
    model : Image or Slits
    function : callable
        ``function(part, keywords) -> None`` with what `keywords_of` says of the part.
    """
    for part in parts(model):
        function(part, keywords_of(model, part))
