"""The summary that a run ends with."""

import re

import pytest

from programs import run

pytestmark = pytest.mark.workflow


def test_a_run_ends_with_a_summary_of_each_program(finished):
    pages = list(finished.folder.glob("results/*/report/*_summary.html"))
    assert [page.name for page in pages] == [f"{pages[0].parents[1].name}_summary.html"]
    text = pages[0].read_text(encoding="utf-8")
    raw = len(list((finished.folder / "uncal").iterdir()))
    assert text.count('<tr id="e-') == raw
    assert re.search(rf"<b>{raw}</b> exposures, stage 1", text)
    for state in ("failed", "unfinished", "missing"):
        assert f'class="state {state}"><span aria-hidden="true">' not in text.split("<main")[0]
    assert "All parameters are at their defaults" in text or "changed" in text
    assert text.count("data:image/webp") == 3 * raw + 3
    links = [link for link in re.findall(r'href="([^"#][^"]*)"', text) if link != "data:,"]
    assert all((pages[0].parent / link).exists() for link in links)


def test_it_shows_a_product_that_is_gone(finished, tmp_path):
    rate = next(finished.folder.glob("results/*/detector1/*_rate.fits"))
    root = rate.name.removesuffix("_rate.fits")
    kept = [tmp_path / "rate", tmp_path / "rateints"]
    paths = [rate, rate.with_name(f"{root}_rateints.fits")]
    for path, place in zip(paths, kept, strict=True):
        path.rename(place)
    try:
        page = tmp_path / "page.html"
        words = [rate.parents[1], "--logs", finished.folder / "logs" / rate.parents[1].name]
        run(["calwebb-report", *words, "-o", page])
        assert "1 unfinished" in page.read_text(encoding="utf-8").split("<main")[0]
    finally:
        for path, place in zip(paths, kept, strict=True):
            place.rename(path)
