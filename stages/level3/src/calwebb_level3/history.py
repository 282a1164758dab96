"""Which steps a product has been through: keywords of later ones do not belong in it."""

from collections.abc import Iterable

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_types import REFERENCE_KEYWORDS
from calwebb_core.framework.step import Step


def without_later(metadata: Metadata, steps: Iterable[Step], last: str) -> Metadata:
    """Return keywords without those of the steps behind one.

    Parameters
    ----------
    metadata : Metadata
    steps : iterable of Step
        In order.
    last : str
        Name of the last step that the product has been through.

    Returns
    -------
    Metadata
        A copy.
    """
    result, later = metadata.copy(), False
    for step in steps:
        if later:
            for name in (step.keyword, *(REFERENCE_KEYWORDS.get(t, "") for t in step.references)):
                result.pop(name, None)
        later = later or step.name == last
    return result
