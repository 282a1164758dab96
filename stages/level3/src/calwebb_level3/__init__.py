"""JWST stage 3: calibrated exposures of one target to mosaics and catalogs."""

from typing import Any

__version__ = "0.1.0"


def run_image3(association: Any, **options: Any) -> Any:
    """Run calwebb_image3 on an association; see `calwebb_level3.image3.run`."""
    from calwebb_level3.image3 import run

    return run(association, **options)
