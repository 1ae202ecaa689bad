"""Records found and exported: all of them, once, and they agree with the books and with a caller's own bill."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope import Envelope
from envelope.answers import check_bill
from envelope.gateway.books import (
    CallRecord,
    export_calls,
    find_calls,
    refund,
    settle,
    write_csv,
    write_jsonl,
    write_parquet,
)
from envelope.gateway.books import export as module
from envelope.gateway.stores import Store
from tests.gateway.books.test_machine import ENDINGS, fresh_store
from tests.gateway.kinds import START, Clock
from tests.gateway.ledger import admitted, figures, new_account, settled, settlement

PRICE = 60


def found(store: Store, **asked: Any) -> list[int]:
    return [call.id for call in store.read_now(lambda db: find_calls(db, **asked))]


def test_calls_are_found_by_what_is_asked(store: Store, clock: Clock) -> None:
    alice, bob = new_account(store, "alice"), new_account(store, "bob")
    first = admitted(store, alice, method="a")
    clock.step(1)
    second = admitted(store, bob, method="a")
    clock.step(1)
    third = admitted(store, alice, method="b")
    settled(store, third, code="2000")
    assert found(store) == [third, second, first]
    assert found(store, account="alice") == [third, first]
    assert found(store, account="alice", method="a") == [first]
    assert found(store, code="2000") == [third]
    assert found(store, code="4017") == []
    assert found(store, since=START + 1_000_000) == [third, second]
    assert found(store, until=START + 1_000_000) == [first]
    assert found(store, limit=2) == [third, second]
    assert found(store, limit=2, before=second) == [first]
    assert found(store, account="' OR 1 = 1 --") == []


@given(st.lists(st.tuples(st.sampled_from(ENDINGS), st.booleans()), max_size=12))
def test_the_records_agree_with_the_books_and_the_bill(ends: list[tuple[tuple[str, bool, str], bool]]) -> None:
    with fresh_store() as (store, _):
        account = new_account(store, balance=10_000)
        refunds = 0
        for (code, ok, billing), is_refunded in ends:
            call = admitted(store, account)
            charge = PRICE if billing == "charged" else 0
            end = settlement(call, charge, code=code, ok=ok, billing=billing)
            store.write_now(lambda db, end=end: settle(db, end))  # type: ignore[misc]
            if is_refunded:
                refunds += store.write_now(lambda db, call=call: refund(db, call)) or 0  # type: ignore[misc]
        admitted(store, account)  # open, so not exported
        records = list(export_calls(store))
        assert len(records) == len(ends)
        assert figures(store)[0] == 10_000 - sum(record.charge - record.refunded for record in records)
        assert sum(record.refunded for record in records) == refunds
        # A caller's own log has the same answers; the free ones with an upstream's error inside are no part of a bill.
        answers: list[Envelope[Any]] = [
            Envelope(response=[], error_code=str(record.code))
            for record in records
            if record.code != "2000" or record.verdict_ok
        ]
        bill = check_bill(answers, {"0000": PRICE, "2000": PRICE})
        assert bill.total.charge == sum(record.charge for record in records)


@pytest.fixture
def records(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[CallRecord]:
    """Seven records in pages of three."""
    monkeypatch.setattr(module, "_PAGE", 3)
    account = new_account(store, balance=10_000)
    for number in range(7):
        settled(store, admitted(store, account, model=f'a "{number}",\n模型'), number)
    found = list(export_calls(store))
    assert [record.charge for record in found] == list(range(7))
    assert list(export_calls(store, after=found[3].id)) == found[4:]
    return found


def test_json_lines(records: list[CallRecord]) -> None:
    output = io.BytesIO()
    write_jsonl(records, output)
    assert [json.loads(line) for line in output.getvalue().splitlines()] == [asdict(record) for record in records]


def test_csv(records: list[CallRecord]) -> None:
    output = io.BytesIO()
    write_csv(records, output)
    rows = list(csv.DictReader(io.StringIO(output.getvalue().decode(), newline="")))
    assert rows == [
        {name: "" if value is None else str(value) for name, value in asdict(record).items()} for record in records
    ]


@pytest.mark.parametrize("count", [0, 7])
def test_parquet(records: list[CallRecord], monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    output = io.BytesIO()
    write_parquet(records[:count] * 10, output)  # more than one group
    assert pq.read_table(output).to_pylist() == [asdict(record) for record in records[:count]] * 10
