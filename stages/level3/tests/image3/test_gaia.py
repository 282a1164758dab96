"""Alignment to Gaia, asked of an archive that runs beside the test."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import numpy as np
import pytest
from astropy.io.votable import from_table
from astropy.table import MaskedColumn, Table

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import Exposure
from calwebb_level3.imageset import make_set
from calwebb_level3.imaging import gaia, reference_catalogs
from calwebb_level3.steps.tweakreg import TweakregParameters, run

from .scene import dithered, exposure, offset, star_field
from .test_tweakreg import residuals, truth

pytest.importorskip("pyvo", reason="pyvo asks the archive; the environment has none: make env")

EPOCH = 2022.3286  # of the scene's EXPMID
ERROR_PAGE = b"""<?xml version="1.0"?><VOTABLE version="1.3"
 xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE type="results">
<INFO name="QUERY_STATUS" value="ERROR">no such table</INFO></RESOURCE></VOTABLE>"""


def sources(stars, years=EPOCH - 2016.0):
    """Return rows of Gaia's catalog whose stars will be at the given places at the epoch."""
    rng = np.random.default_rng(5)
    n = len(stars[0])
    pmra, pmdec = rng.normal(0, 20, (2, n))
    ra, dec = offset(stars[0], stars[1], -pmra * years / 1e3, -pmdec * years / 1e3)
    unknown = np.zeros(n, bool)
    unknown[0] = True
    return Table(
        {
            "source_id": np.arange(n) + 4_000_000_000_000_000_000,
            "ra": ra, "dec": dec, "ra_error": np.full(n, 0.1), "dec_error": np.full(n, 0.1),
            "pmra": MaskedColumn(pmra, mask=unknown), "pmdec": MaskedColumn(pmdec, mask=unknown),
            "pmra_error": MaskedColumn(np.full(n, 0.05), mask=unknown),
            "pmdec_error": MaskedColumn(np.full(n, 0.05), mask=unknown),
            "phot_g_mean_mag": 25 - 2.5 * np.log10(stars[2]),
        }
    )  # fmt: skip


class Archive(HTTPServer):
    """A TAP service with one answer; the first `failures` requests get none."""

    def __init__(self, table, failures=0, status=200):
        super().__init__(("127.0.0.1", 0), Handler)
        self.table, self.failures, self.status, self.questions = table, failures, status, []

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/tap"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers["Content-Length"])
        question = {k: v[0] for k, v in parse_qs(self.rfile.read(length).decode()).items()}
        self.server.questions.append(question)
        if self.server.failures:
            self.server.failures -= 1
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/x-votable+xml")
        self.end_headers()
        if self.server.table is None:
            self.wfile.write(ERROR_PAGE)
        else:
            from_table(self.server.table).to_xml(self.wfile)

    def log_message(self, *_):
        pass


def parameters(archive, **more):
    return TweakregParameters(
        abs_refcat="GAIADR3", abs_service=archive.address, abs_timeout=5.0, **more
    )


def test_exposures_are_aligned_to_gaia_at_their_epoch(tmp_path):
    stars = star_field(60)
    errors = [(0.3, 0.2), (0.42, 0.1), (0.1, 0.3), (0.3, 0.3)]
    exposures = dithered(stars, errors=errors)
    where = truth(exposures, stars, errors)
    images = make_set(exposures, product="p")
    with Archive(sources(stars)) as archive:
        wanted = parameters(archive, save_abs_catalog=True)
        reference_catalogs.prepare(images, wanted)
    question = archive.questions[0]["QUERY"]
    assert "FROM gaiadr3.gaia_source" in question
    assert "CIRCLE('ICRS', 80.0" in question
    _, status = run(images, None, wanted)
    assert status.word == "COMPLETE"
    assert np.abs(residuals(images, stars, where)).max() < 2.0
    # what was used can be used again where there is no network
    paths = reference_catalogs.write_tables(images, tmp_path)
    assert [path.name for path in paths] == ["p_gaiadr3_ref.ecsv"]
    again = reference_catalogs.read_positions(paths[0])
    assert np.allclose(again["RA"], images.reference_catalog["RA"], rtol=0, atol=1e-12)
    assert again["weight"][1] == pytest.approx(1e6 / (0.02 + 2 * (0.05 * 6.3286) ** 2), rel=1e-3)
    assert again["weight"][0] < 0.01 * again["weight"][1]


def test_the_archive_is_asked_twice_at_most(caplog):
    images = make_set(dithered(star_field(30), 1), product="p")
    caplog.set_level("INFO")
    with Archive(sources(star_field(30)), failures=1) as archive:
        reference_catalogs.prepare(images, parameters(archive))
    assert len(archive.questions) == 2
    assert "attempt 1" in caplog.text
    silent = pytest.raises(InputError, match=r"GAIADR3, but http.*doesn't answer.*give a file")
    with Archive(None, failures=9) as archive, silent:
        reference_catalogs.prepare(images, parameters(archive))
    assert len(archive.questions) == 2


def test_without_network_a_sentence_says_what_to_do():
    images = make_set(dithered(star_field(30), 1), product="p")
    nowhere = TweakregParameters(abs_refcat="gaiadr2", abs_service="http://127.0.0.1:9/tap")
    with pytest.raises(InputError, match=r"there is no connection to .*save_abs_catalog.*or leave"):
        reference_catalogs.prepare(images, nowhere)
    with Archive(None) as archive, pytest.raises(InputError, match="refused the query: no such"):
        reference_catalogs.prepare(images, parameters(archive))


def test_a_silent_archive_is_given_up():
    images = make_set(dithered(star_field(30), 1), product="p")
    archive = Archive(None)
    impatient = TweakregParameters(
        abs_refcat="GAIADR3", abs_service=archive.address, abs_timeout=1.0
    )
    with pytest.raises(InputError, match=r"gives no answer in 1 s; give a file"):
        reference_catalogs.prepare(images, impatient)
    archive.server_close()


def test_missing_libraries_are_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyvo", None)
    with pytest.raises(InputError, match="pyvo isn't installed"):
        gaia.network_libraries("GAIADR3")


def test_the_reference_catalog_leaves_out_stars_of_unknown_motion():
    cone = gaia.Cone(1.0, 2.0, 0.1)
    assert "pmra IS NOT NULL" in gaia.adql(gaia.RELEASES["GAIAREFCAT"], cone)
    assert "gaiadr1.gaia_source WHERE" in gaia.adql(gaia.RELEASES["GAIADR1"], cone)


def test_cone_and_epoch_of_exposures():
    ra, dec = offset(0.001, 60.0, -10.0, 0.0)
    stars = star_field(1)
    exposures = [
        Exposure.of(exposure(stars, ra=0.001, dec=60.0)),
        Exposure.of(exposure(stars, ra=ra % 360.0, dec=dec, exposure=2)),
    ]
    cone = gaia.cone_of(exposures, 6.0)
    assert cone.dec == pytest.approx(60.0, abs=1e-3)
    assert min(cone.ra, 360 - cone.ra) < 0.01
    assert 3600 * cone.radius == pytest.approx(6 + 5 + 4.4, abs=1.0)
    assert gaia.epoch_of(exposures) == pytest.approx(EPOCH, abs=0.01)
    for key in ("EXPMID", "EXPSTART", "EXPEND"):
        del exposures[0].metadata[key]
    with pytest.raises(InputError, match="EXPMID, EXPSTART and EXPEND are missing"):
        gaia.epoch_of(exposures)


def test_the_answer_is_the_same_every_time():
    with Archive(sources(star_field(20))) as archive:
        tables = [
            gaia.query_gaia("GAIADR3", gaia.Cone(80.0, -69.5, 0.01), EPOCH, service=archive.address)
            for _ in range(2)
        ]
    first, second = (json.dumps({n: t[n].tolist() for n in t.colnames}) for t in tables)
    assert first == second
