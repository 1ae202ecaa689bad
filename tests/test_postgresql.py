"""The clusters that tests start: each does what its name says, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from tests import postgresql
from tests.postgresql import Cluster

psycopg: Any = pytest.importorskip("psycopg")

pytestmark = pytest.mark.postgresql

ROOT = Path(__file__).parents[1]
LEFT = """
import sys
from tests.postgresql import Cluster
with Cluster() as cluster:
    print(cluster.process, cluster._folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(max_connections=17) as made:
        yield made


def lives(process: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_database_is_a_copy_of_its_template(cluster: Cluster) -> None:
    template = cluster.new_database()
    cluster.execute("CREATE TABLE t AS SELECT 5 AS n", template)
    copy = cluster.new_database(template)
    assert cluster.execute("SELECT n FROM t", copy) == [(5,)]
    for name in (copy, template):
        cluster.drop_database(name)
    assert cluster.execute("SELECT datname FROM pg_database WHERE datname LIKE 'd%'") == []


def test_settings_are_the_servers(cluster: Cluster) -> None:
    assert cluster.execute("SHOW max_connections") == [("17",)]
    assert cluster.execute("SHOW server_encoding") == [("UTF8",)]


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_hangs_up_and_keeps_what_was_committed(cluster: Cluster, mode: str) -> None:
    cluster.execute(f"CREATE TABLE {mode} (n int)")
    with closing(psycopg.connect(cluster.address())) as connection:
        cluster.restart(mode)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert cluster.execute(f"SELECT * FROM {mode}") == []


def test_a_stopped_server_takes_no_connections(cluster: Cluster) -> None:
    cluster.stop()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        cluster.execute("SELECT 1")
    cluster.start()
    assert cluster.execute("SELECT 1") == [(1,)]


def test_another_server_at_the_address_has_what_was_committed(cluster: Cluster) -> None:
    cluster.execute("CREATE TABLE kept AS SELECT 7 AS n")
    before = cluster.process
    with closing(psycopg.connect(cluster.address())):
        cluster.fail_over()
    assert cluster.process != before
    assert cluster.execute("SELECT n FROM kept") == [(7,)]


def test_a_paused_server_answers_later(cluster: Cluster) -> None:
    with closing(psycopg.connect(cluster.address(), autocommit=True)) as connection:
        cluster.pause()
        with pytest.raises(psycopg.errors.ConnectionTimeout):
            psycopg.connect(cluster.address(), connect_timeout=2)  # which is the least that libpq has
        cluster.resume()
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


@pytest.mark.parametrize("state", ["runs", "paused", "stopped"])
def test_nothing_is_left(state: str) -> None:
    with Cluster() as cluster:
        folder, process = cluster._folder, cluster.process
        if state == "paused":
            cluster.pause()
        elif state == "stopped":
            cluster.stop()
    assert not folder.exists()
    assert not lives(process)


def test_nothing_is_left_of_a_process_that_is_killed() -> None:
    child = subprocess.Popen([sys.executable, "-c", LEFT], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    process, folder = child.stdout.readline().decode().split()
    assert lives(int(process))
    child.kill()
    child.communicate()
    end = time.monotonic() + 20
    while Path(folder).exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    assert not lives(int(process))


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert postgresql.missing() == ""
    monkeypatch.setattr(postgresql, "_binaries", lambda: None)
    assert "apt-get install postgresql" in postgresql.missing()


def test_two_clusters_do_not_meet(cluster: Cluster) -> None:
    with Cluster() as other:
        assert other.port != cluster.port
        assert other.execute("SELECT 1") == [(1,)]
        os.kill(other.process, signal.SIGINT)  # as Ctrl-C would; this one alone ends
        assert cluster.execute("SELECT 1") == [(1,)]
