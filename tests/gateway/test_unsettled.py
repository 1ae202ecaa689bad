"""Whoever was told 4000 because the books could not be written pays nothing, whatever was recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envelope.gateway import unsettled as module
from envelope.gateway.books import Admitted, free_call
from envelope.gateway.logs import CallLog
from envelope.gateway.stores import Store, StoreUnavailable, open_store
from envelope.gateway.unsettled import Unsettled
from tests.gateway.ledger import admitted, breaches, figures, new_account, settled, tried, used
from tests.gateway.served import PROMPT, Served, served, wait_until
from tests.gateway.unreliable import Failing, UnreliableStore

KEY: dict[str, Any] = {"idempotency_key": "k", "digest": b"d"}


class Scene:
    """What is remembered about a store that fails, by a clock that the test sets."""

    def __init__(self, store: Store) -> None:
        self.time = 0.0
        self.store = UnreliableStore(store)
        self.unsettled = Unsettled(self.store, log=CallLog("none"), clock=lambda: self.time)

    def free(self, **options: Any) -> int:
        """Try once; how many are still looked for."""
        asyncio.run(self.unsettled.free(**options))
        return len(self.unsettled)


@pytest.fixture
def scene(store: Store) -> Scene:
    return Scene(store)


def states(store: Store) -> list[tuple[Any, ...]]:
    return store.read_now(lambda db: db.execute("SELECT state, code, billing, charge FROM call ORDER BY id"))


def test_an_open_call_is_closed_once_the_store_is_back(scene: Scene, store: Store) -> None:
    account = new_account(store)
    admitted(store, account, request_id="late", **KEY)
    scene.unsettled.add("late")
    scene.store.failing = "unreachable"
    assert scene.free() == 1
    assert figures(store) == (1000, 100)
    scene.store.failing = ""
    assert scene.free() == 0
    assert (figures(store), used(store)) == ((1000, 0), 0)
    assert states(store) == [("closed", "4000", "free", 0)]
    assert admitted(store, account, **KEY)  # the key is free
    assert breaches(store) == []


@pytest.mark.parametrize("charge", [60, 0])
def test_what_was_recorded_after_all_is_given_back_once(scene: Scene, store: Store, charge: int) -> None:
    account = new_account(store)
    call = admitted(store, account, request_id="recorded", **KEY)
    settled(store, call, charge, answer=b"a")
    assert figures(store) == (1000 - charge, 0)
    for _ in range(2):
        scene.unsettled.add("recorded")
        assert scene.free() == 0
        assert figures(store) == (1000, 0)
    [*entries] = store.read_now(lambda db: db.execute("SELECT amount, note FROM entry WHERE kind = 'refund'"))
    assert entries == ([(60, "its caller was told that it failed")] if charge else [])
    # Its answer is not to be had for nothing: a repeat is a call of its own.
    assert isinstance(tried(store, account, **KEY), Admitted)
    assert breaches(store) == []


def test_whoever_got_the_answer_after_all_has_paid_for_it(scene: Scene, store: Store) -> None:
    account = new_account(store)
    settled(store, admitted(store, account, request_id="recorded", **KEY), 60, answer=b"a")
    for _ in range(2):
        assert tried(store, account, **KEY).answer.value == b"a"
        scene.unsettled.add("recorded")
        assert scene.free() == 0
        assert figures(store) == (940, 0)
    assert breaches(store) == []


def test_the_answer_of_freeing_may_be_lost_too(scene: Scene, store: Store) -> None:
    admitted(store, new_account(store), request_id="late")
    scene.unsettled.add("late")
    scene.store.failing = "lost"
    assert scene.free() == 1
    scene.store.failing = ""
    assert scene.free() == 0
    assert figures(store) == (1000, 0)
    assert breaches(store) == []


def test_a_call_that_comes_late_is_found_within_a_minute(scene: Scene, store: Store) -> None:
    account = new_account(store)
    scene.unsettled.add("late")
    assert scene.free() == 1
    scene.time = 40
    assert scene.free() == 1
    admitted(store, account, request_id="late")
    scene.time = 64
    assert scene.free() == 0
    assert figures(store) == (1000, 0)


def test_a_call_that_never_comes_is_forgotten_after_a_minute(scene: Scene) -> None:
    scene.unsettled.add("never")
    looked: list[float] = []
    while scene.free():
        if scene.store.tried > len(looked):
            looked.append(scene.time)
        scene.time += 1
    assert looked == [0, 1, 3, 7, 15, 31]
    assert scene.time == 63


def test_the_last_look_is_at_all_of_them(scene: Scene, store: Store) -> None:
    account = new_account(store)
    scene.unsettled.add("late")
    scene.free()
    admitted(store, account, request_id="late")
    assert scene.free() == 1
    assert scene.free(is_last=True) == 0
    assert figures(store) == (1000, 0)


def test_one_that_fails_is_in_nobodys_way(scene: Scene, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    admitted(store, new_account(store), request_id="good")

    def crash(db: Any, request_id: str, note: str) -> bool:
        if request_id == "bad":
            raise ZeroDivisionError
        return free_call(db, request_id, note)

    monkeypatch.setattr(module, "free_call", crash)
    scene.unsettled.add("bad")
    scene.unsettled.add("good")
    assert scene.free() == 1
    assert figures(store) == (1000, 0)


def test_the_memory_is_bounded(scene: Scene) -> None:
    for number in range(module._MOST + 10):
        scene.unsettled.add(f"r{number}")
    assert len(scene.unsettled) == module._MOST
    assert "r0" in scene.unsettled._calls


Opened = Callable[..., Store]


@pytest.fixture
def unreliable() -> tuple[list[UnreliableStore], Opened]:
    """The stores that a gateway opened, and what opens them: the last one is the gateway's own."""
    stores: list[UnreliableStore] = []

    def opened(*args: Any, **options: Any) -> Store:
        stores.append(UnreliableStore(open_store(*args, **options)))
        return stores[-1]

    return stores, opened


def failing_at(store: UnreliableStore, failing: Failing, function: str) -> None:
    """Have the first transaction that runs *function* of the gateway's fail in that way, and all until it is told."""
    write = store.store.write

    async def told(steps: Any, **options: Any) -> Any:
        if steps.__qualname__.startswith(function):
            store.failing = failing
            if failing == "unreachable":
                raise StoreUnavailable("the store cannot be reached")
        return await write(steps, **options)

    store.store.write = told  # type: ignore[method-assign]


@pytest.mark.parametrize("failing", ["unreachable", "lost"])
@pytest.mark.parametrize(
    ("function", "method", "asks"),
    [
        ("Gateway._answer", "v1/completions", 0),
        ("Gateway._settle", "v1/completions", 1),
        ("Gateway._settle", "images/submit", 0),
        ("Gateway._answer", "cached", 0),
    ],
)
def test_who_was_told_that_it_failed_pays_nothing(
    tmp_path: Path, unreliable: Any, failing: Failing, function: str, method: str, asks: int
) -> None:
    stores, opened = unreliable
    with served(tmp_path, opened=opened) as world:
        params: dict[str, Any] = {"method": method, "idempotency_key": "once"}
        if method == "cached":
            params.update(method="v1/completions", cache="yes")
            assert world.call(cache="yes").code == "0000"
        before, balance = len(world.records()), world.balance()
        store = stores[-1]
        failing_at(store, failing, function)
        got = world.call(**params)
        assert (got.code, got.status) == ("4000", 503)
        world.lost += asks if failing == "unreachable" else 0
        del store.store.write
        store.failing = ""
        wait_until(lambda: len(unsettled(world)) == 0 or (failing, function) == ("unreachable", "Gateway._answer"))
        assert world.balance() == balance
        rows = world.records()[: len(world.records()) - before]
        assert all(row.state == "closed" or row.refunded == row.charge > 0 for row in rows)
        assert bool(rows) == (failing == "lost" or function == "Gateway._settle")
        again = world.call(**params)
        assert again.code == "0000"
        assert world.balance() < balance
        if method == "images/submit":
            for number in range(1, int(again.envelope.response["imgid"]) + 1):
                wait_until(lambda job=number: is_done(world, job))  # type: ignore[misc]
                world.jobs += 1


def is_done(world: Served, job: int) -> bool:
    return bool(world.call("images/get", {"imgid": str(job)}).envelope.response["status"] == "done")


def unsettled(world: Served) -> Unsettled:
    assert world.gateway is not None
    return world.gateway.unsettled


def test_a_server_that_ends_tries_once_more(tmp_path: Path, unreliable: Any) -> None:
    stores, opened = unreliable
    with served(tmp_path, opened=opened) as world:
        failing_at(stores[-1], "unreachable", "Gateway._settle")
        assert world.call(args=PROMPT).code == "4000"
        world.lost += 1
        del stores[-1].store.write
        stores[-1].failing = ""
        assert world.server is not None
        world.server.should_exit = True
        wait_until(lambda: [row.state for row in world.records()] == ["closed"])
