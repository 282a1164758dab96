"""Four raw exposures to the mosaic: ``python chain.py ours|peer DATA OUTPUT_DIR [PYTHON]``.

Ours is the workflow with two cores, as a user starts it; the official one runs the pipelines one
after the other, each in a process of its own, with the reference files that our run chose.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
CORES = 2


def ours(data: Path, output: Path) -> None:
    """Run the workflow."""
    settings = [f"uncal={data / 'uncal'}", f"results={output}"]
    command = [TOP / ".env" / "bin" / "snakemake", "--cores", str(CORES), "--quiet", "all",
               "--directory", TOP, "--snakefile", TOP / "Snakefile", "--nolock"]  # fmt: skip
    subprocess.run([*command, "--config", *settings], check=True)


def peer(data: Path, output: Path, python: str) -> None:
    """Run the official pipelines on every exposure and then on the association."""
    chosen = sorted((data / "work-chain" / "ours").rglob("references"))[0]
    for raw in sorted((data / "uncal").glob("*_uncal.fits")):
        root = raw.name.removesuffix("_uncal.fits")
        stage1 = HERE.parent / "detector1" / "peer.py"
        run(python, stage1, raw, chosen / f"{root}_detector1.json", output)
        rate = output / f"{root}_rate.fits"
        run(python, HERE / "peer.py", "image2", rate, chosen / f"{root}_image2.json", output)
    association = next((data / "work-chain" / "ours").rglob("*_image3_*_asn.json"))
    local = output / association.name
    local.write_bytes(association.read_bytes())
    references = next(chosen.glob("*_image3.json"))
    run(python, HERE / "peer.py", "image3", local, references, output)


def run(*command: object) -> None:
    """Run a command to its end."""
    subprocess.run([str(word) for word in command], check=True)


if __name__ == "__main__":
    which, *rest = sys.argv[1:]
    if which == "ours":
        ours(Path(rest[0]), Path(rest[1]))
    else:
        peer(Path(rest[0]), Path(rest[1]), rest[2])
