"""A warning of spectra without any flux: a run that ends well must not hide that."""

import logging

import numpy as np

from calwebb_core.framework.spectra import Spectra

logger = logging.getLogger(__name__)


def warn_of_nothing(spectra: Spectra) -> None:
    """Warn of spectra that have no flux at any wavelength, in any integration."""
    for spectrum in spectra.spectra:
        if np.isfinite(spectrum.columns["FLUX"]).any():
            continue
        slit = spectrum.metadata.get("SLTNAME") or spectrum.metadata.get("NAME")
        logger.warning(
            "%s: the spectrum%s has no flux at any wavelength: all of its pixels are lost",
            spectra.metadata.source,
            f" of slit {slit}" if slit else "",
        )
