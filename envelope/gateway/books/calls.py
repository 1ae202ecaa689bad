"""The records of calls: found by what an operator asks for, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from operator import eq, ge, lt
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select
from sqlalchemy.dialects import sqlite

from envelope.gateway.books.texts import is_storable
from envelope.gateway.stores import tables

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["CallRecord", "ended_calls", "find_calls"]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call: its number, what was asked, how it ended and what it cost.

    Money is in micro-units; ``opened`` and ``ended`` are microseconds of the Unix time. ``code``, ``verdict_ok``,
    ``billing`` and ``ended`` are None while it is open. ``refunded`` is what was given back of ``charge``.
    """

    id: int
    request_id: str
    account: str
    api_type: str
    api_name: str
    method: str
    model: str
    state: str
    code: str | None
    verdict_ok: bool | None
    billing: str | None
    hold: int
    charge: int
    refunded: int
    prompt_tokens: int
    completion_tokens: int
    attempts: int
    upstream: str
    is_cached: bool
    lang: str
    result_type: str
    opened: int
    ended: int | None


_CALL = tables.call.c
_REFUND = tables.entry.alias("refund")

_RECORDS = (
    select(
        _CALL.id,
        _CALL.request_id,
        tables.account.c.name,
        _CALL.api_type,
        _CALL.api_name,
        _CALL.method,
        _CALL.model,
        _CALL.state,
        _CALL.code,
        _CALL.verdict_ok,
        _CALL.billing,
        _CALL.hold,
        _CALL.charge,
        func.coalesce(_REFUND.c.amount, 0),
        _CALL.prompt_tokens,
        _CALL.completion_tokens,
        _CALL.attempts,
        _CALL.upstream,
        _CALL.is_cached,
        _CALL.lang,
        _CALL.result_type,
        _CALL.opened,
        _CALL.ended,
    )
    .join(tables.account, tables.account.c.id == _CALL.account)
    .outerjoin(_REFUND, (_REFUND.c.call == _CALL.id) & (_REFUND.c.kind == "refund"))
)

_DIALECT = sqlite.dialect(paramstyle="named")


def find_calls(
    db: Transaction,
    *,
    account: str | None = None,
    code: str | None = None,
    method: str | None = None,
    since: int | None = None,
    until: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[CallRecord]:
    """The newest calls of which all that is given holds: the account's name, the code, the method, the time of opening
    from *since* up to, but without, *until*.

    The next page has those *before* the number of the last.
    """
    query = _RECORDS.order_by(_CALL.id.desc()).limit(limit)
    conditions = (
        (account, eq, tables.account.c.name),
        (code, eq, _CALL.code),
        (method, eq, _CALL.method),
        (since, ge, _CALL.opened),
        (until, lt, _CALL.opened),
        (before, lt, _CALL.id),
    )
    if not all(is_storable(text) for text in (account, code, method) if text is not None):
        return []  # no call has such a text
    asked = (compare(column, value) for value, compare, column in conditions if value is not None)
    return _records(db, query.where(*asked))


def ended_calls(db: Transaction, after: int, limit: int) -> list[CallRecord]:
    """The oldest calls that have ended, of those after the number *after*."""
    query = _RECORDS.order_by(_CALL.id).limit(limit)
    return _records(db, query.where(_CALL.id > after, _CALL.state != "open"))


def _records(db: Transaction, query: Select[Any]) -> list[CallRecord]:
    compiled = query.compile(dialect=_DIALECT)
    return [_record(row) for row in db.execute(compiled.string, **compiled.params)]


def _record(row: tuple[Any, ...]) -> CallRecord:
    record: list[Any] = list(row)
    for place in (_IS_OK, _IS_CACHED):  # SQLite has no booleans
        record[place] = None if row[place] is None else bool(row[place])
    return CallRecord(*record)


_IS_OK, _IS_CACHED = (list(CallRecord.__dataclass_fields__).index(name) for name in ("verdict_ok", "is_cached"))
