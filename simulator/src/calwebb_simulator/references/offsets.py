"""Reference files of filters: by how much they move the image, AB to Vega magnitudes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from astropy.table import Table

from calwebb_simulator.instruments import Detector, Filter, Instrument
from calwebb_simulator.photometry import vega_offset
from calwebb_simulator.references.optics import asdf_meta, write_tree


def write_filteroffset(
    path: Path, instrument: Instrument, detector: Detector, filters: Sequence[Filter]
) -> Path:
    """Write by how many pixels each filter of a channel moves the image."""
    meta = asdf_meta(
        "filteroffset",
        "FilteroffsetModel",
        "Filter offsets",
        name=instrument.name,
        detector="" if detector.channel else detector.name,
        channel=detector.channel,
        module=detector.module,
    )
    rows = [
        {
            "filter": optics.keyword,
            "pupil": optics.pupil or "N/A",
            "column_offset": optics.offset[0],
            "row_offset": optics.offset[1],
        }
        for optics in filters
    ]
    return write_tree(path, {"filters": rows, "meta": meta})


def write_abvegaoffset(path: Path, instrument: Instrument) -> Path:
    """Write m_AB - m_Vega of all filters."""
    # FGS has no filters; its table has a row for every detector instead
    keys = [name for name in instrument.optical_keys if name in ("filter", "pupil")] or ["detector"]
    detectors = list(instrument.detectors) if keys == ["detector"] else [""]
    rows = [(item, name) for item in instrument.filters.values() for name in detectors]
    texts = {
        "filter": [item.keyword for item, _ in rows],
        "pupil": [item.pupil for item, _ in rows],
        "detector": [name for _, name in rows],
    }
    values = np.array([vega_offset(item) for item, _ in rows], dtype=np.float32)
    table = Table({**{name: texts[name] for name in keys}, "abvega_offset": values})
    title = "AB to Vega magnitude offsets"
    meta = asdf_meta("abvegaoffset", "ABVegaOffsetModel", title, name=instrument.name)
    return write_tree(path, {"abvega_offset": table, "meta": meta})
