"""What durable books cost: `python -m tests.bench.books`, calls admitted and settled by 32 tasks, in SQLite and PostgreSQL.

A pair is one admission and one settling, as the gateway makes them: the first need not be on the disk before it goes on,
the second must. The processor's time is that of the processes that use the store, without a server's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from envelope.gateway.books import (
    Admission,
    Admitted,
    Settlement,
    admit,
    audit,
    create_account,
    deposit,
    grant,
    settle,
)
from envelope.gateway.stores import open_store
from tests import postgresql

TASKS = 32
HOLD, CHARGE = 10, 5


@contextmanager
def new_store(kind: str) -> Iterator[str]:
    """The address of a store for as long as the block runs; what it is told to keep goes onto the disk."""
    if kind == "postgresql":
        with postgresql.Cluster(fsync="on", full_page_writes="on") as cluster:
            yield cluster.address()
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield str(Path(folder) / "gateway.db")


def prepare(address: str, accounts: int) -> None:
    def steps(db: Any) -> None:
        for place in range(accounts):
            account = create_account(db, name=f"n{place}", key=f"k{place}", secret="s")
            grant(db, account, "custom", quota=None)
            deposit(db, account, 10**12)

    with open_store(address) as store:
        store.write_now(steps)


def measure(address: str, pairs: int, accounts: int) -> dict[str, float]:
    """One process: *pairs* pairs by 32 tasks."""
    with open_store(address, timeout=60) as store:

        async def task(place: int) -> None:
            for number in range(pairs // TASKS):
                request = f"{store.node} {place} {number}"
                asked = Admission(
                    account=1 + place % accounts, api_type="openai", api_name="custom", method="v1/completions", model="m",
                    request_id=request, hold=HOLD, seconds=30, node=store.node,
                )  # fmt: skip
                outcome = await store.write(lambda db, asked=asked: admit(db, asked), synced=False)  # type: ignore[misc]
                assert isinstance(outcome, Admitted)
                end = Settlement(
                    call=outcome.call, code="0000", ok=True, billing="charged", charge=CHARGE, has_key=False
                )
                await store.write(lambda db, end=end: settle(db, end))  # type: ignore[misc]

        async def tasks() -> None:
            await asyncio.gather(*(task(place) for place in range(TASKS)))

        begun, used = time.perf_counter(), time.process_time()
        asyncio.run(tasks())
        took, used = time.perf_counter() - begun, time.process_time() - used
    done = pairs // TASKS * TASKS
    return {"pairs": done, "seconds": took, "cpu": used / done * 1e6}


def main() -> None:
    options = _arguments()
    if options.address:
        print(json.dumps(measure(options.address, options.pairs, options.accounts)))
        return
    table = Table("store", "processes", "accounts", "pairs/s", "processor a pair, us")
    for kind in options.store or ("sqlite", "postgresql"):
        for accounts in (1, 8):
            for processes in (1, 2):
                with new_store(kind) as address:
                    rate, cpu = _rate(address, processes, options.pairs, accounts)
                table.add_row(kind, str(processes), str(accounts), f"{rate:,.0f}", f"{cpu:.0f}")
    Console(highlight=False).print(table)


def _rate(address: str, processes: int, pairs: int, accounts: int) -> tuple[float, float]:
    prepare(address, accounts)
    command = [sys.executable, "-m", "tests.bench.books", "--address", address, "--pairs", str(pairs)]
    command += ["--accounts", str(accounts)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    figures = [json.loads(process.communicate()[0]) for process in running]
    with open_store(address) as store:
        assert store.read_now(audit) == []
    rate = sum(each["pairs"] for each in figures) / max(each["seconds"] for each in figures)
    return rate, sum(each["cpu"] for each in figures) / processes


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.books", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=8_000, help="in each process (default 8,000)")
    parser.add_argument("--store", action="append", choices=("sqlite", "postgresql"), help="default: both")
    parser.add_argument("--address", help=argparse.SUPPRESS)
    parser.add_argument("--accounts", type=int, default=8, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
