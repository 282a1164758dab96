"""The image that confirms where the target of a slit is, before the prism comes in.

The star is where the telescope really points, as in the spectra of the same visit. The slit's
mask, which cuts the light of a star at its edge, is not drawn.
"""

from typing import Final

import numpy as np
from astropy.table import Table

from calwebb_core.framework.models import Image
from calwebb_simulator.detector import Properties
from calwebb_simulator.light import light_on
from calwebb_simulator.plan import Planned
from calwebb_simulator.scenario import Scenario
from calwebb_simulator.spectra.slopes import plane, rate_metadata

EXP_TYPE: Final = "MIR_TACONFIRM"


def is_acquisition(entry: Planned) -> bool:
    """Say whether an exposure is the image that confirms the target of a spectrum."""
    return entry.group.exp_type == EXP_TYPE


def acquisition_rates(
    scenario: Scenario, catalog: Table, entry: Planned, properties: Properties
) -> Image:
    """Make the count rates of an image of the target, in DN per second."""
    light = light_on(scenario, catalog, entry, properties)
    electrons = light.electrons
    if light.variable is not None:
        electrons = electrons + light.variable.rate * np.float32(light.variable.light.mean())
    data, err, dq, var_poisson, var_rnoise = plane(scenario, entry, properties, electrons, 0)
    return Image(
        metadata=rate_metadata(scenario, entry, "rate"),
        data=data,
        err=err,
        dq=dq,
        var_poisson=var_poisson,
        var_rnoise=var_rnoise,
    )


def star_pixel(entry: Planned) -> list[float]:
    """Return the 0-based pixel x, y of the star in an image, or of a spectrum without its prism."""
    x, y = entry.placement.pixel(np.array([entry.aim.ra]), np.array([entry.aim.dec]))
    return [round(float(x[0]), 4), round(float(y[0]), 4)]
