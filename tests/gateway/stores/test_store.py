"""What every kind of store promises."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from envelope.gateway.stores import Conflict, Store, StoreError, StoreUnavailable
from tests.gateway.kinds import START, Clock, Kind

INSERT = "INSERT INTO api (name, state) VALUES (:name, 'active')"
NAMES = "SELECT name FROM api ORDER BY name"


def insert(name: str) -> Any:
    return lambda db: db.execute(INSERT, name=name)


def names(store: Store) -> list[str]:
    return [name for (name,) in store.read_now(lambda db: db.execute(NAMES))]


def test_what_was_written_is_there_for_everybody(store: Store, kind: Kind) -> None:
    store.write_now(insert("a"))
    with kind.open() as other:
        assert names(other) == names(store) == ["a"]
        other.write_now(insert("b"))
    assert names(store) == ["a", "b"]


def test_a_transaction_returns_what_its_function_does(store: Store) -> None:
    assert store.write_now(lambda db: db.execute("SELECT :a + 1, :b", a=1, b=b"\0")) == [(2, b"\0")]
    assert store.write_now(lambda db: None) is None


def test_the_time_is_the_clocks(store: Store, clock: Clock) -> None:
    assert store.write_now(lambda db: db.now) == store.read_now(lambda db: db.now) == START
    clock.step(-1.5)
    assert store.write_now(lambda db: db.now) == store.read_now(lambda db: db.now) == START - 1_500_000


@pytest.mark.parametrize("error", [ValueError("no"), StopIteration("no"), KeyboardInterrupt()])
def test_what_a_function_raises_undoes_it_alone(store: Store, error: BaseException) -> None:
    def fails(db: Any) -> None:
        insert("lost")(db)
        raise error

    async def together() -> list[Any]:
        writes = (store.write(steps) for steps in (insert("a"), fails, insert("b")))
        return list(await asyncio.gather(*writes, return_exceptions=True))

    if isinstance(error, Exception):
        first, failed, last = asyncio.run(together())
        assert (first, last) == ([], [])
        assert failed is error or isinstance(failed, RuntimeError)
        assert names(store) == ["a", "b"]
    with pytest.raises(type(error)):
        store.write_now(fails)
    assert "lost" not in names(store)


def test_a_row_that_breaks_a_rule_is_a_conflict(store: Store) -> None:
    store.write_now(insert("a"))
    with pytest.raises(Conflict, match="breaks a rule") as caught:
        store.write_now(insert("a"))
    assert "'a'" not in str(caught.value)
    with pytest.raises(Conflict):
        store.write_now(
            lambda db: db.execute("INSERT INTO grants VALUES (7, 'x', 'active', NULL, 0)")
        )  # no such account


def test_a_conflict_that_is_caught_undoes_its_statement_alone(store: Store) -> None:
    def steps(db: Any) -> None:
        insert("a")(db)
        with pytest.raises(Conflict):
            insert("a")(db)
        insert("b")(db)

    store.write_now(steps)
    assert names(store) == ["a", "b"]


def test_a_view_does_not_change_and_writes_nothing(store: Store, kind: Kind) -> None:
    def steps(db: Any) -> tuple[object, object]:
        before = db.execute(NAMES)
        store.write_now(insert("a"))
        return before, db.execute(NAMES)

    assert store.read_now(steps) == ([], [])
    assert names(store) == ["a"]
    with pytest.raises(StoreError):
        store.read_now(insert("b"))
    assert names(store) == ["a"]


def test_a_reader_does_not_wait_for_a_writer(store: Store) -> None:
    def steps(db: Any) -> list[str]:
        insert("a")(db)
        seen: list[str] = []
        reader = threading.Thread(target=lambda: seen.extend(names(store)))
        reader.start()
        reader.join()
        return ["read", *seen]

    assert store.write_now(steps) == ["read"]


@pytest.mark.parametrize("number", [1, 32, 1000])
def test_tasks_and_threads_write_together(store: Store, number: int) -> None:
    async def tasks() -> None:
        await asyncio.gather(*(store.write(insert(f"task {place}")) for place in range(number)))
        assert len(await store.read(lambda db: db.execute(NAMES))) >= number

    threads = [
        threading.Thread(target=store.write_now, args=(insert(f"thread {place}"),)) for place in range(min(number, 32))
    ]
    for thread in threads:
        thread.start()
    asyncio.run(tasks())
    for thread in threads:
        thread.join()
    assert len(names(store)) == number + len(threads)


def test_a_task_that_is_cancelled_before_its_turn_writes_nothing(store: Store) -> None:
    busy, free = threading.Event(), threading.Event()

    def holds(db: Any) -> None:
        busy.set()
        free.wait()

    async def main() -> None:
        first = asyncio.create_task(store.write(holds))
        await asyncio.to_thread(busy.wait)
        second = asyncio.create_task(store.write(insert("a")))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        free.set()
        await first

    asyncio.run(main())
    assert names(store) == []


def test_many_threads_read_at_once(store: Store) -> None:
    store.write_now(insert("a"))
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda _: names(store), range(500))) == [["a"]] * 500


def test_a_loop_that_ended_does_not_disturb_others(store: Store) -> None:
    started = threading.Event()

    async def left() -> None:
        asyncio.get_running_loop().call_soon(started.set)
        task = asyncio.create_task(store.write(insert("left")))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(left())
    store.write_now(insert("a"))
    assert "a" in names(store)


def test_a_closed_store_is_unavailable(store: Store) -> None:
    store.write_now(insert("a"))
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.write_now(insert("b"))
    with pytest.raises(StoreUnavailable, match="closed"):
        store.read_now(lambda db: db.now)


def test_closing_finishes_what_was_begun(store: Store, kind: Kind) -> None:
    async def main() -> None:
        tasks = [asyncio.create_task(store.write(insert(f"{place:04}"))) for place in range(500)]
        await asyncio.sleep(0)
        store.close()
        await asyncio.gather(*tasks)

    asyncio.run(main())
    with kind.open() as again:
        assert len(names(again)) == 500


def test_nodes_have_names_of_their_own_and_are_gone_when_closed(store: Store, kind: Kind) -> None:
    other = kind.open()
    assert other.node != store.node == store.node
    assert not store.is_gone(other.node)
    assert not store.is_gone(store.node)
    name = other.node
    other.close()
    assert store.is_gone(name)
    assert store.is_gone("never there")
