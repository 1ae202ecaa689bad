"""A run: two nodes on one store, callers who never stop, and a killer."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.gateway.child import add_account, write_settings
from tests.gateway.kills.callers import Callers
from tests.gateway.kills.checks import Books, breaches, unpaid_requests
from tests.gateway.kills.nursery import Nursery
from tests.gateway.kills.scene import SETTINGS, Upstream, free_port, is_listening, upstream_of
from tests.gateway.kinds import KINDS, Kind
from tests.gateway.served import wait_until

__all__ = ["Disk", "Report", "run", "unsynced"]

_NODES = 2
_DEPOSIT = 10**12
_LEFT = "SELECT (SELECT count(*) FROM call WHERE state = 'open') + (SELECT count(*) FROM job WHERE result IS NULL)"


@dataclass
class Report:
    """What came of a run. ``figures`` are for people; what must not be is in ``breaches``."""

    figures: dict[str, str] = field(default_factory=dict)
    breaches: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Disk:
    """A disk that forgets what was not synced when the process is killed, but for a *part* of the writes, in percent.

    *library* is `unsynced.c`, compiled. A node that *is_careless* does not sync.
    """

    library: Path
    part: int = 0
    is_careless: bool = False


class Killer:
    """Kills a random node at a random moment, and starts it again, *kills* times; sometimes also while it starts.

    Nodes with a *disk* that forgets are one: the disk is its process's own.
    """

    def __init__(
        self,
        folder: Path,
        nursery: Nursery,
        address: str,
        disk: Disk | None,
        *,
        kills: int,
        pause: float,
        seed: int,
    ) -> None:
        self._folder = folder
        self._nursery = nursery
        self._address = address
        self._disk = disk
        self._kills = kills
        self._pause = pause
        self._rng = Random(seed)
        self.ports = [free_port() for _ in range(_NODES if disk is None else 1)]
        self._children = [self._started(port) for port in self.ports]
        self.done = self.in_start = 0

    async def run(self, tell: Callable[[int], None]) -> None:
        while self.done < self._kills:
            await asyncio.sleep(self._rng.uniform(0, 2 * self._pause))
            node = self._rng.randrange(len(self.ports))
            await self._kill(node)
            while self.done < self._kills and self._rng.random() < 0.25:
                await asyncio.sleep(self._rng.uniform(0, 0.15))  # about as long as a start takes
                await self._kill(node)
                self.in_start += 1
            tell(self.done)

    async def _kill(self, node: int) -> None:
        await asyncio.to_thread(self._nursery.kill, self._children[node])
        self._children[node] = self._started(self.ports[node])
        self.done += 1

    def _started(self, port: int) -> int:
        disk = self._disk
        if disk is None:
            return self._nursery.fork("node", str(self._folder), port)
        return self._nursery.fork("forgetful_node", str(self._folder), port, self._address, disk.part, disk.is_careless)

    def end(self) -> None:
        for child in self._children:
            self._nursery.kill(child)


def unsynced(folder: Path) -> Path:
    """The library of a disk that forgets, compiled; `OSError` without a C compiler."""
    library = folder / "unsynced.so"
    source = Path(__file__).with_name("unsynced.c")
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run(["cc", *flags, "-o", str(library), str(source), "-ldl"], check=True)
    return library


def run(
    folder: Path,
    store: str,
    *,
    kills: int,
    callers: int = 12,
    pause: float = 0.15,
    seed: int = 0,
    disk: Disk | None = None,
    tell: Callable[[int], None] = lambda done: None,
) -> Report:
    """Kill nodes with books in a store of that kind, below *folder*, and compare everything in the end."""
    environ = {} if disk is None else {"LD_PRELOAD": str(disk.library)}
    with KINDS[store](folder) as kind, Nursery(environ) as nursery, upstream_of(nursery) as upstream:
        settings = write_settings(folder, upstream.address, SETTINGS.format(store=kind.address))
        with kind.open() as opened:
            add_account(settings, opened, "demo", _DEPOSIT)
        began = time.monotonic()
        killer = Killer(folder, nursery, kind.address, disk, kills=kills, pause=pause, seed=seed)
        for port in killer.ports:
            wait_until(lambda port=port: is_listening(port))  # type: ignore[misc]
        asking = Callers(
            [f"http://127.0.0.1:{port}" for port in killer.ports], seed=seed, is_over=lambda: killer.done >= kills
        )

        async def all_of_them() -> None:
            await asyncio.gather(killer.run(tell), *(asking.run(number) for number in range(callers)))

        asyncio.run(all_of_them())
        seconds = time.monotonic() - began
        killer.end()
        report = Report()
        if not _is_recovered(folder, kind, nursery):
            report.breaches.append("hold: a node that starts after all kills does not end what they left")
        with kind.open(timeout=60) as opened:
            books = Books.of(opened)
        return _compared(report, killer, asking, books, upstream, seconds, forgetful=disk is not None)


def _is_recovered(folder: Path, kind: Kind, nursery: Nursery) -> bool:
    """Whether a node that starts leaves no call open and no job undone."""
    child = nursery.fork("node", str(folder), free_port())
    try:
        with kind.open() as store:
            wait_until(lambda: store.read_now(lambda db: db.execute(_LEFT)) == [(0,)], 30)
    except AssertionError:
        return False
    finally:
        nursery.kill(child)
    return True


def _compared(
    report: Report,
    killer: Killer,
    asking: Callers,
    books: Books,
    upstream: Upstream,
    seconds: float,
    *,
    forgetful: bool,
) -> Report:
    served = upstream.served()
    report.breaches += [f"caller: {complaint}" for complaint in asking.complaints]
    report.breaches += breaches(books, asking.calls, served, _DEPOSIT, forgetful=forgetful)
    kinds = Counter(breach.split(":")[0] for breach in report.breaches)
    keyed = [call for call in asking.calls if call.key]
    seen = [seen for call in asking.calls for seen in call.seen]
    repeats = sum(one.code == "0000" and one.receipt is None and bool(one.last_id) for one in seen)
    report.figures = {
        "kills": f"{killer.done}, {killer.in_start} of them while the node started",
        "seconds": f"{seconds:.0f}",
        "keys": ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(call.kind for call in keyed).items())),
        "answers seen": f"{len(seen)}, {repeats} of them repeats",
        "answers cut off": str(asking.cut),
        "calls on the books": f"{len(books.rows)}, {sum(row.state == 'closed' for row in books.rows)} closed by recovery",
        "the upstream served": f"{len(served)}, {unpaid_requests(books, served)} for processes that were killed",
        "jobs": f"{len(books.jobs)}, {sum(tries > 1 for _, tries in books.jobs.values())} begun again, "
        f"{sum(state == 'failed' for state, _ in books.jobs.values())} given up and paid back",
        **{
            kind: str(kinds[kind]) for kind in ("lost", "double", "hold", "audit", "money", "job", "upstream", "caller")
        },
    }
    return report
