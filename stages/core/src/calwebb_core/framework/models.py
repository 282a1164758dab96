"""Containers that steps hand to one another: arrays and keywords, no files.

Array axes are always (integration, group, y, x); arrays are C-contiguous and in native byte
order. An array that a product does not have is None.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.metadata import Metadata

Float32 = NDArray[np.float32]
UInt32 = NDArray[np.uint32]
UInt8 = NDArray[np.uint8]


@dataclass
class Table:
    """An HDU that is carried along unchanged from input to output.

    Attributes
    ----------
    data : structured array of a binary table, or the plain array of an image HDU that the
        containers have no place for
    units : unit by column
    keywords : keywords of its header that are not about the table's structure
    """

    data: NDArray[Any]
    units: dict[str, str] = field(default_factory=dict)
    keywords: dict[str, Any] = field(default_factory=dict)


@dataclass
class Ramp:
    """Detector ramps of one exposure or segment (`_uncal` once read, `_ramp`).

    Attributes
    ----------
    metadata : Metadata
    data : float32, (nints, ngroups, ny, nx), DN
    pixeldq : uint32, (ny, nx)
    groupdq : uint8, (nints, ngroups, ny, nx)
    zeroframe : float32, (nints, ny, nx), DN, or None
    refout : float32, (nints, ngroups, ny, nx // 4), DN, or None
    average_dark_current : float32, (ny, nx), electron / s, or None
    tables : other HDUs that are carried along by EXTNAME (GROUP, INT_TIMES, ...)
    afterglow : what the exposure leaves in the detector for the next one, a container with
        `metadata` of its own, or None
    extras : optional products of the steps, handed on to the rates
    """

    metadata: Metadata
    data: Float32
    pixeldq: UInt32
    groupdq: UInt8
    zeroframe: Float32 | None = None
    refout: Float32 | None = None
    average_dark_current: Float32 | None = None
    tables: dict[str, Table] = field(default_factory=dict)
    afterglow: Any = None
    extras: list["Planes"] = field(default_factory=list)


@dataclass
class Image:
    """An image of one exposure, or a cube of one image per integration, or a mosaic.

    Attributes
    ----------
    metadata : Metadata
    data : float32, (ny, nx) or (nints, ny, nx); DN/s, MJy/sr, ... as BUNIT says
    err : float32, shape and unit of `data`
    dq : uint32, shape of `data`; None for a mosaic
    var_poisson, var_rnoise, var_flat : float32, shape of `data`, squared unit, or None
    area : float32, (ny, nx), pixel area relative to the nominal one, or None
    weight : float32, (ny, nx), WHT of a mosaic, or None
    context : uint32, (nplanes, ny, nx), CON of a mosaic, or None
    wcs : gwcs.WCS or None
    tables : other HDUs that are carried along by EXTNAME (INT_TIMES, HDRTAB, ...)
    """

    metadata: Metadata
    data: Float32
    err: Float32
    dq: UInt32 | None = None
    var_poisson: Float32 | None = None
    var_rnoise: Float32 | None = None
    var_flat: Float32 | None = None
    area: Float32 | None = None
    weight: Float32 | None = None
    context: UInt32 | None = None
    wcs: Any = None
    tables: dict[str, Table] = field(default_factory=dict)


@dataclass
class Slit(Image):
    """The spectrum of one slit or source, cut out of an exposure.

    `metadata` has the keywords of its SCI header: SLTNAME, SOURCEID, STLARITY, SRCTYPE, ...

    Attributes
    ----------
    planes : further arrays by EXTNAME, float32, shape of `data` (WAVELENGTH, PATHLOSS_PS, ...)
    extended : whether the source catalog calls the source extended, or None without one
    """

    planes: dict[str, Float32] = field(default_factory=dict)
    extended: bool | None = None


@dataclass
class Slits:
    """The spectra that were cut out of one exposure.

    Attributes
    ----------
    metadata : Metadata
        Keywords of the exposure.
    slits : list of Slit
    tables : other HDUs that are carried along by EXTNAME (INT_TIMES, ...)
    """

    metadata: Metadata
    slits: list[Slit]
    tables: dict[str, Table] = field(default_factory=dict)


@dataclass
class Planes:
    """Arrays of a product that is not an image (`_fitopt`, ...), in the order of the file.

    Attributes
    ----------
    metadata : Metadata
    model : DATAMODL
    suffix : of the product's name
    arrays : float32 by EXTNAME
    root : of the product's name, or None for the exposure's
    """

    metadata: Metadata
    model: str
    suffix: str
    arrays: dict[str, Float32]
    root: str | None = None


@dataclass
class Rates:
    """What the ramp fit makes: `_rate` over all integrations and `_rateints` for each.

    Attributes
    ----------
    rate, rateints : Image
    afterglow : that of the ramps, see `Ramp`
    extras : optional products
    rateints_root : root of the name of `_rateints`, or None for the exposure's
    """

    rate: Image
    rateints: Image
    afterglow: Any = None
    extras: list[Planes] = field(default_factory=list)
    rateints_root: str | None = None

    @property
    def metadata(self) -> Metadata:
        """Keywords of the exposure's rate image."""
        return self.rate.metadata


@dataclass
class Segmentation:
    """Segmentation map of a catalog (`_segm`): uint32 (ny, nx), 0 where there is no source."""

    metadata: Metadata
    data: UInt32
    wcs: Any = None
