"""The PostgreSQL that this suite starts: clusters of its own in temporary folders, whatever else is installed.

`python tests/postgresql.py FOLDER` is what ends one: it waits until whoever started it says so, or is gone.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

_SIGNALS: Final = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_PATIENCE: Final = 60  # seconds
# What is tested is never a power failure, so nothing need be forced onto the disk.
_QUICK: Final = {"fsync": "off", "full_page_writes": "off", "max_connections": "100", "shared_buffers": "32MB"}
# Below those that the system hands out: while the server is stopped, nobody else gets its port, nor a client its own.
_PORTS: Final = range(20_000, 32_000)


def missing() -> str:
    """Why there can be no cluster here; empty if there can."""
    if _binaries() is None:
        return "no initdb on this machine: apt-get install postgresql"
    if os.getuid() == 0 and not _as_postgres():
        return "PostgreSQL refuses root, and there is no user postgres"
    if importlib.util.find_spec("psycopg") is None:
        return "no psycopg: pip install 'envelope-engine[postgresql]'"
    return ""


@cache
def shared() -> Cluster:
    """This process's own, for tests that only want a database; it ends with the process."""
    cluster = Cluster()
    cluster.__enter__()
    atexit.register(cluster.__exit__, None, None, None)
    return cluster


class Cluster:
    """A cluster with these *settings*, and its server: both are there in the context, and gone after it.

    They are gone, too, if this process is killed.
    """

    def __init__(self, **settings: str | int) -> None:
        self._settings = {**_QUICK, **{name: str(value) for name, value in settings.items()}}
        self._server: subprocess.Popen[bytes] | None = None
        self._names = (f"d{number}" for number in count(1))
        self.port = 0

    def __enter__(self) -> Self:
        self.port = _free_port()
        # A socket's path has 107 bytes at most, and $TMPDIR may be long.
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        user = _as_postgres()
        if user:
            shutil.chown(self._folder, user["user"])
        self._data = self._folder / "data"
        self._ender = subprocess.Popen(
            [sys.executable, "-E", __file__, str(self._folder)], stdin=subprocess.PIPE, start_new_session=True
        )
        try:
            made = subprocess.run(
                [*_program("initdb"), "--no-sync", "--auth=trust", "--username=postgres", "--locale=C.UTF-8",
                 "--encoding=UTF8", "--no-instructions", f"--pgdata={self._data}"],
                env=_environment(), cwd="/", capture_output=True, text=True, check=False, **user,
            )  # fmt: skip
            if made.returncode:
                raise RuntimeError(made.stderr)
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(BrokenPipeError):
            self._ender.communicate(b"!")
        if self._server is not None:
            self._server.wait()
            self._server = None

    @property
    def process(self) -> int:
        """The id of the server's first process."""
        assert self._server is not None
        return self._server.pid

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        settings = {
            **self._settings,
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self._folder),
        }
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [*_program("postgres"), "-D", str(self._data), *(f"--{name}={text}" for name, text in settings.items())],
                env=_environment(), cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,  # Ctrl-C is not meant for it
                **_as_postgres(),
            )  # fmt: skip
        end = time.monotonic() + _PATIENCE
        while not self._is_ready():
            if self._server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(self.log())
            time.sleep(0.005)

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: "smart" waits for its clients, "fast" hangs up on them, "immediate" is as good as a crash."""
        assert self._server is not None
        self._server.send_signal(_SIGNALS[mode])
        self._server.wait(_PATIENCE)
        self._server = None

    def restart(self, mode: str = "fast") -> None:
        self.stop(mode)
        self.start()

    def fail_over(self) -> None:
        """Crash, and start another server at the same address, on a copy of what the first had on its disk."""
        self.stop("immediate")
        copy = self._data.with_name(f"{self._data.name}-copy")
        user = _as_postgres()
        subprocess.run(["cp", "-a", str(self._data), str(copy)], check=True, **user)
        self._data = copy
        self.start()

    def pause(self) -> None:
        """Stop all processes of the server where they are (SIGSTOP): nobody hangs up, and nobody answers."""
        _signal(self.process, signal.SIGSTOP)

    def resume(self) -> None:
        _signal(self.process, signal.SIGCONT)

    def address(self, database: str = "postgres") -> str:
        """The address of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template0") -> str:
        """The name of a new database: a copy of another one, which nobody must be using."""
        name = next(self._names)
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop_database(self, name: str) -> None:
        """Drop it, whoever is using it."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement, outside of a transaction; its rows."""
        import psycopg

        with psycopg.connect(self.address(database), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def log(self) -> str:
        """What the server has said."""
        return (self._folder / "log").read_text("utf-8", "replace")

    def _is_ready(self) -> bool:
        """Whether the server says so in the file in which pg_ctl looks for it, too."""
        try:
            lines = (self._data / "postmaster.pid").read_text("ascii").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.process) and lines[7].strip() == "ready"


@cache
def _binaries() -> Path | None:
    """The folder of the newest PostgreSQL; Debian leaves it out of the path."""
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found = shutil.which("initdb") or max(installed, key=lambda path: float(path.parts[-3]), default=None)
    return None if found is None else Path(found).resolve().parent


def _program(name: str) -> list[str]:
    folder = _binaries()
    assert folder is not None
    return [str(folder / name)]


@cache
def _as_postgres() -> dict[str, Any]:
    """How a process is started as the user postgres, if this one is root's."""
    if os.getuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        return {}
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    """The environment, without what would give PostgreSQL other settings."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C.UTF-8"}


def _free_port() -> int:
    while True:
        port = random.choice(_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _signal(process: int, number: signal.Signals) -> None:
    """Send a signal to a server's first process, and to those that it has started."""
    for each in (process, *_children(process)):
        with suppress(ProcessLookupError):
            os.kill(each, number)


def _children(process: int) -> list[int]:
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name of the program, in parentheses, may have spaces.
            parent = file.read_text("utf-8", "replace").rpartition(")")[2].split()[1]
            if int(parent) == process:
                found.append(int(file.parent.name))
    return found


def _end(folder: Path) -> None:
    """End the server in *folder*, and remove all that is there."""
    for file in folder.glob("*/postmaster.pid"):
        with suppress(OSError, ValueError):
            process = int(file.read_text("ascii").split()[0])
            if os.fsencode(folder) in Path(f"/proc/{process}/cmdline").read_bytes():
                _signal(process, signal.SIGKILL)
    end = time.monotonic() + _PATIENCE
    while folder.exists() and time.monotonic() < end:  # its processes end one after the other
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.005)


if __name__ == "__main__":
    sys.stdin.buffer.read(1)
    _end(Path(sys.argv[1]))
