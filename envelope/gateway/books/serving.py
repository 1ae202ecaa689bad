"""Serving from the cache: a call that is let in, charged and ended in one transaction, without an upstream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from envelope.gateway.books.admission import Admission, Admitted, admit
from envelope.gateway.books.answers import StoredAnswer, lock_answer, store_answer
from envelope.gateway.books.cache import cached_answer
from envelope.gateway.books.gate import Refused
from envelope.gateway.books.repeats import Repeated, answer_repeat
from envelope.gateway.books.settling import Settlement, end_call
from envelope.registry.codes import Billing

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["Served", "serve_cached"]


@dataclass(frozen=True, slots=True)
class Served:
    """A call that was answered from the cache: its number, the answer, what was charged, and the balance after it."""

    call: int
    answer: StoredAnswer
    charge: int
    balance: int


def serve_cached(db: Transaction, admission: Admission, scope: str, key: str) -> Served | Repeated | Refused | None:
    """Answer a call with what the cache has under *key*; None, and nothing is recorded, if it has nothing.

    The conditions are those of `admit`, in the same order; ``admission.hold`` is the price of a cached answer. If the
    call has an idempotency key, a repeat gets the same answer.
    """
    answer = cached_answer(db, scope, key)
    if answer is None:
        return None
    admitted = admit(db, admission)
    if not isinstance(admitted, Admitted):
        return admitted
    if admission.idempotency_key:
        # Another may have taken its place in the cache since it was found.
        is_there = lock_answer(db, answer.id)
        answer_repeat(db, admitted.call, answer.id if is_there else store_answer(db, admitted.call, answer.value))
    settlement = Settlement(
        call=admitted.call,
        code=answer.code,
        ok=True,
        billing=answer.billing,
        charge=admission.hold if answer.billing == Billing.CHARGED else 0,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        attempts=0,
        is_cached=True,
    )
    settled = end_call(db, settlement)
    if settled is None:
        raise AssertionError("a call that was just opened is open")
    return Served(admitted.call, answer, settled.charge, settled.balance)
