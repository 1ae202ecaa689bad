"""A kill at each step: the books are right after it, and the caller's repeat with his key is charged once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from envelope import Envelope
from envelope.gateway.books import Settlement, settle, switch_api
from envelope.gateway.receipts import RECEIPT, is_receipt
from envelope.gateway.stores import Store, open_store
from envelope.gateway.stores.migrating import HEAD
from envelope.gateway.vault import Vault
from tests.gateway.kills.nursery import Nursery
from tests.gateway.kills.scene import CACHED, CALL, JOB, Cut, Scene, Upstream, upstream_of
from tests.gateway.kinds import ALL, KINDS, Clock
from tests.gateway.ledger import admitted, entry
from tests.gateway.served import SECRET, wait_until
from tests.gateway.stores.first_step import make_first, rows_of, step_of

Made: TypeAlias = Callable[..., Scene]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as made:
        yield made


@pytest.fixture(scope="module")
def upstream(nursery: Nursery) -> Iterator[Upstream]:
    with upstream_of(nursery) as made:
        yield made


@pytest.fixture(params=ALL)
def made(request: pytest.FixtureRequest, tmp_path: Path, nursery: Nursery, upstream: Upstream) -> Iterator[Made]:
    scenes: list[Scene] = []

    def make(**options: Any) -> Scene:
        scenes.append(Scene(tmp_path, KINDS[request.param], nursery, upstream, **options))
        return scenes[-1]

    yield make
    for scene in scenes:
        scene.kill()
        scene.kind.remove()


def lost(call: Callable[..., Envelope[Any]], *args: Any, **options: Any) -> bytes:
    """What the caller of a node that kills itself got of the answer's body."""
    with pytest.raises(Cut) as cut:
        call(*args, **options)
    return cut.value.part


def requests(scene: Scene, model: str) -> int:
    return len(scene.upstream.served(model))


# A point → how often the upstream was asked before, and whether the call was charged.
CALLS = {
    "admission before": (0, False),
    "admission within": (0, False),
    "admission after": (0, False),
    "upstream before": (0, False),
    "upstream sent": (1, False),
    "upstream answered": (1, False),
    "settle before": (1, False),
    "settle within": (1, False),
    "settle after": (1, True),
    "answer before": (1, True),
    "answer half": (1, True),
    "answer whole": (1, True),
}


@pytest.mark.parametrize("point", CALLS)
def test_a_call(made: Made, point: str) -> None:
    scene, (asked, is_charged) = made(), CALLS[point]
    model = f"call, {point}, {scene.folder}"
    call = ("v1/completions", "once", {"model": model, "prompt": "hello"})
    scene.start(point)
    scene.arm()
    seen = None
    if point == "answer whole":
        seen = scene.call(*call)
    else:
        assert bool(lost(scene.call, *call)) == (point == "answer half")
    assert scene.has_killed_itself()
    assert requests(scene, model) == asked

    scene.start()
    answer = scene.answered(*call)
    assert (answer.error_code, answer.response["choices"][0]["text"]) == ("0000", "You said: hello")
    with scene.kind.open() as store:
        first, *others = scene.check(store, CALL)
        assert (str(first.id), first.request_id, first.charge) == (answer.last_id, answer.request_id, CALL)
        assert [(row.state, row.code, row.charge) for row in others] == (
            [] if is_charged or point in ("admission before", "admission within") else [("closed", "4000", 0)]
        )
        # What was answered before it was settled was asked for nothing.
        assert requests(scene, model) == first.attempts + (0 if is_charged else asked)
    if seen is not None:
        assert is_receipt(seen.extras[RECEIPT], SECRET)
        assert (seen.last_id, seen.response, seen.extras[RECEIPT]["charge"]) == (answer.last_id, answer.response, CALL)
    assert scene.answered(*call).last_id == answer.last_id
    with scene.kind.open() as store:
        scene.check(store, CALL)


@pytest.mark.parametrize("point", ["recovery before", "recovery within", "recovery after"])
def test_recovery_of_what_a_kill_left(made: Made, point: str) -> None:
    scene = made()
    model = f"{point}, {scene.folder}"
    call = ("v1/completions", "once", {"model": model, "prompt": "hello"})
    scene.arm()
    scene.start("upstream answered")
    lost(scene.call, *call)
    assert scene.has_killed_itself()
    scene.start(point)
    assert scene.has_killed_itself()

    scene.start()
    answer = scene.answered(*call)
    assert answer.error_code == "0000"
    with scene.kind.open() as store:
        rows = scene.check(store, CALL)
        assert [(row.state, row.charge) for row in rows] == [("settled", CALL), ("closed", 0)]
    assert requests(scene, model) == 2


@pytest.mark.parametrize("point", ["cached before", "cached within", "cached after"])
def test_an_answer_from_the_cache(made: Made, point: str) -> None:
    scene = made()
    model = f"{point}, {scene.folder}"
    args = {"model": model, "prompt": "hello"}
    scene.start(point)
    first = scene.answered("v1/completions", "", args, cache="yes")
    scene.arm()
    assert lost(scene.call, "v1/completions", "once", args, cache="yes") == b""
    assert scene.has_killed_itself()

    scene.start()
    answers = [scene.answered("v1/completions", "once", args, cache="yes") for _ in range(2)]
    assert [answer.response for answer in answers] == [first.response] * 2
    with scene.kind.open() as store:
        rows = scene.check(store, CALL + CACHED)
        told = (str(rows[0].id), rows[0].request_id)
        assert [(answer.last_id, answer.request_id) for answer in answers] == [told, told]
        assert [(row.state, row.charge, row.is_cached) for row in rows] == [
            ("settled", CACHED, True),
            ("settled", CALL, False),
        ]
    assert requests(scene, model) == 1


# A point → how often the upstream was asked before, and whether the job was done.
JOBS = {
    "job taken before": (0, False),
    "job taken within": (0, False),
    "job taken after": (0, False),
    "upstream before": (0, False),
    "upstream sent": (1, False),
    "upstream answered": (1, False),
    "job finished before": (1, False),
    "job finished within": (1, False),
    "job finished after": (1, True),
}


@pytest.mark.parametrize("point", JOBS)
def test_an_image_job(made: Made, point: str) -> None:
    scene, (asked, is_done) = made(), JOBS[point]
    model = f"job, {point}, {scene.folder}"
    submit = ("images/submit", "once", {"model": model, "prompt": "a sunflower"})
    scene.arm()
    scene.start(point)
    try:
        seen = scene.call(*submit)
    except Cut:  # the job was taken before the caller was told of it
        seen = None
    assert scene.has_killed_itself()
    assert requests(scene, model) == asked

    scene.start()
    job = scene.answered(*submit).response
    assert seen is None or seen.response == job
    told: list[Any] = []

    def is_told() -> bool:
        told.append(scene.answered("images/get", "", job).response)
        return bool(told[-1]["status"] != "running")

    wait_until(is_told)
    assert (told[-1]["status"], len(told[-1]["data"])) == ("done", 1)
    with scene.kind.open() as store:
        rows = scene.check(store, JOB)
        assert [row.charge for row in rows if row.method == "images/submit"] == [JOB]
    assert requests(scene, model) == (asked if is_done else asked + 1)


def kept(store: Store) -> int:
    """How many rows there are of what is forgotten."""
    tables = ("repeat", "cached", "answer")
    counts = store.read_now(lambda db: [db.execute(f"SELECT count(*) FROM {name}")[0][0] for name in tables])
    return sum(counts)


@pytest.mark.parametrize("point", ["forgetting before", "forgetting within", "forgetting after"])
def test_forgetting(made: Made, point: str) -> None:
    scene = made()
    clock = Clock()
    clock.now = 1_600_000_000_000_000  # long past
    with scene.kind.open(clock) as store:
        account = store.read_now(lambda db: db.execute("SELECT id FROM account"))[0][0]
        for number in range(5):
            call = admitted(store, account, idempotency_key=f"k{number}", digest=b"d", hold=CALL)
            settlement = Settlement(
                call=call, code="0000", ok=True, billing="charged", charge=CALL, answer=b"{}", cache=entry(f"k{number}")
            )
            assert store.write_now(lambda db, settlement=settlement: settle(db, settlement))  # type: ignore[misc]
        assert kept(store) == 15
    scene.arm()
    scene.start(point)
    assert scene.has_killed_itself()
    with scene.kind.open() as store:
        assert kept(store) == (0 if point == "forgetting after" else 15)
        scene.start()
        wait_until(lambda: kept(store) == 0)
        scene.check(store, 5 * CALL)


MIGRATIONS = ["migration before", "migration middle", "migration within", "migration after"]


@pytest.mark.parametrize("point", [*MIGRATIONS, "key file within", "key file after"])
def test_the_first_start(made: Made, point: str) -> None:
    scene = made(empty=True)
    scene.arm()
    scene.start(point)
    assert scene.has_killed_itself()

    scene.start()
    with open_store(scene.settings.store) as store:  # which may be the first to have the tables
        scene.add_account(store)
        assert scene.answered("v1/completions", "once", {"prompt": "hello"}).error_code == "0000"
        scene.check(store, CALL)


@pytest.mark.parametrize("point", MIGRATIONS)
def test_an_upgrade_of_books_that_have_something(made: Made, point: str) -> None:
    """All of it, or nothing; and no row is lost."""
    scene = made(empty=True)
    address = scene.kind.address
    rows = make_first(address, Vault.make_file(scene.settings.key_file).seal(SECRET))
    scene.arm()
    scene.start(point)
    assert scene.has_killed_itself()
    assert step_of(address) == (HEAD if point == "migration after" else "0001")

    open_store(address).close()
    assert (step_of(address), rows_of(address)) == (HEAD, rows)
    scene.start()
    with scene.kind.open() as store:
        store.write_now(lambda db: switch_api(db, "custom", "active"))
        scene.add_account(store)
        assert scene.answered("v1/completions", "once", {"prompt": "hello"}).error_code == "0000"
        scene.check(store, CALL)
