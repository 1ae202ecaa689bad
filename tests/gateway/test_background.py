"""What runs beside the calls: the jobs' worker, recovery, and forgetting what was kept for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from envelope.gateway import upkeep
from envelope.gateway.books import Admission, Admitted, admit, list_accounts
from envelope.gateway.known import KnownAccounts
from envelope.gateway.running import open_vault
from envelope.gateway.stores import StoreUnavailable, Transaction
from envelope.gateway.stores.sqlite.store import SqliteStore, system_clock
from tests.gateway.served import Served, served, wait_until


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_RECOVERY", 0.05)


def told(world: Served, job: str) -> Any:
    return world.call("images/get", {"imgid": job}).envelope.response


def test_a_crash_in_one_job_ends_neither_the_worker_nor_what_was_paid(tmp_path: Path) -> None:
    with served(tmp_path) as world:
        assert world.gateway is not None
        ask = world.gateway._upstreams.ask

        async def crash(call: Any, **options: Any) -> Any:
            if call.args.get("prompt") == "crash":
                raise ZeroDivisionError
            return await ask(call, **options)

        world.gateway._upstreams.ask = crash  # type: ignore[method-assign]
        jobs = [world.call("images/submit", {"prompt": prompt}).envelope.response["imgid"] for prompt in ("crash", "x")]
        world.jobs = 1
        wait_until(lambda: told(world, jobs[1])["status"] == "done")
        failed = told(world, jobs[0])
        assert (failed["status"], failed["error"]["type"]) == ("failed", "server_error")
        assert world.balance() == 100_000_000 - 40_000


def test_a_store_that_fails_for_a_while_ends_neither_worker_nor_recovery(
    tmp_path: Path, often: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(tmp_path, timeout=0.2) as world:
        with world.locked():
            assert world.call("images/submit", {"prompt": "x"}).code == "4000"
        job = world.call("images/submit", {"prompt": "x"}).envelope.response["imgid"]
        world.jobs = 1
        wait_until(lambda: told(world, job)["status"] == "done")
        open_call(world, node="0123456789abcdef")
        wait_until(lambda: world.records()[0].state == "closed")


def open_call(world: Served, node: str) -> None:
    def steps(db: Transaction) -> None:
        [account] = list_accounts(db)
        admission = Admission(
            account=account.id, api_type="openai", api_name="custom", method="v1/models", model="", hold=5000,
            request_id="left", seconds=60, node=node,
        )  # fmt: skip
        assert isinstance(admit(db, admission), Admitted)

    world.store.write_now(steps)


def test_a_call_whose_process_is_gone_is_closed(tmp_path: Path, often: None) -> None:
    with served(tmp_path) as world:
        open_call(world, node="0123456789abcdef")
        wait_until(lambda: world.records()[0].state == "closed")
        assert world.records()[0].code == "4000"


def test_what_was_kept_for_a_time_is_forgotten(tmp_path: Path, often: None) -> None:
    days = [0]

    def clock() -> int:
        return system_clock() + days[0] * 86_400_000_000

    def kept(world: Served) -> list[int]:
        tables = ("answer", "repeat", "cached", "job")
        return world.store.read_now(lambda db: [db.execute(f"SELECT count(*) FROM {table}")[0][0] for table in tables])

    with served(tmp_path, opened=partial(SqliteStore, clock=clock)) as world:
        world.call(cache="yes", idempotency_key="k")
        job = world.call("images/submit", {"prompt": "x"}).envelope.response["imgid"]
        world.jobs = 1
        wait_until(lambda: told(world, job)["status"] == "done")
        assert kept(world) == [1, 1, 1, 1]
        days[0] = 2
        wait_until(lambda: kept(world) == [0, 0, 0, 0])


def test_old_calls_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_REMOVAL", 0.05)
    days = [0]

    def clock() -> int:
        return system_clock() + days[0] * 86_400_000_000

    with served(tmp_path, opened=partial(SqliteStore, clock=clock), keep_days=3) as world:
        before = world.balance()
        old = [world.call().envelope.last_id for _ in range(3)]
        world.lost = 3  # the demo was asked for them, and no record says so any more
        cost = before - world.balance()
        days[0] = 2
        kept = [world.call().envelope.last_id for _ in range(2)]
        assert [str(row.id) for row in reversed(world.records())] == old + kept
        days[0] = 4
        wait_until(lambda: [str(row.id) for row in reversed(world.records())] == kept)
        assert world.call().code == "0000"
        assert before - world.balance() == 2 * cost
        assert world.breaches() == []


def test_a_store_that_fails_for_a_while_does_not_end_the_removal(
    tmp_path: Path, often: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_REMOVAL", 0.05)
    asked: list[int] = []

    def fail(db: Transaction, before: int, after: int) -> None:
        asked.append(after)
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(upkeep, "remove_calls", fail)
    with served(tmp_path, keep_days=1) as world:
        wait_until(lambda: len(asked) > 3)
        assert world.call().code == "0000"


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[tuple[Served, KnownAccounts, list[float]]]:
    time = [0.0]
    with served(tmp_path) as world:
        yield world, KnownAccounts(world.store, open_vault(world.settings.key_file, world.store), lambda: time[0]), time


def test_an_account_is_known_for_a_second(accounts: tuple[Served, KnownAccounts, list[float]]) -> None:
    world, known, time = accounts

    async def steps() -> None:
        assert await known.of("new") is None
        world.account("new")
        time[0] = 0.99
        assert await known.of("new") is None
        time[0] = 1.0
        found = await asyncio.gather(*(known.of("new") for _ in range(5)))
        assert found[0] is not None
        assert all(one is found[0] for one in found)
        assert found[0].secret not in repr(found[0])
        assert await known.of("n" * 10_000) is None

    asyncio.run(steps())


def test_who_tries_keys_does_not_fill_the_memory(
    accounts: tuple[Served, KnownAccounts, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, known, _ = accounts
    monkeypatch.setattr("envelope.gateway.known._MOST", 10)

    async def steps() -> None:
        for number in range(100):
            assert await known.of(f"key {number}") is None
        assert len(known._found) <= 10
        assert not known._asked

    asyncio.run(steps())


def test_a_store_that_cannot_be_read_is_asked_again(
    accounts: tuple[Served, KnownAccounts, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, known, _ = accounts

    async def steps() -> None:
        with monkeypatch.context() as patch:

            def fail(_: Any) -> Any:
                raise StoreUnavailable("the store is locked")

            patch.setattr(world.store, "read_now", fail)
            for _ in range(2):
                with pytest.raises(StoreUnavailable):
                    await known.of("demo")
        assert await known.of("demo") is not None

    asyncio.run(steps())
