"""Two nodes behind a proxy, one of which is killed, stopped, or cut off in the middle of load.

The other closes its calls: at once if its process is gone, else when they are overdue, here a second past their deadline
instead of a minute. `python -m tests.gateway.outages` does the same with the minute.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.gateway.kinds import Kind, Postgresql
from tests.gateway.nodes import CLEAN, Load, Nodes, call, requires_proxy

pytestmark = requires_proxy

# A call must be on its way, and its node away, before its time is over, however busy the machine is.
SECONDS, GRACE = 6.0, 1.0


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


def test_a_node_that_is_killed(kind: Kind, tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    """Its calls are closed by the other, and who repeats one gets it from there, and pays once."""
    with Nodes(tmp_path, kind.address, grace=GRACE) as nodes:
        with Load([nodes.port], 6) as load:
            load.wait(30)
            lost = nodes.begin("lost", pool)
            nodes.nodes[0].kill()
            assert lost.result().what.startswith("hung up")
            nodes.upstream.release()
            load.wait(60)
            nodes.nodes[0].start()
            load.wait(60)
        again = call(nodes.port, "lost", "lost")
        nodes.check([*load.told.items(), ("lost", again.last_id)])


def test_a_node_that_is_stopped_and_goes_on_late(kind: Kind, tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    """Its call was closed by the other, and paid by nobody; its caller hears that, and pays once who repeats it."""
    with Nodes(tmp_path, kind.address, seconds=SECONDS, grace=GRACE) as nodes:
        late = nodes.begin("late", pool)
        number = nodes.number_of("late")
        # Now, as SQLite has one writer: a process that is stopped while it writes is in the way of all.
        nodes.nodes[0].pause()
        nodes.upstream.release()
        with Load([nodes.nodes[1].port], 6) as load:
            assert nodes.closed_after(number) < 60
            load.wait(20)
            nodes.nodes[0].resume()
            heard = late.result()
            assert (heard.what, heard.last_id) == ("4017", number)
            load.wait(20)
        again = call(nodes.port, "late", "late")
        nodes.check([*load.told.items(), ("late", again.last_id)])
        nodes.serve_again()


@pytest.mark.postgresql
def test_a_node_that_is_stopped_in_the_middle_of_load(tmp_path: Path) -> None:
    with Postgresql(tmp_path) as kind, Nodes(tmp_path, kind.address, seconds=5, grace=GRACE) as nodes:
        with Load([nodes.port], 8) as load:
            load.wait(30)
            nodes.nodes[0].pause()
            time.sleep(3)
            nodes.nodes[0].resume()
            load.wait(60)
        nodes.check(load.told.items())
        nodes.serve_again()


@pytest.mark.postgresql
def test_a_node_that_is_cut_off_from_its_store(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    with (
        Postgresql(tmp_path) as kind,
        Nodes(tmp_path, kind.address, seconds=SECONDS, grace=GRACE, cuttable=True) as nodes,
    ):
        with Load([nodes.port], 6) as load:
            load.wait(30)
            late = nodes.begin("late", pool)
            number = nodes.number_of("late")
            nodes.nodes[0].cut()
            nodes.upstream.release()  # in time, but it cannot be settled
            assert nodes.closed_after(number) < 60
            load.wait(20)
            nodes.nodes[0].mend()
            heard = late.result()
            # The second, if it was cut off for longer than it waits for the store.
            assert (heard.what, heard.last_id) in [("4017", number), (CLEAN, "")]
            load.wait(20)
        again = call(nodes.port, "late", "late")
        nodes.check([*load.told.items(), ("late", again.last_id)])
        nodes.serve_again()
