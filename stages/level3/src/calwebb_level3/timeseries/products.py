"""Write what calwebb_tso3 made: segments, spectra, light curves."""

from pathlib import Path
from typing import Any

from calwebb_core.framework.light_curves import write_light_curve
from calwebb_core.framework.metadata import PROVENANCE, Metadata
from calwebb_level3.history import without_later
from calwebb_level3.timeseries.order import STEPS
from calwebb_level3.timeseries.series import Segment, TimeSeries

FLAGGED = "crfints"


def segment_path(series: TimeSeries, segment: Segment, suffix: str, directory: Path) -> Path:
    """Return where a segment's product goes: the association id stands before the suffix."""
    from calwebb_core.framework.products import product_path, root_of

    root = root_of(segment.metadata)
    known = f"_{series.asn_id}"
    if series.asn_id and not root.endswith(known):
        root += known
    return product_path(directory, root, suffix)


def write_segments(
    series: TimeSeries, suffix: str, directory: Path, last: str = "outlier_detection"
) -> list[Path]:
    """Write the segments as they are now, one after the other: one is in memory at a time.

    Their keywords know of no step behind the `last`.
    """
    paths = [segment_path(series, segment, suffix, directory) for segment in series.segments]
    for segment, path in zip(series.segments, paths, strict=True):
        write_segment(segment, path, last)
    return paths


def write_segment(segment: Segment, path: Path, last: str) -> None:
    """Write a segment; its pixels are given back when this returns."""
    from calwebb_core.framework.product_writing import write_image

    image = segment.load()
    image.metadata = without_later(segment.metadata, STEPS, last)
    write_image(image, path)


def table_path(series: TimeSeries, suffix: str, directory: Path) -> Path:
    """Return where a table of the whole series goes."""
    from calwebb_core.framework.products import product_path

    return product_path(directory, series.product, suffix, "ecsv")


def write_table(table: Any, metadata: Metadata, path: Path) -> Path:
    """Write a light curve with the record of how it was made."""
    from calwebb_core.framework.catalogs import write_catalog

    write_catalog(table, path, {PROVENANCE: metadata.provenance})
    return path


def write_spectra_of(series: TimeSeries, directory: Path) -> Path:
    """Write the spectra of all integrations."""
    from calwebb_core.framework.products import product_path
    from calwebb_core.framework.spectra_products import write_spectra

    assert series.spectra is not None  # noqa: S101 - asked by the caller
    path = product_path(directory, series.product, "x1dints")
    write_spectra(series.spectra, path)
    return path


def save(series: TimeSeries, step: str, directory: Path) -> list[Path]:
    """Write what a step made, under the step's name."""
    if step == "white_light" and series.white_light is not None:
        path = table_path(series, "whtlt", directory)
        write_light_curve(series.white_light, path, {PROVENANCE: series.metadata.provenance})
        return [path]
    if step == "tso_photometry" and series.photometry is not None:
        path = table_path(series, "phot", directory)
        return [write_table(series.photometry, series.metadata, path)]
    if step == "extract_1d" and series.spectra is not None:
        return [write_spectra_of(series, directory)]
    return write_segments(series, step, directory, step)


def write(series: TimeSeries, directory: Path) -> list[Path]:
    """Write the products: `_crfints` of each segment, and `_phot`, or `_x1dints` and `_whtlt`."""
    paths: list[Path] = []
    if series.metadata.get("S_OUTLIR") == "COMPLETE":
        paths += write_segments(series, FLAGGED, directory)
    if series.photometry is not None:
        paths += save(series, "tso_photometry", directory)
    if series.spectra is not None:
        paths += save(series, "extract_1d", directory)
    if series.white_light is not None:
        paths += save(series, "white_light", directory)
    return paths
