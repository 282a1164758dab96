"""Write conda environments from the lock files: ``python envs/conda.py``, the end of `make lock`.

An environment is Python and pip from conda-forge, and in its pip section the wheels of the lock
with their hashes: the same files as in the virtual environments and in the images. What Snakemake
runs once it has made the environment (`.post-deploy.sh`) installs the core and the stage.
"""

from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = "3.13"
STAGES = {
    "associate": "stages/associate",
    "detector1": "stages/detector1",
    "image2": "stages/image2",
    "level3": "stages/level3",
    "spec2": "stages/spec2",
    "simulator": "simulator",
}
ENVIRONMENT = """\
# Written by envs/conda.py from {stage}.lock: do not edit.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python={python}
  - pip
  - pip:
{requirements}
"""
DEPLOYMENT = """\
#!/usr/bin/env bash
# Written by envs/conda.py: the core and the stage, from the repository whose workflow runs.
set -euo pipefail
sources=${{CALWEBB_SOURCES:?is set by the workflow to the folder of the repository}}
pip install --quiet --no-deps --editable "$sources/stages/core" --editable "$sources/{project}"
sha256sum "$sources/envs/{stage}.lock" | cut -c1-64 > "$CONDA_PREFIX/calwebb-lock.sha256"
"""


def requirements(lock: str) -> list[str]:
    """Return the requirements of a lock file, each with its hashes in one line."""
    joined = lock.replace("\\\n", " ").splitlines()
    return [" ".join(line.split()) for line in joined if line and not line.startswith("#")]


def environment(stage: str, lock: str) -> str:
    """Return the conda environment of a stage, given its lock file."""
    lines = "\n".join(f'      - "{line}"' for line in requirements(lock))
    return ENVIRONMENT.format(stage=stage, python=PYTHON, requirements=lines)


def files(stage: str) -> dict[Path, str]:
    """Return the files of a stage that follow from its lock file."""
    lock = (HERE / f"{stage}.lock").read_text()
    return {
        HERE / f"{stage}.yaml": environment(stage, lock),
        HERE / f"{stage}.post-deploy.sh": DEPLOYMENT.format(stage=stage, project=STAGES[stage]),
    }


def write() -> None:
    """Write the files of all stages."""
    for stage in STAGES:
        for path, content in files(stage).items():
            path.write_text(content)


if __name__ == "__main__":
    write()
