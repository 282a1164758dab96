"""calwebb-verify: what is the same, what differs and why, what cannot be verified."""

import json
import shutil

import numpy as np
import pytest
from astropy.io import fits

pytestmark = pytest.mark.slow


def kinds(product):
    return [finding["kind"] for finding in product["findings"]]


def append(path):
    """Change a file without harm: FITS readers do not look behind the last HDU."""
    with path.open("ab") as stream:
        stream.write(b"\0" * 2880)


def edit(path, old, new):
    """Replace as many bytes in a product, as if another version had recorded them."""
    content = path.read_bytes()
    assert content.count(old) >= 1
    assert len(old) == len(new)
    path.write_bytes(content.replace(old, new))


def test_products_of_the_workflow_are_identical(results):
    products = [results.product(f"{name}.fits") for name in ("*/*_rate", "*/*_cal", "*/*_i2d")]
    code, said, report = results.verify(*products)
    assert code == 0, said
    assert [item["state"] for item in report] == ["identical"] * 3
    assert [item["program"] for item in report] == [
        "calwebb-detector1", "calwebb-image2", "calwebb-image2",
    ]  # fmt: skip
    assert said.count(": identical (") == 3
    assert not list(results.folder.rglob(".verify-*"))


def test_from_raw(results):
    code, said, report = results.verify("--from-raw", results.product("*/*_cal.fits"))
    assert code == 0, said
    assert [item["product"].rpartition("_")[2] for item in report] == ["rate.fits", "cal.fits"]


def test_reference_that_was_touched(results):
    flat = results.reference("flat")
    with fits.open(flat, mode="update") as hdus:
        hdus["SCI"].data[:] *= np.float32(1.01)
    code, said, (product,) = results.verify(results.product("*/*_cal.fits"))
    assert code == 1
    assert product["state"] == "differs"
    first = product["findings"][0]
    assert (first["kind"], first["name"]) == ("reference changed", flat.name)
    assert first["recorded"] != first["found"]
    assert f"reference flat {flat.name} has changed: its SHA-256 was " in said
    (science,) = (item for item in product["findings"] if item.get("hdu") == "SCI")
    assert science["largest_in_err"] > 0
    assert science["pixels"] > 0.8 * science["of"]
    assert "version" not in kinds(product)


def test_reference_that_is_not_there(results):
    flat = results.reference("flat")
    elsewhere = results.folder / "elsewhere"
    elsewhere.mkdir()
    flat.rename(elsewhere / flat.name)
    cal = results.product("*/*_cal.fits")
    code, said, (product,) = results.verify(cal)
    assert (code, kinds(product)) == (2, ["reference missing"])
    assert f"reference flat {flat.name} is not in the CRDS cache" in said
    assert results.verify("--references", elsewhere, cal)[0] == 0


def test_input_that_has_changed(results):
    rate = results.product("*/*_rate.fits")
    append(rate)
    code, said, (product,) = results.verify(results.product("*/*_cal.fits"))
    assert code == 1
    assert kinds(product)[0] == "input changed"
    assert f"input {rate.name} has changed: its SHA-256 was " in said
    assert product["notes"] == ["only the record of how it was made differs: pixels are the same"]


def test_input_that_is_not_there(results):
    raw = next((results.folder / "uncal").iterdir())
    raw.rename(results.folder / raw.name)
    rate = results.product("*/*_rate.fits")
    code, said, (product,) = results.verify(rate)
    assert (code, kinds(product)) == (2, ["input missing"])
    assert f"input {raw.name} is not there; name its folder with --input-dir" in said
    assert results.verify("--input-dir", results.folder, rate)[0] == 0


def test_other_version(results):
    rate = results.product("*/*_rate.fits")
    edit(rate, b"calwebb_detector1: 0.1.0", b"calwebb_detector1: 9.1.0")
    code, said, (product,) = results.verify(rate)
    assert (code, kinds(product)) == (1, ["version"])
    assert "calwebb_detector1 was 9.1.0, here it is 0.1.0" in said
    assert "pixels are the same" in said


def test_other_bytes_without_other_cause(results):
    rate = results.product("*/*_rate.fits")
    with fits.open(rate, mode="update") as hdus:
        hdus["SCI"].data[3, 5] += 2 * hdus["ERR"].data[3, 5]
        hdus["SCI"].add_checksum()
    code, said, (product,) = results.verify(rate)
    assert code == 1
    assert kinds(product) == ["machine", "pixels"]
    assert "another kind of CPU, another build" in said
    assert "SCI: 1 of " in said
    assert product["findings"][1]["largest_in_err"] == pytest.approx(2, rel=1e-5)


def test_product_that_was_edited(results):
    rate = results.product("*/*_rate.fits")
    content = bytearray(rate.read_bytes())
    content[len(content) // 8] ^= 1  # in SCI
    rate.write_bytes(content)
    code, said, (product,) = results.verify(rate)
    assert code == 1
    assert kinds(product)[0] == "edited"
    assert "it was changed after it was written: the CHECKSUM of SCI does not fit" in said


def test_other_processor(results):
    """Made with the loops of a processor without AVX2: the cause is found."""
    place = results.folder / "results" / "01234"
    root = results.product("*/*_cal.fits").name.removesuffix("_cal.fits")
    results.run(
        "env", "NPY_DISABLE_CPU_FEATURES=X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
        "OPENBLAS_CORETYPE=Nehalem", "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX2_Usable,-FMA,"
        "-FMA_Usable,-FMA4,-AVX512F,-AVX512DQ,-AVX512VL,-AVX512BW",
        "calwebb-image2", "run", place / "associations" / "one_asn.json", "--input-dir",
        place / "detector1", "--references", place / "references" / f"{root}_image2.json",
        "--output-dir", place / "image2",
    )  # fmt: skip
    code, said, (product,) = results.verify(results.product("*/*_cal.fits"))
    if code == 0:
        pytest.skip("this processor has no other loops")
    assert kinds(product)[0] == "processor"
    assert "with the loops of processors without AVX2 and FMA it has the same bytes" in said


def test_foreign_product(results):
    flat = results.reference("flat")
    code, said, (product,) = results.verify(flat)
    assert (code, kinds(product)) == (2, ["not a product"])
    assert "does not say how it was made" in said


def test_hooks_run_only_if_allowed(results):
    rate = results.product("*/*_rate.fits")
    raw = next((results.folder / "uncal").iterdir())
    listed = results.product("references/*_detector1.json")
    out = results.folder / "hooked"
    results.run(
        "calwebb-detector1", "run", raw, "--references", listed, "--output-dir", out,
        "--post-hook", f"dq_init=touch {results.folder / 'ran'}",
    )  # fmt: skip
    (results.folder / "ran").unlink()
    code, said, (product,) = results.verify(out / rate.name)
    assert (code, kinds(product)) == (2, ["hook"])
    assert "it was made with a post-hook of dq_init, `touch " in said
    assert not (results.folder / "ran").exists()
    assert results.verify("--allow-hooks", "--references", listed, "--input-dir", raw.parent,
                          out / rate.name)[0] == 0  # fmt: skip
    assert (results.folder / "ran").exists()


def test_override_step_alone_and_product_of_the_clock(results, monkeypatch):
    """A step turned on, a reference of the user's, none for a type, and the date of the clock."""
    raw = next((results.folder / "uncal").iterdir())
    (dark,) = results.cache.rglob("jwst_nircam_dark_*.fits")
    own = results.folder / "own"
    own.mkdir()
    shutil.copy(dark, own / "mydark.fits")
    out = results.folder / "out"
    results.run(
        "env", "-u", "SOURCE_DATE_EPOCH", "calwebb-detector1", "run", raw, "--output-dir", out,
        "--references", results.product("references/*_detector1.json"),
        "--override", f"dark={own / 'mydark.fits'}", "--override", "mask=N/A",
        "--no-crds-parameters", "--set", "charge_migration.skip=false",
        "--stop-after", "dark_current", "--save", "dark_current",
    )  # fmt: skip
    (saved,) = out.glob("*_dark_current.fits")
    words = ("--references", own, "--input-dir", raw.parent)
    code, said, _ = results.verify(*words, saved)
    assert code == 0, said


def test_options_of_other_runs_do_not_matter(results):
    record = json.dumps(results.verify(results.product("*/*_rate.fits"))[2])
    assert str(results.folder / "results") in record
