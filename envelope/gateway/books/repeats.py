"""Idempotency keys: the same call again gets the first one's answer, for 24 hours, and is not charged again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from envelope.gateway.books.answers import FIELDS, StoredAnswer, drop_unused
from envelope.gateway.books.gate import Refused
from envelope.registry.codes import PARAM_ERROR, RATE_LIMIT_EXCEEDED

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = [
    "DAY",
    "Repeated",
    "answer_repeat",
    "find_repeat",
    "free_repeat",
    "free_unless_given",
    "has_repeat",
    "hold_repeat",
]

DAY: Final = 86_400_000_000
"""24 hours, in microseconds: how long a key is remembered."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """A call that was made before: its answer, number and request id. Nothing was recorded, and nothing is charged.

    If it was answered from the cache, the answer is also that of another call.
    """

    answer: StoredAnswer
    call: int
    request_id: str


_FIND: Final = """
SELECT repeat.digest, repeat.answer, repeat.until, repeat.call, call.request_id
FROM repeat JOIN call ON call.id = repeat.call WHERE repeat.account = :account AND repeat.key = :key
"""
_GIVE: Final = "UPDATE repeat SET is_given = TRUE WHERE account = :account AND key = :key AND NOT is_given"
_DELETE: Final = "DELETE FROM repeat WHERE account = :account AND key = :key"
_ANSWER: Final = f"SELECT {FIELDS} FROM answer JOIN call ON call.id = answer.call WHERE answer.id = :answer"  # noqa: S608
_HOLD: Final = """
INSERT INTO repeat (account, key, digest, call, answer, until, is_given)
VALUES (:account, :key, :digest, :call, :answer, :until, FALSE)
"""
_HAS: Final = "SELECT 1 FROM repeat WHERE call = :call"
_SETTLE: Final = "UPDATE repeat SET answer = :answer WHERE call = :call"
_FREE: Final = "DELETE FROM repeat WHERE call = :call"
_FREE_UNLESS_GIVEN: Final = "DELETE FROM repeat WHERE call = :call AND NOT is_given RETURNING answer"


def find_repeat(db: Transaction, account: int, key: str, digest: bytes) -> Repeated | Refused | None:
    """What a call with *key* gets because of an earlier one; None if there was none, or it is forgotten by now.

    *digest* stands for the arguments: others under the same key are refused, and so is a call whose first is open.
    """
    rows = db.execute(_FIND, account=account, key=key)
    if not rows:
        return None
    [(known, answer, until, call, request_id)] = rows
    if answer is not None and until <= db.now:
        db.execute(_DELETE, account=account, key=key)
        drop_unused(db, answer)
        return None
    if known != digest:
        return Refused(PARAM_ERROR)
    if answer is None:
        return Refused(RATE_LIMIT_EXCEEDED, retry_after=1)
    db.execute(_GIVE, account=account, key=key)
    stored = db.execute(_ANSWER, answer=answer)
    # Without it, the key was forgotten since it was found: to whoever did that, its time was over.
    return Repeated(StoredAnswer(*stored[0]), call, request_id) if stored else None


def hold_repeat(db: Transaction, account: int, key: str, digest: bytes, call: int, answer: int | None = None) -> None:
    """Remember that *call* has *key*, and its answer if there is one; without one, it is open."""
    db.execute(_HOLD, account=account, key=key, digest=digest, call=call, answer=answer, until=db.now + DAY)


def has_repeat(db: Transaction, call: int) -> bool:
    """Whether *call* has a key."""
    return bool(db.execute(_HAS, call=call))


def answer_repeat(db: Transaction, call: int, answer: int) -> None:
    """From now on, a repeat of *call* gets *answer*."""
    db.execute(_SETTLE, call=call, answer=answer)


def free_repeat(db: Transaction, call: int) -> None:
    """Forget the key of *call*, if it has one: the caller may try again."""
    db.execute(_FREE, call=call)


def free_unless_given(db: Transaction, call: int) -> bool:
    """The same, unless a repeat of *call* got its answer; whether no repeat has, nor will."""
    for (answer,) in db.execute(_FREE_UNLESS_GIVEN, call=call):
        if answer is not None:
            drop_unused(db, answer)
    return not has_repeat(db, call)
