"""Run our programs on a time series: ``python ours.py OUTPUT_DIR CHOSEN.json``; see peer.py."""

import json
import subprocess
import sys
from pathlib import Path

PROGRAMS = Path(__file__).resolve().parents[2] / ".env" / "bin"


def main(output_dir: str, chosen: str) -> None:
    """Run the programs one after the other, each in a process of its own."""
    for name, source, references in json.loads(Path(chosen).read_text()):
        command = [PROGRAMS / f"calwebb-{name}", "run", source, "--references", references]
        if Path(source).suffix == ".json":
            command += ["--input-dir", output_dir]
        command += ["--output-dir", output_dir, "--threads", "2", "-q"]
        subprocess.run([str(word) for word in command], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
