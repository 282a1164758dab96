"""Tables of the imaging comparison as Markdown."""

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

START, END = "<!-- imaging: start -->\n", "<!-- imaging: end -->\n"
Figures = Mapping[str, Any]
VARIANCES = ("VAR_POISSON", "VAR_RNOISE", "VAR_FLAT")


def number(value: float) -> str:
    """Return a figure with two digits."""
    if math.isnan(value):
        return "none"
    return "0" if value == 0 else f"{value:.1e}"


def percent(row: Figures) -> str:
    """Return median and scatter of ratios."""
    if not row["number"]:
        return "none"
    return f"{100 * row['median']:+.3f} ± {100 * row['scatter']:.3f} ({row['number']})"


def table(heads: tuple[str, ...], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def worst(found: Figures, names: tuple[str, ...], key: str = "max") -> str:
    """Return the largest figure of several extensions."""
    return number(max(found[name][key] for name in names if name in found))


def lone(found: Figures) -> int:
    """Return how many values are NaN in one only."""
    return sum(row.get("nan_here", 0) + row.get("nan_there", 0) for row in found.values()
               if isinstance(row, dict))  # fmt: skip


def calibrated(tables: Mapping[str, Figures]) -> str:
    """Return the table of `_cal`."""
    heads = ("`_cal`", "WCS, pixel", "S_REGION, mas", "SCI max", "99.9 %", "relative",
             "ERR", "VAR_*", "AREA", "DQ", "lone NaN", "PHOT*, PIXAR_*")  # fmt: skip
    rows = []
    for one in tables.values():
        found = one["image2"]
        labels = [("cal", one["title"]), ("calints", f"{one['title']}, `_calints`")]
        for suffix, title in labels:
            pixels = found[suffix]
            if not pixels:
                continue
            first = suffix == "cal"
            rows.append([
                title, number(found["wcs"]) if first else "",
                number(found["region"]) if first else "",
                number(pixels["SCI"]["max"]), number(pixels["SCI"]["p999"]),
                number(pixels["SCI relative"]["max"]), worst(pixels, ("ERR",)),
                worst(pixels, VARIANCES), worst(pixels, ("AREA",)),
                str(pixels["DQ"]["differ"]), str(lone(pixels)),
                number(found["keywords"]) if first else "",
            ])  # fmt: skip
    return table(heads, rows)


def viewers(tables: Mapping[str, Figures]) -> str:
    """Return the table of SIP and of the readers."""
    heads = ("SIP of `_cal`", "here: off", "SIPMXERR", "degree", "official: off", "SIPMXERR",
             "degree", "our products in the official models", "gwcs there, pixel")  # fmt: skip
    rows = []
    for one in tables.values():
        row = [one["title"]]
        for who in ("ours", "official"):
            found = one["image2"]["sip"][who]
            row += [number(found["measured"]), number(found["stated"]), str(found["degree"])]
        kinds = ", ".join(f"{count} {kind}" for kind, count in one["opened"]["kinds"].items())
        rows.append([*row, kinds, number(one["opened"]["wcs"])])
    return table(heads, rows)


def resampled(tables: Mapping[str, Figures]) -> str:
    """Return the table of `_i2d` of both stages with the same settings."""
    heads = ("`_i2d`", "grid, pixel", "SCI max", "99.9 %", "ERR", "VAR_*", "WHT", "CON",
             "lone NaN", "fluxes, %")  # fmt: skip
    rows = []
    for one in tables.values():
        for title, pixels, extra in (
            (f"{one['title']}: image2, pixmap_tolerance=0", one["image2"]["exact"], ("", "")),
            (f"{one['title']}: image2", one["image2"]["i2d"], ("", "")),
            (f"{one['title']}: image3", one["alike"]["pixels"],
             (number(one["alike"]["grid"]["pixels"]), percent(one["alike"]["fluxes"]))),
        ):  # fmt: skip
            if pixels is None:
                grid = one["alike"]["grid"]
                rows.append([title, f"{grid['ours']} {grid['official']}", *[""] * 7, extra[1]])
                continue
            rows.append([
                title, extra[0], number(pixels["SCI"]["max"]), number(pixels["SCI"]["p999"]),
                worst(pixels, ("ERR",), "p999"), worst(pixels, VARIANCES, "p999"),
                worst(pixels, ("WHT",), "p999"), str(pixels["CON"]["differ"]),
                str(lone(pixels)), extra[1],
            ])  # fmt: skip
    return table(heads, rows)


def whole(tables: Mapping[str, Figures]) -> str:
    """Return the table of image3 with all defaults."""
    heads = ("image3, defaults", "shifts, mas", "all, mas", "BKGLEVEL", "of", "outliers: both",
             "here only (cores)", "official only (cores)", "fluxes, %",
             "fluxes, same flags, %")  # fmt: skip
    rows = []
    for one in tables.values():
        for key, words in (("image3", "same `_cal`"), ("own", "own `_cal`")):
            if key not in one:
                continue
            found = one[key]
            flags, levels = found["flags"], found["levels"]
            rows.append([
                f"{one['title']}, {words}", f"{found['shifts']['relative']:.2f}",
                f"{found['shifts']['common']:.2f}", f"{levels['difference']:.4f}",
                f"{levels['largest']:.3f}", str(flags["both"]),
                f"{flags['ours']} ({flags['ours_core']})",
                f"{flags['official']} ({flags['official_core']})",
                percent(found["fluxes"]), percent(found["untouched"]),
            ])  # fmt: skip
    return table(heads, rows)


def catalogs(tables: Mapping[str, Figures]) -> str:
    """Return the table of catalogs."""
    heads = ("catalog", "here", "official", "in both", "compared", "position, mas",
             "aper30, %", "aper50, %", "aper70, %", "aper_total, %")  # fmt: skip
    rows = []
    for one in tables.values():
        found = one["image3"]["catalog"]
        if not found:
            rows.append([one["title"], *["none"] * 9])
            continue
        row = [one["title"], *(str(found[key]) for key in ("ours", "official", "matched"))]
        if "fluxes" in found:
            row += [str(found["compared"]), f"{found['position']:.2f}"]
            row += [percent(one) for one in found["fluxes"].values()]
        rows.append(row)
    return table(heads, rows)


def put(tables: Mapping[str, Figures], path: Path | None) -> None:
    """Show all tables, and write them between the marks of a Markdown file."""
    makers = (calibrated, viewers, resampled, whole, catalogs)
    text = "\n".join(make(tables) for make in makers)
    sys.stdout.write(text)
    if path:
        whole_text = path.read_text()
        before, rest = whole_text.split(START)
        path.write_text(before + START + text + END + rest.split(END)[1])
