"""What the rule of the research object hands on: options of the run, and container images."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from calwebb_core.framework.plain_files import read_text

# They say where things are on one machine, not what is made of them.
PLACES: Final = frozenset(("crds_path", "crds_server", "logs", "pool", "results", "uncal"))
STAGES: Final = {
    "calwebb-detector1": "detector1",
    "calwebb-dark": "detector1",
    "calwebb-guider": "detector1",
    "calwebb-image2": "image2",
    "calwebb-spec2": "spec2",
    "calwebb-image3": "level3",
    "calwebb-spec3": "level3",
    "calwebb-tso3": "level3",
}


def crate_options(config: Mapping[str, Any], defaults: Path, images: Mapping[str, str]) -> str:
    """Return the options of calwebb-crate, quoted for a shell.

    Parameters
    ----------
    config : mapping
        Options of the workflow.
    defaults : Path
        config.yaml.
    images : mapping
        Path of the container image by stage; empty where no containers are used.
    """
    from calwebb_core.framework.yaml_reading import load_yaml

    known = load_yaml(read_text(defaults))
    words = [f"--set={name}={value}" for name, value in changed(config, known)]
    words += [
        f"--image={program}={images[stage]}" for program, stage in STAGES.items() if stage in images
    ]
    return shlex.join(words)


def changed(
    config: Mapping[str, Any], defaults: Mapping[str, Any], above: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield the options that are not at their defaults, as dotted names and JSON."""
    for name, value in sorted(config.items()):
        default = defaults.get(name)
        if not above and name in PLACES:
            continue
        if isinstance(value, Mapping):
            yield from changed(value, default or {}, f"{above}{name}.")
        elif value != default:
            yield f"{above}{name}", value if isinstance(value, str) else json.dumps(value)
