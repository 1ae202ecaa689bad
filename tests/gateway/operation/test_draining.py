"""SIGTERM: no call is taken any more, and every one that was is answered."""

from __future__ import annotations

import json
import os
import signal
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.gateway.child import Caller
from tests.gateway.operation.load import Load
from tests.gateway.operation.nodes import node, page
from tests.gateway.served import wait_until


@pytest.mark.parametrize("workers", [1, 2])
def test_a_drain_under_load_answers_every_call_that_was_taken(tmp_path: Path, workers: int) -> None:
    with node(tmp_path, workers=workers) as gateway:
        kept, new = Load(gateway.port, 6), Load(gateway.port, 6, keep=False)
        with kept.running(), new.running():
            kept.more()
            new.more()
            gateway.slow.seconds = 2.0  # from here on, calls take long
            asked = gateway.slow.asked
            wait_until(lambda: gateway.slow.asked >= asked + 6, 60)
            gateway.slow.seconds = 0.01
            gateway.send(signal.SIGTERM)
            assert gateway.ended() == 0
            wait_until(lambda: not (kept.is_on or new.is_on), 60)  # nobody can connect any more
        assert kept.failures == new.failures == []
        assert {*kept.codes, *new.codes} == {"0000"}
        assert len(kept.codes) + len(new.codes) == len(gateway.records())


@pytest.mark.parametrize("workers", [1, 2])
def test_whoever_is_connected_is_told_that_it_ends(tmp_path: Path, workers: int) -> None:
    with node(tmp_path, workers=workers, seconds=None) as gateway:
        connection, caller = HTTPConnection("127.0.0.1", gateway.port, timeout=60), Caller(gateway.port)
        caller.send()
        wait_until(lambda: gateway.slow.asked == 1)
        assert page(connection, "/ready").status == 200
        gateway.send(signal.SIGTERM)
        while (got := page(connection, "/ready")).status == 200:
            pass
        assert got.status == 503
        assert json.loads(got.body) == {"ready": False, "store": True, "upstreams": True, "draining": True}
        gateway.slow.released.set()
        assert caller.receive().error_code == "0000"
        assert gateway.ended() == 0
        connection.close()
        caller.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_signal_ends_it_at_once(tmp_path: Path, workers: int) -> None:
    with node(tmp_path, "--drain", "3600", workers=workers, seconds=None) as gateway:
        caller = Caller(gateway.port)
        caller.send()
        wait_until(lambda: gateway.slow.asked == 1)
        gateway.send(signal.SIGTERM)
        wait_until(lambda: not connects(gateway.port))
        gateway.send(signal.SIGINT)
        assert gateway.ended() in (-signal.SIGINT, 128 + signal.SIGINT)
        caller.close()


def connects(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=0.5)
    try:
        connection.connect()
    except OSError:
        return False
    finally:
        connection.close()
    return True


@pytest.mark.parametrize("workers", [1, 2])
def test_a_call_for_which_there_is_no_time_left_is_told_so(tmp_path: Path, workers: int) -> None:
    with node(tmp_path, "--drain", "2", workers=workers, seconds=None) as gateway:
        caller = Caller(gateway.port)
        caller.send()
        wait_until(lambda: gateway.slow.asked == 1)
        gateway.send(signal.SIGTERM)
        assert caller.receive().error_code == "4000"
        assert gateway.ended() == 0
        caller.close()


def test_a_worker_that_is_told_alone_ends_alone(tmp_path: Path) -> None:
    """Systemd, too, tells all processes at once: a worker's second signal is no second signal."""
    with node(tmp_path, workers=2) as gateway, Load(gateway.port, 4).running() as load:
        load.more()
        first = gateway.workers
        for _ in range(3):
            os.kill(first[0], signal.SIGTERM)
        gateway.heard("another is started")
        load.more()
        assert load.failures == []
        assert {*load.codes} == {"0000"}
        assert first[1] in gateway.workers


@pytest.mark.parametrize("drain", ["30", "1"])
def test_a_job_is_finished_or_begun_again(tmp_path: Path, drain: str) -> None:
    with node(tmp_path, "--drain", drain, seconds=None) as gateway:
        caller = Caller(gateway.port)
        job = caller.call("images/submit", _o_args='{"prompt":"x"}').response["imgid"]
        caller.close()
        wait_until(lambda: gateway.slow.asked == 1)
        gateway.send(signal.SIGTERM)
        if drain == "30":
            gateway.slow.released.set()
        assert gateway.ended() == 0
        [(state,)] = gateway.store.read_now(lambda db: db.execute("SELECT state FROM job"))
        if drain == "30":
            assert state == "done"
            return
        gateway.slow.released.set()
        with gateway.again() as port:
            caller = Caller(port)
            wait_until(
                lambda: caller.call("images/get", _o_args=f'{{"imgid":"{job}"}}').response["status"] == "done", 60
            )
            caller.close()
