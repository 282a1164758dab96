"""The pool's columns, and where their values come from when it is made from headers."""

from typing import Final

NULL: Final = "null"

# Column -> header keyword, or -> a fixed text where headers have nothing.
FROM_HEADER: Final[dict[str, str]] = {
    "obs_id": "OBS_ID",
    "program": "PROGRAM",
    "obs_num": "OBSERVTN",
    "visit": "VISIT",
    "visit_id": "VISIT_ID",
    "visitgrp": "VISITGRP",
    "visitype": "VISITYPE",
    "seq_id": "SEQ_ID",
    "act_id": "ACT_ID",
    "exposure": "EXPOSURE",
    "exp_type": "EXP_TYPE",
    "nexposur": "NEXPOSUR",
    "expcount": "EXPCOUNT",
    "instrume": "INSTRUME",
    "detector": "DETECTOR",
    "channel": "CHANNEL",
    "targprop": "TARGPROP",
    "targname": "TARGNAME",
    "targtype": "TARGTYPE",
    "template": "TEMPLATE",
    "pntg_seq": "PNTG_SEQ",
    "expspcin": "EXPSPCIN",
    "module": "MODULE",
    "filter": "FILTER",
    "pupil": "PUPIL",
    "patttype": "PATTTYPE",
    "pattstrt": "PATTSTRT",
    "numdthpt": "NUMDTHPT",
    "pattsize": "PATTSIZE",
    "subpxpts": "SUBPXPTS",
    "patt_num": "PATT_NUM",
    "apername": "APERNAME",
    "sdp_ver": "SDP_VER",
    "subarray": "SUBARRAY",
    "grating": "GRATING",
    "fxd_slit": "FXD_SLIT",
    "band": "BAND",
    "opmode": "OPMODE",
    "lamp": "LAMP",
    "gwa_xtil": "GWA_XTIL",
    "gwa_ytil": "GWA_YTIL",
    "msametfl": "MSAMETFL",
    "msastate": "MSASTATE",
    "nints": "NINTS",
    "is_psf": "IS_PSF",
    "is_imprt": "IS_IMPRT",
    "bkgdtarg": "BKGDTARG",
    "tsovisit": "TSOVISIT",
}
FIXED: Final[dict[str, str]] = {
    "pntgtype": "science",
    "mostilno": "1",
    "dithptin": "1",
    "dms_note": NULL,
    "exposerr": NULL,
}
WITHOUT_ZEROS: Final = frozenset({"obs_num", "visit", "visitgrp", "exposure"})
NEEDED_KEYWORDS: Final = ("PROGRAM", "OBSERVTN", "EXP_TYPE", "INSTRUME", "DETECTOR")
COLUMNS: Final = ("filename", *FROM_HEADER, "targetid", *FIXED, "asn_candidate")
NEEDED_COLUMNS: Final = (
    "filename",
    "program",
    "exp_type",
    "instrume",
    "asn_candidate",
)
