"""gain_scale: bring data taken with another gain setting to the standard one.

NIRSpec subarrays are read with half the gain. Where the GAIN reference says so (GAINFACT), SCI
and ERR are multiplied by the factor and the variances by its square, for all integrations and
for each. Sets no flags. Does not run where the reference has no GAINFACT.
"""

from collections.abc import Iterable

from calwebb_core.framework.models import Float32, Image, Rates
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_detector1.blocks import Block, Correction, Exposure


def scale_arrays(
    signals: Iterable[Float32], variances: Iterable[Float32], *, factor: float
) -> None:
    """Multiply arrays in place: signal and error by `factor`, variances by its square."""
    for array in signals:
        array *= factor
    for variance in variances:
        variance *= factor * factor


def scale_image(image: Image, *, factor: float) -> None:
    """Scale an image in place."""
    variances = (image.var_poisson, image.var_rnoise)
    present = [variance for variance in variances if variance is not None]
    scale_arrays((image.data, image.err), present, factor=factor)


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


def prepare(exposure: Exposure, references: References, _: NoParameters) -> Correction | Status:
    """Find the factor of an exposure, to scale its rates block by block."""
    reference = references.load("gain", exposure.metadata)
    if reference is None:
        return skipped("the gain reference is N/A")
    factor = reference.metadata.get("GAINFACT")
    if factor is None:
        return skipped("the gain reference has no GAINFACT")
    exposure.metadata["GAINFACT"] = float(factor)

    def apply(block: Block) -> int:
        for slope, err, _, *variances in block.rates:
            scale_arrays((slope, err), variances, factor=float(factor))
        return 0

    return Correction(apply, changes_data=False)


STEP = Step(
    name="gain_scale",
    keyword="S_GANSCL",
    meaning="Rescale data taken with another gain setting.",
    parameters=NoParameters,
    run=run,
    prepare=prepare,
    references=("gain",),
)
