"""What stage 2 spectroscopy makes of an exposure: calibrated, rectified, and extracted spectra."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slits
from calwebb_core.framework.names import split_suffix
from calwebb_core.framework.product_writing import write_image, write_spectral_image
from calwebb_core.framework.products import product_path, root_of
from calwebb_core.framework.reference_types import REFERENCE_KEYWORDS
from calwebb_core.framework.slit_products import write_slits
from calwebb_core.framework.spectra import Spectra, SpectralImage
from calwebb_core.framework.spectra_products import write_spectra
from calwebb_core.framework.step import Step

Exposure = Image | Slits
Writable = Exposure | Spectra | SpectralImage
CALIBRATED: Final = ("cal", "calints")
RECTIFIED: Final = "s2d"
REPLACED: Final = "pixel_replace"


@dataclass
class Derived:
    """A calibrated exposure and what the steps after photom made of it.

    Attributes
    ----------
    calibrated : Image or Slits
        As photom left it, or whatever product the run began with.
    replaced : Image or Slits or None
        A copy of it whose bad pixels are estimated; a product only if nothing follows.
    rectified : Image or Slits or None
        `_s2d`.
    spectra : Spectra or None
        `_x1d` or `_x1dints`.
    """

    calibrated: Exposure
    replaced: Exposure | None = None
    rectified: Exposure | None = None
    spectra: Spectra | None = None

    @classmethod
    def of(cls, model: "Exposure | Derived") -> "Derived":
        """Return what a step was given, as one that nothing was made of yet where it is so."""
        return model if isinstance(model, Derived) else cls(model)

    @property
    def metadata(self) -> Metadata:
        """Keywords of the calibrated exposure."""
        return self.calibrated.metadata

    @property
    def best(self) -> Exposure:
        """What the next step works on."""
        return self.rectified or self.replaced or self.calibrated


Product = Exposure | Derived


def products_of(model: Derived, steps: tuple[Step, ...]) -> list[tuple[str, Writable]]:
    """Return the products of a run with their suffixes.

    The product that the run began with is none of them.

    Parameters
    ----------
    model : Derived
    steps : tuple of Step
        Those of the mode, in order: no product says what became of it later.
    """
    found: list[tuple[str, Writable]] = []
    if suffix_of(model.metadata) not in (*CALIBRATED, RECTIFIED):
        suffix = "calints" if has_integrations(model.calibrated) else "cal"
        found.append((suffix, without(model.calibrated, after(steps, "photom"))))
    if model.replaced is not None and model.rectified is None and model.spectra is None:
        found.append((REPLACED, without(model.replaced, after(steps, REPLACED))))
    if model.rectified is not None:
        found.append((RECTIFIED, without(model.rectified, after(steps, "resample_spec"))))
    if model.spectra is not None:
        found.append((model.spectra.kind, model.spectra))
        found += [(image.suffix, image) for image in model.spectra.images]
    return found


def suffix_of(metadata: Metadata) -> str:
    """Return the suffix of the file that an exposure was read from, "" without a known one."""
    try:
        return split_suffix(Path(metadata.source).name)[1]
    except InputError:
        return ""


def after(steps: tuple[Step, ...], name: str) -> list[Step]:
    """Return the steps behind one."""
    names = [step.name for step in steps]
    return list(steps[names.index(name) + 1 :]) if name in names else []


def without(model: Exposure, steps: Iterable[Step]) -> Exposure:
    """Return an exposure without what keywords say of some steps."""
    names = set()
    for step in steps:
        names |= {step.keyword} | {REFERENCE_KEYWORDS.get(kind, "") for kind in step.references}
    changed = replace(model, metadata=cleared(model.metadata, names))
    if isinstance(changed, Slits):
        changed.slits = [
            replace(slit, metadata=cleared(slit.metadata, names)) for slit in changed.slits
        ]
    return changed


def cleared(metadata: Metadata, names: set[str]) -> Metadata:
    """Return a copy without some keywords."""
    result = metadata.copy()
    for name in names:
        result.pop(name, None)
    return result


def has_integrations(model: Exposure) -> bool:
    """Say whether there is a spectrum of each integration."""
    arrays = [slit.data for slit in model.slits] if isinstance(model, Slits) else [model.data]
    return any(array.ndim == 3 for array in arrays)


def put(model: Writable, directory: Path, suffix: str) -> Path:
    """Write one product and return its path."""
    path = product_path(directory, root_of(model.metadata), suffix)
    if isinstance(model, Spectra):
        write_spectra(model, path)
    elif isinstance(model, SpectralImage):
        write_spectral_image(model, path)
    elif isinstance(model, Slits):
        write_slits(model, path)
    else:
        write_image(model, path)
    return path
