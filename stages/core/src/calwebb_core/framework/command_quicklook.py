"""`calwebb-quicklook`: a PNG of a product."""

from pathlib import Path

import click

from calwebb_core.framework.command import program


@program(
    "calwebb-quicklook",
    package="calwebb_core",
    example="calwebb-quicklook jw01345001001_02201_00001_nrcalong_cal.fits -o nrcalong_cal.png",
)
@click.argument("product", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="PNG file to write.",
)
def main(product: Path, output: Path) -> None:
    """Draw PRODUCT (rate, cal, i2d, segm, ...) as a picture with sky axes and a colour bar."""
    from calwebb_core.framework.quicklook import write_quicklook

    write_quicklook(product, output)
