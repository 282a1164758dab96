"""All steps at once: the exposure goes through them in bands of rows, from file to file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from calwebb_core.framework.memory import return_large_arrays
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.product_reading import IMAGE_ARRAYS
from calwebb_core.framework.product_stream import ImageStream
from calwebb_core.framework.products import product_path, root_of
from calwebb_core.framework.reference_arrays import part_of
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step
from calwebb_core.framework.threads import in_threads
from calwebb_image2.bands import Band, Correction, bands_of
from calwebb_image2.calibrated import Calibrated, StreamedImage
from calwebb_image2.steps import photom, resample
from calwebb_image2.target import TargetFile

Parts = Sequence[tuple[Step, Any]]


def run_together(
    model: Any, steps: Parts, references: References, output_dir: Path, expected: Metadata
) -> tuple[Any, list[Status]]:
    """Run consecutive steps in one pass where that makes a product, else one after the other.

    Parameters
    ----------
    model : TargetFile or Image
    steps : sequence of (Step, parameters)
    references : References
    output_dir : Path
        Where the product grows.
    expected : Metadata
        How the keywords will probably look in the end, so that their place is right.

    Returns
    -------
    model : StreamedImage, Calibrated, or Image
    statuses : list of Status
    """
    names = [step.name for step, _ in steps]
    if not isinstance(model, TargetFile) or not complete(names, model.metadata):
        return one_by_one(model, steps, references)
    return_large_arrays()
    prepared = [step.prepare(model, references, options) for step, options in steps]  # type: ignore[misc]
    statuses = [item if isinstance(item, Status) else item.status for item in prepared]
    corrections = [item for item in prepared if not isinstance(item, Status)]
    resampled = dict(zip(names, statuses, strict=True)).get(resample.STEP.name) is COMPLETE
    image = stream(model, corrections, output_dir, layout(model, expected, resampled=resampled))
    if not resampled:
        return image, statuses
    return Calibrated(image, resample.resample(image, steps[-1][1])), statuses


def complete(names: Sequence[str], metadata: Metadata) -> bool:
    """Say whether steps take an exposure to its last product, so that nobody wants it after."""
    last = resample.STEP.name in names or resample.not_needed(metadata) is not None
    return photom.STEP.name in names and last


def one_by_one(model: Any, steps: Parts, references: References) -> tuple[Image, list[Status]]:
    """Run steps on an exposure in memory."""
    image = model.load() if isinstance(model, TargetFile) else model
    statuses = []
    for step, options in steps:
        image, status = step.run(image, references, options)
        statuses.append(status)
    return image, statuses


def layout(target: TargetFile, expected: Metadata, *, resampled: bool) -> Metadata:
    """Return keywords that take as much room as those of the calibrated product will."""
    metadata = expected.copy()
    metadata.update(target.metadata)
    if resampled:
        metadata.pop(resample.STEP.keyword, None)
    return metadata


def stream(
    target: TargetFile, corrections: Sequence[Correction], folder: Path, expected: Metadata
) -> StreamedImage:
    """Send an exposure through corrections into its product, band by band."""
    file = target.file
    there = {name for name, (attribute, _) in IMAGE_ARRAYS.items() if file.has(attribute)}
    names = [name for name in IMAGE_ARRAYS if name in there | target.made]
    suffix = "cal" if file.ndim == 2 else "calints"
    path = product_path(folder, root_of(target.metadata), suffix)
    product = ImageStream(path, expected, file.shape[-file.ndim :], names)

    def calibrate(rows: slice) -> None:
        band = Band.read(file, rows)
        for correction in corrections:
            correction.apply(band)
        write(product, band, target)

    in_threads(calibrate, bands_of(file.shape))
    for correction in corrections:
        correction.finish()
    return StreamedImage(target.metadata, product, target.image.wcs, target.image.tables)


def write(product: ImageStream, band: Band, target: TargetFile) -> None:
    """Put a band where it belongs in the product."""
    columns = slice(0, target.file.shape[2])
    for name in product.arrays:
        if name != "AREA":
            product.put(name, band.rows, columns, getattr(band, IMAGE_ARRAYS[name][0]))
        elif target.area is not None:
            area = part_of(target.area, "SCI", rows=band.rows).astype(np.float32, copy=False)
            product.put(name, band.rows, columns, area)
        else:
            kept = np.asarray(target.file.rows("area", 0, band.rows))
            product.put(name, band.rows, columns, kept)
