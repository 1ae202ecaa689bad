"""Stored answers: what a repeated call gets again, and what the cache serves. They go when nothing refers to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["StoredAnswer", "drop_unused", "lock_answer", "store_answer"]


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was stored; its call's ``code`` and what the upstream counted. ``at`` is in microseconds."""

    id: int
    call: int
    value: bytes = field(repr=False)
    at: int
    code: str
    billing: str
    prompt_tokens: int
    completion_tokens: int


FIELDS: Final = (
    "answer.id, answer.call, answer.value, answer.at, call.code, call.billing, call.prompt_tokens, "
    "call.completion_tokens"
)
"""The columns of a `StoredAnswer`, of an answer and its call."""

_STORE: Final = "INSERT INTO answer (call, value, at) VALUES (:call, :value, :now) RETURNING id"

# Whoever is about to refer to an answer, or to drop it, locks its row; only the next statement sees what others did.
_LOCK: Final = "UPDATE answer SET at = at WHERE id = :answer RETURNING id"
_DROP: Final = """
DELETE FROM answer WHERE id = :answer
AND NOT EXISTS (SELECT 1 FROM repeat WHERE repeat.answer = answer.id)
AND NOT EXISTS (SELECT 1 FROM cached WHERE cached.answer = answer.id)
"""


def store_answer(db: Transaction, call: int, value: bytes) -> int:
    """Keep *value* as what *call* was answered; its number. The caller makes something refer to it."""
    [(number,)] = db.execute(_STORE, call=call, value=value, now=db.now)
    return int(number)


def lock_answer(db: Transaction, answer: int) -> bool:
    """Keep an answer until the transaction ends, whoever would drop it; False if it is gone."""
    return bool(db.execute(_LOCK, answer=answer))


def drop_unused(db: Transaction, answer: int) -> None:
    """Forget an answer unless something still refers to it."""
    if lock_answer(db, answer):
        db.execute(_DROP, answer=answer)
