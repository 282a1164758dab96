"""Spectra of the segments of an exposure put together, one row an integration."""

import numpy as np

from calwebb_core.framework.errors import ProcessingError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Table
from calwebb_core.framework.spectra import Spectra, Spectrum

INT_TIMES = "INT_TIMES"


def joined(metadata: Metadata, segments: list[Spectra]) -> Spectra:
    """Return the spectra of all segments.

    Parameters
    ----------
    metadata : Metadata
        Keywords of the whole series.
    segments : list of Spectra
        By detector, then in the order of time.

    Raises
    ------
    ProcessingError
        If the segments of a detector differ in the number or length of their spectra.
    """
    groups: dict[str, list[Spectra]] = {}
    for spectra in segments:
        groups.setdefault(str(spectra.metadata.get("DETECTOR", "")), []).append(spectra)
    found = []
    for group in groups.values():
        counts = {len(spectra.spectra) for spectra in group}
        if len(counts) > 1:
            msg = f"{metadata.source}: segments have {sorted(counts)} spectra; expected as many"
            raise ProcessingError(msg)
        rows = zip(*(spectra.spectra for spectra in group), strict=True)
        found += [
            join_spectrum(list(row), str(group[0].metadata.get("DETECTOR", ""))) for row in rows
        ]
    first = next(iter(groups.values()))
    times = [spectra.tables[INT_TIMES] for spectra in first if INT_TIMES in spectra.tables]
    tables = {INT_TIMES: join_tables(times)} if len(times) == len(first) else {}
    return Spectra(whole_exposure(metadata, found), found, tables, "x1dints")


def join_spectrum(pieces: list[Spectrum], detector: str) -> Spectrum:
    """Return one spectrum of all integrations; the columns of the pieces are taken out of them."""
    lengths = {piece.columns["WAVELENGTH"].shape[1] for piece in pieces}
    if len(lengths) > 1:
        msg = (
            f"{pieces[0].metadata.source}: spectra of its segments have {sorted(lengths)} "
            "wavelengths; expected as many: were they made with the same files and options?"
        )
        raise ProcessingError(msg)
    metadata = pieces[0].metadata.copy()
    if detector:
        metadata["DETECTOR"] = detector
    # one column at a time, so that there are never two of all
    columns = {
        name: np.concatenate([piece.columns.pop(name) for piece in pieces])
        for name in list(pieces[0].columns)
    }
    return Spectrum(metadata, columns, pieces[0].units)


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
