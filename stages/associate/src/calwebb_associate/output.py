"""What calwebb-associate writes: files, a table, a pool of what is left over."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from calwebb_associate.generate import MadeAssociation
from calwebb_associate.pool import Pool, root_of, write_pool
from calwebb_core.framework.association import association_text
from calwebb_core.framework.atomic import write_texts
from calwebb_core.framework.errors import InputError

log = logging.getLogger(__name__)


def print_table(made: Sequence[MadeAssociation]) -> None:
    """Print what associations there are: one line each, with its members by type."""
    rows = [("candidate", "type", "rule", "product", "members")]
    for one in made:
        parts = [member["exptype"] for member in one.content["products"][0]["members"]]
        counts = (f"{parts.count(part)} {part}" for part in dict.fromkeys(parts))
        rows.append((one.candidate, one.asn_type, one.rule, one.product, ", ".join(counts)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def write_associations(made: Sequence[MadeAssociation], folder: Path) -> None:
    """Write associations to a folder, which is made."""
    paths = {folder / one.file_name: one.content for one in made}
    texts = {path: association_text(content, str(path)) for path, content in paths.items()}
    make_folder(folder)
    write_texts(texts)


def save_orphans(pool: Pool, made: Iterable[MadeAssociation], path: Path) -> None:
    """Write the rows of exposures that are in no association as a pool."""
    taken = {
        member["expname"].rpartition("_")[0]
        for association in made
        for product in association.content["products"]
        for member in product["members"]
    }
    orphans = [row for row in pool.exposures() if root_of(row) not in taken]
    write_pool(replace(pool, rows=tuple(orphans)), path)
    log.info("%s: %d exposures in no association", path, len(orphans))


def make_folder(folder: Path) -> None:
    """Make the output folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder}: cannot be made: {error.strerror}; choose another output folder"
        raise InputError(msg) from error
