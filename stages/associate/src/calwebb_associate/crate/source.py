"""The workflow's own files: copied beside the research object, so that it holds what ran."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from calwebb_core.framework.atomic import write_text
from calwebb_core.framework.errors import InputError

FOLDER: Final = "workflow"
README: Final = "README.md"
HEADING: Final = "# Calibrated products of program"
TEXT: Final = """
Made by calwebb-flow {version}. `ro-crate-metadata.json` says what was made of what, by which
program with which options, and when: a Workflow Run RO-Crate that other tools read. Each product
says so, too.

| here | what |
|---|---|
| `detector1` | count rates of exposures |
| `image2` | calibrated exposures |
| `spec2` | calibrated and extracted spectra |
| `image3` | mosaics, catalogs, segmentation maps |
| `spec3` | spectra of several exposures |
| `tso3` | light curves |
| `associations`, `pool.csv` | which exposures belong together |
| `references` | which reference files were chosen |
| `quicklook` | pictures |
| `workflow` | the workflow that ran, with its defaults |

`calwebb-verify PRODUCT` makes a product again and compares it bit for bit.
"""


@dataclass(frozen=True)
class Workflow:
    """The workflow as it was copied; paths are relative to the research object.

    Attributes
    ----------
    main : str
        The Snakefile.
    parts : list of str
        Its rules and the configuration's defaults.
    """

    main: str
    parts: list[str]


def write_readme(root: Path, program: str) -> None:
    """Say in a few lines what the folder holds; a file that somebody else wrote stays."""
    from calwebb_associate import __version__

    path = root / README
    if path.is_file() and not path.read_bytes().startswith(HEADING.encode()):
        return
    write_text(path, f"{HEADING} {program}\n" + TEXT.format(version=__version__))


def copy_workflow(snakefile: Path, root: Path) -> Workflow:
    """Copy a Snakefile, its rules and its configuration.

    Parameters
    ----------
    snakefile : Path
        The Snakefile; `rules` and `config.yaml` lie beside it.
    root : Path
        Folder of the research object.

    Raises
    ------
    InputError
        If there is no such file.
    """
    if not snakefile.is_file():
        msg = f"{snakefile}: there is no such Snakefile; name the workflow's with --workflow"
        raise InputError(msg)
    home = snakefile.parent
    config = home / "config.yaml"
    files = [*sorted((home / "rules").glob("*.smk")), *([config] if config.is_file() else [])]
    for file in (snakefile, *files):
        target = root / FOLDER / file.relative_to(home)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_text(target, file.read_text(encoding="utf-8"))
    parts = [f"{FOLDER}/{file.relative_to(home).as_posix()}" for file in files]
    return Workflow(f"{FOLDER}/{snakefile.name}", parts)
