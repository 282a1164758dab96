"""An exposure's keywords under the names that CRDS rules use."""

from collections.abc import Sequence

from calwebb_core.framework.metadata import Metadata

# Names that the rules use, by FITS keyword. Passing them instead of FITS keywords spares crds
# the import of the official data models, which are not installed here.
RULE_NAMES = {
    "INSTRUME": "META.INSTRUMENT.NAME",
    "DETECTOR": "META.INSTRUMENT.DETECTOR",
    "FILTER": "META.INSTRUMENT.FILTER",
    "PUPIL": "META.INSTRUMENT.PUPIL",
    "GRATING": "META.INSTRUMENT.GRATING",
    "BAND": "META.INSTRUMENT.BAND",
    "CHANNEL": "META.INSTRUMENT.CHANNEL",
    "MODULE": "META.INSTRUMENT.MODULE",
    "CORONMSK": "META.INSTRUMENT.CORONAGRAPH",
    "OPMODE": "META.INSTRUMENT.LAMP_MODE",
    "LAMP": "META.INSTRUMENT.LAMP_STATE",
    "FXD_SLIT": "META.INSTRUMENT.FIXED_SLIT",
    "EXP_TYPE": "META.EXPOSURE.TYPE",
    "READPATT": "META.EXPOSURE.READPATT",
    "NOUTPUTS": "META.EXPOSURE.NOUTPUTS",
    "NFRAMES": "META.EXPOSURE.NFRAMES",
    "NGROUPS": "META.EXPOSURE.NGROUPS",
    "NINTS": "META.EXPOSURE.NINTS",
    "GROUPGAP": "META.EXPOSURE.GROUPGAP",
    "SUBARRAY": "META.SUBARRAY.NAME",
    "SUBSTRT1": "META.SUBARRAY.XSTART",
    "SUBSTRT2": "META.SUBARRAY.YSTART",
    "SUBSIZE1": "META.SUBARRAY.XSIZE",
    "SUBSIZE2": "META.SUBARRAY.YSIZE",
    "FASTAXIS": "META.SUBARRAY.FASTAXIS",
    "SLOWAXIS": "META.SUBARRAY.SLOWAXIS",
    "DATE-OBS": "META.OBSERVATION.DATE",
    "TIME-OBS": "META.OBSERVATION.TIME",
    "TSOVISIT": "META.VISIT.TSOVISIT",
    "VISITYPE": "META.VISIT.TYPE",
    "CROWDFLD": "META.VISIT.CROWDED_FIELD",
    "APERNAME": "META.APERTURE.NAME",
    "TARGTYPE": "META.TARGET.TYPE",
    "PATTTYPE": "META.DITHER.PRIMARY_TYPE",
    "DATAMODL": "META.MODEL_TYPE",
}
NEEDED = ("INSTRUME", "DATE-OBS", "TIME-OBS")
# Files for another exposure that a step looks at, too: MIRI's spectra of a slit or without one are
# placed by an image of their target, whose filter moves it.
OF_ANOTHER = {
    ("MIR_LRS-FIXEDSLIT", "filteroffset"): "MIR_TACONFIRM",
    ("MIR_LRS-SLITLESS", "filteroffset"): "MIR_TACONFIRM",
}


def requests(
    metadata: Metadata, types: Sequence[str]
) -> list[tuple[dict[str, str | int | float | bool], list[str]]]:
    """Return what to ask CRDS for an exposure: keywords as its rules call them, and types.

    Raises
    ------
    InputError
        If instrument, date or time is missing.
    """
    own, kind = rule_parameters(metadata), str(metadata.get("EXP_TYPE"))
    asked: dict[str, list[str]] = {}
    for name in types:
        asked.setdefault(OF_ANOTHER.get((kind, name), ""), []).append(name)
    return [
        (own | {RULE_NAMES["EXP_TYPE"]: other} if other else own, names)
        for other, names in asked.items()
    ]


def rule_parameters(metadata: Metadata) -> dict[str, str | int | float | bool]:
    """Return an exposure's keywords under the names that CRDS rules use.

    Raises
    ------
    InputError
        If instrument, date or time is missing.
    """
    for keyword in NEEDED:
        metadata.require(keyword, str)
    return {
        name: metadata[keyword]
        for keyword, name in RULE_NAMES.items()
        if isinstance(metadata.get(keyword), str | int | float | bool)
    }
