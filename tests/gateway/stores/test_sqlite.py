"""What can happen to a file: no room, no rights, other programs, processes that are killed or stopped."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from envelope.gateway.stores import StoreUnavailable, open_store
from envelope.gateway.stores.sqlite.store import SqliteStore
from tests.gateway.stores.test_store import insert, names


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway.db"


def blob(size: int) -> Any:
    return lambda db: db.execute("INSERT INTO api (name, state) VALUES (:name, 'active')", name="x" * size)


def test_its_files_are_its_owners(path: Path) -> None:
    umask = os.umask(0)
    try:
        with open_store(path) as store:
            store.write_now(insert("a"))
            assert store.node
            files = [each for each in path.parent.rglob("*") if each.is_file()]
            assert {each.name for each in files} == {
                path.name,
                f"{path.name}-wal",
                f"{path.name}-shm",
                f"{path.name}-turn",
                store.node,
            }
            assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    finally:
        os.umask(umask)


def test_it_is_durable_by_its_settings(path: Path) -> None:
    with open_store(path) as store:
        pragmas = store.write_now(
            lambda db: [db.execute(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "foreign_keys")]
        )
    assert pragmas == ["wal", 2, 1]


def test_what_need_not_be_synced_waits_for_no_disk_and_is_there_for_all(path: Path) -> None:
    def level(db: Any) -> int:
        [(found,)] = db.execute("PRAGMA synchronous")
        return int(found)

    async def main(store: SqliteStore) -> list[int]:
        async def hasty(number: int) -> int:
            await store.write(insert(f"hasty {number}"), synced=False)
            assert f"hasty {number}" in names(store)
            return await store.write(level, synced=False)

        return list(await asyncio.gather(hasty(1), store.write(level), hasty(2), store.write(level)))

    with SqliteStore(path) as store:
        assert asyncio.run(main(store)) == [1, 2, 1, 2]
        with SqliteStore(path) as other:
            assert names(other) == ["hasty 1", "hasty 2"]
            assert other.write_now(level) == 2


HASTY = """
import asyncio, os, signal, sys
from envelope.gateway.stores import open_store
async def main():
    store = open_store(sys.argv[1])
    await store.write(lambda db: db.execute("INSERT INTO api VALUES ('a', 'active')"), synced=False)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


def test_what_was_not_synced_outlives_its_process(path: Path) -> None:
    assert subprocess.run([sys.executable, "-c", HASTY, str(path)]).returncode == -signal.SIGKILL
    with open_store(path) as store:
        assert names(store) == ["a"]


@pytest.mark.parametrize("content", [b"not a database, but long enough to be taken for one" * 20, b""])
def test_a_file_that_is_something_else(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    if content:
        with pytest.raises(StoreUnavailable, match="not a database"):
            open_store(path)
        assert path.read_bytes() == content
    else:  # a file that was just made is an empty one
        open_store(path).close()


@pytest.mark.parametrize("place", ["missing/gateway.db", "."])
def test_a_file_that_cannot_be_made(tmp_path: Path, place: str) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        open_store(tmp_path / place)


def test_no_room_within_a_transaction(path: Path) -> None:
    with SqliteStore(path) as store:
        store.write_now(insert("a"))
        pages = store.write_now(lambda db: db.execute("PRAGMA page_count"))[0][0]
        store.write_now(lambda db: db.execute(f"PRAGMA max_page_count = {pages}"))

        async def together() -> list[Any]:
            return await asyncio.gather(
                *(store.write(blob(size)) for size in (10, 100_000, 10)), return_exceptions=True
            )

        outcomes = asyncio.run(together())
        assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
        assert len({id(outcome) for outcome in outcomes}) == 3
        assert "full" in str(outcomes[0])
        assert names(store) == ["a"]
        store.write_now(insert("b"))  # on a new connection, which has no such bound
        assert names(store) == ["a", "b"]


def test_no_room_hidden_by_the_function(path: Path) -> None:
    """A transaction that goes on after the store failed is not taken for a success."""

    def hides(db: Any) -> str:
        with pytest.raises(StoreUnavailable):
            blob(100_000)(db)
        return "fine"

    with SqliteStore(path) as store:
        store.write_now(lambda db: db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count')[0][0]}"))
        with pytest.raises(StoreUnavailable):
            store.write_now(hides)


FULL = """
import resource, sys
from envelope.gateway.stores import StoreUnavailable, open_store
store = open_store(sys.argv[1])
insert = lambda name: lambda db: db.execute("INSERT INTO api VALUES (:name, 'active')", name=name)
store.write_now(insert("before"))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
failed = []
for number in range(30):
    try:
        store.write_now(insert(f"{number:02}" + "x" * 50_000))
    except StoreUnavailable as error:
        failed.append(number)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
store.write_now(insert("after"))
kept = {name[:2] for (name,) in store.read_now(lambda db: db.execute("SELECT name FROM api"))}
print(0 < len(failed) < 30, kept == {"be", "af", *(f"{number:02}" for number in range(30) if number not in failed)})
store.close()
"""


def test_no_room_on_the_disk(path: Path) -> None:
    """The system refuses to let files grow: what failed is not there, what was reported is, and it goes on when it can."""
    ran = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("True True\n", "", 0)


def test_a_file_that_another_program_locks(path: Path) -> None:
    with SqliteStore(path, timeout=0.2) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            store.write_now(insert("a"))
        assert names(store) == []  # readers do not mind
        other.execute("ROLLBACK")
        other.close()
        store.write_now(insert("b"))
        assert names(store) == ["b"]


def test_whoever_comes_late_waits_his_own_time_for_a_lock(path: Path) -> None:
    """The first gives up when its time is over; the second came shortly before, and still gets its turn."""
    with SqliteStore(path, timeout=1.0) as store, sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")

        async def main() -> list[Any]:
            first = asyncio.create_task(store.write(insert("early")))
            await asyncio.sleep(0.8)
            second = asyncio.create_task(store.write(insert("late")))
            await asyncio.wait([first])
            other.execute("ROLLBACK")
            return list(await asyncio.gather(first, second, return_exceptions=True))

        early, late = asyncio.run(main())
        assert type(early) is StoreUnavailable
        assert late == []
        assert names(store) == ["late"]
    other.close()


def test_a_turn_that_does_not_come(path: Path) -> None:
    """A process that was stopped while it had its turn: others give up in time, and nothing of theirs comes later."""
    busy, free = threading.Event(), threading.Event()

    def holds(db: Any) -> None:
        busy.set()
        free.wait()

    with SqliteStore(path) as first, SqliteStore(path, timeout=0.2) as second:
        holder = threading.Thread(target=first.write_now, args=(holds,))
        holder.start()
        busy.wait()

        async def write() -> None:
            await second.write(insert("task"))

        with pytest.raises(StoreUnavailable, match="locked for too long"):
            second.write_now(insert("thread"))
        with pytest.raises(StoreUnavailable, match="locked for too long"):
            asyncio.run(write())
        assert names(second) == []
        SqliteStore(path).close()  # an operator may look meanwhile
        free.set()
        holder.join()
        second.write_now(insert("later"))
        assert names(second) == ["later"]


ADD = """
import sys
from envelope.gateway.stores import open_store
from tests.gateway.stores.test_store import insert, names
with open_store(sys.argv[1]) as store:
    store.write_now(insert(sys.argv[2]))
    print(*names(store))
"""


def test_a_store_may_be_opened_again_beside_others_in_its_process(path: Path) -> None:
    """Whoever closes a file gives up all locks that its process has on it, of which SQLite's are some."""
    with open_store(path) as first:
        first.write_now(insert("a"))
        open_store(path).close()
        for other, before in (("b", "a"), ("d", "a b c")):
            added = subprocess.run(
                [sys.executable, "-c", ADD, str(path), other], capture_output=True, text=True, check=True
            )
            assert added.stdout.split() == [*before.split(), other]
            first.write_now(insert(chr(ord(other) + 1)))
    with open_store(path) as store:
        assert names(store) == ["a", "b", "c", "d", "e"]


def test_it_is_not_carried_across_a_fork(path: Path) -> None:
    with SqliteStore(path) as store:
        store.write_now(insert("a"))
        child = os.fork()
        if not child:
            try:
                store.write_now(insert("b"))
            except RuntimeError:
                store.close()  # leaves the parent's alone
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        store.write_now(insert("c"))
        assert names(store) == ["a", "c"]


WRITER = """
import sys
from envelope.gateway.stores import open_store
store = open_store(sys.argv[1])
print(store.node, flush=True)
for number in range(1_000_000):
    store.write_now(lambda db: db.execute("INSERT INTO api VALUES (:name, 'active')", name=f"{number:07}"))
    print(number, flush=True)
"""


def test_what_a_killed_process_reported_is_there(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        node = process.stdout.readline().strip()
        for _ in range(50):
            process.stdout.readline()
        with open_store(path) as store:
            assert not store.is_gone(node)
            process.send_signal(signal.SIGKILL)
            reported = process.stdout.read().splitlines()
            process.wait()
            assert store.is_gone(node)
            found = names(store)
            last = int(reported[-1]) if reported and reported[-1].isdigit() else 49
            assert found == [f"{number:07}" for number in range(len(found))]
            assert last < len(found) <= last + 2
            store.write_now(insert("x"))
            assert path.with_name(f"{path.name}-nodes").joinpath(node).exists()
            assert store.node
            assert not path.with_name(f"{path.name}-nodes").joinpath(node).exists()  # swept by the next to join


def test_no_descriptor_stays_open(path: Path) -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    open_store(path).close()
    before = count()
    for _ in range(3):
        with open_store(path) as store:
            store.write_now(insert(f"{store.node}"))
            assert names(store)
            store.read_now(lambda db: store.close())  # while somebody reads
    assert count() == before
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > before
