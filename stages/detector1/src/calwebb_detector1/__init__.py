"""calwebb_detector1: raw detector ramps to count-rate images."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

__version__ = version("calwebb-detector1")
PIPELINE = "calwebb_detector1.pipeline:PIPELINE"


def run(input: str | Path, **options: Any) -> Any:  # noqa: A002 - the word of the command line
    """Turn the ramps of an exposure into count rates and write its products.

    Parameters
    ----------
    input : str or Path
        ``_uncal`` or a saved intermediate.
    **options
        ``references``, ``parameters``, ``output_dir``, ``skip``, ``save``, ``stop_after``, ... as
        in `calwebb_core.framework.call.call_pipeline`.

    Returns
    -------
    calwebb_core.framework.runner.RunResult
        Products' paths in `outputs`, the last container in `model`.
    """
    from calwebb_core.framework.call import call_pipeline

    return call_pipeline(PIPELINE, input, **options)
