"""What a process sees of the machine: run by a hook in a container, prints JSON.

Usage: python probe.py FILE_TO_READ,... FOLDER_TO_WRITE,... PORT
"""

import json
import os
import socket
import sys
from pathlib import Path


def can_read(path: str) -> bool:
    """Say whether something of a file or folder can be read."""
    try:
        place = Path(path)
        return bool(list(place.iterdir()) if place.is_dir() else place.read_bytes())
    except OSError:
        return False


def can_write(folder: str) -> bool:
    """Try to make a file."""
    try:
        Path(folder, "written_by_a_hook").write_text("x")
    except OSError:
        return False
    return True


def can_connect(port: str) -> bool:
    """Try to reach a server on the machine."""
    with socket.socket() as link:
        link.settimeout(2)
        return link.connect_ex(("127.0.0.1", int(port))) == 0


def mounts() -> list[tuple[str, str, str]]:
    """Return place, kind of file system and mode of everything that is mounted."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        found.append((left.split()[4], right.split()[0], left.split()[5].split(",")[0]))
    return found


def command_lines() -> list[str]:
    """Return the processes that are seen."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return found


def status(name: str) -> str:
    """Return a value of this process's status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    to_read, to_write, port = sys.argv[1].split(","), sys.argv[2].split(","), sys.argv[3]
    report = {
        "reads": [path for path in to_read if can_read(path)],
        "writes": [folder for folder in to_write if can_write(folder)],
        "mounts": mounts(),
        "server": can_connect(port),
        "interfaces": sorted(name for _, name in socket.if_nameindex()),
        "environment": dict(os.environ),
        "processes": command_lines(),
        "user": os.getuid(),
        "capabilities": int(status("CapEff"), 16),
        "new_privileges": status("NoNewPrivs") == "0",
    }
    print(json.dumps(report))  # noqa: T201 - the hook keeps it
