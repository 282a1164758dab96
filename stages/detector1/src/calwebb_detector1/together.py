"""Run steps on an exposure block by block: one alone, or all up to the rates at once."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.memory import return_large_arrays
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Ramp, Rates, Table
from calwebb_core.framework.product_stream import NAMES, ImageStream
from calwebb_core.framework.products import product_path, root_of
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step
from calwebb_detector1.blocks import Block, Correction, Exposure, Reshaped, Sink, run_chain
from calwebb_detector1.kernels.flags import DO_NOT_USE
from calwebb_detector1.kernels.jump_flags import all_flagged
from calwebb_detector1.rates import Product, empty_product
from calwebb_detector1.sources import RampSink, RampSource, RawExposure

Prepare = Callable[[Exposure, References, Any], Correction | Status]
FIT = "ramp_fit"
logger = logging.getLogger(__name__)


def alone(prepare: Prepare) -> Callable[[Any, References, Any], tuple[Any, Status]]:
    """Return the `run` function of a step that works on blocks and leaves ramps as ramps."""

    def run(ramp: Ramp, references: References, parameters: Any) -> tuple[Ramp, Status]:
        """Work on ramps in memory; the arrays are changed or replaced."""
        steps = [(prepare, parameters)]
        model, statuses = run_steps(ramp, steps, references, None)
        return model, statuses[0]

    return run


def fit_ramps(
    prepare: Prepare, ramp: Ramp, references: References, parameters: Any, optional: bool
) -> tuple[Rates, dict[str, Any]]:
    """Fit ramps in memory; return the rates and, if wanted, optional results by name."""
    sink = RatesInMemory(ramp.metadata, ramp.data.shape, ramp.tables)
    if optional:
        sink = RatesAndMore(ramp.metadata, ramp.data.shape, ramp.tables)
    rates, _ = run_steps(ramp, [(prepare, parameters)], references, sink)
    return rates, sink.optional


def run_together(
    model: Any,
    steps: Sequence[tuple[Step, Any]],
    references: References,
    output_dir: Path,
    expected: Metadata,
) -> tuple[Any, list[Status]]:
    """Run consecutive steps in one pass.

    Parameters
    ----------
    model : Ramp or RawExposure
    steps : sequence of (Step, parameters)
        All with `prepare`.
    references : References
    output_dir : Path
        Where the rates grow, if the ramp fit is among the steps.
    expected : Metadata
        How the keywords will probably look in the end, so that their place is right.

    Returns
    -------
    model : Ramp, or Rates whose images are streams to be closed
    statuses : list of Status
    """
    return_large_arrays()
    sink = None
    if any(step.name == FIT for step, _ in steps):
        shape = model.shape if isinstance(model, RawExposure) else model.data.shape
        expected = expected.copy()
        expected.update(PRIMECRS=0.0, EXTNCRS=0.0)
        sink = RatesOnDisk(model.metadata, expected, shape, model.tables, output_dir)
    prepared = [(step.prepare, parameters) for step, parameters in steps]
    kinds = [kind for step, parameters in steps for kind in step.types(parameters)]
    references.prefetch(kinds, model.metadata)
    return run_steps(model, prepared, references, sink)  # type: ignore[arg-type]


def run_steps(
    model: Any,
    steps: Sequence[tuple[Prepare, Any]],
    references: References,
    rates: "RatesInMemory | RatesOnDisk | None",
) -> tuple[Any, list[Status]]:
    """Prepare steps in order and send the exposure through them."""
    found: dict[str, Any] = {}
    while True:
        exposure = exposure_of(model)
        exposure.found = found
        statuses = []
        for prepare, parameters in steps:
            made = prepare(exposure, references, parameters)
            statuses.append(made if isinstance(made, Status) else made.status)
            if isinstance(made, Correction):
                exposure.chain.append(made)
        try:
            return finish(model, exposure, rates), statuses
        except Reshaped:
            logger.debug("groups that no pixel can use were not foreseen; once more")


def exposure_of(model: Any) -> Exposure:
    """Return what steps know of an exposure before they read its samples."""
    if isinstance(model, RawExposure):
        return model.exposure()
    unusable = [[all_flagged(group, DO_NOT_USE) for group in flags] for flags in model.groupdq]
    return Exposure(
        model.metadata,
        model.data.shape,
        model.pixeldq.copy(),
        RampSource(model),
        model.zeroframe is not None,
        model.average_dark_current,
        np.array(unusable),
        typical_of(model),
        afterglow=model.afterglow,
    )


def typical_of(ramp: Ramp) -> NDArray[np.bool_]:
    """Return which groups (nints, ngroups) are DO_NOT_USE for most of some hundred pixels."""
    ny, nx = ramp.pixeldq.shape
    some = ramp.groupdq[:, :, :: 1 + ny // 16, :: 1 + nx // 16]
    typical: NDArray[np.bool_] = np.mean(some == DO_NOT_USE, axis=(2, 3)) > 0.5
    return typical


def finish(model: Any, exposure: Exposure, rates: Any) -> Any:
    """Run the chain into rates or back into ramps."""
    chain = exposure.chain
    if rates is not None:
        run_chain(exposure, chain, rates)
        result = rates.result()
        result.afterglow = exposure.afterglow
        if isinstance(model, Ramp):
            result.extras += model.extras
        return result
    halo = sum(correction.halo for correction in chain)
    ramp = model.empty() if isinstance(model, RawExposure) else model
    changes = any(correction.changes_data for correction in chain)
    sink = RampSink(ramp, shared=ramp is model, halo=halo, changes_data=changes)
    if chain:
        run_chain(exposure, chain, sink)
        sink.close()
    ramp.average_dark_current = exposure.average_dark_current
    ramp.afterglow = exposure.afterglow
    return ramp


@dataclass
class StreamedImage:
    """An image whose pixels are on disk already, and whose keywords are not final."""

    metadata: Metadata
    stream: ImageStream

    def close(self) -> Path:
        """Write the keywords and return the product's path."""
        self.stream.metadata = self.metadata
        self.stream.close()
        return self.stream.path


class RatesOnDisk:
    """Takes rates block by block into `_rate` and `_rateints` files in the making."""

    def __init__(
        self,
        metadata: Metadata,
        expected: Metadata,
        shape: tuple[int, ...],
        tables: dict[str, Table],
        folder: Path,
    ) -> None:
        nints, _, ny, nx = shape
        root = root_of(metadata)
        self._metadata, self._expected = metadata, expected
        self._rate = self._open(product_path(folder, root, "rate"), (ny, nx))
        self._rateints = self._open(product_path(folder, root, "rateints"), (nints, ny, nx))
        self._rateints.tables = carried_tables(tables)

    def _open(self, path: Path, shape: tuple[int, ...]) -> ImageStream:
        return ImageStream(path, rate_metadata(self._expected), shape)

    def begin(self) -> None:
        """Start anew: every block is written again."""
        for stream in (self._rate, self._rateints):
            stream.begin()

    def write(self, block: Block) -> None:
        """Take the core of a block."""
        for stream, product in zip((self._rateints, self._rate), block.rates, strict=True):
            for name, array in zip(NAMES, product, strict=True):
                stream.put(name, block.core.rows, block.core.columns, block.inner(array))

    def result(self) -> Rates:
        """Return the two images, to be closed once their keywords are final."""
        images: list[Any] = [
            StreamedImage(rate_metadata(self._metadata), stream)
            for stream in (self._rate, self._rateints)
        ]
        return Rates(*images)


class RatesInMemory:
    """Takes rates block by block into arrays."""

    def __init__(
        self, metadata: Metadata, shape: tuple[int, ...], tables: dict[str, Table]
    ) -> None:
        nints, _, ny, nx = shape
        self._metadata, self._tables = metadata, tables
        self._rateints = empty_product((nints, ny, nx))
        self._rate = empty_product((ny, nx))
        self.optional: dict[str, Any] = {}

    def begin(self) -> None:
        """Start anew: every block is written again."""
        self.optional = {}

    def write(self, block: Block) -> None:
        """Take the core of a block."""
        for own, product in zip((self._rateints, self._rate), block.rates, strict=True):
            for target, array in zip(own, product, strict=True):
                block.core.put(target, block.inner(array))

    def result(self) -> Rates:
        """Return the two images."""
        rate, rateints = (image_of(p, self._metadata) for p in (self._rate, self._rateints))
        rateints.tables = carried_tables(self._tables)
        return Rates(rate, rateints)


class RatesAndMore(RatesInMemory):
    """Also keeps the optional results of the fit, of which each block may have more or fewer.

    The number of segments and of jumps differs from block to block; missing ones are zero.
    """

    def __init__(
        self, metadata: Metadata, shape: tuple[int, ...], tables: dict[str, Table]
    ) -> None:
        super().__init__(metadata, shape, tables)
        self._size = shape[2:]
        self._lock = threading.Lock()

    def write(self, block: Block) -> None:
        """Take the core of a block."""
        super().write(block)
        with self._lock:
            for name, array in block.optional.items():
                self._grow(name, array.shape[:-2])
                index = tuple(slice(0, size) for size in array.shape[:-2])
                block.core.put(self.optional[name][index], block.inner(array))

    def _grow(self, name: str, wanted: tuple[int, ...]) -> None:
        """Make room for as many planes, at least."""
        now = self.optional.get(name)
        sizes = wanted if now is None else tuple(map(max, wanted, now.shape))
        if now is not None and sizes == now.shape[:-2]:
            return
        grown = np.zeros((*sizes, *self._size), np.float32)
        if now is not None:
            grown[tuple(slice(0, size) for size in now.shape[:-2])] = now
        self.optional[name] = grown


def image_of(product: Product, metadata: Metadata) -> Image:
    """Return arrays of a fit as a container of its own."""
    slope, err, dq, var_poisson, var_rnoise = product
    return Image(rate_metadata(metadata), slope, err, dq, var_poisson, var_rnoise)


def rate_metadata(metadata: Metadata) -> Metadata:
    """Return a copy of an exposure's keywords for its rates."""
    own = metadata.copy()
    own["BUNIT"] = "DN/s"
    return own


def carried_tables(tables: dict[str, Table]) -> dict[str, Table]:
    """Return the tables that the rates of the integrations keep."""
    return {name: table for name, table in tables.items() if name == "INT_TIMES"}


__all__ = ["Sink", "alone", "fit_ramps", "run_together"]
