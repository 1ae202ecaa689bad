"""What is PostgreSQL's own: a server that goes away, comes back, does not answer, or has no room."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from typing import Any

import psycopg
import pytest

from envelope.gateway.stores import Conflict, StoreError, StoreUnavailable, StoreUncertain, open_store
from envelope.gateway.stores.postgresql import connecting, nodes, workers
from envelope.gateway.stores.postgresql.session import Session
from envelope.gateway.stores.postgresql.store import PostgresStore
from tests import postgresql
from tests.gateway.kinds import Clock, Postgresql
from tests.gateway.served import wait_until
from tests.gateway.stores.test_store import insert, names

if why := postgresql.missing():
    pytest.skip(why, allow_module_level=True)


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgresql.Cluster]:
    """A server that a test may stop."""
    with postgresql.Cluster(max_connections=20, superuser_reserved_connections=1, log_connections="on") as started:
        yield started


@pytest.fixture
def address(cluster: postgresql.Cluster) -> Iterator[str]:
    name = cluster.new_database()
    yield cluster.address(name)
    cluster.drop_database(name)


@pytest.fixture
def store(address: str) -> Iterator[PostgresStore]:
    with PostgresStore(address, grace=0) as opened:
        yield opened


def test_a_restart_is_not_noticed(store: PostgresStore, cluster: postgresql.Cluster) -> None:
    store.write_now(insert("a"))
    assert names(store) == ["a"]
    for mode in ("fast", "immediate"):
        cluster.restart(mode)
        store.write_now(insert(mode))
        assert names(store) == sorted(["a", "fast", mode][: 2 if mode == "fast" else 3])


def test_a_server_that_is_away_is_waited_for(store: PostgresStore, cluster: postgresql.Cluster) -> None:
    cluster.stop()
    writer = threading.Thread(target=store.write_now, args=(insert("a"),))
    writer.start()
    try:
        with pytest.raises(StoreUnavailable, match="reached"):
            store.read_now(lambda db: db.now)
        time.sleep(0.1)
    finally:
        cluster.start()
    writer.join()
    assert names(store) == ["a"]


def test_a_server_that_stays_away_is_told_in_time(address: str, cluster: postgresql.Cluster) -> None:
    with PostgresStore(address, timeout=0.3) as store:
        store.write_now(insert("a"))
        cluster.stop()
        try:
            with pytest.raises(StoreUnavailable, match="reached"):
                store.write_now(insert("b"))

            async def both() -> list[Any]:
                asked = (store.write(insert("c")), store.read(lambda db: db.now))
                return list(await asyncio.gather(*asked, return_exceptions=True))

            assert [type(error) for error in asyncio.run(both())] == [StoreUnavailable, StoreUnavailable]
        finally:
            cluster.start()
        store.write_now(insert("d"))
        assert names(store) == ["a", "d"]


def test_a_server_that_does_not_answer_is_given_up(address: str, cluster: postgresql.Cluster) -> None:
    with PostgresStore(address, timeout=0.3) as store:
        store.write_now(insert("a"))
        cluster.pause()
        try:
            for place in range(6):  # more than there are connections
                with pytest.raises(StoreUnavailable):
                    store.write_now(insert(f"lost {place}"))
        finally:
            cluster.resume()
        store.write_now(insert("b"))
        assert {"a", "b"} <= {*names(store)}


def test_out_of_connections(address: str, cluster: postgresql.Cluster) -> None:
    with PostgresStore(address, timeout=0.3) as store, ExitStack() as taken:
        with suppress(psycopg.OperationalError):
            while True:
                taken.enter_context(closing(psycopg.connect(cluster.address())))
        with pytest.raises(StoreUnavailable, match="too many clients"):
            store.write_now(insert("a"))
        with pytest.raises(StoreUnavailable, match="too many clients"):
            PostgresStore(address)
        taken.close()
        wait_until(lambda: can_write(store))
        assert names(store) == []


def can_write(store: PostgresStore) -> bool:
    try:
        store.write_now(lambda db: None)
    except StoreUnavailable:
        return False
    return True


class Cut:
    """Commits, and hangs up before the server's answer is read, or before it is asked."""

    def __init__(self, patch: pytest.MonkeyPatch, *, is_sent: bool) -> None:
        run = Session.run
        self.times = 0

        def wrapped(session: Any, sql: str) -> Any:
            if sql == "COMMIT" and self.times == 0:
                self.times += 1
                if is_sent:
                    run(session, sql)
                session.cut()
            return run(session, sql)

        patch.setattr(Session, "run", wrapped)


@pytest.mark.parametrize("is_sent", [True, False])
def test_a_commit_whose_answer_is_lost_is_looked_up(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch, *, is_sent: bool
) -> None:
    ran = []
    cut = Cut(monkeypatch, is_sent=is_sent)

    def steps(db: Any) -> str:
        ran.append(1)
        insert("a")(db)
        return "done"

    assert store.write_now(steps) == "done"
    assert cut.times == 1
    assert names(store) == ["a"]
    assert len(ran) == (1 if is_sent else 2)


def test_after_a_crash_nobody_knows(
    store: PostgresStore, cluster: postgresql.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of a transaction that had not reached the disk is given again, so its state says nothing."""
    run = Session.run
    crashes = iter([True])

    def crashing(session: Any, sql: str) -> Any:
        if sql == "COMMIT" and next(crashes, False):
            cluster.restart("immediate")
        return run(session, sql)

    monkeypatch.setattr(Session, "run", crashing)
    with pytest.raises(StoreUncertain):
        store.write_now(insert("a"))
    assert names(store) == []
    store.write_now(insert("b"))
    assert names(store) == ["b"]


def test_others_in_the_way_are_waited_for(store: PostgresStore) -> None:
    """Two transactions that lock two rows in different orders: one of them is run again."""
    store.write_now(lambda db: [insert(name)(db) for name in "ab"])
    met = threading.Barrier(2, timeout=20)
    ran: list[str] = []

    def touch(*order: str) -> Any:
        def steps(db: Any) -> None:
            ran.append("".join(order))
            for place, name in enumerate(order):
                db.execute("UPDATE api SET state = state WHERE name = :name", name=name)
                if place == 0 and len(ran) <= 2:
                    met.wait()

        return steps

    threads = [threading.Thread(target=store.write_now, args=(touch(*order),)) for order in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted({*ran}) == ["ab", "ba"]
    assert len(ran) >= 3  # more if one was silent amid it for too long, on a busy machine


def test_a_row_that_is_locked_for_too_long(address: str) -> None:
    with PostgresStore(address, timeout=0.3) as store, PostgresStore(address) as other:
        store.write_now(insert("a"))
        locked, free = threading.Event(), threading.Event()

        def holds(db: Any) -> None:
            db.execute("UPDATE api SET state = state")
            locked.set()
            free.wait()

        holder = threading.Thread(target=other.write_now, args=(holds,))
        holder.start()
        locked.wait()
        with pytest.raises(StoreUnavailable):
            store.write_now(lambda db: db.execute("UPDATE api SET state = state"))
        assert names(store) == ["a"]  # whoever reads does not wait
        free.set()
        holder.join()


@pytest.fixture
def hurried(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresStore]:
    """A store whose server soon ends who falls silent amid a transaction."""
    monkeypatch.setattr(connecting, "_WRITER", "-c idle_in_transaction_session_timeout=100")
    with PostgresStore(address, grace=0) as opened:
        yield opened


def test_who_falls_silent_amid_a_transaction_begins_it_anew(hurried: PostgresStore) -> None:
    """As a process does that is stopped, and goes on."""
    begun: list[int] = []

    def falls_silent(db: Any) -> None:
        begun.append(db.now)
        insert("a")(db)
        if len(begun) == 1:
            time.sleep(1)
        insert("b")(db)

    hurried.write_now(falls_silent)
    assert names(hurried) == ["a", "b"]
    assert len(begun) == 2


def test_what_takes_long_may_fall_silent(hurried: PostgresStore) -> None:
    """As a copy does, while what it copies is counted."""
    begun: list[int] = []

    def takes_long(db: Any) -> None:
        begun.append(db.now)
        insert("a")(db)
        time.sleep(1)

    hurried.write_now(takes_long, is_long=True)
    assert names(hurried) == ["a"]
    assert len(begun) == 1


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800"])
def test_a_text_that_no_row_can_have(store: PostgresStore, text: str) -> None:
    with pytest.raises(Conflict):
        store.write_now(insert(text))
    with pytest.raises(Conflict):
        store.read_now(lambda db: db.execute("SELECT 1 FROM api WHERE name = :name", name=text))
    assert names(store) == []


def test_values_come_back_as_they_went(store: PostgresStore) -> None:
    sql = "SELECT CAST(:a AS bigint), CAST(:b AS bytea), CAST(:c AS text), CAST(:d AS boolean), CAST(:e AS integer)"
    for a, b, c, d, e in [
        (2**63 - 1, bytes(range(256)), "é'\\%:x $1", True, -(2**31)),
        (None,) * 5,
        (0, b"", "", False, 0),
    ]:
        assert store.read_now(lambda db, v=(a, b, c, d, e): db.execute(sql, **dict(zip("abcde", v, strict=True)))) == [  # type: ignore[misc]
            (a, b, c, d, e)
        ]


def test_many_different_statements(store: PostgresStore) -> None:
    for number in range(600):
        assert store.write_now(lambda db, n=number: db.execute(f"SELECT {n} + :n", n=n)) == [(2 * number,)]  # type: ignore[misc]


NODE = "import sys, time; from envelope.gateway.stores import open_store; store = open_store(sys.argv[1]); print(store.node, flush=True); time.sleep(60)"


def test_a_process_that_is_killed_is_gone_and_one_that_is_stopped_is_not(store: PostgresStore, address: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", NODE, address], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    node = process.stdout.readline().strip()
    os.kill(process.pid, signal.SIGSTOP)
    assert not store.is_gone(node)
    process.kill()
    process.communicate()
    wait_until(lambda: store.is_gone(node))


def test_a_node_is_not_gone_because_the_server_was(address: str, cluster: postgresql.Cluster) -> None:
    with PostgresStore(address, grace=2) as one, PostgresStore(address, grace=2) as other:
        gone = one.node
        assert not other.is_gone(gone)
        assert other.node != gone
        cluster.restart("immediate")
        end = time.monotonic() + 4
        while time.monotonic() < end:
            assert not other.is_gone(gone)
            time.sleep(0.05)
        one.close()
        wait_until(lambda: other.is_gone(gone))


def test_a_server_that_does_not_answer_stops_nobody_who_knows_his_name(
    address: str, cluster: postgresql.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway's event loop asks for it at each call, and whoever closes the store does not wait for the server."""
    monkeypatch.setattr(nodes, "_LOOK", 0.01)
    with PostgresStore(address, timeout=1) as store:
        name = store.node
        cluster.pause()
        try:
            wait_until(store._nodes._lock.locked)  # the look whether the session still is
            time.sleep(0.2)
            found: list[str] = []
            asking = threading.Thread(target=lambda: found.append(store.node), daemon=True)
            asking.start()
            asking.join(20)
            assert found == [name]
            closing = threading.Thread(target=store.close, daemon=True)
            closing.start()
            closing.join(20)
            assert not closing.is_alive()
        finally:
            cluster.resume()


def test_threads_end_when_there_is_no_work(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_IDLE", 0.05)
    with PostgresStore(address) as store:
        store.write_now(insert("a"))
        wait_until(lambda: not vars(store._writer)["_threads"])
        store.write_now(insert("b"))
        assert names(store) == ["a", "b"]


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://host:port/",
        "postgresql://host:99999/",
        "postgresql://u:s3cret@[::1/x",
        "postgres://?x=1",
        "postgresql://u:p@s3cret@host/x",
        "postgresql://u:p/s3cret@host/x",
        "postgresql://u:s3cret/p@host/x",
        "postgresql://u:p s3cret@host/x",
        "postgresql://u:100%s3cret@host/x",
    ],
)
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(StoreError, match=r"not the address .* written as %40") as caught:
        open_store(address)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://u:s3cret@127.0.0.1:9,127.0.0.1:10/x", 'connection to server at "127.0.0.1", port 10'),
        ("postgresql://u:s3cret@127.0.0.1,127.0.0.1:9/x", "connection to server"),
        ("postgresql:///x?host=/nowhere", "connection to server on socket"),
        ("postgresql://u:s3cret@nobody.invalid/x", "failed to resolve host 'nobody.invalid'"),
    ],
)
def test_why_a_server_cannot_be_reached(address: str, told: str) -> None:
    with pytest.raises(StoreUnavailable, match=f"^the store cannot be reached: {told}") as caught:
        open_store(address)
    assert "s3cret" not in str(caught.value)


@pytest.fixture
def limited(cluster: postgresql.Cluster, address: str) -> Iterator[str]:
    """The address of the same database for a user who is not its owner."""
    open_store(address).close()
    name = address.rpartition("/")[2]
    cluster.execute("CREATE ROLE limited LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO limited", name)
    yield address.replace("postgres@", "limited@")
    cluster.execute("DROP OWNED BY limited; DROP ROLE limited", name)


@pytest.mark.parametrize("function", ["pg_logical_emit_message(boolean, text, text)", "pg_advisory_lock(bigint)"])
def test_a_user_who_may_not_call_what_is_needed(cluster: postgresql.Cluster, limited: str, function: str) -> None:
    name = limited.rpartition("/")[2]
    cluster.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM public", name)
    with pytest.raises(StoreError, match=function.partition("(")[0]):
        open_store(limited)


def test_a_user_who_may_not_write(cluster: postgresql.Cluster, limited: str) -> None:
    cluster.execute("REVOKE INSERT ON api FROM limited", limited.rpartition("/")[2])
    with open_store(limited) as store:
        with pytest.raises(StoreUnavailable, match="permission denied for table api"):
            store.write_now(insert("a"))
        assert names(store) == []


def test_a_pooler_is_no_server(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It tells its clients numbers of its own, and may give a session's locks to others."""
    monkeypatch.setattr(psycopg.ConnectionInfo, "backend_pid", 1)
    with pytest.raises(StoreError, match="pooler"):
        open_store(address)


def test_a_server_that_takes_no_writes_is_not_asked_all_the_time(address: str, cluster: postgresql.Cluster) -> None:
    """As a standby is, after a failover to it that was not one."""
    with PostgresStore(address, timeout=1) as store:
        store.write_now(insert("a"))
        name = address.rpartition("/")[2]
        cluster.execute(f"ALTER DATABASE {name} SET default_transaction_read_only TO on")
        cluster.restart()
        before = len(re.findall("connection authorized", cluster.log()))
        with pytest.raises(StoreUnavailable, match="cannot be written"):
            store.write_now(insert("b"))
        assert len(re.findall("connection authorized", cluster.log())) - before < 20
        assert names(store) == ["a"]
        cluster.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        wait_until(lambda: can_write(store))


def test_nobody_there() -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached") as caught:
        open_store("postgresql://u:s3cret@127.0.0.1:9/x")
    assert "s3cret" not in str(caught.value)


def test_the_time_is_the_servers(store: PostgresStore) -> None:
    assert abs(store.read_now(lambda db: db.now) - time.time_ns() // 1000) < 5_000_000


def test_a_newer_store_is_left_alone(tmp_path: Any, clock: Clock) -> None:
    kind = Postgresql(tmp_path)
    with kind.open(clock) as store:
        store.write_now(lambda db: db.execute("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer"):
        kind.open(clock)
