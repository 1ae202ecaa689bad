"""Forgetting: what was kept for a time goes when that is over. Calls and entries stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envelope.gateway.books.answers import drop_unused

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["forget"]

_REPEATS: Final = """
DELETE FROM repeat WHERE call IN (
  SELECT call FROM repeat WHERE until <= :now AND answer IS NOT NULL ORDER BY until LIMIT :most
) RETURNING answer
"""
_CACHED: Final = """
DELETE FROM cached WHERE (scope, key) IN (
  SELECT scope, key FROM cached WHERE until <= :now ORDER BY until LIMIT :most
) RETURNING answer
"""
_NONCES: Final = """
DELETE FROM nonce WHERE (account, nonce) IN (
  SELECT account, nonce FROM nonce WHERE until <= :now ORDER BY until LIMIT :most
) RETURNING account
"""
_JOBS: Final = """
DELETE FROM job WHERE id IN (
  SELECT id FROM job WHERE state IN ('done', 'failed') AND until <= :now ORDER BY id LIMIT :most
) RETURNING id
"""


def forget(db: Transaction, most: int = 1000) -> int:
    """Remove idempotency keys, cached answers, finished jobs and nonces whose time is over; how many.

    At most *most* of each, so that others do not wait long: call it again while it returns more than nothing.
    """
    freed = [*db.execute(_REPEATS, now=db.now, most=most), *db.execute(_CACHED, now=db.now, most=most)]
    for (answer,) in freed:
        drop_unused(db, answer)
    return len(freed) + sum(len(db.execute(sql, now=db.now, most=most)) for sql in (_JOBS, _NONCES))
