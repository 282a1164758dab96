"""Where the members of an association are: inside its folder, unless that is waived.

A member's path is relative to the association's folder, or to another folder one names. An
association that comes from elsewhere may not make a program read anything else: paths that are
absolute, climb (`..`), start at somebody's home (`~`), are written for another system
(backslashes, drive letters), or lead out over a link are refused unless the user allows it.
"""

import os
import re
from pathlib import Path
from typing import TypedDict

from calwebb_core.framework.errors import InputError

LONGEST = 4096


class MemberOptions(TypedDict, total=False):
    """How a program finds the members of its association; as the options of its command line.

    Attributes
    ----------
    input_dir : Path
        Folder that the members' paths start from; the association's own by default.
    allow_outside : bool
        Whether members may lie outside that folder.
    product : str
        The one product to make of an association that has several.
    """

    input_dir: Path
    allow_outside: bool
    product: str


def member_path(expname: str, folder: Path, source: str, *, allow_outside: bool = False) -> Path:
    """Return where a member is.

    Parameters
    ----------
    expname : str
        The member as the association names it.
    folder : Path
        Folder that its path starts from.
    source : str
        The association, for messages.
    allow_outside : bool
        Whether it may lie outside the folder.

    Raises
    ------
    InputError
        If it lies outside and may not, or is no path at all.
    """
    if not expname.isprintable() or len(expname) > LONGEST:
        found = "has a control character" if len(expname) <= LONGEST else "is too long for a path"
        msg = f"{source}: member {expname!r:.80} {found}; expected a file's name"
        raise InputError(msg)
    relative = os.path.normpath(expname)
    if allow_outside:
        try:
            return folder / Path(relative).expanduser()
        except RuntimeError as error:
            msg = f"{source}: member {expname} is in the home folder of nobody; write its path"
            raise InputError(msg) from error
    why = _outside(expname, relative) or _behind_link(relative, folder)
    if why:
        msg = (
            f"{source}: member {expname} lies outside {folder}{why}; expected a file in it or "
            "below it (--allow-outside accepts others)"
        )
        raise InputError(msg)
    return folder / relative


def _outside(expname: str, relative: str) -> str | None:
    """Say how a path leaves its folder by its spelling; None if it does not."""
    if relative == ".." or relative.startswith(f"..{os.sep}") or Path(relative).is_absolute():
        return ": it climbs or is absolute"
    if relative.startswith("~"):
        return ": ~ is a home folder"
    if "\\" in expname or re.match(r"[A-Za-z]:", expname):
        return ": it is a path of another system"
    return None


def _behind_link(relative: str, folder: Path) -> str | None:
    """Say where a path leads if links take it out of its folder; None if they do not."""
    real = os.path.realpath(folder / relative)
    root = os.path.realpath(folder)
    if os.path.commonpath([real, root]) == root:
        return None
    return f": it is a link to {real}"
