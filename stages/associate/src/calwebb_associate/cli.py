"""`calwebb-associate`: associations of a pool's exposures, or of listed files."""

import logging
import re
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from calwebb_core.framework.command import program
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import STAMP_PATTERN

if TYPE_CHECKING:
    from calwebb_associate.generate import MadeAssociation
    from calwebb_associate.pool import Pool

PACKAGE = "calwebb_associate"
PATH = click.Path(path_type=Path)
# What a run of the workflow keeps of its associations, in place of a pool.
PLAN = ".jsonl"
# Options of the one way to use the program that have no meaning in the other.
BY_RULES = (
    "only",
    "discover",
    "all_candidates",
    "rules",
    "ignore_default",
    "version_id",
    "save_orphans",
)
BY_LIST = ("product_name", "asn_type", "output", "allow_outside")

log = logging.getLogger(__name__)


@program(
    "calwebb-associate",
    package=PACKAGE,
    example="""
    calwebb-associate pool.csv --output-dir associations
    calwebb-associate raw/ --candidate o001 --level 3 --dry-run
    calwebb-associate pool.csv --discover --rules mine.toml --output-dir associations
    calwebb-associate pool.csv --only jw01345-o001_image3_04711_asn.json --output-dir .
    calwebb-associate --from-list *_cal.fits --product-name mosaic -o mosaic_asn.json
    calwebb-associate --from-list x_rate.fits sky_rate.fits,background --level 2 -o x_asn.json
    """,
)
@click.argument("pool", nargs=-1, required=True)
@click.option("--output-dir", type=PATH, help="Folder for the associations.")
@click.option("--only", multiple=True, metavar="FILE", help="Write this association only.")
@click.option(
    "-i",
    "--candidate",
    "candidates",
    multiple=True,
    metavar="ID",
    help="Only those of this candidate: o001, c1000. May be repeated.",
)
@click.option("--discover", is_flag=True, help="Only those that go over several candidates.")
@click.option(
    "--all-candidates", is_flag=True, help="With --discover: those of the candidates, too."
)
@click.option("--level", type=click.Choice(["2", "3"]), help="Those of one level only.")
@click.option("--rules", type=PATH, metavar="FILE.toml", help="More rules, or others in place.")
@click.option("--ignore-default", is_flag=True, help="Use the rules of --rules alone.")
@click.option("--version-id", metavar="STAMP", help="YYYYMMDDthhmmss, put in the file names.")
@click.option(
    "--save-orphans", type=PATH, metavar="FILE.csv", help="Write what is in none as a pool."
)
@click.option("--dry-run", is_flag=True, help="Print a table of them and write nothing.")
@click.option(
    "--from-list",
    is_flag=True,
    help="Associate the files given in place of POOL; FILE,exptype for other than science.",
)
@click.option("--product-name", metavar="NAME", help="Product of --from-list at level 3.")
@click.option(
    "--asn-type",
    metavar="TYPE",
    help="Type of --from-list: image3 (default of level 3), image2 (default of level 2), spec3, "
    "...; its level is taken, too.",
)
@click.option("-o", "--output", type=PATH, metavar="FILE.json", help="Association of --from-list.")
@click.option("--allow-outside", is_flag=True, help="List files outside the output's folder, too.")
def associate(pool: tuple[str, ...], **options: Any) -> None:
    """Make the associations of the exposures in POOL by the rules.

    POOL is a pool's file, or what calwebb-pool takes: exposures, or folders of them. By default
    each candidate (an observation, or what the proposal names) is looked at by itself.

    With --from-list POOL are the files to associate: one product of all of them, or with
    --level 2 one of each science file. The id is o999, or that of --candidate.
    """
    from_list = options.pop("from_list")
    if from_list:
        _refuse(options, BY_RULES, "has no meaning with --from-list; leave it out")
        _associate_files(pool, options)
    else:
        _refuse(options, BY_LIST, "is for listed files; add --from-list or leave it out")
        _associate_pool([Path(path) for path in pool], options)


def __getattr__(name: str) -> click.Command:
    """Return the other programs of this package, which installed scripts look for here."""
    if name == "pool":
        from calwebb_associate.pool_cli import pool

        return pool
    if name == "references":
        from calwebb_associate.references_cli import references

        return references
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def _refuse(options: dict[str, Any], names: Iterable[str], why: str) -> None:
    """Refuse options that were given but have no meaning."""
    for name in names:
        if options[name]:
            msg = f"--{name.replace('_', '-')} {why}"
            raise InputError(msg)


def _associate_pool(paths: Sequence[Path], options: dict[str, Any]) -> None:
    """Make the associations of a pool."""
    from calwebb_associate.generate import left_out

    folder, only = options["output_dir"], options["only"]
    if folder is None and not options["dry_run"]:
        msg = "--output-dir is missing; name a folder for the associations, or try --dry-run"
        raise InputError(msg)
    if folder is not None and [path.suffix for path in paths] == [PLAN]:
        from calwebb_associate.plan_file import write_planned

        write_planned(paths[0], folder, only)
        return
    table = _pool(paths)
    made = _made(table, options, paths[0])
    chosen = _only(only, [association.file_name for association in made], paths[0])
    kept = [association for association in made if association.file_name in chosen]
    _deliver(table, made, kept, options)
    if not any(options[name] for name in ("only", "candidates", "discover", "level")):
        for sentence in left_out(table, made):
            log.warning("%s: %s", paths[0], sentence)
    where = "would be made" if options["dry_run"] else f"in {folder}"
    log.info("%s: %d associations %s", paths[0], len(kept), where)


def _made(pool: "Pool", options: dict[str, Any], source: Path) -> list["MadeAssociation"]:
    """Return the associations that are asked for, and name candidates without any."""
    from calwebb_associate.generate import make_associations

    wanted = [name.lower() for name in options["candidates"]]
    arguments = _arguments(options)
    _check_candidates(wanted, pool, source)
    made = make_associations(pool, **arguments)
    for name in wanted:
        if all(association.candidate != name for association in made):
            log.warning("%s: candidate %s makes no association by the rules", source, name)
    return made


def _deliver(
    pool: "Pool",
    made: Sequence["MadeAssociation"],
    kept: Sequence["MadeAssociation"],
    options: dict[str, Any],
) -> None:
    """Write or show associations, and write the pool of what is in none."""
    from calwebb_associate.output import print_table, save_orphans, write_associations

    if options["dry_run"]:
        print_table(kept)
    else:
        write_associations(kept, options["output_dir"])
    if options["save_orphans"]:
        save_orphans(pool, made, options["save_orphans"])


def _arguments(options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `make_associations` that the user's options say."""
    arguments: dict[str, Any] = {"version_id": _stamp(options["version_id"])}
    if options["discover"]:
        arguments["discover"] = True
        arguments["from_candidates"] = bool(options["all_candidates"] or options["candidates"])
    if options["candidates"]:
        arguments["candidates"] = frozenset(name.lower() for name in options["candidates"])
    if options["level"]:
        arguments["levels"] = (int(options["level"]),)
    if options["rules"]:
        from calwebb_associate.rule_files import read_rules

        arguments["rules"] = read_rules(options["rules"], own=not options["ignore_default"])
    elif options["ignore_default"]:
        msg = "--ignore-default leaves no rules; name a file of yours with --rules"
        raise InputError(msg)
    return arguments


def _associate_files(files: Sequence[str], options: dict[str, Any]) -> None:
    """Make an association of listed files."""
    from calwebb_associate.listed import association_of, default_output, listed
    from calwebb_core.framework.association import association_text
    from calwebb_core.framework.atomic import write_text

    if len(options["candidates"]) > 1:
        msg = "--candidate: an association of listed files has one id; give it once"
        raise InputError(msg)
    wanted = listed(
        level=int(options["level"]) if options["level"] else None,
        asn_type=options["asn_type"],
        product=options["product_name"],
        asn_id=next(iter(options["candidates"]), None),
        allow_outside=options["allow_outside"],
    )
    output = _output(options, default_output(files, wanted))
    text = association_text(association_of(files, wanted, output), str(output))
    if options["dry_run"]:
        click.echo(text, nl=False)
        return
    write_text(output, text)
    log.info("%s: %d files", output, len(files))


def _output(options: dict[str, Any], default: str) -> Path:
    """Return the file of an association of listed files; its folder is made."""
    from calwebb_associate.output import make_folder

    output: Path | None = options["output"]
    folder: Path = options["output_dir"] or Path()
    if output is not None and output.suffix.lower() != ".json":
        msg = f"{output}: is no name of an association; expected one that ends with .json"
        raise InputError(msg)
    output = folder / (output or default)
    if not options["dry_run"]:
        make_folder(output.parent)
    return output


def _check_candidates(wanted: Collection[str], pool: "Pool", source: Path) -> None:
    """Refuse the id of a candidate that no exposure of the pool belongs to."""
    from calwebb_associate.pool import candidates

    if not wanted:
        return
    known = sorted({name for row in pool.exposures() for name, _ in candidates(row)})
    for name in wanted:
        if name in known:
            continue
        more = f" and {len(known) - 12} more" if known[12:] else ""
        found = ", ".join(known[:12]) + more if known else "no candidates"
        advice = "; --discover makes those of a3001" if name.startswith("a3") else ""
        msg = f"{source}: no exposure belongs to candidate {name}; it has {found}{advice}"
        raise InputError(msg)


def _pool(paths: Sequence[Path]) -> "Pool":
    """Read a pool, or make it from exposures."""
    from calwebb_associate.scan import pool_of

    return pool_of(paths)


def _stamp(version_id: str | None) -> str | None:
    """Check the stamp for the file names."""
    if version_id is None:
        return None
    stamp = version_id.lower()
    if not re.fullmatch(STAMP_PATTERN, stamp, re.ASCII):
        msg = f"--version-id: {version_id!r} is no stamp; expected YYYYMMDDthhmmss"
        raise InputError(msg)
    return stamp


def _only(only: Sequence[str], names: Sequence[str], pool: Path) -> frozenset[str]:
    """Return the names of the associations to write."""
    for name in only:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            advice = f"did you mean {close[0]}?" if close else f"it makes {len(names)} others"
            msg = f"{pool}: its exposures make no association {name}; {advice}"
            raise InputError(msg)
    return frozenset(only or names)
