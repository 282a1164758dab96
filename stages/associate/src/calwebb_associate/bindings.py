"""What a container sees of the machine: the folders that a run declares, and no others.

Folders that jobs only read are shown read-only. The working folder, the results, the logs and
the temporary folder can be written to; where one of these lies in a folder of the others, it
still can. Of the temporary folder a part that is the user's alone is shown: there are others'
files, and sockets of the user's session. A link that leads out of the folders that are named
takes only its file along, so that a folder of data opens no other folder.
"""

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from calwebb_associate.plan import Plan
from calwebb_core.framework.errors import InputError

CACHE = "CRDS_PATH"
SEPARATORS = ",:"
MOST_FILES = 100  # that are shown one by one: a variable holds no more than 100 kB
SERVERLESS = "https://jwst-serverless-mode.stsci.edu"
# What the page and the research object of a program read of the workflow; all else stays unseen.
OF_THE_WORKFLOW = ("Snakefile", "config.yaml", "rules", "schemas", "containers")


def read_folders(
    config: Mapping[str, Any], plan: Plan, base: Path, environment: Mapping[str, str]
) -> set[Path]:
    """Return the folders of what jobs read, and the workflow's own files.

    Parameters
    ----------
    config : mapping
        The configuration.
    plan : Plan
        Raw exposures and reference files, whose links are followed.
    base : Path
        Folder of the Snakefile.
    environment : mapping
        The run's variables.
    """
    files = [exposure.path for exposure in plan.exposures]
    files += plan.reference_paths.values()
    files += [Path(text) for text in _strings(config) if Path(text).is_file()]
    folders = {base / name for name in OF_THE_WORKFLOW}
    folders |= {_absolute(path).parent for path in files}
    folders |= {Path(text) for text in config["associations"] if Path(text).is_dir()}
    cache = environment.get(CACHE) or os.environ.get(CACHE)
    folders |= {Path(cache)} if cache else set()
    folders |= {folder.resolve() for folder in folders}
    return folders | behind_links(files, folders)


def behind_links(files: Iterable[Path], folders: Iterable[Path]) -> set[Path]:
    """Return files that links lead to outside some folders; their folders if they are many."""
    known = set(folders)
    targets = {path.resolve() for path in files}
    targets = {path for path in targets if path.parent not in known}
    return targets if len(targets) <= MOST_FILES else {path.parent for path in targets}


def written_folders(config: Mapping[str, Any]) -> set[Path]:
    """Return the folders that jobs write to; those outside the working folder are made."""
    written = {Path(config["results"]), Path(config["logs"])}
    for folder in written:
        if not _absolute(folder).is_relative_to(Path.cwd()):
            folder.mkdir(parents=True, exist_ok=True)
    return written | {Path.cwd(), temporary_folder()}


def temporary_folder() -> Path:
    """Return a folder of the user's own in the system's temporary one; it is made if missing.

    Raises
    ------
    InputError
        If there is another user's in its place.
    """
    folder = Path(tempfile.gettempdir(), f"calwebb-{os.getuid()}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        msg = f"{folder}: is another user's; name a temporary folder of your own with TMPDIR"
        raise InputError(msg)
    return folder


def bindings(read: Iterable[Path], written: Iterable[Path]) -> str:
    """Return what APPTAINER_BIND says of what is there: outer folders before those inside them.

    Raises
    ------
    InputError
        If Apptainer cannot name a folder.
    """
    modes = dict.fromkeys(map(_absolute, read), "ro") | dict.fromkeys(map(_absolute, written), "rw")
    for path in modes:
        if any(character in str(path) for character in SEPARATORS):
            msg = (
                f"{path}: containers cannot show a folder with a comma or colon in its name; "
                "move or link it"
            )
            raise InputError(msg)
    return ",".join(
        f"{path}:{path}:{mode}" for path, mode in sorted(modes.items()) if path.exists()
    )


def container_environment(
    environment: Mapping[str, str], read: Iterable[Path], written: Iterable[Path]
) -> dict[str, str]:
    """Return the variables that give containers folders and, with --cleanenv, the run's variables.

    Reference files are in the cache when jobs start, so that no server is asked: there is no
    network inside. PATH is the image's own.

    Raises
    ------
    InputError
        If Apptainer cannot name a folder.
    """
    outside = {key: value for key, value in os.environ.items() if key == CACHE}
    inside = outside | {key: value for key, value in environment.items() if key != "PATH"}
    # libraries leave lists of fonts and the like there, otherwise in the working folder
    places = dict.fromkeys(("TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), str(temporary_folder()))
    inside |= {"CRDS_SERVER_URL": SERVERLESS, **places}
    shown = bindings(read, written)
    return {
        f"{kind}{name}": value
        for kind in ("APPTAINER", "SINGULARITY")
        for name, value in {
            "_BIND": shown,
            **{f"ENV_{key}": inside[key] for key in sorted(inside)},
        }.items()
    }


def _absolute(path: Path) -> Path:
    """Return a path from the root, with links as they are: jobs name files by them."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def _strings(value: Any) -> Iterator[str]:
    """Yield every text in a configuration: the values of some options are names of files."""
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
