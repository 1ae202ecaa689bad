"""Many at once: a balance that covers exactly so many calls admits exactly so many, whoever asks, and whoever dies."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from envelope.gateway.books import Admitted, Watch, admit, recover, settle
from envelope.gateway.stores import Store
from tests.gateway.kinds import Kind
from tests.gateway.ledger import account_of, admission, breaches, figures, new_account, settlement, tried, used

ROOT = Path(__file__).parents[3]
PRICE = 7


def let_in(outcomes: list[Any]) -> int:
    return sum(isinstance(outcome, Admitted) for outcome in outcomes)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"balance": 41 * PRICE + 6}, 41),
        ({"quota": 17, "balance": 10**6}, 17),
        ({"concurrency": 5, "balance": 10**6}, 5),
    ],
)
@pytest.mark.parametrize("who", ["tasks", "threads"])
def test_what_covers_so_many_calls_admits_so_many(
    store: Store, who: str, bounds: dict[str, Any], expected: int
) -> None:
    account = new_account(store, **bounds)

    async def tasks() -> list[Any]:
        asked = [admission(account, hold=PRICE) for _ in range(100)]
        return await asyncio.gather(*(store.write(lambda db, each=each: admit(db, each)) for each in asked))  # type: ignore[misc]

    if who == "tasks":
        outcomes = asyncio.run(tasks())
    else:
        with ThreadPoolExecutor(32) as pool:
            outcomes = list(pool.map(lambda _: tried(store, account, hold=PRICE), range(100)))
    assert let_in(outcomes) == expected
    assert (figures(store)[1], used(store)) == (expected * PRICE, expected)
    assert breaches(store) == []


# Asks for calls until it is refused for good, and settles every second one; says what it got.
CALLER = """
import asyncio, json, sys
from envelope.gateway.books import Admission, Admitted, Settlement, admit, settle
from envelope.gateway.stores import open_store

store = open_store(sys.argv[1])
counts = {"admitted": 0, "charged": 0}

async def task(place):
    while True:
        counts["asked"] = counts.get("asked", 0) + 1
        asked = Admission(account=int(sys.argv[2]), api_type="t", api_name="custom", method="m", model="", hold=7, seconds=30,
                          request_id=f"{store.node} {counts['asked']}", node=store.node)
        outcome = await store.write(lambda db: admit(db, asked))
        if not isinstance(outcome, Admitted):
            return
        counts["admitted"] += 1
        done = Settlement(call=outcome.call, code="0000", ok=True, billing="charged", charge=7)
        if outcome.call % 2:
            settled = await store.write(lambda db: settle(db, done))
            counts["charged"] += settled.charge
        if len(sys.argv) > 3:
            print(outcome.call, flush=True)

async def main():
    await asyncio.gather(*(task(place) for place in range(32)))

asyncio.run(main())
print(json.dumps(counts))
"""


def start(kind: Kind, account: int, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CALLER, kind.address, str(account), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def test_four_processes_spend_a_balance_once(kind: Kind) -> None:
    with kind.open() as store:
        account = new_account(store, balance=1001 * 7 + 6)
        processes = [start(kind, account) for _ in range(4)]
        ends = [process.communicate() for process in processes]
        assert {errors for _, errors in ends} == {""}
        counts = [json.loads(out) for out, _ in ends]
        assert sum(count["admitted"] for count in counts) == 1001
        balance, held = figures(store)
        assert balance + sum(count["charged"] for count in counts) == 1001 * 7 + 6
        assert balance - held == 6
        assert breaches(store) == []
        # All four are gone, so what they left open is closed by the next who looks.
        store.write_now(lambda db: recover(db, store.is_gone, Watch()))
        assert figures(store) == (balance, 0)
        assert breaches(store) == []


@pytest.mark.parametrize("reported", [1, 40, 200])
def test_a_process_that_is_killed_amid_calls(kind: Kind, reported: int) -> None:
    """What it held is released at once, what it settled is charged once, and nothing else is."""
    with kind.open() as store:
        account = new_account(store, balance=10**9)
        with start(kind, account, "tell") as process:
            assert process.stdout is not None
            told = [process.stdout.readline() for _ in range(reported)]
            process.send_signal(signal.SIGKILL)
            told += process.stdout.read().splitlines()
        assert breaches(store) == []
        rows = store.read_now(lambda db: db.execute("SELECT id, state, charge FROM call"))
        known = {number: (state, charge) for number, state, charge in rows}
        for line in told:
            if line.strip().isdigit() and int(line) % 2:  # it was told of the settling
                assert known[int(line)] == ("settled", 7)
        still_open = [number for number, (state, _) in known.items() if state == "open"]
        assert len(still_open) > 0
        closed = store.write_now(lambda db: recover(db, store.is_gone, Watch()))
        assert sorted(each.call for each in closed) == sorted(still_open)
        assert figures(store) == (10**9 - 7 * sum(state == "settled" for state, _ in known.values()), 0)
        assert used(store) == sum(state == "settled" for state, _ in known.values())
        late = store.write_now(lambda db: [settle(db, settlement(call)) for call in still_open])
        assert late == [None] * len(still_open)
        assert breaches(store) == []
        assert account_of(store).held == 0
