"""Containers of spectra in one dimension: columns and keywords, no files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Table

FLUX: Final = ("FLUX", "FLUX_ERROR", "FLUX_VAR_POISSON", "FLUX_VAR_RNOISE", "FLUX_VAR_FLAT")
BRIGHTNESS: Final = (
    "SURF_BRIGHT", "SB_ERROR", "SB_VAR_POISSON", "SB_VAR_RNOISE", "SB_VAR_FLAT",
)  # fmt: skip
BACKGROUND: Final = (
    "BACKGROUND", "BKGD_ERROR", "BKGD_VAR_POISSON", "BKGD_VAR_RNOISE", "BKGD_VAR_FLAT",
)  # fmt: skip
TIMES: Final = ("MJD-BEG", "MJD-AVG", "MJD-END", "TDB-BEG", "TDB-MID", "TDB-END")
EXTRACTED: Final = ("WAVELENGTH", *FLUX, *BRIGHTNESS, "DQ", *BACKGROUND, "NPIXELS")
COMBINED: Final = (
    "WAVELENGTH", "FLUX", "ERROR", "SURF_BRIGHT", "SB_ERROR", "DQ", "WEIGHT", "N_INPUT",
)  # fmt: skip
# one value an integration, in front of the spectra and behind them
IN_FRONT: Final = ("INT_NUM",)
BEHIND: Final = ("N_ALONGDISP", "SEGMENT", *TIMES)
COLUMNS: Final = {
    "x1d": EXTRACTED,
    "x1dints": (*IN_FRONT, *EXTRACTED, *BEHIND),
    "c1d": COMBINED,
}
PER_INTEGRATION: Final = (*IN_FRONT, *BEHIND)
DTYPES: Final[dict[str, Any]] = {
    "DQ": np.uint32, "INT_NUM": np.int32, "N_ALONGDISP": np.uint32, "SEGMENT": np.int32,
}  # fmt: skip

# keywords that the header of a spectrum may have, as the product definition lists them
SPECTRUM_KEYWORDS: Final = (
    "SLTNAME", "SLITID", "SOURCEID", "SRCNAME", "SRCALIAS", "STLARITY", "SRCTYPE",
    "TA_XPOS", "TA_YPOS", "SRCXPOS", "SRCYPOS", "SRCRA", "SRCDEC", "EXTR_X", "EXTR_Y",
    "EXTRXSTR", "EXTRXSTP", "EXTRYSTR", "EXTRYSTP", "SHUTSTA", "SLIT_RA", "SLIT_DEC",
    "MSAQUAD", "SLTXSCL", "SLTYSCL", "SPORDER", "DISPAXIS", "DETECTOR", "INT_NUM",
    "TIMESYS", "TIMEUNIT", "MJD-BEG", "MJD-AVG", "MJD-END", "TDB-BEG", "TDB-MID",
    "TDB-END", "WAVECOR", "PTHLOSS", "BARSHDW", "S_REGION", "PA_APER",
)  # fmt: skip


@dataclass
class Spectrum:
    """One table of a product of spectra.

    Attributes
    ----------
    metadata : Metadata
        Keywords of its header: SLTNAME, SOURCEID, SRCTYPE, SPORDER, EXTRXSTR, ...
    columns : mapping of ndarray
        By official name. (nwave,), or (nints, nwave) in a time series, where those of
        `PER_INTEGRATION` are (nints,). DQ is uint32, counts are integers, the rest float64.
    units : dict of str
        Unit by column.
    """

    metadata: Metadata
    columns: Mapping[str, NDArray[Any]]
    units: dict[str, str] = field(default_factory=dict)

    @property
    def nints(self) -> int | None:
        """Number of integrations, None for a spectrum that is not one of a time series."""
        wavelength = self.columns["WAVELENGTH"]
        return len(wavelength) if wavelength.ndim > 1 else None


@dataclass(frozen=True)
class SpectralImage:
    """An array that shows how a spectrum was extracted.

    Attributes
    ----------
    suffix : str
        Of its product, behind the name of its slit where there are several.
    metadata : Metadata
    data : float32, (ny, nx) or (nints, ny, nx)
    unit : str
        "" for none.
    """

    suffix: str
    metadata: Metadata
    data: NDArray[np.float32]
    unit: str = ""


@dataclass
class Spectra:
    """A product of spectra.

    Attributes
    ----------
    metadata : Metadata
        Keywords of the exposure.
    spectra : list of Spectrum
    tables : other HDUs that are carried along by EXTNAME (INT_TIMES)
    kind : str
        "x1d" (`_x1d`), "x1dints" (one row an integration) or "c1d" (combined).
    images : list of SpectralImage
        What the user wants to see of the extraction; files of their own.
    """

    metadata: Metadata
    spectra: list[Spectrum]
    tables: dict[str, Table] = field(default_factory=dict)
    kind: str = "x1d"
    images: list[SpectralImage] = field(default_factory=list)
