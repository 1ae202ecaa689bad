"""What durable books cost: `python -m tests.bench.books`, calls admitted and settled by 32 tasks, in 1 and 4 processes.

A pair is one admission and one settling, each its own durable transaction (synchronous=FULL); the time in the writer's
thread is without its waits for work, and with those for the disk, other processes and the interpreter's lock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

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
from envelope.gateway.stores.sqlite import SqliteStore

TASKS = 32
HOLD, CHARGE = 10, 5


def prepare(path: str, accounts: int) -> None:
    def steps(db: Any) -> None:
        for place in range(accounts):
            account = create_account(db, name=f"n{place}", key=f"k{place}", secret="s")
            grant(db, account, "custom", quota=None)
            deposit(db, account, 10**12)

    with SqliteStore(path) as store:
        store.write_now(steps)


def measure(path: str, pairs: int, accounts: int) -> dict[str, float]:
    """One process: *pairs* pairs by 32 tasks."""
    with SqliteStore(path, timeout=60) as store:
        spent = {"cpu": 0, "wall": 0, "groups": 0}
        serve = store._writer._serve

        def timed(queue: Any) -> None:
            cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
            serve(queue)
            spent["cpu"] += time.thread_time_ns() - cpu
            spent["wall"] += time.perf_counter_ns() - wall
            spent["groups"] += 1

        vars(store._writer)["_serve"] = timed

        async def task(place: int) -> None:
            for number in range(pairs // TASKS):
                request = f"{store.node} {place} {number}"
                asked = Admission(
                    account=1 + place % accounts, api_type="openai", api_name="custom", method="v1/completions", model="m",
                    request_id=request, hold=HOLD, seconds=30, node=store.node,
                )  # fmt: skip
                outcome = await store.write(lambda db, asked=asked: admit(db, asked))  # type: ignore[misc]
                assert isinstance(outcome, Admitted)
                end = Settlement(call=outcome.call, code="0000", ok=True, billing="charged", charge=CHARGE)
                await store.write(lambda db, end=end: settle(db, end))  # type: ignore[misc]

        async def tasks() -> None:
            await asyncio.gather(*(task(place) for place in range(TASKS)))

        begun = time.perf_counter()
        asyncio.run(tasks())
        took = time.perf_counter() - begun
    done = pairs // TASKS * TASKS
    return {
        "pairs": done,
        "seconds": took,
        "cpu": spent["cpu"] / done / 1000,
        "wall": spent["wall"] / done / 1000,
        "group": 2 * done / spent["groups"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=16_000, help="in each process")
    parser.add_argument("--accounts", type=int, default=8)
    parser.add_argument("--folder", help="where the store is made")
    parser.add_argument("--path", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.path:
        print(json.dumps(measure(options.path, options.pairs, options.accounts)))
        return
    for processes in (1, 4):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            path = str(Path(folder) / "gateway.db")
            prepare(path, options.accounts)
            command = [sys.executable, "-m", "tests.bench.books", "--path", path, "--pairs", str(options.pairs)]
            running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
            figures = [json.loads(process.communicate()[0]) for process in running]
            with SqliteStore(path) as store:
                assert store.read_now(audit) == []
        rate = sum(each["pairs"] for each in figures) / max(each["seconds"] for each in figures)
        cpu, wall, group = (sum(each[name] for each in figures) / processes for name in ("cpu", "wall", "group"))
        print(
            f"{processes} processes x {TASKS} tasks: {rate:,.0f} pairs/s; in the writer's thread {cpu:.0f} us of processor"
            f" and {wall:.0f} us in all a pair; {group:.1f} transactions a commit"
        )


if __name__ == "__main__":
    main()
