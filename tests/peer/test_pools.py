"""Pools: what one package writes the other reads, value by value."""

import json
import shutil
from pathlib import Path

import pytest

from calwebb_associate.pool import candidates, flag, read_pool, value
from calwebb_core.framework.errors import InputError
from official_process import REALDATA, run_official
from programs import run

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.realdata]

READ = """
import glob, json, os, sys
import jwst.associations as package
from jwst.associations import AssociationPool
own = os.path.join(os.path.dirname(package.__file__), "tests", "data")
names = sys.argv[2:] or sorted(glob.glob(os.path.join(own, "*.csv")))
tables = {}
for name in names:
    table = AssociationPool.read(name)
    columns = list(table.colnames)
    tables[name] = [columns, [[str(row[column]) for column in columns] for row in table]]
json.dump(tables, open(sys.argv[1], "w"))
"""
MAKE = """
import sys
from jwst.associations.mkpool import mkpool
mkpool(sys.argv[2:]).write(sys.argv[1])
"""


def official_tables(folder, *pools):
    """Return columns and rows of pools as the official package reads them."""
    run_official(READ, folder / "tables.json", *pools, folder=folder)
    return json.loads((folder / "tables.json").read_text())


def assert_equal(path, columns, rows):
    """Compare a pool as we read it with columns and rows as the official package does.

    Words for no value are equal: there an empty value may read as "n".
    """
    ours = read_pool(path)
    assert set(columns) <= set(ours.columns)
    assert len(ours.rows) == len(rows)
    for row, expected in zip(ours.rows, rows, strict=True):
        theirs = dict(zip(columns, expected, strict=True))
        for column in set(columns) - {"filename", "obs_num"}:
            assert value(row, column) == value(theirs, column), (path, column)
        assert row["filename"] == theirs["filename"].rpartition("/")[2]


def test_the_official_test_pools_are_read_as_there(tmp_path):
    """One of them has no candidates: the official package reads it, but makes nothing of it."""
    tables = official_tables(tmp_path)
    assert len(tables) > 25
    for name, (columns, rows) in tables.items():
        if "asn_candidate" in columns:
            assert_equal(Path(name), columns, rows)
        else:
            with pytest.raises(InputError, match="has no column asn_candidate"):
                read_pool(name)


def test_real_pools_are_read_as_there(tmp_path):
    pools = sorted((REALDATA / "pools").glob("*.csv"))
    for name, (columns, rows) in official_tables(tmp_path, *pools).items():
        assert_equal(Path(name), columns, rows)


def test_each_package_reads_what_the_other_makes_of_headers(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    for path in (REALDATA / "headers").glob("jw*_uncal.fits"):
        shutil.copyfile(path, raw / path.name)
    run(["calwebb-pool", raw, "-o", tmp_path / "ours.csv"])
    run_official(MAKE, tmp_path / "theirs.csv", *sorted(raw.iterdir()), folder=tmp_path)
    for name in ("ours.csv", "theirs.csv"):
        (columns, rows) = next(iter(official_tables(tmp_path, tmp_path / name).values()))
        assert_equal(tmp_path / name, columns, rows)
    ours = list(read_pool(tmp_path / "ours.csv").exposures())
    theirs = list(read_pool(tmp_path / "theirs.csv").exposures())
    same = {"act_id", "seq_id", "exp_type", "instrume", "detector", "filter", "pupil", "targname"}
    for one, other in zip(ours, theirs, strict=True):
        assert candidates(one) == candidates(other)
        assert one["filename"] == other["filename"]
        for column in same | {"program", "pntgtype", "targetid", "subarray", "tsovisit"}:
            assert value(one, column) == value(other, column), column
        assert flag(one, "is_psf") == flag(other, "is_psf")
    run(["calwebb-pool", tmp_path / "theirs.csv", "--check"])
