"""Taking turns: a lock of the operating system, for which processes wait asleep.

SQLite's own lock is waited for by trying again and again, which is slow and unfair between processes.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

__all__ = ["Turns"]


class Turns:
    """Turns among the processes that open the file *path*; within a process, one thread at a time may ask."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> None:
        if self._descriptor < 0:
            self._descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file, and with it give up a turn."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
