"""The page as text: complete, escaped, self-contained, and small."""

import re
import time
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

from calwebb_associate.summary.command import main
from calwebb_associate.summary.thumbnails import BUDGET

VOID = {"meta", "link", "input", "img", "br"}


class Page(HTMLParser):
    """Elements of a page; every one has to be closed in order."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.ids, self.open = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def text(half_way):
    return half_way.report().read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_it_is_well_formed_and_names_are_used_once(page):
    assert len(page.ids) == len(set(page.ids))
    assert [attrs["lang"] for attrs in page.all("html")] == ["en"]


def test_it_needs_nothing_but_itself(page):
    assert [attrs for attrs in page.all("script") if attrs] == []
    assert all(attrs["src"].startswith("data:image/webp;base64,") for attrs in page.all("img"))
    assert [attrs["href"] for attrs in page.all("link")] == ["data:,"]
    policy = page.all("meta")[1]["content"]
    assert policy.startswith("default-src 'none'")
    assert "script-src 'sha256-" in policy


def test_links_are_relative_and_lead_to_files(half_way, page):
    links = [attrs["href"] for attrs in page.all("a")]
    files = [link for link in links if not link.startswith("#")]
    assert files
    for link in files:
        assert not re.match(r"/|\w+:", link)
        assert (half_way.folder / "report" / link).exists(), link
    for link in links:
        if link.startswith("#p") or link in ("#main", "#sky", "#time"):
            assert link[1:] in page.ids


def test_hostile_values_stay_text(half_way, text, page):
    assert "alert(1)" in text
    assert "<script>alert" not in text
    assert "<b>NaN" not in text
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)


def test_control_characters_and_long_names_do_not_reach_the_page(program):
    root = program.expose(1, TARGPROP="A" * 400, TITLE="x")
    path = program.raw / f"{root}_uncal.fits"
    content = path.read_bytes().replace(b"'RAPID   '", b"'\x1b[31m\x00\x07 '")
    path.write_bytes(content)
    program.pool()
    text = program.report().read_text(encoding="utf-8")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert "A" * 299 + "\u2026" in text
    assert "A" * 300 not in text


def test_it_tells_what_was_observed_and_how_far_it_is(text):
    for words in (
        "Program 01345", "FIELD-1", "10h00m24.00s", "+02\u00b012\u203200.0\u2033", "F277W", "F444W",
        "85.9", "4.3 min", "jwst_0001.pmap", "not available yet", "unfinished",
        "flat is all &lt;b&gt;NaN&lt;/b&gt;", "Time line", "2023-03-14 06:02:52",
    ):  # fmt: skip
        assert words in text, words


def test_what_a_done_product_lacks_is_told(text):
    assert '<span class="soft">without cat, segm</span>' in text


def test_steps_are_counted(text):
    assert re.search(r'<th scope="row">photom</th>(<td>.*?</td>)*<td>skipped</td>', text)
    assert re.search(r'<th scope="row">jump</th>(<td>.*?</td>)*<td>complete</td>', text)


def test_the_sky_has_outlines_axes_and_a_position_alone(half_way, text):
    for name in ("done", "failed", "left"):
        assert f"<title>{half_way.names[name]}: NIRCAM F277W</title>" in text
    assert text.count('class="grid"') > 4
    assert "right ascension (ICRS)" in text
    assert "no position is known" in text


def test_every_control_has_a_name(page):
    tables = page.all("table")
    assert sum("data-sortable" in attrs for attrs in tables) >= 2
    regions = [attrs for tag, attrs in page.elements if attrs.get("role") == "region"]
    assert regions
    assert all(attrs["aria-label"] and attrs["tabindex"] == "0" for attrs in regions)
    assert all("alt" in attrs for attrs in page.all("img"))


def test_a_run_with_a_fixed_date_gives_the_same_bytes(half_way, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    first = half_way.report(name="one.html").read_bytes()
    assert half_way.report(name="two.html").read_bytes() == first
    assert b"As of" not in first


@pytest.mark.slow
def test_a_thousand_exposures(program):
    for observation in range(1, 26):
        for number in range(1, 21):
            for detector in ("nrca1", "nrca2"):
                program.expose(number, detector, observation, CHANNEL="SHORT", FILTER="F115W")
    program.pool()
    start = time.perf_counter()
    text = program.report().read_text(encoding="utf-8")
    assert time.perf_counter() - start < 30
    assert len(text) < 5_000_000 - BUDGET
    assert text.count('<tr id="e-') == 1000


def test_without_a_pool_it_is_made_of_raw_exposures(program):
    program.expose(1)
    assert "1 exposure of 1 target" in program.report().read_text(encoding="utf-8")


def test_nothing_known_is_refused(tmp_path):
    def run(*words):
        done = CliRunner().invoke(main, [*map(str, words), "-o", str(tmp_path / "x.html")])
        assert done.exit_code == 2
        assert not (tmp_path / "x.html").exists()
        return " ".join(done.output.split())

    assert "no such folder" in run(tmp_path / "01345")
    (tmp_path / "01345").mkdir()
    assert "run calwebb-pool, or name the raw exposures with --uncal" in run(tmp_path / "01345")
    (tmp_path / "schema.json").write_text("[]")
    words = (tmp_path / "01345", "--defaults", tmp_path / "schema.json")
    assert "cannot be read as the configuration's schema" in run(*words)


@pytest.mark.realdata
def test_exposures_of_the_telescope(realdata, tmp_path):
    (tmp_path / "01075").mkdir()
    words = [tmp_path / "01075", "-o", tmp_path / "page.html"]
    for detector in ("nrca2", "nrca3", "nrca4"):
        name = f"jw01075001001_03105_00009_{detector}_uncal.fits"
        words += ["--uncal", realdata / "headers" / name]
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count("<title>jw01075001001_03105_00009_nrca") == 6  # outlines and bars
    assert "F210M + MASKRND" in text
    assert "16h23m55.64s +28\u00b023\u203202.5\u2033" in text
    assert "2022-05-14 18:15:25" in text
