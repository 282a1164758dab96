"""CRDS reference types and the header keyword that records the file used for each."""

REFERENCE_KEYWORDS = {
    "area": "R_AREA",
    "barshadow": "R_BARSHA",
    "bkg": "R_BKG",
    "camera": "R_CAMERA",
    "chromcorr": "R_CHRCOR",
    "collimator": "R_COLLIM",
    "cubepar": "R_CUBPAR",
    "dark": "R_DARK",
    "dflat": "R_DFLAT",
    "disperser": "R_DISPER",
    "distortion": "R_DISTOR",
    "emicorr": "R_MIREMI",
    "extract1d": "R_EXTR1D",
    "fflat": "R_FFLAT",
    "filteroffset": "R_FILOFF",
    "flat": "R_FLAT",
    "fore": "R_FORE",
    "fpa": "R_FPA",
    "fringe": "R_FRINGE",
    "fringefreq": "R_FRIFRQ",
    "gain": "R_GAIN",
    "ifufore": "R_IFUFOR",
    "ifupost": "R_IFUPOS",
    "ifuslicer": "R_IFUSLI",
    "ipc": "R_IPC",
    "lastframe": "R_LASTFR",
    "linearity": "R_LINEAR",
    "mask": "R_MASK",
    "mrsptcorr": "R_MRSPT",
    "mrsxartcorr": "R_MRSXAR",
    "msa": "R_MSA",
    "msaoper": "R_MSAOPE",
    "nrm": "R_NRM",
    "ote": "R_OTE",
    "pastasoss": "R_PSTSOS",
    "pathloss": "R_PTHLOS",
    "persat": "R_PERSAT",
    "photom": "R_PHOTOM",
    "psfmask": "R_PSFMAS",
    "readnoise": "R_READNO",
    "refpix": "R_REFPIX",
    "regions": "R_REGION",
    "reset": "R_RESET",
    "rscd": "R_RSCD",
    "saturation": "R_SATURA",
    "sflat": "R_SFLAT",
    "sirskernel": "R_SIRSKL",
    "speckernel": "R_SPKERN",
    "specprofile": "R_SPPROF",
    "specwcs": "R_SPCWCS",
    "superbias": "R_SUPERB",
    "throughput": "R_THRPUT",
    "trapdensity": "R_TRPDEN",
    "trappars": "R_TRPPAR",
    "tsophot": "R_TSPHOT",
    "wavecorr": "R_WAVCOR",
    "wavelengthrange": "R_WAVRAN",
}

# Types that products have no keyword for; the provenance names their files.
OTHER_TYPES = ("abvegaoffset", "apcorr", "picture_frame", "pictureframe", "psf")

# CRDS types of files that hold options instead of pixels: `pars-` and the official class's name.
PARAMETERS = "pars-"
CLASS_NAMES = {
    "bkg_subtract": "background",
    "imprint_subtract": "imprint",
    "msa_flagging": "msaflagopen",
    "srctype": "sourcetype",
}
PIPELINES = ("detector1", "dark", "guider", "image2", "image3", "spec2", "spec3", "tso3")
STEPS = (
    "adaptive_trace_model",
    "assign_mtwcs",
    "assign_wcs",
    "badpix_selfcal",
    "barshadow",
    "bkg_subtract",
    "charge_migration",
    "clean_flicker_noise",
    "combine_1d",
    "cube_build",
    "dark_current",
    "dq_init",
    "emicorr",
    "extract_1d",
    "extract_2d",
    "firstframe",
    "flat_field",
    "fringe",
    "gain_scale",
    "group_scale",
    "guider_cds",
    "imprint_subtract",
    "ipc",
    "jump",
    "lastframe",
    "linearity",
    "master_background",
    "master_background_mos",
    "msa_flagging",
    "outlier_detection",
    "pathloss",
    "persistence",
    "photom",
    "picture_frame",
    "pixel_replace",
    "ramp_fit",
    "refpix",
    "resample",
    "resample_spec",
    "reset",
    "residual_fringe",
    "rscd",
    "saturation",
    "skymatch",
    "source_catalog",
    "srctype",
    "straylight",
    "superbias",
    "targ_centroid",
    "tso_photometry",
    "tweakreg",
    "wavecorr",
    "wfss_contam",
    "white_light",
)


def step_type(name: str) -> str:
    """Return the CRDS type of a step's options: "dark_current" -> "pars-darkcurrentstep"."""
    return f"{PARAMETERS}{CLASS_NAMES.get(name, name).replace('_', '')}step"


def pipeline_type(name: str) -> str:
    """Return the CRDS type of a pipeline's options: "calwebb_dark" -> "pars-darkpipeline"."""
    return f"{PARAMETERS}{name.removeprefix('calwebb_').replace('_', '')}pipeline"


PARAMETER_TYPES = (*map(step_type, STEPS), *map(pipeline_type, PIPELINES))

KNOWN_TYPES = tuple(sorted((*REFERENCE_KEYWORDS, *OTHER_TYPES, *PARAMETER_TYPES)))
