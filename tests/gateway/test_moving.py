"""Books that are moved or saved are whole and right, or there are none."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

for package in ("alembic", "sqlalchemy"):
    pytest.importorskip(package)

from envelope.gateway.books import deposit, settle  # noqa: E402
from envelope.gateway.moving import back_up, move  # noqa: E402
from envelope.gateway.stores import Store, StoreError, open_store  # noqa: E402
from envelope.gateway.stores.copying import figures_of  # noqa: E402
from envelope.registry import REGISTRY  # noqa: E402
from tests.gateway.kinds import Clock, Kind  # noqa: E402
from tests.gateway.ledger import admitted, breaches, failure, new_account, settled, settlement  # noqa: E402
from tests.gateway.stores.test_copying import rows_of  # noqa: E402


def quiet(done: int, rows: int) -> None:
    pass


@pytest.fixture
def books(store: Store) -> Store:
    """Books with something in them, and right."""
    account = new_account(store)
    for _ in range(300):
        settled(store, admitted(store, account, hold=3), 1)
    admitted(store, account)
    return store


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "target.db") as opened:
        yield opened


def test_books_are_moved(books: Store, target: Store) -> None:
    rows = rows_of(books)
    figures = move(books, target, registry=REGISTRY, told=quiet)
    assert rows_of(target) == rows == rows_of(books)
    assert (figures["call"], figures["entry"]) == (301, 301)


def test_not_while_somebody_uses_them(books: Store, target: Store, kind: Kind, clock: Clock) -> None:
    with kind.open(clock) as other:
        assert books.others() == []
        assert other.node
        assert books.others() == [other.node]
        assert other.others() == []
        with pytest.raises(StoreError, match="end the gateway first"):
            move(books, target, registry=REGISTRY, told=quiet)
    assert books.others() == []
    move(books, target, registry=REGISTRY, told=quiet)


@pytest.mark.parametrize("what", ["a write", "a gateway"])
def test_nor_if_somebody_comes_meanwhile(books: Store, target: Store, kind: Kind, clock: Clock, what: str) -> None:
    with kind.open(clock) as other:

        def disturb(done: int, rows: int) -> None:
            if what == "a gateway":
                assert other.node
            elif done == rows:
                other.write_now(lambda db: deposit(db, 1, 5))

        with pytest.raises(StoreError, match=r"changed while|end the gateway first"):
            move(books, target, registry=REGISTRY, told=disturb)
    assert not any(target.read_now(figures_of).values())


def test_nor_if_they_break_a_rule(books: Store, target: Store) -> None:
    books.write_now(lambda db: db.execute("UPDATE account SET balance = balance + 1"))
    with pytest.raises(StoreError, match="break their rules"):
        move(books, target, registry=REGISTRY, told=quiet)
    assert not any(target.read_now(figures_of).values())


def test_books_are_saved_and_given_back(books: Store, target: Store, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    _, found = back_up(books, file, registry=REGISTRY, told=quiet)
    assert found == []
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if "copy.db" in path.name] == ["copy.db"]
    with open_store(file) as copy:
        assert rows_of(copy) == rows_of(books)
        move(copy, target, registry=REGISTRY, told=quiet)
    assert rows_of(target) == rows_of(books)


def test_what_is_there_is_not_replaced(books: Store, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    file.write_text("mine")
    with pytest.raises(FileExistsError):
        back_up(books, file, registry=REGISTRY, told=quiet)
    file.unlink()

    def somebody_else(done: int, rows: int) -> None:
        file.write_text("mine")

    with pytest.raises(FileExistsError):
        back_up(books, file, registry=REGISTRY, told=somebody_else)
    assert file.read_text() == "mine"
    with pytest.raises(OSError, match="No such file"):
        back_up(books, tmp_path / "none" / "copy.db", registry=REGISTRY, told=quiet)


def test_broken_books_are_saved_and_said_to_be(books: Store, tmp_path: Path) -> None:
    books.write_now(lambda db: db.execute("UPDATE account SET balance = balance + 1"))
    _, found = back_up(books, tmp_path / "copy.db", registry=REGISTRY, told=quiet)
    assert [breach.invariant for breach in found] == ["balance"]


def one_call(books: Store) -> int:
    call = admitted(books, 1)
    books.write_now(lambda db: settle(db, settlement(call) if call % 3 else failure(call)))
    return call


def test_books_that_are_written_all_the_time(books: Store, tmp_path: Path) -> None:
    """The copy is of one moment: its own audit finds nothing."""
    stopped = threading.Event()
    made: list[int] = []

    def call() -> None:
        while not stopped.is_set():
            books.write_now(lambda db: deposit(db, 1, 1000))
            made.append(one_call(books))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        copies = []
        for number in range(3):
            before = len(made)
            figures, found = back_up(books, tmp_path / f"{number}.db", registry=REGISTRY, told=quiet)
            assert found == []
            assert figures["call"] >= 301 + before
            copies.append(figures["call"])
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    assert sorted(copies) == copies
    assert breaches(books) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from envelope.gateway.moving import back_up, move
from envelope.gateway.stores import open_store
from envelope.registry import REGISTRY

def told(done, rows):
    if done > rows / 2:
        os.kill(os.getpid(), signal.SIGKILL)

what, source, target = sys.argv[1:]
with open_store(source) as store:
    if what == "backup":
        back_up(store, Path(target), registry=REGISTRY, told=told)
    with open_store(target) as other:
        move(store, other, registry=REGISTRY, told=told)
"""


@pytest.mark.parametrize("what", ["move", "backup"])
def test_a_kill_in_the_middle_leaves_nothing(books: Store, kind: Kind, tmp_path: Path, what: str) -> None:
    file = tmp_path / "target.db"
    ended = subprocess.run([sys.executable, "-c", KILLED, what, kind.address, str(file)], timeout=120)
    assert ended.returncode == -signal.SIGKILL
    if what == "backup":
        assert not file.exists()
        back_up(books, file, registry=REGISTRY, told=quiet)
    else:
        with open_store(file) as target:
            assert not any(target.read_now(figures_of).values())
            move(books, target, registry=REGISTRY, told=quiet)
    with open_store(file) as target:
        assert rows_of(target) == rows_of(books)
