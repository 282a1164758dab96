"""The pool's columns, and where their values come from when it is made from headers.

The columns are those of the archive's pools, in their order. Headers lack some of them: what
the proposal alone knows. What stands for it is said at `derived.py`.
"""

from typing import Final

NULL: Final = "null"

# Column -> header keyword, "" where there is none. Headers that carry a column under its own
# name are believed.
SOURCES: Final[dict[str, str]] = {
    "filename": "",
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
    "targetid": "",
    "targprop": "TARGPROP",
    "targname": "TARGNAME",
    "targtype": "TARGTYPE",
    "template": "TEMPLATE",
    "pntgtype": "PNTGTYPE",
    "pntg_seq": "PNTG_SEQ",
    "targordn": "TARGORDN",
    "expspcin": "EXPSPCIN",
    "dithptin": "DITHPTIN",
    "mostilno": "MOSTILNO",
    "module": "MODULE",
    "filter": "FILTER",
    "pupil": "PUPIL",
    "ditherid": "DITHERID",
    "patttype": "PATTTYPE",
    "pattstrt": "PATTSTRT",
    "numdthpt": "NUMDTHPT",
    "pattsize": "PATTSIZE",
    "subpxpts": "SUBPXPTS",
    "patt_num": "PATT_NUM",
    "subpixel": "SUBPIXEL",
    "apername": "APERNAME",
    "sdp_ver": "SDP_VER",
    "subarray": "SUBARRAY",
    "grating": "GRATING",
    "fxd_slit": "FXD_SLIT",
    "band": "BAND",
    "gwa_xtil": "GWA_XTIL",
    "gwa_ytil": "GWA_YTIL",
    "asn_candidate": "",
    "exposerr": "EXPOSERR",
    "is_psf": "IS_PSF",
    "is_imprt": "IS_IMPRT",
    "bkgdtarg": "BKGDTARG",
    "tsovisit": "TSOVISIT",
    "msastate": "MSASTATE",
    "msametfl": "MSAMETFL",
    "opmode": "OPMODE",
    "lamp": "LAMP",
    "spec_num": "SPEC_NUM",
    "spat_num": "SPAT_NUM",
    "dms_note": "DMS_NOTE",
    "exsegtot": "EXSEGTOT",
    "nints": "NINTS",
    "ngroups": "NGROUPS",
    "mtshadow": "MTSHADOW",
}
COLUMNS: Final = tuple(SOURCES)
HEADER_COLUMNS: Final = {column: keyword for column, keyword in SOURCES.items() if keyword}
# The archive's pools of earlier years had these names.
EARLIER_COLUMNS: Final = ("subpxpns", "subpxnum", "wfsvisit")
WITHOUT_ZEROS: Final = frozenset({"obs_num", "visit", "visitgrp", "exposure"})
NEEDED_KEYWORDS: Final = ("PROGRAM", "OBSERVTN", "EXP_TYPE", "INSTRUME", "DETECTOR")
NEEDED_COLUMNS: Final = ("filename", "program", "exp_type", "instrume", "asn_candidate")
# Values that become part of the names of products.
NAME_COLUMNS: Final = (
    "instrume",
    "detector",
    "channel",
    "module",
    "filter",
    "pupil",
    "grating",
    "fxd_slit",
    "band",
    "subarray",
    "targetid",
    "act_id",
)
FLAGS: Final = ("is_psf", "is_imprt", "bkgdtarg", "tsovisit")
# Columns that rules read, if they are there.
RULE_COLUMNS: Final = (
    "obs_num",
    "visitype",
    "act_id",
    "detector",
    "channel",
    "targetid",
    "pntgtype",
    "expspcin",
    "dithptin",
    "mostilno",
    "module",
    "filter",
    "pupil",
    "patttype",
    "numdthpt",
    "subpxpts",
    "patt_num",
    "subarray",
    "grating",
    "fxd_slit",
    "band",
    "exposerr",
    *FLAGS,
    "msastate",
    "msametfl",
    "opmode",
    "lamp",
    "dms_note",
    "nints",
)
