"""The file of a user's own output grid."""

from pathlib import Path
from typing import Any

from calwebb_core.framework.errors import InputError


def read_grid(path: Path) -> dict[str, Any]:
    """Return the tree of an ASDF file: ``wcs`` (a gwcs.WCS), and maybe the shape.

    Raises
    ------
    InputError
        If the file is missing or not ASDF.
    """
    import asdf

    try:
        with asdf.open(path, lazy_load=False, memmap=False) as file:
            return dict(file.tree)
    except (OSError, ValueError, RuntimeError, asdf.exceptions.ValidationError) as error:
        reason = " ".join(str(error).split())
        msg = f"{path}: output_wcs can't be read as ASDF ({reason:.120})"
        raise InputError(msg) from error
