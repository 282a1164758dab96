"""`calwebb-quicklook`: a PNG of a product, of a mosaic's exposures, or in colour."""

from pathlib import Path

import click

from calwebb_core.framework.command import program
from calwebb_core.framework.errors import InputError


@program(
    "calwebb-quicklook",
    package="calwebb_core",
    example="calwebb-quicklook jw01345001001_02201_00001_nrcalong_cal.fits -o nrcalong_cal.png",
)
@click.argument("products", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="PNG file to write.",
)
@click.option(
    "--catalog",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Catalog (_cat.ecsv) of sources to mark.",
)
@click.option(
    "--spectra",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Spectra (_x1d, _x1dints) extracted of the product: their apertures are drawn.",
)
@click.option("--colour", is_flag=True, help="Combine three or more mosaics, one a filter.")
@click.option("--footprint", is_flag=True, help="Draw the outlines of a mosaic's exposures.")
def main(
    products: tuple[Path, ...],
    output: Path,
    catalog: Path | None,
    spectra: Path | None,
    *,
    colour: bool,
    footprint: bool,
) -> None:
    """Draw PRODUCTS (rate, cal, i2d, segm, x1d, whtlt, ...) as a picture with axes and units."""
    if colour:
        from calwebb_core.framework.quicklook_colour import write_colour

        write_colour(products, output)
        return
    if len(products) > 1:
        msg = f"{len(products)} products; expected one, or mosaics with --colour"
        raise InputError(msg)
    if footprint:
        from calwebb_core.framework.quicklook_footprint import write_footprint

        write_footprint(products[0], output)
        return
    from calwebb_core.framework.quicklook import write_quicklook

    write_quicklook(products[0], output, catalog, spectra)
