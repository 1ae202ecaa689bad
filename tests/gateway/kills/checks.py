"""What must hold when callers, the books and the upstream's log are compared, and each case in which it does not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from envelope.gateway.books import CallRecord, account_named, audit, find_calls
from envelope.gateway.receipts import is_receipt
from envelope.gateway.stores import Store
from envelope.registry import REGISTRY
from tests.gateway.kills.callers import Call, Seen
from tests.gateway.served import SECRET

__all__ = ["Books", "breaches", "unpaid_requests"]

_TRIES = 3  # of a job, which is then given up


@dataclass(frozen=True)
class Books:
    """What the store has in the end. ``jobs`` are the state and the tries of each, by its call."""

    balance: int
    held: int
    audit: list[str]
    rows: list[CallRecord]
    jobs: dict[int, tuple[str, int]]

    @classmethod
    def of(cls, store: Store) -> Books:
        account = store.read_now(lambda db: account_named(db, "demo"))
        assert account is not None
        found = store.read_now(lambda db: db.execute("SELECT call, state, tries FROM job"))
        return cls(
            account.balance,
            account.held,
            [str(breach) for breach in store.read_now(lambda db: audit(db, REGISTRY))],
            store.read_now(lambda db: find_calls(db, limit=10**7)),
            {call: (state, tries) for call, state, tries in found},
        )


def breaches(
    books: Books, calls: Sequence[Call], served: Sequence[dict[str, Any]], deposit: int, *, forgetful: bool = False
) -> list[str]:
    """All cases of what must not be; the kind is the first word.

    With a *forgetful* disk, a call that was admitted and not settled may have left nothing but a request.
    """
    found = [f"audit: {breach}" for breach in books.audit]
    if books.held:
        found.append(f"hold: {books.held} held")
    found += [f"hold: call {row.id} is open" for row in books.rows if row.state == "open"]
    found += [
        f"job: that of call {call} is {state} after {tries} tries"
        for call, (state, tries) in books.jobs.items()
        if state != "done" and not (state == "failed" and tries > _TRIES)
    ]
    found += _of_answers(books, calls)
    found += _of_keys(books, calls)
    found += _of_money(books, calls, deposit)
    found += _of_upstream(books, served, forgetful)
    return found


def unpaid_requests(books: Books, served: Sequence[dict[str, Any]]) -> int:
    """How many requests the upstream served that no call on the books has asked, or whose job was done again."""
    asked = sum(row.attempts for row in books.rows) + sum(state == "done" for state, _ in books.jobs.values())
    return len(served) - asked


def _net(row: CallRecord) -> int:
    return row.charge - row.refunded


def _of_answers(books: Books, calls: Sequence[Call]) -> Iterator[str]:
    """What a caller was told is on the books."""
    rows = {row.request_id: row for row in books.rows}
    for call in calls:
        for seen in call.seen:
            yield from _of_answer(seen, rows.get(seen.request_id), books)


def _of_answer(seen: Seen, row: CallRecord | None, books: Books) -> Iterator[str]:
    if not seen.last_id:
        if row is not None and _net(row):
            yield f"double: {seen.request_id} was refused with {seen.code}, and cost {row.charge}"
        return
    if row is None or str(row.id) != seen.last_id:
        yield f"lost: {seen.request_id} was answered, and is not on the books"
        return
    if (row.code, row.state) not in ((seen.code, "settled"), ("4017", "closed"), ("4000", "closed")):
        yield f"lost: {seen.request_id} was answered {seen.code}, and is {row.state} with {row.code}"
    if seen.code != "0000" and _net(row):
        yield f"double: {seen.request_id} failed with {seen.code}, and cost {row.charge}"
    if seen.receipt is not None:
        if not is_receipt(seen.receipt, SECRET):
            yield f"receipt: that of {seen.request_id} is not signed"
        if seen.receipt["charge"] != row.charge:
            yield f"lost: {seen.request_id} was told {seen.receipt['charge']}, and cost {row.charge}"
    if row.refunded and books.jobs.get(row.id, ("",))[0] != "failed":
        yield f"lost: {seen.request_id} was answered, and given back"


def _of_keys(books: Books, calls: Sequence[Call]) -> Iterator[str]:
    """Each key was charged once: what is charged is counted by its model, which few keys or one alone has."""
    wanted = Counter(call.model for call in calls if call.key and call.code == "0000")
    failed = Counter(row.model for row in books.rows if books.jobs.get(row.id, ("",))[0] == "failed")
    charged = Counter(row.model for row in books.rows if _net(row))
    for model in {*wanted, *charged}:
        more = charged[model] + failed[model] - wanted[model]
        if more:
            yield f"{'double' if more > 0 else 'lost'}: {model} has {wanted[model]} keys, and was charged {charged[model]}"


def _of_money(books: Books, calls: Sequence[Call], deposit: int) -> Iterator[str]:
    """What all cost is what the last answer of each key cost."""
    rows = {str(row.id): row for row in books.rows}
    told = 0
    for call in calls:
        row = rows.get(call.seen[-1].last_id) if call.seen and call.key else None
        told += _net(row) if row is not None else 0
    if books.balance != deposit - told:
        yield f"money: the balance is {books.balance}, by the callers' answers {deposit - told}"


def _of_upstream(books: Books, served: Sequence[dict[str, Any]], forgetful: bool) -> Iterator[str]:
    """Who is charged was served, and whoever was served and is not on the books was in a killed process."""
    by_model: defaultdict[str, list[CallRecord]] = defaultdict(list)
    for row in books.rows:
        by_model[row.model].append(row)
    requests = Counter(row["model"] for row in served)
    good = Counter(row["model"] for row in served if row["status"] == 200)
    for model, rows in by_model.items():
        jobs = [books.jobs[row.id] for row in rows if row.id in books.jobs]
        paid = sum(1 for row in rows if _net(row) and not row.is_cached)
        if good[model] < paid:
            yield f"upstream: {model} was charged {paid}, and served {good[model]}"
        asked = sum(row.attempts for row in rows) + sum(state == "done" for state, _ in jobs)
        killed = sum(row.state == "closed" for row in rows) + sum(tries - (state == "done") for state, tries in jobs)
        if requests[model] < asked or (requests[model] > asked + killed and not forgetful):
            yield f"upstream: {model} was asked {asked} and at most {killed} more, and served {requests[model]}"
    for model in () if forgetful else requests.keys() - by_model.keys():
        yield f"upstream: {model} was served, and is not on the books"
