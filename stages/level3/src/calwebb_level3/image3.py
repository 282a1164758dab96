"""calwebb_image3: an association of calibrated images to a mosaic and a catalog.

Steps: tweakreg (assign_mtwcs for a moving target), skymatch, outlier_detection, resample,
source_catalog. Products: `_crf` for
each exposure, `_i2d`, `_cat.ecsv` and `_segm` of the association's product.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from calwebb_core.framework.association import read_association
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import Exposure, StoredImage
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.step import Status, Step
from calwebb_level3.imageset import ImageSet, make_set
from calwebb_level3.steps import (
    assign_mtwcs,
    outlier_detection,
    resample,
    skymatch,
    source_catalog,
    tweakreg,
)

logger = logging.getLogger(__name__)

IMAGE_TYPES = ("NRC_IMAGE", "MIR_IMAGE", "NIS_IMAGE", "FGS_IMAGE")
# Also made into plain mosaics: full-frame coronagraphy of detectors without occulter, AMI.
ALSO_AS_IMAGES = ("NRC_CORON", "NIS_AMI", "NRC_TACONFIRM", "NRC_FOCUS", "NIS_FOCUS", "FGS_FOCUS")
LATER_KEYWORDS = ("S_RESAMP", "S_SRCCAT")


def select(metadata: Metadata) -> tuple[Step, ...]:
    """Return the steps in order.

    Raises
    ------
    InputError
        If the exposures are no images, or of a time series.
    """
    kind = metadata.require("EXP_TYPE", str)
    if kind not in IMAGE_TYPES + ALSO_AS_IMAGES:
        msg = f"{metadata.source}: EXP_TYPE is {kind}; calwebb-image3 makes mosaics of images"
        raise InputError(msg)
    if metadata.get("TSOVISIT") is True:
        msg = f"{metadata.source}: TSOVISIT is true; time series go to calwebb_tso3, not image3"
        raise InputError(msg)
    unused = tweakreg.STEP if assign_mtwcs.is_moving(metadata) else assign_mtwcs.STEP
    return tuple(step for step in STEPS if step.name != unused.name)


def read(path: Path, input_dir: Path | None = None) -> ImageSet:
    """Read an association with its members, a single exposure, or a mosaic to be catalogued.

    Parameters
    ----------
    path : Path
        Association (.json), `_cal` or `_i2d`.
    input_dir : Path, optional
        Folder of the members; the association's own by default.

    Raises
    ------
    InputError
        If the association or a member is missing or unfit; see `imageset.make_set`.
    """
    path = Path(path)
    if path.suffix.lower() == ".json":
        return read_members(path, input_dir)
    from calwebb_core.framework.products import root_of

    image = Exposure.open(path)
    if not image.has("weight"):
        return make_set([image], product=root_of(path))
    return ImageSet(without_catalog(image.metadata), root_of(path), mosaic=image)


def read_members(path: Path, input_dir: Path | None) -> ImageSet:
    """Read the science members of an association's product.

    Raises
    ------
    InputError
        If it has several products.
    """
    association = read_association(path, input_dir=input_dir)
    if len(association.products) != 1:
        msg = f"{path}: has {len(association.products)} products; an image3 association has one"
        raise InputError(msg)
    product = association.products[0]
    others = Counter(member.exptype for member in product.members if member.exptype != "science")
    for kind, count in others.items():
        logger.warning("%s: %d members of type %s are not used by image3", path, count, kind)
    exposures = [Exposure.open(member.path) for member in product.of_type("science")]
    return make_set(
        exposures,
        product=product.name,
        asn_id=association.asn_id,
        pool=association.pool,
        table=path.name,
    )


def first_metadata(path: Path, input_dir: Path | None = None) -> Metadata:
    """Return the keywords of an input without its pixels: those of the first science member."""
    from calwebb_core.framework.products import read_metadata

    path = Path(path)
    if path.suffix.lower() != ".json":
        metadata = read_metadata(path)
        # Mosaics say how they were weighted.
        return without_catalog(metadata) if "RESWHT" in metadata else as_input(metadata)
    members = read_association(path, input_dir=input_dir).products[0].of_type("science")
    if not members:
        msg = f"{path}: the association has no science member; expected at least one"
        raise InputError(msg)
    return as_input(read_metadata(members[0].path))


def as_input(metadata: Metadata) -> Metadata:
    """Forget the mosaic and catalog of an exposure's own stage 2 products."""
    for keyword in LATER_KEYWORDS:
        metadata.pop(keyword, None)
    return metadata


def without_catalog(metadata: Metadata) -> Metadata:
    """Forget that a mosaic has a catalog: it is made anew."""
    metadata.pop("S_SRCCAT", None)
    return metadata


def exposure_path(images: ImageSet, metadata: Metadata, suffix: str, directory: Path) -> Path:
    """Return where an exposure's product goes: the association id stands before the suffix."""
    from calwebb_core.framework.products import product_path, root_of

    root = root_of(metadata)
    known = f"_{images.asn_id}"
    if images.asn_id and not root.endswith(known):
        root += known
    return product_path(directory, root, suffix)


def write_exposures(images: ImageSet, suffix: str, directory: Path) -> list[Path]:
    """Write the exposures as they are now; return the paths."""
    from calwebb_core.framework.products import write_pixels
    from calwebb_core.framework.threads import in_threads

    def write(exposure: Exposure) -> Path:
        metadata = exposure.metadata.copy()
        for keyword in LATER_KEYWORDS:
            metadata.pop(keyword, None)
        for keyword in ("ASNTABLE", "ASNPOOL"):
            if images.metadata.get(keyword):
                metadata[keyword] = images.metadata[keyword]
        path = exposure_path(images, metadata, suffix, directory)
        write_pixels(replace(exposure, metadata=metadata), path)
        return path

    return in_threads(write, images.exposures)


def save(images: ImageSet, step: str, directory: Path) -> list[Path]:
    """Write what a step made, under the step's name."""
    from calwebb_core.framework.products import product_path, write_pixels

    if step == "source_catalog":
        return write_catalogued(images, directory)
    if step == "resample" and images.mosaic is not None:
        path = product_path(directory, images.product, step)
        write_pixels(images.mosaic, path)
        return [path]
    return write_exposures(images, step, directory)


def write(images: ImageSet, directory: Path) -> list[Path]:
    """Write the products: `_crf` of each exposure, `_i2d`, `_cat.ecsv`, `_segm`."""
    from calwebb_core.framework.products import product_path, write_pixels

    paths: list[Path] = []
    if images.tables:
        from calwebb_level3.imaging.reference_catalogs import write_tables

        paths += write_tables(images, directory)
    paths += write_pictures(images, directory)
    if images.metadata.get("S_OUTLIR"):
        paths += write_exposures(images, "crf", directory)
    elif images.mosaic is None:
        # The run was stopped before the outlier detection.
        paths += write_exposures(images, last_step(images), directory)
    if images.exposures and isinstance(images.mosaic, StoredImage):
        paths.append(product_path(directory, images.product, "i2d"))
        write_pixels(with_product_names(images.mosaic, images), paths[-1])
    return paths + write_catalogued(images, directory)


def write_pictures(images: ImageSet, directory: Path) -> list[Path]:
    """Write what steps made on the way: `_median` of all exposures, `_blot` of each."""
    from calwebb_core.framework.products import product_path, write_pixels

    paths = []
    for suffix, picture in images.pictures:
        if suffix == "median":
            paths.append(product_path(directory, images.product, suffix))
        else:
            paths.append(exposure_path(images, picture.metadata, suffix, directory))
        write_pixels(picture, paths[-1])
    return paths


def last_step(images: ImageSet) -> str:
    """Return the name of the last step that has run."""
    done = [step.name for step in STEPS if images.metadata.get(step.keyword)]
    return done[-1] if done else STEPS[0].name


def with_product_names(mosaic: StoredImage, images: ImageSet) -> StoredImage:
    """Return the mosaic with the names of its catalog and segmentation map."""
    if images.catalog is None:
        return mosaic
    metadata = mosaic.metadata.copy()
    metadata["SCATFILE"] = f"{images.product}_cat.ecsv"
    metadata["SEGMFILE"] = f"{images.product}_segm.fits"
    return replace(mosaic, metadata=metadata)


def write_catalogued(images: ImageSet, directory: Path) -> list[Path]:
    """Write catalog and segmentation map, if there are."""
    from calwebb_core.framework.catalogs import write_catalog
    from calwebb_core.framework.products import product_path, write_segmentation

    if images.catalog is None or images.segmentation is None:
        return []
    catalog = product_path(directory, images.product, "cat", "ecsv")
    segments = product_path(directory, images.product, "segm")
    write_catalog(images.catalog, catalog)
    write_segmentation(images.segmentation, segments)
    return [catalog, segments]


def align_with_catalog(
    images: ImageSet, references: Any, parameters: tweakreg.TweakregParameters
) -> tuple[ImageSet, Status]:
    """Run tweakreg with the catalogs that its options name read first: steps open no files."""
    if parameters.abs_refcat or parameters.use_custom_catalogs:
        from calwebb_level3.imaging.reference_catalogs import prepare

        prepare(images, parameters)
    return tweakreg.run(images, references, parameters)


def match_with_list(
    images: ImageSet, references: Any, parameters: skymatch.SkymatchParameters
) -> tuple[ImageSet, Status]:
    """Run skymatch with the levels of `skylist` read first: steps open no files."""
    if parameters.skylist:
        from calwebb_level3.imaging.sky_list import prepare

        prepare(images, parameters)
    return skymatch.run(images, references, parameters)


def resample_on_grid(
    images: ImageSet, references: Any, parameters: resample.ResampleParameters
) -> tuple[ImageSet, Status]:
    """Run resample with the grid of `output_wcs` read first: steps open no files."""
    if parameters.output_wcs:
        from calwebb_level3.imaging.grid_file import read_grid

        images.output_grid = read_grid(Path(parameters.output_wcs))
    return resample.run(images, references, parameters)


STEPS = (
    assign_mtwcs.STEP,
    replace(tweakreg.STEP, run=align_with_catalog),
    replace(skymatch.STEP, run=match_with_list),
    outlier_detection.STEP,
    replace(resample.STEP, run=resample_on_grid),
    source_catalog.STEP,
)

PIPELINE = Pipeline(
    name="calwebb_image3",
    program="calwebb-image3",
    meaning="An association of calibrated images to a mosaic and a catalog.",
    steps=STEPS,
    select=select,
    read=read,
    save=save,
    write=write,
    read_metadata=first_metadata,
)


def run(
    source: str | Path,
    references: Any = None,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    output_dir: str | Path = ".",
    **options: Any,
) -> Any:
    """Run calwebb_image3 and write its products.

    Parameters
    ----------
    source : path
        Association, `_cal` or `_i2d`.
    references : path, References or None
        REFS.json; None asks CRDS.
    parameters : mapping
        Step -> option -> value.
    output_dir : path
    **options
        As `calwebb_core.framework.call.call_pipeline`.

    Returns
    -------
    calwebb_core.framework.runner.RunResult
    """
    from calwebb_core.framework.call import call_pipeline

    return call_pipeline(
        PIPELINE,
        source,
        references=references,
        parameters=parameters,
        output_dir=output_dir,
        **options,
    )
