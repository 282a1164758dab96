"""Write what calwebb_spec3 made: exposures, rectified spectra, extracted spectra."""

from dataclasses import replace
from pathlib import Path

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slits
from calwebb_core.framework.products import product_path, root_of
from calwebb_level3.history import without_later
from calwebb_level3.slits.order import STEPS
from calwebb_level3.slits.sources import Source, SourceSet

FLAGGED = "crf"
EXTRACTED = ("extract_1d", "combine_1d")


def exposure_path(sources: SourceSet, metadata: Metadata, suffix: str, directory: Path) -> Path:
    """Return where an exposure's product goes: the association id stands before the suffix."""
    root = root_of(metadata)
    known = f"_{sources.asn_id}"
    if sources.asn_id and not root.endswith(known):
        root += known
    return product_path(directory, root, suffix)


def write_exposures(
    sources: SourceSet, suffix: str, directory: Path, last: str = "outlier_detection"
) -> list[Path]:
    """Write the exposures as they are now; their keywords know of no step behind the `last`."""
    from calwebb_core.framework.product_writing import write_image
    from calwebb_core.framework.slit_products import write_slits

    paths = []
    for exposure in sources.exposures:
        path = exposure_path(sources, exposure.metadata, suffix, directory)
        known = replace(exposure, metadata=without_later(exposure.metadata, STEPS, last))
        if isinstance(known, Slits):
            known.slits = [
                replace(slit, metadata=without_later(slit.metadata, STEPS, last))
                for slit in known.slits
            ]
            write_slits(known, path)
        else:
            write_image(known, path)
        paths.append(path)
    return paths


def write_rectified(source: Source, image: Image, suffix: str, directory: Path) -> Path:
    """Write the rectified spectrum of a source."""
    from calwebb_core.framework.product_writing import write_image

    path = product_path(directory, source.product, suffix)
    metadata = without_later(image.metadata, STEPS, "resample_spec")
    write_image(replace(image, metadata=metadata), path)
    return path


def write_extracted(source: Source, directory: Path) -> list[Path]:
    """Write the extracted spectra of a source, and the combined one."""
    from calwebb_core.framework.product_writing import write_spectral_image
    from calwebb_core.framework.spectra_products import write_spectra

    paths = []
    for spectra in (source.extracted, source.combined):
        if spectra is not None:
            paths.append(product_path(directory, source.product, spectra.kind))
            write_spectra(spectra, paths[-1])
    images = source.extracted.images if source.extracted is not None else []
    for image in images:
        root = source.product if source.resampled is not None else root_of(image.metadata)
        paths.append(product_path(directory, root, image.suffix))
        write_spectral_image(image, paths[-1])
    return paths


def write_master(sources: SourceSet, directory: Path) -> list[Path]:
    """Write the background that was subtracted, if it is wanted."""
    from calwebb_core.framework.spectra_products import write_spectra

    if sources.master is None:
        return []
    path = product_path(directory, sources.sources[0].product, "masterbg1d")
    write_spectra(sources.master, path)
    return [path]


def save(sources: SourceSet, step: str, directory: Path) -> list[Path]:
    """Write what a step made, under the step's name."""
    if step in EXTRACTED:
        return [path for source in sources.sources for path in write_extracted(source, directory)]
    if step == "resample_spec":
        pairs = [(source, source.resampled) for source in sources.sources]
        return [
            write_rectified(source, image, step, directory)
            for source, image in pairs
            if image is not None
        ]
    return write_exposures(sources, step, directory, step)


def write(sources: SourceSet, directory: Path) -> list[Path]:
    """Write the products: `_crf` of each exposure, `_s2d`, `_x1d` and `_c1d` of each source."""
    paths = write_master(sources, directory)
    if sources.metadata.get("S_OUTLIR") == "COMPLETE":
        paths += write_exposures(sources, FLAGGED, directory)
    for source in sources.sources:
        if source.resampled is not None:
            paths.append(write_rectified(source, source.resampled, "s2d", directory))
        paths += write_extracted(source, directory)
    return paths
