"""`python -m tests.gateway.outages`: a PostgreSQL that goes away under load, and nodes that do, each in its full length.

Callers ask two nodes behind haproxy all the time, each until it is answered. Whatever happens, they hear refusals that
say when to come again, or wait; afterwards all is as before without a restart, each answered call is paid once, nothing
is held, and the upstream's own log agrees with the books.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

import psycopg

from tests.gateway.nodes import CLEAN, Load, Node, Nodes
from tests.postgresql import Cluster

CONNECTIONS: Final = 24
REFUSALS: Final = {CLEAN, "4008"}
"""What a caller may hear but an answer; 4008 while an earlier try of the same call is open."""

Outage = Callable[[Cluster, float], None]


def stopped(cluster: Cluster, seconds: float) -> None:
    cluster.stop()
    time.sleep(seconds)
    cluster.start()


def crashed(cluster: Cluster, seconds: float) -> None:
    cluster.stop("immediate")
    time.sleep(seconds)
    cluster.start()


def restarted(cluster: Cluster, seconds: float) -> None:
    cluster.restart()


def failed_over(cluster: Cluster, seconds: float) -> None:
    cluster.fail_over()


def hung(cluster: Cluster, seconds: float) -> None:
    cluster.pause()
    time.sleep(seconds)
    cluster.resume()


def out_of_connections(cluster: Cluster, seconds: float) -> None:
    """Others take all connections, also those that the nodes had."""
    end = time.monotonic() + seconds
    with ExitStack() as stack:
        taken: list[psycopg.Connection] = []
        while time.monotonic() < end:
            try:
                taken.append(psycopg.connect(cluster.address(), application_name="others", autocommit=True))
                stack.callback(taken[-1].close)
            except psycopg.OperationalError:
                taken[0].execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE backend_type = 'client backend' AND application_name <> 'others'"
                )
                time.sleep(0.005)


OUTAGES: Final[dict[str, Outage]] = {
    "stopped": stopped,
    "crashed": crashed,
    "restarted": restarted,
    "failed over": failed_over,
    "hung": hung,
    "out of connections": out_of_connections,
}


def store_outage(folder: Path, name: str, seconds: float, callers: int = 8) -> Load:
    """A PostgreSQL that has this outage, for so long, under two nodes with callers; what these heard."""
    with Cluster(max_connections=CONNECTIONS, superuser_reserved_connections=0) as cluster:
        address = cluster.address(cluster.new_database())
        with Nodes(folder, address, seconds=20, grace=1.0) as nodes:
            with Load([nodes.port], callers) as load:
                load.wait(50)
                OUTAGES[name](cluster, seconds)
                load.wait(50)
            nodes.serve_again()
            nodes.check(load.told.items())
        return load


NODES: Final[dict[str, tuple[Callable[[Node], None], Callable[[Node], None]]]] = {
    "killed": (Node.kill, Node.start),
    "SIGSTOPped": (Node.pause, Node.resume),
    "cut off": (Node.cut, Node.mend),
}


def node_outage(folder: Path, name: str, callers: int = 8) -> tuple[Load, float]:
    """One of two nodes has this outage until the other has closed its calls; what callers heard, and the seconds
    between the deadline of the last of its calls and its end."""
    leave, come_back = NODES[name]
    with Cluster() as cluster:
        address = cluster.address(cluster.new_database())
        with Nodes(folder, address, seconds=5, cuttable=True) as nodes:
            with Load([node.port for node in nodes.nodes], callers) as load:
                load.wait(50)
                before = nodes.last_call()
                leave(nodes.nodes[0])
                late = nodes.closed_since(before)
                with suppress(AssertionError):
                    load.wait(1)
                come_back(nodes.nodes[0])
                load.wait(50)
            nodes.serve_again()
            nodes.check(load.told.items())
        return load, late


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.gateway.outages", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--callers", type=int, default=16)
    options = parser.parse_args()
    print(f"{'PostgreSQL':20} {'answered':>8} {'longest':>8}  refused")
    for name in OUTAGES:
        with tempfile.TemporaryDirectory() as folder:
            load = store_outage(Path(folder), name, options.seconds, options.callers)
        print(f"{name:20} {len(load.told):8} {load.longest:7.1f}s  {load.refused()}", flush=True)


if __name__ == "__main__":
    main()
