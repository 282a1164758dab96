"""Ask a process of `program_server.py` to run a program, from tests or in the program's place.

`programs.run` calls `ask`. For programs that others start, such as the jobs of Snakemake, a file of
a program's name in a folder of PATH calls `stand_in`: where the variables ask for a start from
nothing, or no process is ready, it becomes the program.
"""

import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence

SERVERS = "CALWEBB_TEST_SERVERS"  # variable with the folder of sockets, one an environment


def ask(
    place: str, script: str, words: Sequence[str], variables: Mapping[str, str],
    streams: Sequence[int], *, folder: str, wary: bool = False,
) -> int | None:  # fmt: skip
    """Run a program to its end; return its exit code, or None where no process is ready.

    Where `wary`, also if its variables may have been read by what is imported already.
    """
    request = {
        "script": script, "words": list(words), "folder": folder, "variables": dict(variables),
        "wary": wary,
    }  # fmt: skip
    text = json.dumps(request).encode() + b"\n"
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(place)
        except OSError:
            return None
        sent = socket.send_fds(connection, [text], list(streams))
        if sent < len(text):
            connection.sendall(text[sent:])
        answer = connection.recv(64)
    return None if answer == b"no" else int(answer or -1)


def stand_in(environment: str, script: str) -> None:
    """Run the program of an environment that this process was started as."""
    place = os.environ.get(SERVERS, "") + "/" + environment
    folder = os.getcwd()  # noqa: PTH109 - starts sooner
    code = ask(place, script, sys.argv[1:], os.environ, (0, 1, 2), folder=folder, wary=True)
    if code is None:
        os.execv(script, [script, *sys.argv[1:]])
    sys.exit(code if code >= 0 else 128 - code)
