"""Pools made from the headers of simulated programs of every mode.

The simulator writes each program's pool as the archive would, with what the proposal knows.
Headers lack the candidates that join observations; all else that rules ask for has to come out
so that the same associations follow.
"""

import pytest

from calwebb_associate.generate import make_associations
from calwebb_associate.pool import Pool, flag, read_pool, value
from programs import run

# The archive counts specifications otherwise: it begins with the acquisitions.
OWN_WAY = {"asn_candidate", "expspcin"}


@pytest.fixture(scope="module")
def pools(all_programs):
    """Return the archive's pools of all programs, and the pool of all headers."""
    headers = all_programs / "pool.csv"
    assert run(["calwebb-pool", headers, "--check"]).stdout == ""
    archive = [read_pool(path) for path in sorted((all_programs / "pools").glob("*.csv"))]
    return archive, read_pool(headers)


def test_headers_give_the_archive_s_values(pools):
    archive, headers = pools
    made = {row["filename"]: row for row in headers.exposures()}
    known = [row for pool in archive for row in pool.exposures()]
    assert len(made) == len(known) > 400
    for row in known:
        for column in set(row) - OWN_WAY:
            assert value(made[row["filename"]], column) == value(row, column), column


def test_headers_give_the_archive_s_associations(pools):
    archive, headers = pools
    for pool in archive:
        known = {row["filename"]: row["asn_candidate"] for row in pool.exposures()}
        linked = Pool(
            headers.columns,
            tuple(
                {**row, "asn_candidate": known[row["filename"]]}
                for row in headers.exposures()
                if row["filename"] in known
            ),
            pool.name,
        )
        assert associations(linked) == associations(pool), pool.name


def associations(pool):
    """Return rule, product and members of the associations of a pool."""
    return {
        (made.rule, product["name"], member["expname"], member["exptype"])
        for made in make_associations(pool)
        for product in made.content["products"]
        for member in product["members"]
    }


def test_imprints_and_references_are_known_from_headers(pools):
    _, headers = pools
    found = list(headers.exposures())
    for column in ("is_imprt", "is_psf", "bkgdtarg", "tsovisit"):
        assert {flag(row, column) for row in found} == {True, False}, column
