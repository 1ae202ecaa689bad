"""Which processes on this machine still live: each holds a lock that the system releases when it ends."""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import suppress
from pathlib import Path

__all__ = ["Nodes"]


class Nodes:
    """The processes that share one store; *folder* has a file for each, locked for as long as the process lives.

    A process that was killed leaves its file, and nobody holds the lock; one that ended took the file along. A child
    that was forked holds the lock too, for as long as it lives.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor = -1
        self._name = ""

    def join(self) -> str:
        """The name of this process; nobody has had it before."""
        if not self._name:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._sweep()
            name = secrets.token_hex(8)
            # It is locked before others can see it, or they would take it for one that was left behind.
            hidden = self._folder / f".{name}"
            self._descriptor = os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            hidden.rename(self._folder / name)
            self._name = name
        return self._name

    def leave(self) -> None:
        """Give the name up: from here on, the process counts as gone."""
        if self._name:
            with suppress(FileNotFoundError):
                (self._folder / self._name).unlink()
            os.close(self._descriptor)
            self._name = ""

    def is_gone(self, name: str) -> bool:
        """Whether no process of that name lives."""
        try:
            descriptor = os.open(self._folder / name, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        except OSError:  # it cannot be told
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        else:
            return True
        finally:
            os.close(descriptor)

    def others(self) -> list[str]:
        """The names of the other processes that live."""
        names = [path.name for path in self._folder.iterdir()] if self._folder.exists() else []
        return [name for name in names if not name.startswith(".") and name != self._name and not self.is_gone(name)]

    def _sweep(self) -> None:
        for path in self._folder.iterdir():
            if not path.name.startswith(".") and self.is_gone(path.name):
                path.unlink(missing_ok=True)
