"""Write the reference files of stages 2 and 3 for the spectra of a scenario."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from calwebb_simulator.detector import Properties
from calwebb_simulator.plan import Planned
from calwebb_simulator.references.crds import Cache, Rules
from calwebb_simulator.references.detector import write_flat
from calwebb_simulator.references.offsets import write_filteroffset
from calwebb_simulator.references.optics import asdf_meta, distortion_model, write_tree
from calwebb_simulator.references.rules import NOT_APPLICABLE, rule_values
from calwebb_simulator.references.spectra import (
    write_slit_area,
    write_spectral_apcorr,
    write_spectral_photom,
    write_spectral_psf,
    write_wavecorr,
)
from calwebb_simulator.references.spectra_slits import (
    write_dflat,
    write_extract1d,
    write_fflat,
    write_pathloss,
    write_sflat,
)
from calwebb_simulator.spectra.acquisition import is_acquisition
from calwebb_simulator.spectra.choice import mode_of
from calwebb_simulator.spectra.middles import star_trace
from calwebb_simulator.spectra.modes import SpectralMode
from calwebb_simulator.spectra.optics_files import EXTENSIONS, WRITERS, write_geometry

Writer = Callable[[Path, SpectralMode], Path]
# types whose files differ in what a mode's optics are
COMMON: Final[Mapping[str, Writer]] = {
    "photom": write_spectral_photom,
    "apcorr": write_spectral_apcorr,
}
SLITS_ONLY: Final = ("MIR_LRS-FIXEDSLIT", "NRS_FIXEDSLIT")


class SpectralBuilder:
    """Writes the files of all spectroscopic modes of a scenario, each once.

    Parameters
    ----------
    cache : Cache
    rules : Rules
        Get an entry for each file.
    properties : callable
        Gives the properties of an exposure's frame.
    real_cache : Path, optional
        CRDS cache with the observatory's files of optics.
    progress : callable
        Called with the name of every file written.
    """

    def __init__(
        self,
        cache: Cache,
        rules: Rules,
        properties: Callable[[Planned], Properties],
        real_cache: Path | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.cache = cache
        self.rules = rules
        self.properties = properties
        self.real_cache = real_cache
        self.progress = progress
        self.done: set[tuple[str, ...]] = set()

    def build(self, entries: tuple[Planned, ...]) -> None:
        """Write what all spectra among some exposures need."""
        for entry in entries:
            mode = mode_of(entry)
            if mode is not None:
                self._mode(mode, entry)
        image = next(filter(is_acquisition, entries), None)
        if image is not None:
            self._filters(image)

    def _filters(self, entry: Planned) -> None:
        """Write by how much the filters move the image that confirms a target."""
        detector, instrument = entry.frame.detector, entry.instrument
        filters = [instrument.filter(name) for name in instrument.channels[detector.channel]]
        path = self.cache.new_reference("filteroffset", "asdf")
        write_filteroffset(path, instrument, detector, filters)
        values = rule_values(detector=detector.name, exp_type=entry.group.exp_type)
        self.rules.add("filteroffset", values, path.name)
        self.progress(path.name)

    def _mode(self, mode: SpectralMode, entry: Planned) -> None:
        for kind, writer in COMMON.items():
            self._add(kind, mode, writer)
        for kind in WRITERS[mode.instrument]:
            copy = partial(self._geometry, kind)
            self._add(kind, mode, copy, EXTENSIONS[mode.instrument])
        self._add(
            "extract1d",
            mode,
            lambda path, chosen: write_extract1d(
                path, chosen, star_trace(chosen, entry, self.real_cache)
            ),
            "json",
        )
        if mode.exp_type in SLITS_ONLY:
            self._add("pathloss", mode, write_pathloss)
        if mode.instrument == "NIRSPEC":
            self._nirspec(mode, entry)
        else:
            self._imagers(mode, entry)

    def _geometry(self, kind: str, path: Path, mode: SpectralMode) -> Path:
        return write_geometry(kind, path, mode, self.real_cache)

    def _imagers(self, mode: SpectralMode, entry: Planned) -> None:
        """Write what MIRI and NIRCam share with images: distortion and flat."""
        self._add("distortion", mode, lambda path, _: write_distortion(path, mode, entry), "asdf")
        if mode.instrument == "MIRI":
            self._add("psf", mode, write_spectral_psf)
        properties, scope = self.properties(entry), mode.scope()
        self._add("flat", mode, lambda path, _: write_flat(path, scope, properties, entry.optics))

    def _nirspec(self, mode: SpectralMode, entry: Planned) -> None:
        self._add("area", mode, write_slit_area)
        self._add("wavecorr", mode, write_wavecorr, "asdf")
        self._add("fflat", mode, write_fflat)
        subarray = mode.subarray
        self._add("sflat", mode, write_sflat)
        properties = self.properties(entry)
        science = properties.flat * properties.science
        self._add("dflat", mode, lambda path, chosen: write_dflat(path, chosen, subarray, science))

    def _add(self, kind: str, mode: SpectralMode, writer: Writer, extension: str = "fits") -> None:
        """Write a file if none for the same values of all keywords is there."""
        frame = mode.frame()
        values = rule_values(
            detector=mode.detector,
            channel=frame.detector.channel,
            module=frame.detector.module,
            exp_type=mode.exp_type,
            filter=mode.filter,
            pupil=mode.pupil,
            grating=mode.grating,
            subarray=mode.subarray,
            readpatt=NOT_APPLICABLE,
        )
        key = (kind, *values.values())
        if key in self.done:
            return
        self.done.add(key)
        path = writer(self.cache.new_reference(kind, extension), mode)
        self.rules.add(kind, values, path.name)
        self.progress(path.name)


def write_distortion(path: Path, mode: SpectralMode, entry: Planned) -> Path:
    """Write the distortion of the imager in front of which a prism or grism stands."""
    frame = entry.frame
    meta = asdf_meta(
        "distortion",
        "DistortionModel",
        "Distortion from the SIAF",
        name=mode.instrument,
        detector=mode.detector,
        channel=frame.detector.channel,
        module=frame.detector.module,
    )
    meta |= {
        "exposure": {"type": mode.exp_type, "p_exptype": f"{mode.exp_type}|"},
        "input_units": "pixel",
        "output_units": "arcsec",
        "subarray": {"name": "FULL"},
    }
    return write_tree(path, {"meta": meta, "model": distortion_model(frame.distortion)})
