"""Two nodes behind a proxy, one of which is killed, stopped, or cut off in the middle of load."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import haproxy
from tests.gateway.kinds import Kind
from tests.gateway.nodes import Client, Heard, Load, Nodes

pytestmark = pytest.mark.skipif(bool(haproxy.missing()), reason=haproxy.missing())

SECONDS, GRACE = 1.0, 1.0


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


def begun(nodes: Nodes, pool: ThreadPoolExecutor) -> Future[Heard]:
    """A call to the first node that its upstream holds back."""
    nodes.upstream.hold("late")
    client = Client(nodes.nodes[0].port)
    heard = pool.submit(client.call, "late", "late")
    while not nodes.upstream.asked["late"]:
        threading.Event().wait(0.005)
    return heard


def test_a_node_that_is_killed(kind: Kind, tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    """Its calls are closed by the other, and who repeats one gets it from there, and pays once."""
    with Nodes(tmp_path, kind.address, grace=GRACE) as nodes:
        with Load([nodes.port], 6) as load:
            load.wait(30)
            lost = begun(nodes, pool)
            nodes.nodes[0].kill()
            assert lost.result().what.startswith("hung up")
            nodes.upstream.release()
            load.wait(60)
            nodes.nodes[0].start()
            load.wait(60)
        again = Client(nodes.port).call("late", "late")
        nodes.check([*load.told.items(), ("late", again.last_id)])
