"""A crowd on one account: nothing is sold twice, by one process, by several, or by two nodes behind a proxy.

In the thorough profile with 5,000 calls of 50 callers, of which 1,000 are covered.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from envelope import ResultType
from envelope.gateway.books import account_named, audit, find_calls
from envelope.gateway.stores import Store
from tests.client.servers import Received, Reply, http, serving
from tests.effort import THOROUGH
from tests.gateway.child import Caller, add_account, at_once, books, gateway_process, write_settings
from tests.gateway.kinds import Postgresql
from tests.gateway.nodes import Nodes, requires_proxy

CALLERS = 50 if THOROUGH else 20
EACH = 100 if THOROUGH else 15
COVERED = CALLERS * EACH // 5
PRICES = '[[prices]]\ncall = "0.001"'
PRICE = 1000
NODES = pytest.param(0, id="nodes", marks=[pytest.mark.postgresql, requires_proxy])
WORKERS = pytest.mark.parametrize("workers", [1, 4, NODES])


class Crowd:
    """The upstream, which counts how many ask it at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = self.most = self.asked = 0

    def reply(self, received: Received) -> Reply:
        with self._lock:
            self.asked += 1
            self._now += 1
            self.most = max(self.most, self._now)
        yield 0.002
        with self._lock:
            self._now -= 1
        yield http(200, b'{"id": "x"}')


@contextmanager
def crowded(folder: Path, workers: int, *, units: int = 10**9, **bounds: int) -> Iterator[tuple[int, Crowd, Store]]:
    """A gateway on SQLite with so many workers; without any, two on PostgreSQL."""
    crowd = Crowd()
    with ExitStack() as stack:
        if workers:
            upstream = stack.enter_context(serving(crowd.reply))
            settings = write_settings(folder, upstream.url, PRICES)
            store = stack.enter_context(books(settings))
            add_account(settings, store, "demo", units, **bounds)
            port, _ = stack.enter_context(gateway_process(folder, workers=workers))
        else:
            kind = stack.enter_context(Postgresql(folder))
            nodes = stack.enter_context(
                Nodes(folder, kind.address, reply=crowd.reply, account={"units": units, **bounds})
            )
            port, store = nodes.port, nodes.store
        yield port, crowd, store
        assert store.read_now(audit) == []
        records = store.read_now(lambda db: find_calls(db, limit=10**6, since=0, until=2**62, before=2**62))
        assert {row.state for row in records} == {"settled"}
        assert sum(row.attempts for row in records) == crowd.asked
        account = store.read_now(lambda db: account_named(db, "demo"))
        assert account is not None
        assert account.held == 0
        assert account.balance == units - sum(row.charge for row in records)


def calls(caller: Caller, _number: int) -> list[str]:
    return [caller.call(q="1").error_code for _ in range(EACH)]


@WORKERS
def test_a_balance_is_not_oversold(tmp_path: Path, workers: int) -> None:
    with crowded(tmp_path, workers, units=COVERED * PRICE) as (port, crowd, _):
        codes = Counter(at_once(port, CALLERS, calls))
        assert codes == {"0000": COVERED, "4016": CALLERS * EACH - COVERED}
        assert crowd.asked == COVERED


@WORKERS
def test_a_quota_is_not_oversold(tmp_path: Path, workers: int) -> None:
    with crowded(tmp_path, workers, quota=COVERED) as (port, crowd, _):
        codes = Counter(at_once(port, CALLERS, calls))
        assert codes == {"0000": COVERED, "4013": CALLERS * EACH - COVERED}
        assert crowd.asked == COVERED


@WORKERS
def test_no_more_calls_are_open_than_may_be(tmp_path: Path, workers: int) -> None:
    bound = 5
    with crowded(tmp_path, workers, concurrency=bound) as (port, crowd, _):
        codes = Counter(at_once(port, CALLERS, calls))
        assert set(codes) == {"0000", "4008"}
        assert crowd.asked == codes["0000"]
        assert 1 <= crowd.most <= bound


@WORKERS
def test_one_key_is_one_call(tmp_path: Path, workers: int) -> None:
    """Of 200 repeats in five formats, each gets the one answer, or is told to come again, and does."""

    def insist(caller: Caller, number: int) -> list[tuple[str, str]]:
        got = []
        for repeat in range(200 // CALLERS):
            format = list(ResultType)[(number + repeat) % 5]
            while (answer := caller.call(header="once", q="1", result_type=format)).error_code == "4008":
                time.sleep(0.01)
            got.append((answer.error_code, answer.last_id))
        other = caller.call(header="once", q="2")
        return [*got, (other.error_code, other.last_id)]

    with crowded(tmp_path, workers) as (port, crowd, _):
        codes = Counter(at_once(port, CALLERS, insist))
        assert crowd.asked == 1
        assert codes == {("0000", "1"): 200, ("4003", ""): CALLERS}
