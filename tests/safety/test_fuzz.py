"""Whatever a file holds: it is read, or refused in a sentence that names it.

The contents are spoilt copies of files that are well, and others that are made up. About a minute
in all; CALWEBB_FUZZ=10 tries ten times as many, others each time.
"""

import gzip
import os
from functools import partial
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calwebb_associate.files import raw_exposures
from calwebb_associate.headers import read_primary
from calwebb_associate.plan_file import read_plan_file
from calwebb_associate.pool_cache import HeaderCache
from calwebb_associate.pool_check import check_pool
from calwebb_associate.pool_file import read_pool
from calwebb_associate.rule_files import read_rules
from calwebb_associate.summary.fits import read_headers, read_runs
from calwebb_core.framework.asdf_extension import from_asdf
from calwebb_core.framework.association import read_association
from calwebb_core.framework.catalogs import read_catalog, read_columns
from calwebb_core.framework.errors import CalwebbError, InputError, ReferenceFileError
from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.grid_file import read_grid
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.parameter_files import given_options
from calwebb_core.framework.parameters import read_parameter_file
from calwebb_core.framework.printing import one_line, printable
from calwebb_core.framework.products import (
    open_raw,
    read_image,
    read_metadata,
    read_ramp,
    write_image,
)
from calwebb_core.framework.reference_arrays import part_of
from calwebb_core.framework.reference_files import read_reference
from calwebb_core.framework.reference_list import read_reference_list
from calwebb_core.framework.verify.find import Ingredients
from calwebb_core.framework.verify.rebuild import commands, options_text
from calwebb_core.framework.verify.record import read_record
from calwebb_level3.imaging.reference_catalogs import read_catfile, read_positions
from calwebb_level3.imaging.sky_list import read_sky_list
from calwebb_simulator.scenario_file import load_scenario

from . import valid
from .damage import Content, carded, cut, flipped, inserted, spoilt, swapped

EXAMPLES = int(200 * float(os.environ.get("CALWEBB_FUZZ", "1")))
FUZZ = settings(
    # the same examples each time, so that a change is blamed for what it breaks and not for luck
    derandomize="CALWEBB_FUZZ" not in os.environ,
    max_examples=EXAMPLES,
    deadline=60_000,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SCIENCE = Metadata(valid.KEYWORDS, source="x_uncal.fits")


def made(write):
    """Return what a function writes to a file."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{valid.NAME}_cal.fits")
        write(path)
        return path.read_bytes()


IMAGE, RAMP, REFERENCE = made(valid.image), made(valid.ramp), made(valid.reference)
PACKED, CATALOG, RATES = made(valid.packed_reference), made(valid.catalog), made(valid.rates)
TREE, GRID, OBJECTS = valid.tree(), valid.grid(), valid.objects()
ON_FITS = (flipped, cut, swapped, carded, carded, carded)
ON_TEXT = (flipped, cut, inserted, inserted, inserted)
anything = st.binary(max_size=200) | st.text(max_size=200).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)
anything = anything.map(Content)


def expect_answer(read, path, error=CalwebbError):
    """Expect that a file is read, or refused in one sentence that names it."""
    try:
        read(path)
    except error as refusal:
        line = one_line(str(refusal))
        assert path.name in line
        assert line == printable(line)
        assert len(line) < 2100


def read_all(path):
    """Read and go through everything of a reference file."""
    reference = read_reference("flat", path, SCIENCE)
    for name in reference.arrays:
        reference.arrays[name]
        part_of(reference.arrays, name, slice(0, 1), slice(1, 3), slice(0, 4))


def read_pixels(path):
    exposure = Exposure.open(path)
    for name in exposure.names():
        exposure.plane(name, slice(0, 2))


def read_and_write(path):
    (path.parent / "again").mkdir(exist_ok=True)
    write_image(read_image(path), path.parent / "again" / path.name)


@pytest.mark.parametrize("read", [read_metadata, read_and_write, read_pixels, read_headers])
def test_images(tmp_path, read):
    check(tmp_path / f"{valid.NAME}_cal.fits", read, spoilt(IMAGE, *ON_FITS), InputError)


@pytest.mark.parametrize("read", [read_ramp, open_raw, read_primary, read_runs])
def test_ramps(tmp_path, read):
    check(tmp_path / f"{valid.NAME}_uncal.fits", read, spoilt(RAMP, *ON_FITS))


def test_references(tmp_path):
    content = spoilt(REFERENCE, *ON_FITS)
    check(tmp_path / "flat.fits", read_all, content, ReferenceFileError)


def test_references_that_are_packed(tmp_path):
    content = spoilt(PACKED, *ON_FITS)
    check(tmp_path / "flat.fits", read_all, content, ReferenceFileError)
    content = spoilt(gzip.compress(REFERENCE, 1, mtime=0), flipped, cut)
    check(tmp_path / "flat.fits.gz", read_all, content, ReferenceFileError)


def test_objects_in_trees(tmp_path):
    content = spoilt(OBJECTS, *ON_TEXT)
    read = partial(read_reference, "distortion", science=SCIENCE)
    check(tmp_path / "tree.asdf", read, content, ReferenceFileError)
    check(tmp_path / "grid.asdf", read_grid, spoilt(GRID, *ON_TEXT) | anything, InputError)


def test_records(tmp_path):
    path = tmp_path / f"{valid.NAME}_rate.fits"
    check(path, remake, spoilt(RATES, *ON_FITS) | spoilt(RATES, inserted), InputError)
    check(tmp_path / "x_cat.ecsv", read_record, spoilt(CATALOG, *ON_TEXT) | anything, InputError)


def remake(path):
    """Read a record and make the words that would make the product again."""
    recorded = read_record(path)
    words = [word for command in commands(recorded) for word in command]
    assert not [word for word in words if "hook" in word or set(word) & set(" ;\n/$`")]
    for values in yaml.safe_load(options_text(recorded, Ingredients())).values():
        assert not set(values) & {"pre_hooks", "post_hooks", "save"}


def test_trees(tmp_path):
    path = tmp_path / "tree.asdf"
    content = spoilt(TREE, *ON_TEXT)
    check(path, lambda path: from_asdf(path.read_bytes(), path.name), content, InputError)
    check(
        path, lambda path: read_reference("distortion", path, SCIENCE), content, ReferenceFileError
    )


def test_associations(tmp_path):
    from json import dumps

    text = dumps(valid.ASSOCIATION, indent=1).encode()
    check(
        tmp_path / "x_asn.json",
        lambda path: read_association(path, check_files=False),
        spoilt(text, *ON_TEXT) | anything,
        InputError,
    )


def test_pools(tmp_path):
    for read in (read_pool, check_pool):
        content = spoilt(valid.POOL.encode(), *ON_TEXT) | anything
        check(tmp_path / "pool.csv", read, content, InputError)


def test_rules(tmp_path):
    content = spoilt(valid.RULES.encode(), *ON_TEXT) | anything
    check(tmp_path / "rules.toml", read_rules, content, InputError)


def test_lists_of_references(tmp_path):
    content = spoilt(valid.reference_list().encode(), *ON_TEXT) | anything
    check(tmp_path / "refs.json", read_reference_list, content)


def test_parameters(tmp_path):
    content = spoilt(valid.PARAMETERS.encode(), *ON_TEXT) | anything
    check(tmp_path / "parameters.yaml", read_parameter_file, content, InputError)
    content = spoilt(valid.parameter_reference(), *ON_TEXT) | anything
    check(
        tmp_path / "pars.asdf",
        lambda path: given_options("pars-jumpstep", path),
        content,
        ReferenceFileError,
    )


def test_plans_and_kept_headers(tmp_path):
    content = spoilt(b'{"a_asn.json":{"products":[1]}}\n', *ON_TEXT) | anything
    check(tmp_path / "plan.jsonl", read_plan_file, content, InputError)
    content = spoilt(b'{"format":"calwebb headers 2","keywords":[]}\n["a",1,2,3,[]]\n', *ON_TEXT)
    check(tmp_path / "kept.jsonl", HeaderCache, content)


def test_catalogs(tmp_path):
    content = spoilt(CATALOG, *ON_TEXT) | anything
    for read in (read_catalog, lambda path: read_columns(path, ["ra"])):
        check(tmp_path / "x_cat.ecsv", read, content, InputError)


def test_catalogs_of_options(tmp_path):
    table = made(valid.table)
    content = spoilt(table, *ON_FITS) | spoilt(CATALOG, *ON_TEXT) | spoilt(valid.CSV, *ON_TEXT)
    check(tmp_path / "stars.x", read_positions, content | anything, InputError)
    for read in (read_catfile, read_sky_list):
        content = spoilt(b"# a\nx_cal.fits 1.5\ny_cal.fits 2e3\n", *ON_TEXT)
        check(tmp_path / "list.txt", read, content | anything, InputError)


def test_lists_of_files_and_scenarios(tmp_path):
    content = spoilt(f"{valid.NAME}_uncal.fits\n# x\n".encode(), *ON_TEXT) | anything
    check(tmp_path / "files.txt", lambda path: raw_exposures([path]), content, InputError)
    text = files("calwebb_simulator").joinpath("scenarios", "tiny.yaml").read_bytes()
    content = spoilt(text, *ON_TEXT) | anything
    check(tmp_path / "own.yaml", lambda path: load_scenario(str(path)), content, InputError)


def check(path, read, contents, error=CalwebbError):
    """Try a reader on many contents."""

    @FUZZ
    @given(content=contents)
    def one(content):
        path.write_bytes(content.data)
        expect_answer(read, path, error)

    one()
