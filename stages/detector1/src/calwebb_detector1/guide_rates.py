"""Count rates of guide-star data."""

from dataclasses import dataclass, field

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, Table, UInt32


@dataclass
class GuideRates:
    """One image for each integration of guide-star data (`_cal`), or one of a field.

    Attributes
    ----------
    metadata : Metadata
    data, err : float32, (nimages, ny, nx), DN/s
    dq : uint32, (ny, nx)
    var_poisson, var_rnoise : float32, shape of `data`, (DN/s)^2; what was read from a file has all
        its variance in `var_rnoise`
    tables : tables that are carried along by EXTNAME (POINTING, FGS CENTROID PACKET, ...)
    """

    metadata: Metadata
    data: Float32
    err: Float32
    dq: UInt32
    var_poisson: Float32
    var_rnoise: Float32
    tables: dict[str, Table] = field(default_factory=dict)
