"""`python -m tests.gateway.soak`: the gateway's memory under a mixed load, which must not grow after the first minute.

The gateway is the real command in a process of its own, the demo another, which is its upstream. Sixteen callers do what
callers do: completions fresh and from the cache, in all formats, repeats under a key, uploads, image jobs, upstreams that
fail, wrong secrets, bodies that are nothing. At the end the books are audited.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from envelope.formats import ResultType
from envelope.gateway.books import audit, create_account, deposit, grant
from envelope.gateway.money import UNIT
from envelope.gateway.running import open_vault
from envelope.gateway.stores import Transaction, open_store
from envelope.registry import REGISTRY

CALLERS = 16
KEY, SECRET = "soak", "s3cret"
FAULTS = ("fault-429", "fault-500-once", "fault-503", "fault-reset", "fault-html", "fault-cut", "fault-context-length")
DEMO = """
import asyncio, sys
from envelope.gateway.demo import demo_upstream
async def main():
    async with demo_upstream(port=int(sys.argv[1]), scale=0.01):
        await asyncio.Event().wait()
asyncio.run(main())
"""
SETTINGS = """
log = "none"
seconds = 10
[[upstreams]]
name = "demo"
address = "http://127.0.0.1:{port}"
key = "demo-key"
rest = 0
[[prices]]
call = "0.0001"
cached = "0.00005"
prompt = "0.001"
completion = "0.002"
"""


def new_books(folder: Path, settings: str) -> None:
    """The files of a gateway with these settings, and an account."""
    (folder / "gateway.toml").write_text(settings)
    with open_store(folder / "gateway.db") as store:
        vault = open_vault(folder / "gateway.key", store)

        def steps(db: Transaction) -> None:
            account = create_account(db, name=KEY, key=KEY, secret=vault.seal(SECRET))
            grant(db, account, "custom", quota=None)
            deposit(db, account, 1_000_000 * UNIT)

        store.write_now(steps)


def resident(process: int) -> int:
    """The memory that a process has, in bytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def call(session: aiohttp.ClientSession, address: str, rng: random.Random) -> str:
    """One call of some kind; which."""
    params = {"key": KEY, "secret": SECRET, "result_type": rng.choice(list(ResultType)).value}
    headers: dict[str, str] = {}
    data: Any = None
    args: dict[str, Any] = {"prompt": f"hello {rng.randrange(10**9)}", "max_tokens": rng.randrange(1, 100)}
    params["method"] = "v1/completions"
    kind = rng.choice(("fresh", "fresh", "cached", "cached", "repeat", "upload", "job", "fault", "secret", "nonsense"))
    if kind == "fresh":
        params["cache"] = "no"
    elif kind == "cached":
        args["prompt"] = f"hello {rng.randrange(50)}"
    elif kind == "repeat":
        headers["Idempotency-Key"] = f"key {rng.randrange(100)}"
        args["prompt"] = headers["Idempotency-Key"]
        args["max_tokens"] = 20
    elif kind == "upload":
        params["method"] = "v1/files"
        data = aiohttp.FormData({"purpose": "fine-tune"})
        data.add_field("file", b"x" * rng.randrange(200_000), filename="x.jsonl")
    elif kind == "job":
        params["method"] = rng.choice(("images/submit", "images/get"))
        args = (
            {"prompt": "a sunflower"} if params["method"] == "images/submit" else {"imgid": str(rng.randrange(1, 99))}
        )
    elif kind == "fault":
        args["model"] = rng.choice(FAULTS)
        params["cache"] = "no"
    elif kind == "secret":
        params["secret"] = "wrong"
    else:
        data = rng.randbytes(2000)
        headers["Content-Type"] = "application/json"
    if kind != "upload":
        params["_o_args"] = json.dumps(args)
    verb = "POST" if data is not None else "GET"
    async with session.request(verb, f"{address}/openai/custom/", params=params, data=data, headers=headers) as got:
        await got.read()
    return kind


async def load(address: str, seconds: float, process: int) -> list[tuple[float, int, int]]:
    """Keep callers busy; the time, the gateway's memory and the number of calls so far, each ten seconds."""
    began = time.monotonic()
    calls = 0

    async def caller(seed: int) -> None:
        nonlocal calls
        rng = random.Random(seed)
        async with aiohttp.ClientSession() as session:
            while time.monotonic() - began < seconds:
                await call(session, address, rng)
                calls += 1

    tasks = [asyncio.create_task(caller(seed)) for seed in range(CALLERS)]
    seen: list[tuple[float, int, int]] = []
    while not all(task.done() for task in tasks):
        await asyncio.wait(tasks, timeout=10)
        seen.append((time.monotonic() - began, resident(process), calls))
        print(f"{seen[-1][0]:6.0f} s  {seen[-1][1] / 2**20:7.1f} MiB  {calls} calls", flush=True)
    await asyncio.gather(*tasks)
    return seen


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.gateway.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=15)
    seconds = parser.parse_args().minutes * 60
    root = Path(__file__).parents[2]
    upstream, port = free_ports(2)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        new_books(folder, SETTINGS.format(port=upstream))
        environ = {**os.environ, "PYTHONPATH": str(root)}
        commands = (
            [sys.executable, "-c", DEMO, str(upstream)],
            [sys.executable, "-m", "envelope", "gateway", "serve", "--port", str(port)],
        )
        processes = [subprocess.Popen(command, cwd=folder, env=environ) for command in commands]
        try:
            for wanted in (upstream, port):
                while socket.socket().connect_ex(("127.0.0.1", wanted)):
                    time.sleep(0.1)
            seen = asyncio.run(load(f"http://127.0.0.1:{port}", seconds, processes[1].pid))
        finally:
            for process in reversed(processes):
                process.terminate()
                process.wait(60)
        with open_store(folder / "gateway.db") as store:
            breaches = store.read_now(lambda db: audit(db, REGISTRY))
    settled = next(memory for passed, memory, _ in seen if passed >= min(60, seconds / 2))
    print(f"{seen[-1][2]} calls; {(seen[-1][1] - settled) / 2**20:+.1f} MiB since the first minute; {breaches=}")


if __name__ == "__main__":
    main()
