"""The REFPIX reference: how the drift of each output follows from its reference samples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.models import Table
from calwebb_core.framework.reference_data import Reference
from calwebb_detector1.arrays import label
from calwebb_detector1.irs2.fourier import SAMPLES, Complex64, in_layout

OUTPUTS = 4


@dataclass(frozen=True)
class Weights:
    """Weights by output and frequency, each complex64 (712, 1025) as `fourier` lays them out.

    Attributes
    ----------
    alpha : of the reference output
    beta : of the reference pixels
    """

    alpha: tuple[Complex64, ...]
    beta: tuple[Complex64, ...]


def weights_of(reference: Reference) -> Weights:
    """Return the weights of a REFPIX reference.

    Its table IRS2 has columns alpha_0 ... alpha_3 and beta_0 ... beta_3, in which real and
    imaginary part of each of the 712 x 2048 frequencies follow one another.

    Raises
    ------
    ReferenceFileError
        If the table, a column or rows are missing, or a weight is not finite.
    """
    table = reference.tables.get("IRS2")
    if table is None:
        found = ", ".join(reference.tables) or "none"
        msg = f"{label(reference)} has no table IRS2, which the readout needs; tables: {found}"
        raise ReferenceFileError(msg)
    names = {name.lower(): name for name in table.data.dtype.names or ()}
    columns = {
        kind: tuple(
            in_layout(_column(reference, table, names, f"{kind}_{output}"))
            for output in range(OUTPUTS)
        )
        for kind in ("alpha", "beta")
    }
    return Weights(**columns)


def _column(
    reference: Reference, table: Table, names: dict[str, str], name: str
) -> NDArray[np.complex64]:
    if name not in names or len(table.data) != 2 * SAMPLES:
        found = ", ".join(names.values())
        msg = (
            f"{label(reference)}: the table IRS2 has {len(table.data)} rows and the columns "
            f"{found}; expected {2 * SAMPLES} rows and a column {name}"
        )
        raise ReferenceFileError(msg)
    values = np.ascontiguousarray(table.data[names[name]], dtype=np.float32)
    if not np.isfinite(values).all():
        bad = int(values.size - np.count_nonzero(np.isfinite(values)))
        msg = f"{label(reference)}: {bad} values of {name} are not finite; choose another file"
        raise ReferenceFileError(msg)
    return values.view(np.complex64)


def bad_reference_table(reference: Reference) -> Table | None:
    """Return the table of bad reference pixels, if the reference has one.

    Raises
    ------
    ReferenceFileError
        If a column is missing.
    """
    table = reference.tables.get("DQ")
    if table is None:
        return None
    names = {name.upper() for name in table.data.dtype.names or ()}
    missing = {"OUTPUT", "ODD_EVEN", "MASK"} - names
    if missing:
        wanted = ", ".join(sorted(missing))
        msg = f"{label(reference)}: the table DQ lacks the columns {wanted}; choose another file"
        raise ReferenceFileError(msg)
    return table
