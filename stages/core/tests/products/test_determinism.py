"""The same product has the same bytes, whoever writes it and when."""

import hashlib
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from calwebb_core.framework.products import (
    read_image,
    read_metadata,
    read_ramp,
    write_image,
    write_ramp,
)

from .samples import REALDATA, sample_image, sample_ramp, sample_wcs

PROGRAM = """
    import importlib.util, sys
    spec = importlib.util.spec_from_file_location("samples", sys.argv[1])
    samples = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(samples)
    from pathlib import Path
    from calwebb_core.framework.products import write_image
    from calwebb_core.framework.quicklook import write_quicklook
    image = samples.sample_image(wcs=samples.sample_wcs())
    image.tables = {"INT_TIMES": samples.int_times()}
    image.metadata.provenance = {"z": 1, "a": {"list": [1, 2.5, None, "x"]}}
    folder = Path(sys.argv[2])
    write_image(image, folder / "x_cal.fits")
    write_quicklook(folder / "x_cal.fits", folder / "x_cal.png")
"""


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def start_writing(folder, seed):
    """Start a process with another hash seed that writes the samples."""
    folder.mkdir()
    environment = os.environ | {"PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": "1700000000"}
    samples = Path(__file__).with_name("samples.py")
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), samples, folder]
    return subprocess.Popen(list(map(str, command)), env=environment)


@pytest.mark.slow
def test_processes_with_different_hashes(tmp_path):
    """Sets and dictionaries are ordered by another seed in each process."""
    folders = {seed: tmp_path / seed for seed in ("1", "31")}
    started = [start_writing(folder, seed) for seed, folder in folders.items()]
    assert [process.wait() for process in started] == [0, 0]
    first, second = (
        {path.name: digest(path) for path in folder.iterdir()} for folder in folders.values()
    )
    assert sorted(first) == ["x_cal.fits", "x_cal.png"]
    assert first == second


def test_date_is_the_only_difference(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    contents = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_image(sample_image(wcs=sample_wcs()), tmp_path / name / "x_cal.fits")
        contents.append((tmp_path / name / "x_cal.fits").read_bytes())
    assert contents[0] == contents[1]
    assert read_metadata(tmp_path / "a" / "x_cal.fits")["DATE"] == "2023-11-14T22:13:20.000"
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    write_image(sample_image(wcs=sample_wcs()), tmp_path / "x_cal.fits")
    assert read_metadata(tmp_path / "x_cal.fits")["DATE"] > "2025"


@pytest.mark.parametrize(
    ("make", "write", "read", "name"),
    [
        (sample_image, write_image, read_image, "x_cal.fits"),
        (sample_ramp, write_ramp, read_ramp, "x_ramp.fits"),
    ],
)
def test_reading_and_writing_again_changes_nothing(tmp_path, monkeypatch, make, write, read, name):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    product = make()
    product.metadata.provenance = {"runs": []}
    product.metadata["UNKNOWN"] = 1.0
    product.metadata.history = ["a line"]
    write(product, tmp_path / name)
    first = (tmp_path / name).read_bytes()
    write(read(tmp_path / name), tmp_path / name)
    assert (tmp_path / name).read_bytes() == first


def test_no_trace_of_the_machine(tmp_path):
    image = sample_image(wcs=sample_wcs())
    image.metadata.source = str(tmp_path / "secret_rate.fits")
    write_image(image, tmp_path / "x_cal.fits")
    content = (tmp_path / "x_cal.fits").read_bytes()
    for word in (str(tmp_path), os.uname().nodename, "secret"):
        assert word.encode() not in content


@pytest.mark.realdata
def test_flight_wcs_is_written_the_same_twice(tmp_path, monkeypatch):
    path = REALDATA / "niriss_ami" / "jw01093012001_03102_00001_nis_cal.fits"
    if not path.exists():
        pytest.skip(f"real data is absent: {path} (set CALWEBB_REALDATA)")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    image = read_image(path)
    write_image(image, tmp_path / "x_cal.fits")
    first = (tmp_path / "x_cal.fits").read_bytes()
    write_image(read_image(tmp_path / "x_cal.fits"), tmp_path / "x_cal.fits")
    assert (tmp_path / "x_cal.fits").read_bytes() == first
