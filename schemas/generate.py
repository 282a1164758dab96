"""Write config.yaml, its schema and pages of reference from what the programs themselves read.

docs/parameters.md is of the steps' parameter classes, docs/association_rules.md of the rules.

Run by `make schemas` in the test environment; with `--check` nothing is written and the exit
code says whether the files are up to date.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from calwebb_associate.rule_page import rules_page
from calwebb_core.framework.parameter_docs import markdown_table, plain, schema_of
from calwebb_core.framework.parameters import options_of
from calwebb_core.framework.step import Step
from calwebb_detector1.dark import PIPELINE as DARK
from calwebb_detector1.guider import PIPELINE as GUIDER
from calwebb_detector1.pipeline import PIPELINE as DETECTOR1
from calwebb_image2.pipeline import PIPELINE as IMAGE2
from calwebb_level3.image3 import PIPELINE as IMAGE3
from calwebb_level3.spec3 import PIPELINE as SPEC3
from calwebb_level3.tso3 import PIPELINE as TSO3
from calwebb_spec2.pipeline import PIPELINE as SPEC2

ROOT = Path(__file__).resolve().parent.parent
PIPELINES = {
    "detector1": DETECTOR1,
    "dark": DARK,
    "guider": GUIDER,
    "image2": IMAGE2,
    "spec2": replace(SPEC2, steps=tuple(step for step in SPEC2.steps if step.there)),
    "image3": IMAGE3,
    "spec3": SPEC3,
    "tso3": TSO3,
}
SETTINGS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "uncal": (
        "uncal",
        {"type": ["string", "array"], "items": {"type": "string"}, "minLength": 1, "minItems": 1},
        "Folder of the raw exposures (*_uncal.fits), or a list of files",
    ),
    "pool": (
        "",
        {"type": "string"},
        "Table of the exposures to use (.csv); empty: made from the headers of the raw exposures",
    ),
    "associations": (
        [],
        {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True},
        "Associations of your own, used as they are: files, or folders of *_asn.json",
    ),
    "rules": ("", {"type": "string"}, "Association rules of your own (.toml); empty: none"),
    "default_rules": (
        True,
        {"type": "boolean"},
        "Make associations by the rules that come with the program",
    ),
    "candidates": (
        [],
        {
            "type": "array",
            "items": {"type": "string", "pattern": r"^([oO]\d{3}|[acrACR]\d{4})$"},
            "uniqueItems": True,
        },
        "Make associations of these candidates only, such as o001 or c1000; empty: of all",
    ),
    "discover": (
        False,
        {"type": "boolean"},
        "Combine what belongs together over whole programs, too, not only within candidates",
    ),
    "results": ("results", {"type": "string", "minLength": 1}, "Products: results/<program>/..."),
    "logs": ("logs", {"type": "string", "minLength": 1}, "Logs and benchmarks, by program"),
    "crds_path": ("", {"type": "string"}, "CRDS cache; empty: the variable CRDS_PATH"),
    "crds_server": ("", {"type": "string"}, "CRDS server; empty: the variable CRDS_SERVER_URL"),
    "crds_context": (
        "",
        {"type": "string", "pattern": r"^(jwst_\d{4}\.pmap)?$"},
        "Rules that choose reference files; empty: CRDS_CONTEXT, else the operational ones",
    ),
    "crds_parameters": (
        True,
        {"type": "boolean"},
        "Take options that are at their default here from the context's pars-* files",
    ),
    "overrides": (
        {},
        {"type": "object", "additionalProperties": {"type": "string"}},
        "Reference type: file to use instead, or N/A",
    ),
    "source_date_epoch": (
        1767225600,
        {"type": "integer", "minimum": 0},
        "DATE of every product, seconds since 1970, so that the same input gives the same bytes",
    ),
}
HEAD = """\
# Every option with its default. Give your own values in a file of your own,
# `snakemake --cores 8 --configfile mine.yaml`, or one by one, `--config uncal=DIR`.
# Written from the steps' parameter classes by `make schemas`: change the defaults there.

"""


def schema() -> dict[str, Any]:
    """Return the JSON schema of config.yaml."""
    properties = {
        key: {**rule, "description": meaning, "default": default}
        for key, (default, rule, meaning) in SETTINGS.items()
    }
    properties |= {name: schema_of(pipeline) for name, pipeline in PIPELINES.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of the calwebb-flow workflow",
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def configuration() -> str:
    """Return the text of config.yaml."""
    lines = [
        f"{key}: {json.dumps(default)}  # {meaning}"
        for key, (default, _, meaning) in SETTINGS.items()
    ]
    for name, pipeline in PIPELINES.items():
        lines += ["", f"# {pipeline.program}: {pipeline.meaning}", f"{name}:"]
        for step in pipeline.steps:
            lines += step_lines(step)
    return HEAD + "\n".join(lines) + "\n"


def step_lines(step: Step) -> list[str]:
    """Return a step's section: skip, then each option with its meaning."""
    lines = [f"  {step.name}:  # {step.meaning}", f"    skip: {plain(step.skip)}"]
    for name, item in options_of(step.parameters).items():
        value = item.default
        text = json.dumps(value) if isinstance(value, str) else plain(value)
        unit = item.metadata.get("unit")
        meaning = item.metadata["meaning"] + (f" ({unit})" if unit else "")
        lines.append(f"    {name}: {text}  # {meaning}")
    return lines


def documentation() -> str:
    """Return the text of docs/parameters.md."""
    text = "# Steps and their options\n\nWritten by `make schemas` from the parameter classes.\n"
    for pipeline in PIPELINES.values():
        text += f"\n## {pipeline.program}\n\n{pipeline.meaning}\n\n{markdown_table(pipeline)}"
    return text


def main() -> int:
    """Write the files, or only compare them."""
    texts = {
        ROOT / "config.yaml": configuration(),
        ROOT / "schemas" / "config.schema.json": json.dumps(schema(), indent=2) + "\n",
        ROOT / "docs" / "parameters.md": documentation(),
        ROOT / "docs" / "association_rules.md": rules_page(),
    }
    old = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in old:
            sys.stderr.write(f"{path.name} is out of date: run `make schemas`\n")
        return int(bool(old))
    for path in old:
        path.write_text(texts[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
