"""Settings of all tests of the repository."""

import hypothesis
import pytest

# Examples may take as long as a busy machine needs: times are measured by the benchmarks.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# Tests side by side are handed out by file: those that take longest first, so that no process
# is left with one of them when the other has finished.
LONGEST = (
    "tests/workflow/test_run.py",
    "tests/determinism/test_determinism.py",
    "tests/workflow/test_imaging.py",
    "tests/workflow/test_series.py",
    "tests/workflow/test_branches.py",
    "tests/workflow/test_every_mode.py",
    "tests/provenance/test_verify.py",
    "tests/workflow/test_persistence.py",
    "tests/safety/test_programs.py",
    "tests/safety/test_fuzz.py",
    "tests/test_spectra_truth.py",
    "tests/workflow/test_rerun.py",
)


def pytest_configure(config: pytest.Config) -> None:
    """Keep the order of files where they are handed out."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the files that take longest first."""
    ranks = {config.rootpath / name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(LONGEST)))
