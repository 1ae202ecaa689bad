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
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import psycopg

from tests.gateway.nodes import CLEAN, Load, Node, Nodes, call
from tests.postgresql import Cluster

CONNECTIONS: Final = 24
CRASHES: Final = {"crashed", "failed over"}
"""What a server does not survive that lost what it had not synced: admissions, whose calls then end with 4017."""

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


def refusals(name: str) -> set[str]:
    """What a caller may hear but an answer; 4008 while an earlier try of the same call is open.

    A node that gets no connection for longer than the others is taken for dead: its calls are closed, and 4017 for
    their callers, who pay nothing.
    """
    return {CLEAN, "4008", *(["4017"] if name in {*CRASHES, "out of connections"} else [])}


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
            nodes.check(load.told.items(), lost=callers if name in CRASHES else 0)
        return load


NODES: Final[dict[str, tuple[Callable[[Node], None], Callable[[Node], None]]]] = {
    "killed": (Node.kill, Node.start),
    "SIGSTOPped": (Node.pause, Node.resume),
    "cut off": (Node.cut, Node.mend),
}


def node_outage(folder: Path, name: str, callers: int) -> tuple[Load, str, float]:
    """One of two nodes on PostgreSQL has this outage amid a call, until the other has closed that, with the minute that
    it has: what callers heard, what the call's own did, and the seconds from its deadline to its end."""
    leave, come_back = NODES[name]
    with (
        Cluster() as cluster,
        Nodes(folder, cluster.address(cluster.new_database()), seconds=5, cuttable=True) as nodes,
        ThreadPoolExecutor(1) as pool,
    ):
        with Load([nodes.port], callers) as load:
            load.wait(50)
            late = nodes.begin("late", pool)
            number = nodes.number_of("late")
            leave(nodes.nodes[0])
            nodes.upstream.release()
            seconds = nodes.closed_after(number)
            come_back(nodes.nodes[0])
            load.wait(50)
        again = call(nodes.port, "late", "late")
        nodes.serve_again()
        nodes.check([*load.told.items(), ("late", again.last_id)])
        return load, late.result().what, seconds


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.gateway.outages", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="how long PostgreSQL is away")
    parser.add_argument("--callers", type=int, default=16)
    options = parser.parse_args()
    print(f"{'PostgreSQL is':18}  answered  longest  refused")
    for name in OUTAGES:
        with tempfile.TemporaryDirectory() as folder:
            load = store_outage(Path(folder), name, options.seconds, options.callers)
        print(f"{name:18}  {len(load.told):8}  {load.longest:5.1f} s  {load.refused()}", flush=True)
    print(f"\n{'a node is':18}  answered  longest  its call ended   its caller heard  refused")
    for name in NODES:
        with tempfile.TemporaryDirectory() as folder:
            load, heard, seconds = node_outage(Path(folder), name, options.callers)
        print(
            f"{name:18}  {len(load.told):8}  {load.longest:5.1f} s  deadline {seconds:+5.1f} s  {heard:16}  {load.refused()}",
            flush=True,
        )


if __name__ == "__main__":
    main()
