"""Bad input to a stage program: one sentence, the right exit code, no traceback, no product."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from programs import SERVERLESS, run


@dataclass
class Case:
    """A raw exposure with its reference files, copies that a test may spoil."""

    folder: Path
    raw: Path
    references: Path

    def expect_refusal(self, code: int, *sentences: str, options: tuple[str, ...] = ()) -> None:
        """Run stage 1 and expect an exit code and words on stderr."""
        out = self.folder / "out"
        done = run(
            ["calwebb-detector1", "run", self.raw, "--references", self.references,
             "--output-dir", out, "-q", *options],
            check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        for sentence in sentences:
            assert sentence in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        assert not list(out.glob("*.fits"))

    def reference(self, kind: str) -> Path:
        """Return a copy of a reference file that the list of references points to."""
        content = json.loads(self.references.read_text())
        entry = content["references"][kind]
        copy = self.folder / entry["name"]
        shutil.copy(entry["path"], copy)
        entry["path"] = str(copy)
        entry.pop("sha256")
        self.references.write_text(json.dumps(content))
        return copy


@pytest.fixture(scope="module")
def prepared(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    raw = sorted((tiny / "uncal").iterdir())[0]
    record = folder / "references.json"
    run(
        ["calwebb-references", raw, "--pipeline", "calwebb-detector1", "-o", record],
        CRDS_PATH=str(tiny / "crds_cache"),
        CRDS_SERVER_URL=SERVERLESS,
        CRDS_CONTEXT="jwst_0001.pmap",
    )
    return raw, record


@pytest.fixture
def case(prepared, tmp_path):
    raw, record = prepared
    shutil.copy(raw, tmp_path / raw.name)
    shutil.copy(record, tmp_path / "references.json")
    return Case(tmp_path, tmp_path / raw.name, tmp_path / "references.json")


def edit(path, change):
    """Change an open file's HDUs and write it back."""
    with fits.open(path, memmap=False) as hdus:
        change(hdus)
        hdus.writeto(path, overwrite=True)


def test_truncated_file(case):
    size = case.raw.stat().st_size
    with case.raw.open("r+b") as handle:
        handle.truncate(size // 2)
    case.expect_refusal(2, case.raw.name, "truncated")


def test_not_fits(case):
    case.raw.write_text("these are no pixels\n" * 400)
    case.expect_refusal(2, case.raw.name, "not a FITS file")


def test_missing_file(case):
    case.raw.unlink()
    case.expect_refusal(2, case.raw.name)


def test_missing_sci(case):
    edit(case.raw, lambda hdus: hdus.pop("SCI"))
    case.expect_refusal(2, case.raw.name, "SCI")


@pytest.mark.parametrize("keyword", ["TGROUP", "INSTRUME", "EXP_TYPE", "NGROUPS"])
def test_missing_keyword(case, keyword):
    edit(case.raw, lambda hdus: hdus[0].header.remove(keyword))
    case.expect_refusal(2, case.raw.name, keyword)


def test_wrong_number_of_dimensions(case):
    def flatten(hdus):
        hdus["SCI"].data = hdus["SCI"].data[0, 0]

    edit(case.raw, flatten)
    case.expect_refusal(2, case.raw.name, "dimensions")


def test_header_and_data_disagree(case):
    def lie(hdus):
        hdus[0].header["NGROUPS"] = 7

    edit(case.raw, lie)
    case.expect_refusal(2, case.raw.name, "NGROUPS", "7")


def test_reference_of_another_subarray(case):
    def move(hdus):
        hdus[0].header["SUBARRAY"] = "SUB64P"
        hdus[0].header["SUBSTRT1"] = 1900
        hdus[0].header["SUBSIZE1"] = 64
        hdus[0].header["SUBSIZE2"] = 64
        for hdu in hdus[1:]:
            if hdu.is_image and hdu.data is not None and hdu.data.ndim >= 2:
                hdu.data = np.ascontiguousarray(hdu.data[..., :64, :64])

    path = case.reference("gain")
    edit(path, move)
    case.expect_refusal(3, path.name)


def test_unreadable_reference(case):
    path = case.reference("superbias")
    path.write_bytes(path.read_bytes()[:4000])
    case.expect_refusal(3, path.name)


def test_missing_reference(case):
    path = case.reference("dark")
    path.unlink()
    case.expect_refusal(3, path.name, "--override")


def test_gain_without_a_value(case):
    path = case.reference("gain")

    def spoil(hdus):
        hdus["SCI"].data[:] = np.nan

    edit(path, spoil)
    case.expect_refusal(3, path.name, "gain")


def test_misspelt_option(case):
    wrong = ("--set", "jump.rejection_treshold=5")
    case.expect_refusal(2, "did you mean rejection_threshold?", options=wrong)


def test_option_out_of_bounds(case):
    case.expect_refusal(
        2, "jump.rejection_threshold", options=("--set", "jump.rejection_threshold=-5")
    )


def test_unknown_step(case):
    case.expect_refusal(2, "did you mean jump?", options=("--skip", "jmp"))


def test_one_group(case):
    """One group is enough for a slope, from the bias on; it is not searched for jumps."""

    def shorten(hdus):
        hdus["SCI"].data = hdus["SCI"].data[:, :1]
        hdus[0].header["NGROUPS"] = 1

    edit(case.raw, shorten)
    out = case.folder / "out"
    done = run(
        ["calwebb-detector1", "run", case.raw, "--references", case.references,
         "--output-dir", out],
    )  # fmt: skip
    assert "jump                 SKIPPED: 1 groups" in done.stderr
    (rate,) = out.glob("*_rate.fits")
    assert fits.getval(rate, "S_JUMP") == "SKIPPED"
    assert fits.getval(rate, "S_RAMP") == "COMPLETE"
    data, dq = fits.getdata(rate, "SCI"), fits.getdata(rate, "DQ")
    np.testing.assert_array_equal(np.isnan(data), (dq & 1) != 0)
    assert np.isfinite(data).mean() > 0.99


def test_output_folder_is_a_file(case):
    (case.folder / "out").write_text("in the way")
    case.expect_refusal(2, "out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_output_folder_not_writable(case):
    (case.folder / "out").mkdir(mode=0o500)
    case.expect_refusal(2, "out", "writ")


@pytest.mark.parametrize(
    ("keyword", "value", "sentence"),
    [
        ("MSTR_RD1", 4, "subarrays of several stripes is not available yet"),
        ("EXP_TYPE", "FGS_TRACK", "use calwebb-guider"),
    ],
)
def test_modes_that_are_not_there_yet_and_data_of_another_program(case, keyword, value, sentence):
    def change(hdus):
        hdus[0].header[keyword] = value

    edit(case.raw, change)
    case.expect_refusal(2, sentence)


def test_a_segment_whose_integrations_are_not_those_it_says(case):
    def change(hdus):
        hdus[0].header.update(EXSEGTOT=3, EXSEGNUM=2, INTSTART=6, INTEND=10)

    edit(case.raw, change)
    case.expect_refusal(2, case.raw.name, "INTSTART and INTEND are 6 and 10 but SCI has 1")
