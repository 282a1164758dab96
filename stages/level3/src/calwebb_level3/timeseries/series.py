"""The container of a time series: the segments of an exposure, whose pixels stay in their files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import DTYPES, EXTENSIONS, MEASURED, OUTLIER
from calwebb_core.framework.fits_layout import Hdu, find, require
from calwebb_core.framework.fits_read import read_rows
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Table
from calwebb_core.framework.product_reading import check_image, open_product
from calwebb_core.framework.raw_ramp import carried

if TYPE_CHECKING:
    from astropy.table import QTable

    from calwebb_core.framework.light_curves import LightCurve
    from calwebb_core.framework.spectra import Spectra

INT_TIMES = "INT_TIMES"


@dataclass(eq=False)
class Segment:
    """Some integrations of an exposure: one file, `_calints` or `_crfints`.

    Attributes
    ----------
    metadata : Metadata
    path : Path
    shape : (nints, ny, nx)
    hdus : list of Hdu
    times : Table or None
        INT_TIMES.
    start : int
        Place of its first integration in the exposure, from 0.
    outliers : int64 or None
        Pixels marked so far, as sorted indices of the flattened cube.
    """

    metadata: Metadata
    path: Path
    shape: tuple[int, int, int]
    hdus: list[Hdu] = field(repr=False)
    times: Table | None = None
    start: int = 0
    outliers: NDArray[np.int64] | None = field(default=None, repr=False)
    _asdf: tuple[Any, dict[str, Any]] | None = field(default=None, repr=False)

    @classmethod
    def open(cls, path: Path) -> Segment:
        """Read all but the pixels.

        Raises
        ------
        InputError
            If it is no product with one image an integration.
        """
        path = Path(path)
        hdus, metadata = open_product(path)
        shape = check_image(path, hdus)
        if len(shape) != 3:
            msg = (
                f"{path}: SCI has shape {shape}; expected one image an integration (3-D), as a "
                "_calints file has: run stage 2 on the _rateints"
            )
            raise InputError(msg)
        table = find(hdus, INT_TIMES)
        known = tuple(hdu.name for hdu in hdus if hdu.name != INT_TIMES)
        times = carried(path, hdus, known).get(INT_TIMES) if table else None
        return cls(metadata, path, (shape[0], shape[1], shape[2]), hdus, times)

    @property
    def name(self) -> str:
        """File name, for messages."""
        return self.path.name

    @property
    def nints(self) -> int:
        """Number of integrations."""
        return self.shape[0]

    def frames(self, name: str, first: int, last: int) -> NDArray[Any]:
        """Return some integrations of a plane as they are in the file.

        Parameters
        ----------
        name : str
            Attribute of `Image`: data, err, dq.
        first, last : int
            Integrations [first, last).

        Returns
        -------
        (last - first, ny, nx), native
        """
        _, ny, nx = self.shape
        hdu = require(self.path, self.hdus, EXTENSIONS[name])
        rows = read_rows(self.path, hdu, first * ny, last * ny, DTYPES[name])
        return rows.reshape(last - first, ny, nx)

    def load(self) -> Image:
        """Return everything in memory, with the outliers applied.

        They have OUTLIER and DO_NOT_USE in `dq` and NaN in the measured arrays.
        """
        from calwebb_core.framework.product_reading import read_asdf, read_image

        if self._asdf is None:  # a segment is loaded more than once
            self._asdf = read_asdf(self.path, self.hdus)
        image = read_image(self.path, self._asdf)
        image.metadata = self.metadata
        if self.outliers is not None and len(self.outliers):
            if image.dq is not None:
                image.dq.reshape(-1)[self.outliers] |= OUTLIER
            for plane in (getattr(image, name) for name in MEASURED):
                if plane is not None:
                    plane.reshape(-1)[self.outliers] = np.nan
        return image


@dataclass(eq=False)
class Part:
    """All segments of one detector in the order of time.

    Attributes
    ----------
    segments : list of Segment
    """

    segments: list[Segment]

    @property
    def detector(self) -> str:
        """DETECTOR."""
        return str(self.segments[0].metadata.get("DETECTOR", ""))

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Integrations of all segments, rows, columns."""
        _, ny, nx = self.segments[0].shape
        return sum(segment.nints for segment in self.segments), ny, nx

    def frames(self, name: str, first: int, last: int) -> NDArray[Any]:
        """Return integrations [first, last) of the exposure, from whichever segments have them."""
        pieces = []
        for segment in self.segments:
            low = max(first - segment.start, 0)
            high = min(last - segment.start, segment.nints)
            if low < high:
                pieces.append(segment.frames(name, low, high))
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


@dataclass(eq=False)
class TimeSeries:
    """One exposure in segments, and what is made of it.

    Attributes
    ----------
    metadata : Metadata
        Keywords of the whole: the first segment's, with the status of the steps.
    product : str
        Name of the products without suffix.
    asn_id : str
        Association id that goes into the names of segments; may be empty.
    segments : list of Segment
        By detector, then in the order of time.
    replacing : callable or None
        ``replacing(image) -> image`` estimates bad pixels of a segment before it is extracted.
    spectra : Spectra or None
    photometry : astropy.table.QTable or None
    white_light : LightCurve or None
    """

    metadata: Metadata
    product: str
    asn_id: str = ""
    segments: list[Segment] = field(default_factory=list)
    replacing: Callable[[Image], Image] | None = None
    spectra: Spectra | None = None
    photometry: QTable | None = None
    white_light: LightCurve | None = None

    def parts(self) -> list[Part]:
        """Return the detectors' parts."""
        groups: dict[str, list[Segment]] = {}
        for segment in self.segments:
            groups.setdefault(str(segment.metadata.get("DETECTOR", "")), []).append(segment)
        return [Part(group) for group in groups.values()]
