"""python program_server.py SOCKET MODULE...: run programs in forks that have modules imported.

Most of what a short run of a program takes is importing libraries. Here they are imported once;
each program is a process of its own all the same, with its own folder, variables, streams, exit
code and end (also what it does at exit). Requests come as connections to a socket, several at a
time: a line of JSON with `script`, `words`, `folder`, `variables` and `wary`, and three streams.
The answer is the exit code as text, or `no` if the request is wary of variables that may have been
read at the import. Who hangs up ends the program; when standard input ends, so does this process.
Only programs whose libraries are imported are worth it: all else is left to `programs.run`.
"""

import contextlib
import gc
import importlib
import json
import os
import re
import runpy
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import Any

Request = dict[str, Any]
MOST = 1 << 20  # bytes of a request
# What may differ from program to program: it is read late, if at all. CRDS is not imported, and
# Snakemake's wishes for libraries of linear algebra do not change what these compute.
READ_LATE = re.compile(
    "CRDS_.*|CALWEBB_TEST_.*|PASS_INVALID_VALUES|SOURCE_DATE_EPOCH|CALWEBB_SOURCES|"
    "PYTEST_CURRENT_TEST|.*_(NUM|MAXIMUM)_THREADS|TMPDIR|TMP|TEMP|TEMPDIR|PATH|PWD|OLDPWD|SHLVL|_"
)


class Forks:
    """Programs that run: who asked for each, by the number of its process."""

    def __init__(self, listener: socket.socket, former: dict[str, str]) -> None:
        self.former = former, dict(os.environ)
        self.listener = listener
        self.asked: dict[int, socket.socket] = {}
        self.selector = selectors.DefaultSelector()
        self.selector.register(0, selectors.EVENT_READ)
        self.selector.register(listener, selectors.EVENT_READ)
        self.ended, wake = socket.socketpair()
        wake.setblocking(False)
        self.wake = wake
        signal.set_wakeup_fd(wake.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector.register(self.ended, selectors.EVENT_READ)

    def serve(self) -> Request | None:
        """Answer until there are no more requests; return the request to serve in each fork."""
        while True:
            for key, _ in self.selector.select():
                if key.fileobj == 0:
                    return None
                if key.fileobj is self.ended:
                    self.ended.recv(4096)
                    self.answer()
                elif key.fileobj is self.listener:
                    request = self.start()
                    if request is not None:
                        return request
                else:
                    self.hung_up(key.data)

    def start(self) -> Request | None:
        """Start what a new connection asks for; return the request in the fork."""
        connection, _ = self.listener.accept()
        request, streams = _read(connection)
        refused = not request or (request["wary"] and self.would_differ(request["variables"]))
        child = -1 if refused else os.fork()
        if refused:
            with contextlib.suppress(OSError), connection:
                connection.sendall(b"no")
        elif child == 0:
            self.forget(connection)
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
        else:
            self.asked[child] = connection
            self.selector.register(connection, selectors.EVENT_READ, child)
        for stream in streams:
            os.close(stream)
        return request if child == 0 else None

    def would_differ(self, variables: dict[str, str]) -> bool:
        """Say whether what is imported may have read other variables, here or set by itself."""
        return any(
            variables.get(key) not in [known.get(key) for known in self.former]
            for key in {*variables, *self.former[0]}
            if not READ_LATE.fullmatch(key)
        )

    def forget(self, connection: socket.socket) -> None:
        """Leave to the first process, in a fork, what is its own."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.selector.close()
        for item in (connection, self.listener, self.ended, self.wake, *self.asked.values()):
            item.close()

    def answer(self) -> None:
        """Tell those who asked how programs ended."""
        while self.asked:
            child, status = os.waitpid(-1, os.WNOHANG)
            if child == 0:
                return
            connection = self.asked.pop(child)
            with contextlib.suppress(KeyError):
                self.selector.unregister(connection)
            with contextlib.suppress(OSError), connection:
                connection.sendall(b"%d" % os.waitstatus_to_exitcode(status))

    def hung_up(self, child: int) -> None:
        """End a program that nobody waits for."""
        if child in self.asked:
            self.selector.unregister(self.asked[child])
            os.kill(child, signal.SIGTERM)


def _read(connection: socket.socket) -> tuple[Request, list[int]]:
    """Read a request and the streams that come with it; nothing if its sender is gone."""
    text, streams, _, _ = socket.recv_fds(connection, MOST, 3)
    while not text.endswith(b"\n"):
        more = connection.recv(MOST)
        if not more:
            return {}, streams
        text += more
    return json.loads(text), streams


def become(request: Request) -> None:
    """Take over folder and variables."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["variables"])
    if "calwebb_core" in sys.modules:
        importlib.import_module("calwebb_core.framework.processor").use_common_level()
    sys.argv = [request["script"], *request["words"]]
    sys.path[0] = str(Path(request["script"]).resolve().parent)


def main() -> None:
    """Import, answer, and in forks run what was asked for to its end."""
    former = dict(os.environ)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        for name in sys.argv[2:]:
            importlib.import_module(name)
        listener.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        gc.freeze()
        request = Forks(listener, former).serve()
    if request is not None:
        become(request)
        runpy.run_path(request["script"], run_name="__main__")


if __name__ == "__main__":
    main()
