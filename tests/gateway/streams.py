"""`python -m tests.gateway.streams`: streams of ten thousand events, held open by two hundred callers at once.

The gateway is the real command in a process of its own, the demo another. Every caller hears its stream to the end, counts
what came, and checks that the envelope counted the same. The gateway's memory must stay flat while they do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from envelope.calls.events import EventReader, data_of
from envelope.gateway.books import Breach, CallRecord, audit, find_calls
from envelope.gateway.stores import open_store
from envelope.registry import REGISTRY
from tests.gateway.soak import DEMO, KEY, SECRET, free_ports, new_books, resident

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = """
log = "none"
seconds = 60
[[upstreams]]
name = "demo"
address = "http://127.0.0.1:{port}"
key = "demo-key"
total = 3600
first_byte = 60
stall = 600
[[prices]]
completion = "0.002"
"""


@dataclass
class Heard:
    """What all callers heard: how many streams were whole, and the events in all; the gateway's memory meanwhile."""

    whole: int = 0
    events: int = 0
    wrong: list[str] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    records: list[CallRecord] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)

    @property
    def growth(self) -> int:
        """How much more memory there was at the end than when all streams had begun."""
        return max(self.memory) - self.memory[0]


async def hear(
    session: aiohttp.ClientSession, address: str, events: int, begun: asyncio.Semaphore, heard: Heard
) -> None:
    """One caller: hear a stream to its end."""
    text = "x" * (4 * events - len("You said: "))
    args = {"prompt": text, "stream": True, "max_tokens": events, "model": "gpt-4o-mini"}
    data = {"secret": SECRET, "method": "v1/completions", "_o_args": json.dumps(args)}
    reader, count, last = EventReader(2**20), 0, b""
    async with session.post(f"{address}/openai/custom/?key={KEY}", data=data) as got:
        is_first = True
        async for chunk in got.content.iter_any():
            if is_first:
                begun.release()
                is_first = False
            for event in reader.feed(chunk):
                count += bool(last)
                last = event
    if not last.startswith(b"event: envelope"):
        heard.wrong.append(f"the end was {last[:40]!r}")
        return
    answer = json.loads(data_of(last) or b"")
    if answer["error_code"] != "0000" or answer["response"]["events"] != count:
        heard.wrong.append(f"{answer['error_code']}: {count} events of {answer['response']}")
        return
    heard.whole += 1
    heard.events += count


async def watch(process: int, begun: asyncio.Semaphore, callers: int, heard: Heard) -> None:
    """The gateway's memory once every stream has begun."""
    for _ in range(callers):
        await begun.acquire()
    while True:
        heard.memory.append(resident(process))
        await asyncio.sleep(0.2)


async def load(address: str, process: int, callers: int, events: int, heard: Heard) -> None:
    begun = asyncio.Semaphore(0)
    watching = asyncio.create_task(watch(process, begun, callers, heard))
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, read_bufsize=4096) as session:
        await asyncio.gather(*(hear(session, address, events, begun, heard) for _ in range(callers)))
    watching.cancel()
    heard.memory.append(resident(process))


@contextmanager
def processes(folder: Path, port: int, upstream: int) -> Iterator[int]:
    """The demo and a gateway; the id of the gateway's process."""
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    commands: list[list[str]] = [
        [sys.executable, "-c", DEMO, str(upstream)],
        [sys.executable, "-m", "envelope", "gateway", "serve", "--port", str(port)],
    ]
    started = [subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL) for command in commands]
    try:
        for wanted in (upstream, port):
            while True:
                with socket.socket() as probe:
                    if not probe.connect_ex(("127.0.0.1", wanted)):
                        break
                time.sleep(0.05)
        yield started[1].pid
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(60)


def run(folder: Path, callers: int, events: int) -> Heard:
    """All of it."""
    upstream, port = free_ports(2)
    new_books(folder, SETTINGS.format(port=upstream))
    heard = Heard()
    with processes(folder, port, upstream) as process:
        asyncio.run(load(f"http://127.0.0.1:{port}", process, callers, events, heard))
    with open_store(folder / "gateway.db") as store:
        heard.breaches = store.read_now(lambda db: audit(db, REGISTRY))
        every: Any = {"limit": 100_000, "since": 0, "until": 2**62, "before": 2**62}
        heard.records = store.read_now(lambda db: find_calls(db, **every))
    return heard


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.gateway.streams", description=__doc__)
    parser.add_argument("--callers", type=int, default=200)
    parser.add_argument("--events", type=int, default=10_000)
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        heard = run(Path(name), asked.callers, asked.events)
    seconds = time.monotonic() - began
    print(
        f"{heard.whole} of {asked.callers} streams whole, {heard.events} events in {seconds:.0f} s; "
        f"memory {heard.memory[0] / 2**20:.1f} MiB when all had begun, {max(heard.memory) / 2**20:.1f} MiB at most, "
        f"{heard.memory[-1] / 2**20:.1f} MiB in the end; breaches={heard.breaches}"
    )
    for wrong in heard.wrong[:10]:
        print(wrong)
    return 0 if heard.whole == asked.callers and not heard.breaches else 1


if __name__ == "__main__":
    sys.exit(main())
