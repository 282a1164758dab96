"""calwebb_spec2: count rates of spectrographs to calibrated spectra."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

__version__ = version("calwebb-spec2")
PIPELINE = "calwebb_spec2.pipeline:PIPELINE"


def run(input: str | Path, **options: Any) -> Any:  # noqa: A002 - the word of the command line
    """Calibrate an exposure and write its products.

    Parameters
    ----------
    input : str or Path
        ``_rate``, ``_rateints``, a saved intermediate, or a spec2 association.
    **options
        ``references``, ``parameters``, ``output_dir``, ``skip``, ``save``, ``only``, ... as
        in `calwebb_core.framework.call.call_pipeline`.

    Returns
    -------
    calwebb_core.framework.runner.RunResult
        Products' paths in `outputs`, the last container in `model`.
    """
    from calwebb_core.framework.call import call_pipeline

    return call_pipeline(PIPELINE, input, **options)
