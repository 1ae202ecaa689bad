"""`python -m tests.bench.stores`: the gateway's calls a second with its books in SQLite and in PostgreSQL.

Each with one worker and with two, in turns, as in `tests.bench.gateway`: nginx is the upstream, wrk calls with 32
connections, and both have the last processor, with PostgreSQL's server. One worker has the first; two have both, so that
they take turns with all the others. Every call is one caller's, whose row all of them change; what is settled is on the
disk before its answer is sent. At the end the books are audited.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from envelope.gateway.books import audit
from envelope.gateway.stores import open_store
from tests import postgresql
from tests.bench.gateway import (
    COMPLETION,
    NGINX,
    QUERY,
    SETTINGS,
    Rate,
    check_answer,
    free_ports,
    open_account,
    processors,
    rate_of,
    serving,
)

STORES = ("sqlite", "postgresql")
WORKERS = (1, 2)


def main() -> None:
    options = _arguments()
    if why := postgresql.missing():
        sys.exit(why)
    rates = measure(options.rounds, options.seconds)
    table = Table("store", "workers", "calls/s", "calls/s of its processor", "half within, ms", "99 % within, ms")
    for (store, workers), rate in rates.items():
        figures = (f"{rate.calls:.0f}", f"{rate.of_processor:.0f}", f"{rate.half:.2f}", f"{rate.most:.2f}")
        table.add_row(store, str(workers), *figures)
    Console(highlight=False).print(table)


def measure(rounds: int, seconds: int) -> dict[tuple[str, int], Rate]:
    """The best of several rounds for each, in which they take turns."""
    best: dict[tuple[str, int], Rate] = {}
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        [port] = free_ports(1)
        answer = json.dumps(COMPLETION, separators=(",", ":"))
        (root / "nginx.conf").write_text(NGINX.format(folder=root, port=port, answer=answer))
        last = processors()[1]
        stack.enter_context(serving(["nginx", "-c", str(root / "nginx.conf")], port, root, {}, cpu=last))
        cluster = stack.enter_context(postgresql.Cluster(fsync="on", full_page_writes="on", synchronous_commit="on"))
        os.sched_setaffinity(cluster.process, {int(last)})  # what it starts from here on runs there, too
        addresses: dict[str, str] = {}
        targets: dict[tuple[str, int], tuple[str, int]] = {}
        for store in STORES:
            folder = root / store
            folder.mkdir()
            addresses[store] = str(folder / "gateway.db") if store == "sqlite" else cluster.address()
            open_account(folder, addresses[store])
            (folder / "gateway.toml").write_text(f'store = "{addresses[store]}"\n{SETTINGS.format(port=port)}')
            for workers in WORKERS:
                [own] = free_ports(1)
                command = [sys.executable, "-m", "envelope", "gateway", "serve", "--port", str(own)]
                command += ["--workers", str(workers)]
                cpus = processors()[0] if workers == 1 else ",".join(processors())
                process = stack.enter_context(serving(command, own, folder, {}, cpu=cpus))
                targets[store, workers] = f"http://127.0.0.1:{own}/openai/custom/?{QUERY}&cache=no", process
                check_answer(targets[store, workers][0], store)
        for _ in range(rounds):
            for key, (url, process) in targets.items():
                rate = rate_of(url, seconds, root, process)
                if key not in best or rate.calls > best[key].calls:
                    best[key] = rate
        for address in addresses.values():
            with open_store(address) as books:
                if breaches := books.read_now(audit):
                    raise RuntimeError(str(breaches[0]))
    return best


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.stores", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds; the best counts (default 5)")
    parser.add_argument("--seconds", type=int, default=5, help="of each in a round (default 5)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
