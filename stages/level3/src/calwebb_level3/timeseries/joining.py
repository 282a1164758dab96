"""Spectra of the segments of an exposure put together, one row an integration."""

from collections.abc import Iterable

import numpy as np

from calwebb_core.framework.errors import ProcessingError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Table
from calwebb_core.framework.spectra import Spectra, Spectrum
from calwebb_core.framework.spectra_products import row_type, rows_of
from calwebb_core.framework.stored_columns import StoredColumns

INT_TIMES = "INT_TIMES"


class Joining:
    """The spectra of one detector's segments, taken in one after the other.

    Attributes
    ----------
    spectra : list of Spectrum
        What there is so far; the columns are in files.
    tables : list of Table
        INT_TIMES of the segments that have it.
    segments : int
    """

    def __init__(self, detector: str) -> None:
        self.detector = detector
        self.spectra: list[Spectrum] = []
        self.tables: list[Table] = []
        self.segments = 0

    def add(self, found: Spectra) -> None:
        """Take in the spectra of the next segment.

        Raises
        ------
        ProcessingError
            If they are not as many as those before, or of another length.
        """
        if not self.segments:
            self.spectra = [self.begin(spectrum) for spectrum in found.spectra]
        counts = sorted({len(self.spectra), len(found.spectra)})
        if len(counts) > 1:
            msg = f"{found.metadata.source}: segments have {counts} spectra; expected as many"
            raise ProcessingError(msg)
        for whole, part in zip(self.spectra, found.spectra, strict=True):
            append(whole, part)
        self.tables += [found.tables[INT_TIMES]] if INT_TIMES in found.tables else []
        self.segments += 1

    def begin(self, spectrum: Spectrum) -> Spectrum:
        """Return a spectrum without integrations, with the keywords of the first segment's."""
        metadata = spectrum.metadata.copy()
        if self.detector:
            metadata["DETECTOR"] = self.detector
        kinds = row_type(spectrum.columns, "x1dints", spectrum.metadata.source)
        return Spectrum(metadata, StoredColumns(kinds), spectrum.units)


def append(whole: Spectrum, part: Spectrum) -> None:
    """Write the integrations of a segment behind those before it.

    Raises
    ------
    ProcessingError
        If they have another number of wavelengths, or other columns.
    """
    stored, source = whole.columns, part.metadata.source
    assert isinstance(stored, StoredColumns)  # noqa: S101 - made by Joining
    kinds = row_type(part.columns, "x1dints", source)
    if kinds != stored.dtype:
        lengths = sorted({stored.dtype["WAVELENGTH"].shape, kinds["WAVELENGTH"].shape})
        what = f"{[n for (n,) in lengths]} wavelengths" if lengths[1:] else "different columns"
        msg = (
            f"{source}: spectra of its segments have {what}; expected as many: were they made "
            "with the same files and options?"
        )
        raise ProcessingError(msg)
    stored.append(rows_of(part.columns, kinds, 0, len(part.columns["WAVELENGTH"])))


def joined(metadata: Metadata, segments: Iterable[Spectra]) -> Spectra:
    """Return the spectra of all segments; one segment's is in memory at a time.

    Parameters
    ----------
    metadata : Metadata
        Keywords of the whole series.
    segments : iterable of Spectra
        By detector, then in the order of time.

    Raises
    ------
    ProcessingError
        If the segments of a detector differ in the number or length of their spectra, or there
        is no room for them in the folder of temporary files.
    """
    groups: dict[str, Joining] = {}
    for spectra in segments:
        detector = str(spectra.metadata.get("DETECTOR", ""))
        groups.setdefault(detector, Joining(detector)).add(spectra)
    found = [spectrum for group in groups.values() for spectrum in group.spectra]
    first = next(iter(groups.values()))
    known = len(first.tables) == first.segments
    tables = {INT_TIMES: join_tables(first.tables)} if known else {}
    return Spectra(whole_exposure(metadata, found), found, tables, "x1dints")


def join_tables(tables: list[Table]) -> Table:
    """Return the rows of several tables, each integration once, in the order of their numbers."""
    rows = np.concatenate([table.data for table in tables])
    _, places = np.unique(rows["integration_number"], return_index=True)
    return Table(rows[places], tables[0].units, tables[0].keywords)


def whole_exposure(metadata: Metadata, spectra: list[Spectrum]) -> Metadata:
    """Return the keywords of a product of all segments."""
    result = metadata.copy()
    for keyword in ("EXSEGNUM", "EXSEGTOT"):
        result.pop(keyword, None)
    numbers = [spectrum.columns["INT_NUM"] for spectrum in spectra]
    if numbers:
        result["INTSTART"] = int(min(column.min() for column in numbers))
        result["INTEND"] = int(max(column.max() for column in numbers))
    return result
