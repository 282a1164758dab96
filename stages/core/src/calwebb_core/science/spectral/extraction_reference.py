"""What an EXTRACT1D reference says of a spectrum, together with what the user says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.spectral.aperture import PIXEL, WAVELENGTH, Aperture, Coefficients
from calwebb_core.science.spectral.extract_1d_options import Wishes
from calwebb_core.science.spectral.extraction import FITS, VERTICAL, Background

ANY: Final = "ANY"


@dataclass(frozen=True)
class Extraction:
    """How one spectrum is extracted.

    Attributes
    ----------
    aperture : Aperture
        Without background regions where none is to be subtracted.
    background : Background
    use_source_posn : bool or None
        What the reference says about moving the aperture to a point source.
    """

    aperture: Aperture
    background: Background
    use_source_posn: bool | None


def extraction_of(
    reference: Reference | None, names: Sequence[str], order: int, axis: int, wishes: Wishes
) -> Extraction:
    """Return how a spectrum is extracted; all of it without a reference.

    Parameters
    ----------
    reference : Reference or None
        EXTRACT1D, read from JSON.
    names : sequence of str
        What the aperture may be called: the slit, the mode.
    order : int
        Spectral order.
    axis : 1 or 2
        Of the dispersion.
    wishes : Wishes

    Raises
    ------
    ReferenceFileError
        If it has no aperture of that name and order, or one that makes no sense.
    """
    entry = {} if reference is None else entry_of(reference, names, order)
    source = "" if reference is None else str(reference.path or reference.name)
    subtract = first_of(wishes.subtract_background, bool(entry.get("bkg_coeff")))
    try:
        aperture = aperture_of(entry, axis, subtract=bool(subtract))
        background = Background(
            fit=str(first_of(wishes.bkg_fit, entry.get("bkg_fit"), FITS[0])),
            order=int(first_of(wishes.bkg_order, entry.get("bkg_order"), 0)),
            smoothing=int(first_of(wishes.smoothing_length, entry.get("smoothing_length"), 0)),
        )
    except (ValueError, TypeError) as error:
        msg = f"{source}: aperture {entry.get('id')} makes no sense: {error}"
        raise ReferenceFileError(msg) from error
    posn = entry.get("use_source_posn")
    return Extraction(aperture, background, None if posn is None else bool(posn))


def first_of(*values: Any) -> Any:
    """Return the first value that is there."""
    return next((value for value in values if value is not None), None)


def entry_of(reference: Reference, names: Sequence[str], order: int) -> Mapping[str, Any]:
    """Return the aperture of one of some names and an order.

    Raises
    ------
    ReferenceFileError
        If there is none.
    """
    source = reference.path or reference.name
    entries = (reference.tree or {}).get("apertures")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        msg = f"{source}: has no list of apertures; expected an EXTRACT1D reference file"
        raise ReferenceFileError(msg)
    targets = [entry for entry in entries if entry.get("region_type", "target") == "target"]
    for name in (*names, ANY):
        for entry in targets:
            if entry.get("id") == name and entry.get("spectral_order", order) == order:
                return dict(entry)
    found = ", ".join(sorted({str(entry.get("id")) for entry in targets})) or "none"
    msg = (
        f"{source}: has no aperture {' or '.join(names)} of order {order} (it has {found}); "
        "name another file with --override extract1d=FILE"
    )
    raise ReferenceFileError(msg)


def aperture_of(entry: Mapping[str, Any], axis: int, *, subtract: bool) -> Aperture:
    """Return the aperture of an entry.

    Raises
    ------
    ValueError, TypeError
        If a value is none that an aperture can have.
    """
    if entry.get("dispaxis", axis) != axis:
        msg = f"dispaxis is {entry['dispaxis']}, but DISPAXIS of the spectrum {axis}"
        raise ValueError(msg)
    along, across = ("y", "x") if axis == VERTICAL else ("x", "y")
    first, last = (entry.get(f"{along}{end}") for end in ("start", "stop"))
    variable = str(entry.get("independent_var", PIXEL)).lower()
    if variable not in (PIXEL, WAVELENGTH):
        msg = f"independent_var is {variable!r}; expected {PIXEL} or {WAVELENGTH}"
        raise ValueError(msg)
    width = entry.get("extract_width")
    edges = (entry.get(f"{across}start"), entry.get(f"{across}stop"))
    return Aperture(
        along=None
        if first is None and last is None
        else (float(first_of(first, 0)), float(first_of(last, "inf"))),
        across=(optional(edges[0]), optional(edges[1])),
        width=optional(width),
        source=coefficients(entry, "src_coeff"),
        background=coefficients(entry, "bkg_coeff") if subtract else (),
        variable=variable,
    )


def optional(value: Any) -> float | None:
    """Return a number, or None where there is none."""
    return None if value is None else float(value)


def coefficients(entry: Mapping[str, Any], key: str) -> Coefficients:
    """Return polynomials of an entry, lower and upper edges in turn.

    Raises
    ------
    ValueError
        If their number is odd, or one is empty.
    """
    lists = tuple(tuple(float(value) for value in item) for item in entry.get(key) or ())
    if len(lists) % 2 or not all(lists):
        msg = f"{key} has {len(lists)} lists; expected two for each region, none of them empty"
        raise ValueError(msg)
    return lists
