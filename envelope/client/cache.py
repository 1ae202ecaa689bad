"""Caches of answers, by what was asked: in memory, in a SQLite file, or those that the gateway's PHP client left.

Calls differ in time and signature, so no HTTP cache could serve them. The key is `envelope.calls.cache_key` with the
caller's key; the value is the body as it came, so that one entry serves calls in any format.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from envelope.calls.cache_keys import cache_key, client_cache_key
from envelope.errors import EncodeError
from envelope.formats import ResultType
from envelope.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from envelope.calls.request import ApiRequest

__all__ = ["Cache", "MemoryCache", "PhpCacheFolder", "SqliteCache", "Stored"]

_LOG = logging.getLogger("envelope.client")


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer as it came: its bytes, their format, and when it came (Unix time in seconds)."""

    body: bytes = field(repr=False)
    format: ResultType
    time: float


class Cache(Protocol):
    """What a client asks of a cache. Both may be called from any thread; neither may raise for lack of an entry."""

    def get(self, request: ApiRequest) -> Stored | None:
        """The last answer to *request*, however old; None if there is none."""

    def put(self, request: ApiRequest, stored: Stored) -> None:
        """Keep an answer; it succeeded."""


def _key(request: ApiRequest) -> str:
    # Hashed, so that no caller's key stands in a file.
    return hashlib.sha256(f"{cache_key(request)} {request.key}".encode("utf-8", "surrogatepass")).hexdigest()


class MemoryCache:
    """Answers in this process: at most *max_bytes* of bodies; those used longest ago go first."""

    def __init__(self, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._left = max_bytes
        self._entries: OrderedDict[str, Stored] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, request: ApiRequest) -> Stored | None:
        """The last answer to *request*; None if there is none."""
        key = _key(request)
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def put(self, request: ApiRequest, stored: Stored) -> None:
        """Keep an answer."""
        key = _key(request)
        with self._lock:
            if key in self._entries:
                self._left += len(self._entries.pop(key).body)
            self._entries[key] = stored
            self._left -= len(stored.body)
            while self._left < 0:
                self._left += len(self._entries.popitem(last=False)[1].body)


_KEPT: Final = 30 * 86_400  # seconds, after which nobody would want even a stale answer
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS answer (key TEXT PRIMARY KEY, body BLOB, format TEXT, time REAL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answer_time ON answer (time);
"""


class SqliteCache:
    """Answers in the SQLite file *path*, for any number of threads and processes; they are kept for 30 days.

    A new file can be read by its owner only. `OSError` if it cannot be made; if it fails later, there are just no
    cached answers, and a warning of the logger ``envelope.client``.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._path.touch(mode=0o600)

    def __del__(self) -> None:
        self.close()

    def get(self, request: ApiRequest) -> Stored | None:
        """The last answer to *request*; None if there is none."""
        try:
            with self._lock:
                query = "SELECT body, format, time FROM answer WHERE key = ?"
                row = self._opened().execute(query, (_key(request),)).fetchone()
            return None if row is None else _stored(*row)
        except (sqlite3.Error, ValueError) as error:
            _LOG.warning("the cache cannot be read: %s", type(error).__name__)
            return None

    def put(self, request: ApiRequest, stored: Stored) -> None:
        """Keep an answer."""
        row = (_key(request), stored.body, str(stored.format), stored.time)
        try:
            with self._lock, self._opened() as connection:
                connection.execute("DELETE FROM answer WHERE time < ?", (stored.time - _KEPT,))
                connection.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?)", row)
        except sqlite3.Error as error:
            _LOG.warning("the cache cannot be written: %s", type(error).__name__)

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        # A connection must not be carried across a fork.
        if self._connection is None or self._process != os.getpid():
            # An entry that cannot be written at once is not worth a wait.
            connection = sqlite3.connect(self._path, timeout=0.2, check_same_thread=False)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.executescript(_TABLE)
            except sqlite3.Error:
                connection.close()
                raise
            self._connection, self._process = connection, os.getpid()
        return self._connection


def _stored(body: Any, format: Any, time: Any) -> Stored:
    # SQLite holds anything in any column.
    if type(body) is not bytes or type(time) is not float:
        raise ValueError("no answer")
    return Stored(body, ResultType(format), time)


class PhpCacheFolder:
    """The answers that the gateway's PHP client keeps in the folder *path*: read only, nothing is written.

    Each is a file named `envelope.calls.client_cache_key`, holding what PHP's serialize writes; its time is the file's.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def get(self, request: ApiRequest) -> Stored | None:
        """The answer in the file of *request*; None if there is none."""
        # A call with other values than texts and integers has no such key.
        with (
            suppress(EncodeError, OSError),
            open(self._path / client_cache_key(request), "rb", opener=_at_once) as file,
        ):
            body = file.read(DEFAULT_LIMITS.max_bytes + 1)
            return Stored(body, ResultType.SERIALIZE, os.fstat(file.fileno()).st_mtime)
        return None

    def put(self, request: ApiRequest, stored: Stored) -> None:
        """Do nothing: the folder is the PHP client's."""


def _at_once(name: str, flags: int) -> int:
    """Open a file, for `open`; a named pipe, too, without waiting for whoever writes to it."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
