"""Calls that nobody ends are closed, free, whichever way the clock is set."""

from __future__ import annotations

from typing import Any

from envelope.gateway.books import Closed, Watch, add_job, job_of, recover, renew, settle, take_job
from envelope.gateway.stores import Store
from tests.gateway.kinds import Clock, Kind
from tests.gateway.ledger import admitted, breaches, figures, new_account, settled, settlement, tried, used

KEY: dict[str, Any] = {"idempotency_key": "k", "digest": b"d"}
HOUR = 3600


class Steady:
    """A clock that nobody sets."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


class Scene:
    """A store with one open call of 30 s, of a process that lives; a watch that looks when it is told."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock, self.steady = store, clock, Steady()
        self.watch = Watch(self.steady)
        self.call = admitted(store, new_account(store), seconds=30, node="lives")

    def pass_time(self, seconds: float) -> None:
        self.clock.step(seconds)
        self.steady.time += seconds

    def look(self) -> list[Closed]:
        return self.store.write_now(lambda db: recover(db, lambda node: node != "lives", self.watch))

    def renew(self, seconds: float = 30) -> None:
        assert self.store.write_now(lambda db: renew(db, self.call, seconds))


def test_the_calls_of_a_process_that_is_gone_are_closed_at_once(store: Store, clock: Clock) -> None:
    scene = Scene(store, clock)
    account = 1
    lost = admitted(store, account, node="gone", **KEY)
    assert (figures(store), used(store)) == ((1000, 200), 2)
    assert scene.look() == [Closed(lost, "4000")]
    assert (figures(store), used(store)) == ((1000, 100), 1)
    assert settled(store, lost) is None
    assert admitted(store, account, **KEY)  # the key is free again
    rows = store.read_now(lambda db: db.execute("SELECT state, billing, charge FROM call WHERE id = :call", call=lost))
    assert rows == [("closed", "free", 0)]
    assert breaches(store) == []


def test_who_is_gone_is_the_stores_to_say(store: Store, kind: Kind) -> None:
    account = new_account(store)
    other = kind.open()
    ours, theirs = admitted(store, account, node=store.node), admitted(store, account, node=other.node)
    watch = Watch()
    assert store.write_now(lambda db: recover(db, store.is_gone, watch)) == []
    other.close()
    assert store.write_now(lambda db: recover(db, store.is_gone, watch)) == [Closed(theirs, "4000")]
    assert settled(store, ours) is not None


def test_a_call_is_closed_within_a_minute_of_its_deadline(store: Store, clock: Clock) -> None:
    scene = Scene(store, clock)
    scene.look()
    scene.pass_time(79.9)
    assert scene.look() == []
    scene.pass_time(0.1)
    assert scene.look() == [Closed(scene.call, "4017")]
    assert scene.look() == []
    assert figures(store) == (1000, 0)
    assert store.write_now(lambda db: settle(db, settlement(scene.call))) is None
    assert breaches(store) == []


def test_a_call_that_is_renewed_stays_open(store: Store, clock: Clock) -> None:
    scene = Scene(store, clock)
    for _ in range(20):
        scene.pass_time(25)
        scene.renew()
        assert scene.look() == []
    scene.pass_time(81)
    assert scene.look() == [Closed(scene.call, "4017")]


def test_a_clock_set_back_leaves_no_hold(store: Store, clock: Clock) -> None:
    scene = Scene(store, clock)
    scene.look()
    clock.step(-24 * HOUR)
    scene.pass_time(80)
    assert scene.look() == [Closed(scene.call, "4017")]


def test_a_clock_set_back_before_the_first_look(store: Store, clock: Clock) -> None:
    scene = Scene(store, clock)
    clock.step(-24 * HOUR)
    assert scene.look() == []
    scene.pass_time(79)
    assert scene.look() == []
    scene.pass_time(1)
    assert scene.look() == [Closed(scene.call, "4017")]


def test_a_clock_set_back_does_not_close_what_is_renewed_after_it(store: Store, clock: Clock) -> None:
    scene = Scene(store, clock)
    clock.step(-24 * HOUR)
    scene.renew(300)
    assert scene.look() == []
    scene.pass_time(349)
    assert scene.look() == []
    scene.pass_time(1)
    assert scene.look() == [Closed(scene.call, "4017")]


def test_a_clock_set_forward_does_not_close_what_is_renewed(store: Store, clock: Clock) -> None:
    scene = Scene(store, clock)
    scene.look()
    for _ in range(5):
        clock.step(24 * HOUR)
        assert scene.look() == []
        scene.pass_time(20)
        assert scene.look() == []
        scene.renew()
    scene.pass_time(80)
    assert scene.look() == []  # the last renewal was seen only now
    scene.pass_time(50)
    assert scene.look() == [Closed(scene.call, "4017")]


def test_a_watch_that_begins_late_gives_some_time(store: Store, clock: Clock) -> None:
    scene = Scene(store, clock)
    scene.pass_time(HOUR)
    assert scene.look() == []
    scene.pass_time(49)
    assert scene.look() == []
    scene.pass_time(1)
    assert scene.look() == [Closed(scene.call, "4017")]


def test_a_watch_keeps_only_what_is_open(store: Store, clock: Clock) -> None:
    scene = Scene(store, clock)
    scene.look()
    assert len(scene.watch._due) == 1
    settled(store, scene.call)
    scene.look()
    assert len(scene.watch._due) == 0


def test_two_that_recover_close_a_call_once(store: Store, clock: Clock) -> None:
    scene = Scene(store, clock)
    lost = admitted(store, 1, node="gone")
    assert scene.look() == [Closed(lost, "4000")]
    assert scene.look() == []
    assert tried(store, 1)


def test_the_jobs_of_a_process_that_is_gone_are_for_others(store: Store, clock: Clock) -> None:
    scene = Scene(store, clock)
    settled(store, scene.call)
    jobs = [store.write_now(lambda db: add_job(db, account=1, call=scene.call, method="m", args=b"")) for _ in range(2)]
    assert store.write_now(lambda db: take_job(db, "gone", 60))
    assert store.write_now(lambda db: take_job(db, "lives", 60))
    scene.look()
    states = store.read_now(lambda db: [job_of(db, 1, job) for job in jobs])
    assert [state and state.state for state in states] == ["queued", "running"]
    assert breaches(store) == []
