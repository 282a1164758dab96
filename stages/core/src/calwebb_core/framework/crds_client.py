"""Best reference files of an exposure through the `crds` library, online or from a cache.

`CRDS_PATH` names the cache and `CRDS_SERVER_URL` the server; the serverless address
https://jwst-serverless-mode.stsci.edu keeps everything on this machine. `CRDS_CONTEXT` or the
argument `context` chooses the rules, else the context that is operational.
"""

import logging
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calwebb_core.framework.crds_keywords import RULE_NAMES, requests, rule_parameters
from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_types import PARAMETERS

__all__ = ["RULE_NAMES", "Selection", "best_references", "context_name", "rule_parameters"]

logger = logging.getLogger(__name__)
OBSERVATORY = "jwst"
NOT_APPLICABLE = "N/A"
CONTEXT_PATTERN = re.compile(r"jwst_[0-9a-z_]+\.pmap")
SERVERLESS = "serverless"
ADVICE = "give --references REFS.json, or --override TYPE=FILE for every type"

# crds leaves the process by sys.exit where it finds no configuration
FAILURES = (Exception, SystemExit)


@dataclass(frozen=True)
class Selection:
    """What CRDS chose.

    Attributes
    ----------
    context, crds_version : str
    names : dict
        File name by type, "N/A" where none applies.
    paths : dict
        Path by type of those that are files.
    problems : dict
        Reason by type of those for which the context has no file for this exposure.
    """

    context: str
    crds_version: str
    names: dict[str, str]
    paths: dict[str, Path] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def best_references(
    metadata: Metadata,
    types: Iterable[str],
    context: str | None = None,
    *,
    strict: bool = True,
) -> Selection:
    """Choose the reference files of the given types for an exposure.

    Files that are missing in the cache are fetched when a server can be reached.

    Parameters
    ----------
    metadata : Metadata
        Keywords of the exposure.
    types : iterable of str
        CRDS types in lower case.
    context : str, optional
        Such as "jwst_0001.pmap".
    strict : bool
        Whether a type without a match is an error; else it is listed in `problems`.

    Returns
    -------
    Selection
        The files need not exist: loading one that does not says how to get it.

    Raises
    ------
    InputError
        If a keyword that every rule needs is missing, or the context's name is malformed.
    ReferenceFileError
        If the cache or the context is missing, or (with `strict`) a type has no match.
    """
    wanted = sorted({kind.lower() for kind in types})
    asked = requests(metadata, wanted)
    library = _library()
    chosen = context_name(context)
    if not wanted:
        return Selection(chosen, library.__version__, {})
    found: dict[str, str] = {}
    for parameters, kinds in asked:
        found |= _recommendations(library, parameters, kinds, chosen, metadata.source)
    problems = {
        kind: text
        for kind in wanted
        if (text := _problem(found.get(kind, ""))) and not kind.startswith(PARAMETERS)
    }
    if problems and strict:
        kind = next(iter(problems))
        raise ReferenceFileError(no_match_text(kind, problems[kind], chosen, metadata.source))
    names = {kind: _name(kind, found, chosen) for kind in wanted if kind not in problems}
    files = {kind: name for kind, name in names.items() if name != NOT_APPLICABLE}
    return Selection(chosen, library.__version__, names, _paths(chosen, files), problems)


def context_name(context: str | None = None) -> str:
    """Return the context to use: the argument, CRDS_CONTEXT, or the operational one.

    Raises
    ------
    InputError
        If it is no name of a JWST context.
    ReferenceFileError
        If neither server nor cache says which context is operational.
    """
    chosen = context or os.environ.get("CRDS_CONTEXT") or ""
    if not chosen:
        return _operational()
    if not CONTEXT_PATTERN.fullmatch(chosen):
        msg = f"CRDS context {chosen!r}: expected a name such as jwst_0001.pmap"
        raise InputError(msg)
    return chosen


def _operational() -> str:
    _library()
    from crds.core import heavy_client

    try:
        return str(heavy_client.get_config_info(OBSERVATORY).operational_context)
    except FAILURES as error:
        msg = (
            f"{_cache()}: neither the CRDS server {_server()} nor the cache says which context "
            f"is operational; name one with CRDS_CONTEXT, sync the cache, or {ADVICE}"
        )
        raise ReferenceFileError(msg) from error


def _cache() -> str:
    return os.environ.get("CRDS_PATH", "")


def _server() -> str:
    return os.environ.get("CRDS_SERVER_URL", "")


_seen: dict[str, tuple[str, str]] = {}


def _library() -> Any:
    """Import crds quietly; forget what it keeps when cache or server have changed since."""
    if not _cache():
        msg = (
            "CRDS_PATH is not set; set it to the folder of a CRDS cache "
            f"(and CRDS_SERVER_URL=https://jwst-crds.stsci.edu to fill it), or {ADVICE}"
        )
        raise ReferenceFileError(msg)
    os.environ.setdefault("CRDS_OBSERVATORY", OBSERVATORY)
    import crds
    from crds.client import api
    from crds.core import config, log, utils

    # its messages go to our log file only; what matters comes back as an error of ours
    log.remove_console_handler()
    log.THE_LOGGER.logger.propagate = True
    config.set_cache_readonly(not _may_write())
    place = (_cache(), _server())
    if _seen.get("place") not in (None, place):
        utils.clear_function_caches()
        config.CRDS_REF_SUBDIR_MODE = "None"
        api.set_crds_server(_server() or "https://jwst-serverless-mode.stsci.edu")
    _seen["place"] = place
    return crds


def _may_write() -> bool:
    """Say whether files may be fetched into the cache: else crds makes no folders in it either."""
    folders = (Path(_cache(), "references", OBSERVATORY), Path(_cache()))
    nearest = next((folder for folder in folders if folder.exists()), None)
    return SERVERLESS not in _server() and (nearest is None or os.access(nearest, os.W_OK))


def _recommendations(
    library: Any, parameters: dict[str, Any], wanted: list[str], context: str, source: str
) -> dict[str, str]:
    try:
        found = library.getrecommendations(
            parameters, reftypes=wanted, context=context, observatory=OBSERVATORY
        )
    except FAILURES as error:
        reason = _reason(error)
        msg = (
            f"{source}: CRDS cannot choose references with context {context} "
            f"from the cache {_cache()} ({reason}); sync the context, name another, or {ADVICE}"
        )
        raise ReferenceFileError(msg) from error
    return {str(kind).lower(): str(name) for kind, name in found.items()}


def _reason(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "the cache has no config/jwst/server_config"
    return " ".join(str(error).split()) or type(error).__name__


NOT_FOUND = "NOT FOUND"
UNKNOWN_TYPE = "unknown reference type"


def no_match_text(kind: str, reason: str, context: str, source: str) -> str:
    """Return the message for a type that has no file for an exposure."""
    return (
        f"{source}: context {context} has no {kind} file for this exposure ({reason}); "
        f"choose another context or --override {kind}=FILE"
    )


def _problem(name: str) -> str:
    """Return why CRDS found no file, or nothing when it found one or none applies."""
    reason = " ".join(name.removeprefix(NOT_FOUND).split())
    fine = not name.startswith(NOT_FOUND) or reason.lower() == "n/a"
    return "" if fine or UNKNOWN_TYPE in reason.lower() else reason


def _name(kind: str, found: dict[str, str], context: str) -> str:
    """Return a type's file name, or N/A; a type that the context does not know is N/A too."""
    name = found.get(kind, NOT_FOUND)
    if UNKNOWN_TYPE in name.lower() and not kind.startswith(PARAMETERS):
        logger.warning("context %s knows no type %s; it is taken as N/A", context, kind)
    return NOT_APPLICABLE if name.startswith(NOT_FOUND) else name


def _paths(context: str, files: dict[str, str]) -> dict[str, Path]:
    paths = {kind: _locate(name) for kind, name in files.items()}
    missing = {kind: name for kind, name in files.items() if not paths[kind].is_file()}
    if missing and _server() and SERVERLESS not in _server():
        _fetch(context, missing)
    return paths


def _locate(name: str) -> Path:
    from crds.core import config

    return Path(config.locate_file(name, OBSERVATORY))


def _fetch(context: str, files: dict[str, str]) -> None:
    from crds.client import api

    refused = f"{_server()}: cannot fetch {', '.join(sorted(files.values()))}"
    if not _may_write():
        msg = f"{refused} ({_cache()} is not writable)"
        raise ReferenceFileError(msg)
    logger.info("fetching %s", ", ".join(sorted(files.values())))
    try:
        api.cache_references(context, files)
    except FAILURES as error:
        msg = f"{refused} ({_reason(error)})"
        raise ReferenceFileError(msg) from error
