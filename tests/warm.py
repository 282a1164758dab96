"""python warm.py MODULE...: run programs in forks of a process that has imported these modules.

Most of what a short run of a program takes is importing libraries. Here they are imported once;
each program is a process of its own all the same, with its own folder, variables, streams, exit
code and end (also what it does at exit). Requests are lines of JSON on standard input: `script`,
`words`, `folder`, `variables`, `stdout` and `stderr`. The answer to each is a line with its exit
code. Only programs whose libraries are imported are worth it: all else is left to `programs.run`.
"""

import gc
import importlib
import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any

Request = dict[str, Any]


def answer() -> Request | None:
    """Answer requests until there are no more; return the request to serve in each fork."""
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    for line in requests:
        child = os.fork()
        if child == 0:
            requests.close()
            return json.loads(line)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        answers.write(f"{code}\n")
        answers.flush()
    return None


def become(request: Request) -> None:
    """Take over folder, variables and streams."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["variables"])
    importlib.import_module("calwebb_core.framework.processor").use_common_level()
    sys.argv = [request["script"], *request["words"]]
    sys.path[0] = str(Path(request["script"]).resolve().parent)


def main() -> None:
    """Import, answer, and in forks run what was asked for to its end."""
    importlib.import_module("calwebb_core")  # first, as it sets what numpy reads
    for name in sys.argv[1:]:
        importlib.import_module(name)
    gc.freeze()
    request = answer()
    if request is not None:
        become(request)
        runpy.run_path(request["script"], run_name="__main__")


if __name__ == "__main__":
    main()
