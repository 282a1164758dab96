"""Compare the products of two runs of the workflow, byte for byte.

``python benchmarks/determinism/compare.py RESULTS RESULTS``

Prints every product with its SHA-256 and whether both have the same. Left out is what tells of
the run rather than of the data: plan, lists of reference files (with their paths), summary and
research object. Exits with 1 if a product differs or is in one of them only.
"""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from determinism.products import difference, different, digests, total  # noqa: E402

ABOUT_THE_RUN = ("plan", "references", "report")


def products(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of the products of a run, by path."""
    return {
        name: digest
        for name, digest in digests(folder).items()
        if not set(Path(name).parts) & set(ABOUT_THE_RUN)
        and not Path(name).name.startswith("ro-crate")
    }


def main() -> int:
    """Compare two folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, nargs=2)
    one, two = parser.parse_args().results
    first, second = products(one), products(two)
    apart = different(first, second)
    for name, digest in sorted((first | second).items()):
        said = f"DIFFERS: {difference(one / name, two / name)}" if name in apart else "the same"
        print(f"{digest}  {name}  {said}")  # noqa: T201 - the purpose
    print(f"{len(first)} products, {len(apart)} not the same, {total(first)[:16]}")  # noqa: T201
    return int(bool(apart) or not first)


if __name__ == "__main__":
    sys.exit(main())
