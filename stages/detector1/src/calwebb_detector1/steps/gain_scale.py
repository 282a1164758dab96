"""gain_scale: bring data taken with another gain setting to the standard one.

NIRSpec subarrays are read with half the gain. Where the GAIN reference says so (GAINFACT), SCI
and ERR are multiplied by the factor and the variances by its square, for all integrations and
for each. Sets no flags. Does not run where the reference has no GAINFACT.
"""

from calwebb_core.framework.models import Image, Rates
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped


def scale_image(image: Image, *, factor: float) -> None:
    """Multiply an image in place: signal and error by `factor`, variances by its square."""
    for array in (image.data, image.err):
        array *= factor
    for variance in (image.var_poisson, image.var_rnoise):
        if variance is not None:
            variance *= factor * factor


def run(rates: Rates, references: References, _: NoParameters) -> tuple[Rates, Status]:
    """Scale the rates of an exposure in place."""
    reference = references.load("gain", rates.metadata)
    if reference is None:
        return rates, skipped("the gain reference is N/A")
    factor = reference.metadata.get("GAINFACT")
    if factor is None:
        return rates, skipped("the gain reference has no GAINFACT")
    for image in (rates.rate, rates.rateints):
        scale_image(image, factor=float(factor))
        image.metadata["GAINFACT"] = float(factor)
    return rates, COMPLETE


STEP = Step(
    name="gain_scale",
    keyword="S_GANSCL",
    meaning="Rescale data taken with another gain setting.",
    parameters=NoParameters,
    run=run,
    references=("gain",),
)
