"""Write what stage 3 imaging made: exposures, mosaic, catalog, intermediates."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from calwebb_core.framework.exposures import Exposure, StoredImage
from calwebb_core.framework.metadata import PROVENANCE, Metadata
from calwebb_level3.imageset import LATER_KEYWORDS, STEP_NAMES, ImageSet

Writer = tuple[Path, Callable[[], None]]


def exposure_path(images: ImageSet, metadata: Metadata, suffix: str, directory: Path) -> Path:
    """Return where an exposure's product goes: the association id stands before the suffix."""
    from calwebb_core.framework.products import product_path, root_of

    root = root_of(metadata)
    known = f"_{images.asn_id}"
    if images.asn_id and not root.endswith(known):
        root += known
    return product_path(directory, root, suffix)


def exposure_writers(images: ImageSet, suffix: str, directory: Path) -> list[Writer]:
    """Return what writes the exposures as they are now."""

    def writer(exposure: Exposure) -> Writer:
        metadata = exposure.metadata.copy()
        for keyword in LATER_KEYWORDS:
            metadata.pop(keyword, None)
        for keyword in ("ASNTABLE", "ASNPOOL"):
            if images.metadata.get(keyword):
                metadata[keyword] = images.metadata[keyword]
        path = exposure_path(images, metadata, suffix, directory)
        return pixel_writer(replace(exposure, metadata=metadata), path)

    return [writer(exposure) for exposure in images.exposures]


def pixel_writer(pixels: Exposure | StoredImage, path: Path) -> Writer:
    """Return what writes an image."""

    def write() -> None:
        from calwebb_core.framework.products import write_pixels

        write_pixels(pixels, path)

    return path, write


def write_all(writers: list[Writer]) -> list[Path]:
    """Write products side by side and return their paths."""
    from calwebb_core.framework.threads import in_threads

    in_threads(lambda writer: writer[1](), writers)
    return [path for path, _ in writers]


def save(images: ImageSet, step: str, directory: Path) -> list[Path]:
    """Write what a step made, under the step's name."""
    from calwebb_core.framework.products import product_path

    if step == "source_catalog":
        return write_all(catalog_writers(images, directory))
    if step == "resample" and images.mosaic is not None:
        path = product_path(directory, images.product, step)
        return write_all([pixel_writer(images.mosaic, path)])
    return write_all(exposure_writers(images, step, directory))


def write(images: ImageSet, directory: Path) -> list[Path]:
    """Write the products: `_crf` of each exposure, `_i2d`, `_cat.ecsv`, `_segm`."""
    from calwebb_core.framework.products import product_path

    paths: list[Path] = []
    if images.tables:
        from calwebb_level3.imaging.reference_catalogs import write_tables

        paths += write_tables(images, directory)
    paths += write_pictures(images, directory)
    writers: list[Writer] = []
    if images.metadata.get("S_OUTLIR"):
        writers += exposure_writers(images, "crf", directory)
    elif images.mosaic is None:
        # The run was stopped before the outlier detection.
        writers += exposure_writers(images, last_step(images), directory)
    if images.exposures and isinstance(images.mosaic, StoredImage):
        mosaic = with_product_names(images.mosaic, images)
        writers.append(pixel_writer(mosaic, product_path(directory, images.product, "i2d")))
    return paths + write_all(writers + catalog_writers(images, directory))


def write_pictures(images: ImageSet, directory: Path) -> list[Path]:
    """Write what steps made on the way: `_median` of all exposures, `_blot` of each."""
    from calwebb_core.framework.products import product_path

    writers = []
    for suffix, picture in images.pictures:
        path = product_path(directory, images.product, suffix)
        if suffix != "median":
            path = exposure_path(images, picture.metadata, suffix, directory)
        writers.append(pixel_writer(picture, path))
    return write_all(writers)


def last_step(images: ImageSet) -> str:
    """Return the name of the last step that has run."""
    done = [name for keyword, name in STEP_NAMES.items() if images.metadata.get(keyword)]
    return done[-1] if done else "tweakreg"


def with_product_names(mosaic: StoredImage, images: ImageSet) -> StoredImage:
    """Return the mosaic with the names of its catalog and segmentation map."""
    if images.catalog is None:
        return mosaic
    metadata = mosaic.metadata.copy()
    metadata["SCATFILE"] = f"{images.product}_cat.ecsv"
    metadata["SEGMFILE"] = f"{images.product}_segm.fits"
    return replace(mosaic, metadata=metadata)


def catalog_writers(images: ImageSet, directory: Path) -> list[Writer]:
    """Return what writes catalog and segmentation map, if there are."""
    from calwebb_core.framework.catalogs import write_catalog
    from calwebb_core.framework.products import product_path, write_segmentation

    table, segmentation = images.catalog, images.segmentation
    if table is None or segmentation is None:
        return []
    catalog = product_path(directory, images.product, "cat", "ecsv")
    record = {PROVENANCE: segmentation.metadata.provenance}
    segments = product_path(directory, images.product, "segm")
    return [
        (catalog, lambda: write_catalog(table, catalog, record)),
        (segments, lambda: write_segmentation(segmentation, segments)),
    ]
