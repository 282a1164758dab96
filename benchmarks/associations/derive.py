"""Derive pools from pools at hand: shuffled, mixed, one exposure missing, upper case, large.

``python benchmarks/associations/derive.py POOLS_DIR -o DIR [--pool NAME]... [--seed N]``
``python benchmarks/associations/derive.py POOLS_DIR -o DIR --exposures 837``

The first writes four pools for each at hand: ``NAME+shuffled``, ``NAME+missing``,
``NAME+upper`` and ``NAME+mixed`` (with the next one, under another program). The second repeats
the pools under other programs until there are so many exposures. Each is a function of the
pools and the seed.
"""

import argparse
import random
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import count, islice, zip_longest
from pathlib import Path

from calwebb_associate.pool import Pool, Row, program_of, read_pool, write_pool
from calwebb_core.framework.errors import InputError

LAST_PROGRAM = 99_999
NUMBERED = re.compile(r"jw_(\d+)(_.*)", re.ASCII | re.IGNORECASE)
PROPER = re.compile(r"jw\d{5}(\d{6}_.*)", re.ASCII | re.IGNORECASE)


def shuffled(pool: Pool, seed: int) -> Pool:
    """Return a pool with its rows in another order."""
    rows = list(pool.rows)
    random.Random(seed).shuffle(rows)  # noqa: S311
    return with_rows(pool, rows)


def without_one(pool: Pool, seed: int) -> Pool:
    """Return a pool without one of its exposures."""
    rows = list(pool.exposures())
    gone = random.Random(seed).choice(rows)  # noqa: S311
    return with_rows(pool, [row for row in pool.rows if row != gone])


def upper(pool: Pool) -> Pool:
    """Return a pool with all its values in upper case, as some archives write them."""
    rows = [{column: text.upper() for column, text in row.items()} for row in pool.rows]
    return with_rows(pool, rows)


def renumbered(pool: Pool, programs: Iterator[int], files: Iterator[int]) -> Pool:
    """Return a pool under other programs, with other file names.

    Parameters
    ----------
    pool : Pool
    programs, files : numbers that are still free
    """
    wanted = sorted({program_of(row) for row in pool.exposures()})
    new = dict(zip(wanted, programs, strict=False))
    return with_rows(pool, [_moved(row, new[program_of(row)], files) for row in pool.exposures()])


def _moved(row: Row, program: int, files: Iterator[int]) -> Row:
    """Return a row of another program."""
    name = row["filename"]
    if proper := PROPER.fullmatch(name):
        name = f"jw{program:05d}{proper[1]}"
    elif numbered := NUMBERED.fullmatch(name):
        name = f"jw_{next(files):05d}{numbered[2]}"
    else:
        msg = f"{name}: is neither jwPPPPPOOOVVV_... nor jw_N_..., and cannot be renumbered"
        raise InputError(msg)
    return {**row, "program": str(program), "filename": name}


def mixed(one: Pool, other: Pool) -> Pool:
    """Return a pool with the exposures of two in turn, the second's under other programs."""
    taken = {int(program_of(row)) for row in one.exposures()}
    programs = (number for number in range(1, LAST_PROGRAM) if number not in taken)
    moved = renumbered(other, programs, count(50_001))
    both = [row for pair in zip_longest(one.rows, moved.rows) for row in pair if row is not None]
    columns = together([one, moved], one.name).columns
    empty = dict.fromkeys(columns, "null")
    return Pool(columns, tuple(empty | dict(row) for row in both), one.name)


def repeated(pools: Sequence[Pool], exposures: int, name: str) -> Pool:
    """Return a pool of so many exposures: those at hand again and again under other programs."""
    programs, files = count(1), count(1)
    parts: list[Pool] = []
    missing = exposures
    while missing > 0:
        for pool in pools:
            part = renumbered(pool, programs, files)
            part = with_rows(part, list(islice(part.rows, missing)))
            missing -= len(part.rows)
            parts.append(part)
            if missing <= 0:
                break
    return together(parts, name)


def together(pools: Sequence[Pool], name: str) -> Pool:
    """Return a pool with all rows of several; values of columns that one lacks are null."""
    columns = tuple(dict.fromkeys(column for pool in pools for column in pool.columns))
    empty = dict.fromkeys(columns, "null")
    return Pool(columns, tuple(empty | dict(row) for pool in pools for row in pool.rows), name)


def with_rows(pool: Pool, rows: Sequence[Row]) -> Pool:
    """Return a pool with other rows."""
    return Pool(pool.columns, tuple(rows), pool.name)


def at_hand(folder: Path, names: Sequence[str]) -> dict[str, Pool]:
    """Return the pools of a folder by name; those that cannot be read are named and left out."""
    pools = {}
    for path in sorted(folder.glob("*.csv")):
        if names and path.stem not in names:
            continue
        try:
            pools[path.stem] = read_pool(path)
        except InputError as error:
            sys.stderr.write(f"left out: {error}\n")
    return pools


def derived(pools: dict[str, Pool], seed: int) -> Iterator[tuple[str, Pool]]:
    """Yield the derived pools and their names."""
    names = sorted(pools)
    for number, name in enumerate(names):
        pool, following = pools[name], names[(number + 1) % len(names)]
        yield f"{name}+shuffled", shuffled(pool, seed)
        if len(list(pool.exposures())) > 1:
            yield f"{name}+missing", without_one(pool, seed)
        yield f"{name}+upper", upper(pool)
        yield f"{name}+mixed", mixed(pool, pools[following])


def main() -> None:
    """Write derived pools."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("pools", type=Path, help="folder of pools")
    parser.add_argument("-o", "--output-dir", type=Path, required=True)
    parser.add_argument("--pool", action="append", default=[], help="this pool only (its name)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--exposures", type=int, help="write one pool of so many exposures")
    options = parser.parse_args()
    pools = at_hand(options.pools, options.pool)
    options.output_dir.mkdir(parents=True, exist_ok=True)
    if options.exposures:
        name = f"exposures_{options.exposures}"
        made = repeated(list(pools.values()), options.exposures, f"{name}.csv")
        write_pool(made, options.output_dir / f"{name}.csv")
        return
    for name, pool in derived(pools, options.seed):
        write_pool(pool, options.output_dir / f"{name}.csv")


if __name__ == "__main__":
    main()
