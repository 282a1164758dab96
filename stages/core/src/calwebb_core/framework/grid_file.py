"""The file of a user's own output grid."""

import io
from pathlib import Path
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.plain_asdf import check_for_library
from calwebb_core.framework.plain_files import read_content


def read_grid(path: Path) -> dict[str, Any]:
    """Return the tree of an ASDF file: ``wcs`` (a gwcs.WCS), and maybe the shape.

    Raises
    ------
    InputError
        If the file is missing, not ASDF, refers to other files or says to hold far more than it
        has bytes for.
    """
    import asdf

    try:
        content = read_content(path)
        check_for_library(content)
        with asdf.open(io.BytesIO(content), lazy_load=False, memmap=False) as file:
            return dict(file.tree)
    except MemoryError:
        raise
    except Exception as error:  # whatever a tree of another form leads to
        reason = " ".join(str(error).split())
        msg = f"{path}: output_wcs can't be read as ASDF ({reason:.120})"
        raise InputError(msg) from error
