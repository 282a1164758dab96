"""calwebb_tso3: the segments of a time series to its light curves.

Images: outlier_detection, tso_photometry. Spectra: outlier_detection, pixel_replace
(off by default), extract_1d, white_light.
Products: `_crfints` for each segment, `_phot.ecsv`, or `_x1dints` and `_whtlt.ecsv`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.step import Step
from calwebb_level3.timeseries.checks import check_series
from calwebb_level3.timeseries.inputs import first_metadata, read
from calwebb_level3.timeseries.order import OF_IMAGES, OF_SPECTRA, STEPS
from calwebb_level3.timeseries.products import save, write

IMAGES: Final = ("NRC_TSIMAGE", "MIR_IMAGE")
SPECTRA: Final = ("NRC_TSGRISM", "NRS_BRIGHTOBJ", "MIR_LRS-SLITLESS")


def select(metadata: Metadata) -> tuple[Step, ...]:
    """Return the steps in order.

    Raises
    ------
    InputError
        If the exposure is not of a time series, or of a mode that is not available yet.
    """
    check_series(metadata)
    kind = metadata.require("EXP_TYPE", str)
    if kind == "NIS_SOSS":
        msg = f"{metadata.source}: EXP_TYPE is {kind}: SOSS spectra are not extracted yet"
        raise InputError(msg)
    if kind not in IMAGES + SPECTRA:
        known = ", ".join(IMAGES + SPECTRA)
        msg = f"{metadata.source}: EXP_TYPE is {kind}; calwebb-tso3 handles {known}"
        raise InputError(msg)
    names = OF_IMAGES if kind in IMAGES else OF_SPECTRA
    return tuple(step for step in STEPS if step.name in names)


PIPELINE = Pipeline(
    name="calwebb_tso3",
    program="calwebb-tso3",
    meaning="The segments of a time series to its light curves.",
    steps=STEPS,
    select=select,
    read=read,
    save=save,
    write=write,
    read_metadata=first_metadata,
    associations=True,
)


def run(
    source: str | Path,
    references: Any = None,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    output_dir: str | Path = ".",
    **options: Any,
) -> Any:
    """Run calwebb_tso3 and write its products.

    Parameters
    ----------
    source : path
        Association, or the `_calints` of an exposure of one segment.
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
