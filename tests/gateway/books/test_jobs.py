"""Jobs: one worker has a job, and only that one can finish it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from envelope.gateway.books import Job, add_job, finish_job, forget, job_of, renew_job, take_job
from envelope.gateway.stores import Store
from tests.gateway.kinds import Clock
from tests.gateway.ledger import admitted, breaches, new_account, settled


def queued(store: Store, number: int = 1) -> tuple[int, list[int]]:
    """An account with a call that submitted jobs."""
    account = new_account(store)
    call = admitted(store, account)
    settled(store, call)
    jobs = [
        store.write_now(lambda db: add_job(db, account=account, call=call, method="images/submit", args=b"{}"))
        for _ in range(number)
    ]
    return account, jobs


def taken(store: Store, node: str = "n", seconds: float = 60) -> Job | None:
    return store.write_now(lambda db: take_job(db, node, seconds))


def test_a_job_from_the_queue_to_its_result(store: Store) -> None:
    account, [number] = queued(store)
    job = taken(store)
    assert job == Job(
        number, account, job.call if job else 0, "images/submit", b"{}", "running", None, 1, job.node if job else ""
    )
    assert taken(store) is None
    assert store.write_now(lambda db: finish_job(db, job, "done", b"result"))
    assert not store.write_now(lambda db: finish_job(db, job, "failed", b"other"))
    found = store.read_now(lambda db: job_of(db, account, number))
    assert found is not None
    assert (found.state, found.result) == ("done", b"result")
    assert b"result" not in repr(found).encode().replace(b"result=", b"")
    assert breaches(store) == []


def test_a_job_is_its_accounts(store: Store) -> None:
    account, [number] = queued(store)
    assert store.read_now(lambda db: job_of(db, account + 1, number)) is None
    assert store.read_now(lambda db: job_of(db, account, number + 1)) is None


def test_each_job_is_taken_once(store: Store) -> None:
    _, jobs = queued(store, 50)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda place: taken(store, f"n{place}"), range(60)))
    assert sorted(job.id for job in found if job) == jobs
    assert found.count(None) == 10


def test_a_job_that_is_not_finished_in_time_is_anybodys(store: Store, clock: Clock) -> None:
    queued(store)
    first = taken(store, seconds=60)
    assert first is not None
    clock.step(59)
    assert store.write_now(lambda db: renew_job(db, first, 60))
    clock.step(59)
    assert taken(store) is None
    clock.step(1)
    second = taken(store)  # by the same process: it is the try that counts
    assert second is not None
    assert (second.id, second.tries) == (first.id, 2)
    assert not store.write_now(lambda db: renew_job(db, first, 60))
    assert not store.write_now(lambda db: finish_job(db, first, "done", b"late"))
    assert store.write_now(lambda db: finish_job(db, second, "failed", b"why"))


def test_a_result_is_kept_for_its_time(store: Store, clock: Clock) -> None:
    account, [number, other] = queued(store, 2)
    job = taken(store)
    assert job is not None
    store.write_now(lambda db: finish_job(db, job, "done", b"x", keep=100))
    clock.step(99)
    assert store.write_now(forget) == 0
    clock.step(1)
    assert store.write_now(forget) == 1
    assert store.read_now(lambda db: job_of(db, account, number)) is None
    assert store.read_now(lambda db: job_of(db, account, other)) is not None
