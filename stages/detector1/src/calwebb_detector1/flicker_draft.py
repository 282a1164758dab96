"""What clean_flicker_noise has to know before it cleans: a draft rate, masks, settled options."""

import logging
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.models import Float32, Ramp, Rates
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.science.background import background_map
from calwebb_core.science.flicker_choice import choose_options
from calwebb_core.science.flicker_noise import FULL_SIZE, MIRI_COLUMNS, FlickerOptions, Readout
from calwebb_core.science.fourier_noise import FAST_BAND, SLOW_BAND
from calwebb_core.science.scene_mask import Mask, flagged_regions, scene_mask
from calwebb_core.science.soss_trace import trace_mask, traces
from calwebb_detector1.arrays import image_shape, reference_array, reference_dq
from calwebb_detector1.steps import ramp_fit

if TYPE_CHECKING:
    from calwebb_detector1.steps.clean_flicker_noise import CleanFlickerNoiseParameters

logger = logging.getLogger(__name__)

TRACE_HALF_WIDTH = 16
IMAGES = ("NRC_IMAGE", "NIS_IMAGE")
SLITS = ("NRS_IFU", "NRS_MSASPEC", "NRS_FIXEDSLIT", "NRS_BRIGHTOBJ")


class Draft:
    """An exposure as clean_flicker_noise sees it; what is costly is made when first asked for."""

    def __init__(
        self, ramp: Ramp, references: References, parameters: "CleanFlickerNoiseParameters"
    ) -> None:
        self.ramp = ramp
        self.references = references
        self.metadata = ramp.metadata
        self.exp_type = ramp.metadata.require("EXP_TYPE", str)
        self.shape = image_shape(ramp)
        self.full = self.shape == (FULL_SIZE, FULL_SIZE)
        self.parameters = self._chosen(parameters)

    @cached_property
    def rates(self) -> Rates:
        """Slopes fitted with the references that the run was given."""
        own = replace(self.ramp, pixeldq=self.ramp.pixeldq.copy(), extras=[])
        fitted, _ = ramp_fit.STEP.run(own, self.references, ramp_fit.RampFitParameters())
        rates: Rates = fitted
        return rates

    @cached_property
    def readout(self) -> Readout:
        """How the detector is read."""
        if self.exp_type.startswith("MIR"):
            return MIRI_COLUMNS
        fast, slow = (self.metadata.require(key, int) for key in ("FASTAXIS", "SLOWAXIS"))
        if sorted((abs(fast), abs(slow))) != [1, 2]:
            msg = (
                f"{self.metadata.source}: FASTAXIS is {fast} and SLOWAXIS {slow}; "
                f"expected +-1 and +-2"
            )
            raise InputError(msg)
        return Readout(fast, slow)

    @cached_property
    def flat_reference(self) -> Reference | None:
        """The flat, or None for N/A."""
        return self.references.load("flat", self.metadata)

    @cached_property
    def flat(self) -> Float32 | None:
        """The flat to divide by, if that is wanted, with its gaps filled."""
        return self._flat() if self.parameters.apply_flat_field else None

    def _flat(self) -> Float32 | None:
        if self.flat_reference is None:
            return None
        flat = reference_array(self.flat_reference, "SCI", self.shape)
        bad = ~np.isfinite(flat) | (flat == 0)
        if not bad.any():
            return flat
        smooth = background_map(np.where(bad, np.float32(0), flat), ~bad)
        return np.where(bad, smooth, flat)

    def _chosen(self, parameters: "CleanFlickerNoiseParameters") -> "CleanFlickerNoiseParameters":
        if parameters.autoparam and self.exp_type in IMAGES:
            parameters = self._automatic(parameters)
        elif parameters.autoparam:
            logger.warning("autoparam: nothing is known for EXP_TYPE %s; options stay as given",
                           self.exp_type)  # fmt: skip
        if parameters.apply_flat_field and self.flat_reference is None:
            logger.warning("no flat is applied: the flat reference is N/A")
        if parameters.background_method == "median_image" and parameters.single_mask:
            logger.info("median_image needs a mask for each integration; single_mask is off")
            parameters = replace(parameters, single_mask=False)
        return parameters

    def _automatic(self, parameters: "CleanFlickerNoiseParameters") -> Any:
        flat, rate = self._flat(), self.rates.rate.data
        instrument = "NIRISS" if self.exp_type == "NIS_IMAGE" else "NIRCAM"
        background, by_channel = choose_options(rate, instrument, self.readout, flat)
        logger.info(
            "autoparam: apply_flat_field=%s background_method=%s fit_by_channel=%s",
            flat is not None, background, by_channel,
        )  # fmt: skip
        return replace(
            parameters,
            apply_flat_field=flat is not None,
            background_method=background,
            fit_by_channel=by_channel,
        )

    def options(self) -> FlickerOptions:
        """Return what is fitted to this exposure.

        Raises
        ------
        InputError
            For fit_method fft with MIRI.
        """
        parameters, miri = self.parameters, self.exp_type.startswith("MIR")
        if miri and parameters.fit_method == "fft":
            msg = (
                f"{self.metadata.source}: clean_flicker_noise.fit_method fft is for near-infrared "
                f"detectors; choose median"
            )
            raise InputError(msg)
        by_channel = parameters.fit_by_channel and self.full and not miri
        if parameters.fit_by_channel and not by_channel:
            logger.warning("fit_by_channel is for near-infrared full frames; all is fitted as one")
        of_medians = parameters.background_method == "median_image"
        return FlickerOptions(
            method=parameters.fit_method,
            readout=self.readout,
            by_channel=by_channel,
            background=None if of_medians else parameters.background_method,
            box=parameters.background_box_size,
            n_sigma=parameters.n_sigma,
            band=SLOW_BAND if self.metadata.get("SUBARRAY") == "ALLSLITS" else FAST_BAND,
        )

    def mask(self) -> Mask:
        """Return which pixels are background: (ny, nx), or (nints, ny, nx).

        Raises
        ------
        InputError
            If the user's mask does not fit.
        """
        parameters = self.parameters
        if parameters.user_mask is not None:
            return self._user_mask(parameters.user_mask)
        rates = self.rates.rate if parameters.single_mask else self.rates.rateints
        rate = rates.data if self.flat is None else rates.data / self.flat
        lit = self.science_regions() if parameters.mask_science_regions else None
        return scene_mask(
            rate, lit, n_sigma=parameters.n_sigma, fit_histogram=parameters.fit_histogram
        )

    def _user_mask(self, path: str) -> Mask:
        arrays = self.references.open_file("user_mask", path).arrays
        image = arrays.get("SCI", next(iter(arrays.values()), np.empty(0)))
        allowed = (self.shape, (len(self.ramp.data), *self.shape))
        if image.shape not in allowed:
            msg = (
                f"{path}: the user_mask has shape {image.shape}; "
                f"expected {allowed[0]} or {allowed[1]} for {self.metadata.source}"
            )
            raise InputError(msg)
        mask: Mask = np.nan_to_num(image) != 0
        return mask

    def science_regions(self) -> Mask:
        """Return the pixels (ny, nx) that are known to be lit, without a WCS."""
        dq = self.ramp.pixeldq
        if self.exp_type == "MIR_IMAGE" and self.flat_reference is not None:
            dq = dq | reference_dq(self.flat_reference, self.shape)
        if self.exp_type in SLITS:
            logger.info(
                "slits and slices have no WCS yet: their light is told from the background by "
                "n_sigma alone, beside the rows of the fixed slits (IFU, MSA)"
            )
        lit = flagged_regions(self.exp_type, dq, full_frame=self.full)
        return lit | self._traces() if self.exp_type == "NIS_SOSS" else lit

    def _traces(self) -> Mask:
        reference = self.references.load("pastasoss", self.metadata)
        if reference is None or reference.tree is None:
            logger.warning("the SOSS traces are not masked: the pastasoss reference is N/A")
            return np.zeros(self.shape, np.bool_)
        found = traces(
            reference.tree,
            reference.name,
            pupil_wheel=self.metadata.require("PWCPOS", float),
            first_row=self.metadata.require("SUBSTRT2", int),
            columns=self.shape[1],
        )
        return trace_mask(found, self.shape, TRACE_HALF_WIDTH)

    def lit(self) -> Mask:
        """Return the pixels (ny, nx) of sources: SOSS traces, else what is above the background."""
        if self.exp_type == "NIS_SOSS":
            lit = self._traces()
            if lit.any():
                return lit
        rate = self.rates.rate.data
        return np.isfinite(rate) & ~scene_mask(rate, n_sigma=self.parameters.n_sigma or 2.0)
