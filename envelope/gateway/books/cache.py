"""The cache: answers that other calls may get, each under a key in a scope, until its time is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from envelope.gateway.books.answers import FIELDS, StoredAnswer, drop_unused

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["CacheEntry", "cached_answer", "put_cached"]


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """Where an answer is cached: the scope is an account's, or one that accounts share; ``seconds`` to live."""

    scope: str
    key: str
    seconds: float


_FIND: Final = f"""
SELECT {FIELDS} FROM cached JOIN answer ON answer.id = cached.answer JOIN call ON call.id = answer.call
WHERE cached.scope = :scope AND cached.key = :key AND cached.until > :now
"""  # noqa: S608  # constants
# Three statements, because the row must be locked before the answer that is replaced is read.
_LOCK: Final = "UPDATE cached SET until = until WHERE scope = :scope AND key = :key RETURNING answer"
_INSERT: Final = """
INSERT INTO cached (scope, key, answer, until) VALUES (:scope, :key, :answer, :until)
ON CONFLICT (scope, key) DO NOTHING RETURNING answer
"""
_REPLACE: Final = "UPDATE cached SET answer = :answer, until = :until WHERE scope = :scope AND key = :key"


def cached_answer(db: Transaction, scope: str, key: str) -> StoredAnswer | None:
    """The answer under *key*; None if there is none, or its time is over."""
    rows = db.execute(_FIND, scope=scope, key=key, now=db.now)
    return StoredAnswer(*rows[0]) if rows else None


def put_cached(db: Transaction, entry: CacheEntry, answer: int) -> None:
    """Serve *answer* under the entry's key from now on, in place of what was there."""
    place = {"scope": entry.scope, "key": entry.key}
    until = db.now + round(entry.seconds * 1_000_000)
    while not db.execute(_INSERT, **place, answer=answer, until=until):
        if locked := db.execute(_LOCK, **place):  # else it was forgotten since then
            db.execute(_REPLACE, **place, answer=answer, until=until)
            drop_unused(db, locked[0][0])
            return
