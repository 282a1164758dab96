"""What containers see: declared folders, read-only unless jobs write there."""

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from calwebb_associate.bindings import (
    MOST_FILES,
    bindings,
    container_environment,
    read_folders,
    temporary_folder,
    written_folders,
)
from calwebb_core.framework.errors import InputError


def plan(*raw, references=()):
    return SimpleNamespace(
        exposures=[SimpleNamespace(path=path) for path in raw],
        reference_paths={path.name: path for path in references},
    )


def config(**values):
    return {"associations": [], "results": "results", "logs": "logs"} | values


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with raw exposures elsewhere, one of them a link."""
    for name in ("work", "raw", "far", "crds/references"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "far" / "b_uncal.fits").touch()
    (tmp_path / "raw" / "b_uncal.fits").symlink_to(tmp_path / "far" / "b_uncal.fits")
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv("CRDS_PATH", raising=False)
    return tmp_path


def test_folders_of_files_and_of_what_links_point_to(folder):
    found = read_folders(
        config(),
        plan(folder / "raw" / "b_uncal.fits", references=[folder / "crds" / "references" / "x"]),
        folder / "repository",
        {"CRDS_PATH": str(folder / "crds")},
    )
    assert {path for path in found if not path.is_relative_to(folder / "repository")} == {
        folder / name for name in ("raw", "far/b_uncal.fits", "crds", "crds/references")
    }


def test_folders_of_links_that_are_many(folder):
    names = [f"{number}_uncal.fits" for number in range(MOST_FILES + 1)]
    for name in names:
        (folder / "far" / name).touch()
        (folder / "raw" / name).symlink_to(folder / "far" / name)
    found = read_folders(config(), plan(*(folder / "raw" / name for name in names)), folder, {})
    assert folder / "far" in found
    assert not [path for path in found if path.suffix == ".fits"]


def test_the_temporary_folder_is_the_users_own(folder, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "raw"))
    assert temporary_folder().stat().st_mode & 0o777 == 0o700
    assert temporary_folder().parent == folder / "raw"
    temporary_folder().rmdir()
    temporary_folder_of_others = folder / "raw" / f"calwebb-{os.getuid()}"
    temporary_folder_of_others.symlink_to(folder / "far")
    with pytest.raises(InputError, match=r"is another user's; name a temporary folder"):
        temporary_folder()


def test_of_the_workflow_only_what_jobs_read(folder):
    found = read_folders(config(), plan(), folder / "repository", {})
    names = {str(path.relative_to(folder / "repository")) for path in found}
    assert names == {"Snakefile", "config.yaml", "rules", "schemas", "containers"}


def test_a_file_alone_is_shown_without_its_folder(folder):
    (folder / "Snakefile").touch()
    (folder / "rules").mkdir()
    text = bindings([folder / "Snakefile", folder / "rules", folder / "absent"], [])
    assert text == f"{folder}/Snakefile:{folder}/Snakefile:ro,{folder}/rules:{folder}/rules:ro"


def test_folders_of_files_that_options_name(folder):
    (folder / "mine").mkdir()
    (folder / "mine" / "mask.fits").touch()
    section = {"clean_flicker_noise": {"user_mask": str(folder / "mine" / "mask.fits")}}
    found = read_folders(
        config(detector1=section, associations=[str(folder / "far")]), plan(), folder, {}
    )
    assert {folder / "mine", folder / "far"} < found


def test_the_cache_that_the_environment_names(folder, monkeypatch):
    monkeypatch.setenv("CRDS_PATH", str(folder / "crds"))
    assert folder / "crds" in read_folders(config(), plan(), folder, {})
    assert container_environment({}, [], [])["APPTAINERENV_CRDS_PATH"] == str(folder / "crds")


def test_results_outside_the_working_folder_are_made(folder):
    written = written_folders(config(results=str(folder / "out")))
    assert (folder / "out").is_dir()
    assert not (folder / "work" / "logs").exists()
    assert written == {
        folder / "out", Path("logs"), folder / "work", temporary_folder(),
    }  # fmt: skip


def test_read_only_unless_written_to_and_outer_folders_first(folder):
    (folder / "work" / "uncal").mkdir()
    read = [Path("uncal"), folder / "raw", folder, folder / "absent"]
    assert bindings(read, [Path.cwd(), folder]).split(",") == [
        f"{folder}:{folder}:rw",
        f"{folder}/raw:{folder}/raw:ro",
        f"{folder}/work:{folder}/work:rw",
        f"{folder}/work/uncal:{folder}/work/uncal:ro",
    ]


@pytest.mark.parametrize("name", ["a,b", "a:b"])
def test_folders_that_apptainer_cannot_name(folder, name):
    with pytest.raises(InputError, match=f"{name}: containers cannot show a folder"):
        bindings([folder / name], [])


def test_variables_pass_and_no_server_is_asked(folder):
    run = {"PATH": "/bin", "SOURCE_DATE_EPOCH": "1", "CRDS_SERVER_URL": "https://some.where"}
    found = container_environment(run, [folder / "raw"], [])
    assert found["APPTAINERENV_SOURCE_DATE_EPOCH"] == "1"
    assert "serverless" in found["APPTAINERENV_CRDS_SERVER_URL"]
    for name in ("TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        assert found[f"APPTAINERENV_{name}"] == str(temporary_folder())
    assert found["APPTAINER_BIND"] == found["SINGULARITY_BIND"]
    assert not [name for name in found if name.endswith("ENV_PATH")]
