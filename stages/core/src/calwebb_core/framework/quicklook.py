"""A picture of a product to look at: stretched image, colour bar, sky axes, title.

Spectra get axes of wavelength, time series axes of time. Mosaics of any size are read by rows and
averaged down first. The same product gives the same PNG bytes.
"""

from pathlib import Path

from calwebb_core.framework.fits_headers import metadata_from
from calwebb_core.framework.fits_layout import Hdu, require, scan

TABLES = (".ecsv",)


def write_quicklook(
    product: Path, png: Path, catalog: Path | None = None, spectra: Path | None = None
) -> None:
    """Draw a product as a PNG file.

    Images and mosaics are shown as they are, cubes as the mean of their integrations, ramps
    as the last group minus the first of the first integration, segmentation maps by label;
    spectra in two dimensions with their wavelengths, in one dimension as curves, series of them
    as maps with their white light, and light curves against time.

    Parameters
    ----------
    product : Path
        FITS product, or a light curve (`_whtlt.ecsv`, `_phot.ecsv`).
    png : Path
        File to write, whole or not at all.
    catalog : Path, optional
        Catalog of sources to mark.
    spectra : Path, optional
        Spectra (`_x1d`, `_x1dints`) that were extracted of the product: their apertures are drawn.

    Raises
    ------
    InputError
        If the product cannot be read or has no picture to show.
    """
    product = Path(product)
    if product.suffix in TABLES:
        from calwebb_core.framework.quicklook_curves import write_curves

        write_curves(product, png)
        return
    hdus = scan(product)
    if any(hdu.name in ("EXTRACT1D", "COMBINE1D") for hdu in hdus):
        from calwebb_core.framework.quicklook_spectra import write_spectra_picture

        write_spectra_picture(product, png)
        return
    write_image_picture(product, hdus, png, catalog, spectra)


def write_image_picture(
    product: Path, hdus: list[Hdu], png: Path, catalog: Path | None, spectra: Path | None
) -> None:
    """Draw a product that has pixels."""
    from calwebb_core.framework.quicklook_dispersed import shows_spectra
    from calwebb_core.framework.quicklook_figure import draw
    from calwebb_core.framework.quicklook_image import picture
    from calwebb_core.framework.quicklook_page import save
    from calwebb_core.framework.quicklook_traces import draw_traces

    science = require(product, hdus, "SCI")
    sources_used = [path for path in (catalog, spectra) if path]
    if shows_spectra(hdus):
        figure, colours = draw_traces(product, hdus, spectra)
        save(figure, png, [product, *sources_used], colours)
        return
    metadata = metadata_from(product, {hdu.name: hdu.header for hdu in hdus})
    labels = metadata.get("DATAMODL") == "SegmentationMapModel"
    image, factor = picture(product, hdus, science, labels=labels)
    sources = () if catalog is None else sources_of(Path(catalog))
    figure, table = draw(image, factor, science, metadata, labels=labels, sources=sources)
    save(figure, png, [product, *sources_used], table)


def sources_of(catalog: Path) -> list[tuple[float, float, bool]]:
    """Return x, y and whether extended of the sources of a catalog."""
    from calwebb_core.framework.catalogs import read_columns

    x, y, extended = read_columns(catalog, ("xcentroid", "ycentroid", "is_extended"))
    return [(float(a), float(b), c == "True") for a, b, c in zip(x, y, extended, strict=True)]
