"""The root of a product's name, from a file or from keywords."""

from pathlib import Path

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.names import split_suffix, stem_of


def root_of(source: Path | str | Metadata) -> str:
    """Return the root of a product's name, without suffix and extension.

    Parameters
    ----------
    source : path or Metadata
        Of metadata, the file they were read from counts, or FILENAME.

    Returns
    -------
    str
        Such as jw01345001001_02201_00001_nrcalong; a file that is not named as the observatory
        does keeps its whole name.
    """
    if isinstance(source, Metadata):
        source = source.source or source.require("FILENAME", str)
    try:
        return split_suffix(source)[0]
    except InputError:
        return stem_of(source)
