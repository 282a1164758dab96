"""From raw exposures to mosaic, catalog, pictures and summary, in given circumstances.

The programs are called one after the other, as the workflow's jobs call them.
"""

import json
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from determinism.cases import EPOCH, Case

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
BIN = TOP / ".env" / "bin"
STAGES = {
    "calwebb-detector1": "detector1",
    "calwebb-image2": "image2",
    "calwebb-image3": "level3",
    "calwebb-quicklook": "level3",
}
PARTS = ("associations", "references", "detector1", "image2", "image3", "quicklook", "report")
SERVERLESS = "https://jwst-serverless-mode.stsci.edu"
Call = Callable[..., None]


class ChainError(Exception):
    """A program of the chain failed."""


def run_chain(
    case: Case, data: Path, folder: Path, cache: Path | None = None, *, drawn: bool = True
) -> Path:
    """Run the whole chain and return the folder of its products.

    Parameters
    ----------
    case : Case
        Circumstances.
    data : Path
        What calwebb-simulate wrote: uncal, crds_cache.
    folder : Path
        For products, logs and temporary files; made anew.
    cache : Path or None
        Compiled kernels, shared by the cases; beside the sources if None.
    drawn : bool
        Whether to make pictures and the summary, too.
    """
    shutil.rmtree(folder, ignore_errors=True)
    results = folder / "results"
    for name in ("cwd", "tmp", "home", "kernels", *(f"results/{part}" for part in PARTS)):
        (folder / name).mkdir(parents=True)
    if case.user:
        hand_over(folder, case.user)
    environment = variables(case, data, folder, cache)

    def call(program: str, *words: str | Path) -> None:
        command = [
            *wrapper(case, program, data, folder, environment),
            *options(case, program, words),
        ]
        start(command, environment, folder / "cwd" if case.own_folder else TOP, folder)

    for step in (prepare, exposures, mosaics, *((pictures, summary) if drawn else ())):
        step(call, data, results)
    return results


def prepare(call: Call, data: Path, results: Path) -> None:
    """Make pool, associations, and lists of reference files."""
    call("calwebb-pool", data / "uncal", "-o", results / "pool.csv")
    call("calwebb-associate", data / "uncal", "--output-dir", results / "associations")
    for raw in raw_files(data):
        for pipeline in ("detector1", "image2"):
            choose(call, raw, pipeline, results / "references" / f"{root(raw)}_{pipeline}.json")
    choose(call, raw_files(data)[0], "image3", results / "references" / "image3.json")


def choose(call: Call, raw: Path, pipeline: str, target: Path) -> None:
    """List the reference files of an exposure."""
    call("calwebb-references", raw, "--pipeline", f"calwebb-{pipeline}", "-o", target)


def exposures(call: Call, data: Path, results: Path) -> None:
    """Make count rates and calibrated images."""
    chosen = results / "references"
    for raw in raw_files(data):
        references = chosen / f"{root(raw)}_detector1.json"
        call("calwebb-detector1", "run", raw, "--references", references,
             "--output-dir", results / "detector1")  # fmt: skip
    for association in sorted((results / "associations").glob("*_image2_*_asn.json")):
        exposure = exposure_of(association)
        call("calwebb-image2", "run", association, "--input-dir", results / "detector1",
             "--references", chosen / f"{exposure}_image2.json",
             "--output-dir", results / "image2")  # fmt: skip


def exposure_of(association: Path) -> str:
    """Return the exposure that an association is about."""
    content = json.loads(association.read_text())
    return str(content["products"][0]["name"])


def mosaics(call: Call, _: Path, results: Path) -> None:
    """Make mosaics and catalogs."""
    for association in sorted((results / "associations").glob("*_image3_*_asn.json")):
        call("calwebb-image3", "run", association, "--input-dir", results / "image2",
             "--references", results / "references" / "image3.json",
             "--output-dir", results / "image3")  # fmt: skip


def pictures(call: Call, _: Path, results: Path) -> None:
    """Draw a product of each kind."""
    drawn = results / "quicklook"
    for pattern in ("detector1/*_rate.fits", "image2/*_cal.fits", "image3/*_i2d.fits"):
        product = sorted(results.glob(pattern))[0]
        call("calwebb-quicklook", product, "-o", drawn / f"{product.stem}.png")
    segments = sorted(results.glob("image3/*_segm.fits"))[0]
    catalog = segments.with_name(segments.name.replace("_segm.fits", "_cat.ecsv"))
    call("calwebb-quicklook", segments, "--catalog", catalog, "-o", drawn / f"{segments.stem}.png")
    mosaic = sorted(results.glob("image3/*_i2d.fits"))[0]
    footprint = drawn / f"{mosaic.stem}_footprint.png"
    call("calwebb-quicklook", mosaic, "--footprint", "-o", footprint)


def summary(call: Call, _: Path, results: Path) -> None:
    """Write the summary."""
    call("calwebb-report", results, "-o", results / "report" / "summary.html")


def raw_files(data: Path) -> list[Path]:
    """Return the raw exposures."""
    return sorted((data / "uncal").glob("*_uncal.fits"))


def root(raw: Path) -> str:
    """Return the name of an exposure."""
    return raw.name.removesuffix("_uncal.fits")


def options(case: Case, program: str, words: tuple[str | Path, ...]) -> list[str]:
    """Return the words of a command with what the case adds."""
    added: list[str] = ["-q"]
    if words[0] == "run":
        added += ["--threads", str(case.threads)]
        added += ["--one-by-one"] if case.one_by_one else []
    return [program, *map(str, words), *added]


def variables(case: Case, data: Path, folder: Path, cache: Path | None) -> dict[str, str]:
    """Return the environment of a case."""
    environment = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "LC_ALL": "C.UTF-8",
        "CRDS_PATH": str(data / "crds_cache"),
        "CRDS_SERVER_URL": SERVERLESS,
        "CRDS_CONTEXT": "jwst_0001.pmap",
        "SOURCE_DATE_EPOCH": EPOCH,
        "NUMBA_CACHE_DIR": str(folder / "kernels" if case.user else cache or ""),
    }
    if case.memory:
        environment |= {
            "PYTHONPATH": str(HERE / "low_memory"),
            "CALWEBB_PLANES_MEMORY": str(case.memory),
        }
    if case.clock:
        environment["PYTHONPATH"] = str(HERE / "later")
        environment["CALWEBB_CLOCK_AHEAD"] = str(case.clock)
    environment |= case.environment
    return {name: value for name, value in environment.items() if value}


def wrapper(
    case: Case, program: str, data: Path, folder: Path, environment: dict[str, str]
) -> list[str]:
    """Return the words before a command."""
    words = list(case.prefix)
    if case.user:
        account = pwd.getpwnam(case.user)
        words += ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}"]
        # to read what is root's own: the environments may lie in its home
        words += ["--clear-groups", "--inh-caps=+dac_read_search"]
        words += ["--ambient-caps=+dac_read_search"]
    if case.container:
        words += in_image(STAGES.get(program, "associate"), data, folder, environment)
    return words


def in_image(stage: str, data: Path, folder: Path, environment: dict[str, str]) -> list[str]:
    """Return the words that run a command in the image of a stage."""
    command = [sys.executable, "-m", "calwebb_associate.images", stage]
    image = subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True)
    passed = [
        word
        for name, value in environment.items()
        if name.startswith("CRDS") or name in ("SOURCE_DATE_EPOCH", "TMPDIR")
        for word in ("--env", f"{name}={value}")
    ]
    return ["apptainer", "--quiet", "exec", "--cleanenv", "--no-home",
            "--bind", f"{data}:{data}:ro", "--bind", f"{folder}:{folder}",
            "--pwd", str(folder), *passed, image.stdout.strip()]  # fmt: skip


def start(command: list[str], environment: dict[str, str], cwd: Path, folder: Path) -> None:
    """Run a command to its end.

    Raises
    ------
    ChainError
        With what it said, if it fails.
    """
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    with (folder / "log").open("a") as log:
        log.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}")
    if done.returncode:
        msg = f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        raise ChainError(msg)


def hand_over(folder: Path, user: str) -> None:
    """Give a folder to another user."""
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, user)
