"""Bad input and bad luck: an envelope with the right code or a clean refusal, no record lost, nothing charged twice."""

from __future__ import annotations

import itertools
import json
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from envelope import ResultType
from envelope.gateway.books import CallRecord, Watch, audit, find_calls, list_accounts, recover
from envelope.gateway.books.settling import close_call
from envelope.gateway.stores import Store, StoreUnavailable, open_store
from envelope.gateway.stores.sqlite.store import SqliteStore, system_clock
from tests.client.servers import Received, Reply, http, serving
from tests.gateway.child import Caller, add_account, gateway_process, write_settings
from tests.gateway.served import PROMPT, SECRET, Got, Served, served, wait_until

LIMITS = {"body": 2000, "files": 4000, "answer": 100_000}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("luck"), seconds=30, limits=LIMITS) as world:
        yield world


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One whose calls have little time, for what would take all of it."""
    with served(tmp_path_factory.mktemp("hurried"), seconds=1, limits=LIMITS) as world:
        yield world


def head(world: Served, headers: str, query: str = "") -> bytes:
    named = f"key=demo&secret={SECRET}&method=v1/completions&lang=en&cache=no{query}"
    return f"POST /openai/custom/?{named} HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n".encode()


def sent(world: Served, *parts: bytes, hang_up: bool = False) -> bytes:
    """What comes when *parts* are sent; nothing, if nobody waits for it."""
    with socket.create_connection(("127.0.0.1", world.port), timeout=20) as peer:
        for part in parts:
            peer.sendall(part)
        if hang_up:
            return b""
        got = b""
        while b"\r\n\r\n" not in got or not got.endswith((b"}", b"]")):
            if not (more := peer.recv(65536)):
                break
            got += more
        return got


FORM = "Content-Type: multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="q"\r\n\r\nx\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (FORM, b"nonsense"),
        (FORM, PART),
        (FORM, PART[:30]),
        (FORM, PART + b"--b"),
        (FORM, b"--b\r\n\r\nx\r\n--b--\r\n"),
        (FORM, b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        (FORM, b"--b\r\n" + b"X: " + b"y" * 1500 + b"\r\n\r\nx\r\n--b--\r\n"),
        ("Content-Type: multipart/form-data", PART + b"--b--\r\n"),
        ("Content-Type: application/json", b'{"a":'),
        ("Content-Type: application/json", b"[1]"),
        ("Content-Type: application/json", b"\xff\xfe"),
        ("Content-Type: application/json", b'{"q": "\\ud800"}'),
        ("Content-Type: application/json", b"[" * 1000),
        ("Content-Type: application/json", b'{"q": 1e999}'),
        ("Content-Type: application/xml", b"<a/>"),
        ("Content-Type: application/json; charset=utf-16", b"{}"),
        ("Content-Type: application/json\r\nContent-Encoding: gzip", b"no gzip"),
        ("Content-Type: application/json\r\nContent-Encoding: br", b"{}"),
        ("Content-Type: application/x-www-form-urlencoded", b"a=" + b"x" * 2000),
        (FORM, FILE + b"x" * 5000 + b"\r\n--b--\r\n"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read(world: Served, headers: str, body: bytes) -> None:
    before = len(world.records())
    for chunked in (False, True):
        if chunked:
            got = sent(
                world,
                head(world, f"{headers}\r\nTransfer-Encoding: chunked"),
                b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
            )
        else:
            got = sent(world, head(world, f"{headers}\r\nContent-Length: {len(body)}"), body)
        assert b'"error_code":"4003"' in got, got
        assert got.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 413 "))
    assert len(world.records()) == before


@pytest.mark.parametrize("headers", ["Content-Length: 5", "Transfer-Encoding: chunked", "Content-Length: 1999"])
def test_a_body_that_does_not_come_ends_with_the_calls_time(hurried: Served, headers: str) -> None:
    got = sent(hurried, head(hurried, headers), b"1\r\n{" if "chunked" in headers else b"{")
    assert b'"error_code":"4017"' in got
    assert got.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("part", [b"", b"{", b'{"a":'])
def test_who_hangs_up_while_sending_is_nobody(world: Served, part: bytes) -> None:
    before = len(world.records())
    sent(world, head(world, "Content-Type: application/json\r\nContent-Length: 50"), part, hang_up=True)
    assert world.call().code == "0000"
    assert len(world.records()) == before + 1


def test_who_hangs_up_after_sending_pays_once_and_gets_the_answer_again(world: Served) -> None:
    body = json.dumps({"_o_args": {**PROMPT, "model": "fault-slow-first"}}).encode()
    whole = (
        head(world, f"Idempotency-Key: hung-up\r\nContent-Type: application/json\r\nContent-Length: {len(body)}") + body
    )
    asked, balance = len(world.upstream.served), world.balance()
    sent(world, whole, hang_up=True)
    wait_until(lambda: len(world.upstream.served) > asked)
    wait_until(lambda: all(row.state == "settled" for row in world.records()))
    [row] = world.records()[:1]
    assert (row.code, world.balance()) == ("0000", balance - row.charge)
    got = sent(world, whole)
    assert f'"last_id":"{row.id}"'.encode() in got
    assert (len(world.upstream.served), world.balance()) == (asked + 1, balance - row.charge)


FAULTS = {
    "fault-silent": "4017", "fault-stall": "4017", "fault-drip": "4017", "fault-slow-first": "0000", "fault-reset": "4001", "fault-cut": "4001",
    "fault-html": "4002", "fault-lying-type": "4002", "fault-cut-json": "4002", "fault-deep": "4002", "fault-redirect": "4002",
    "fault-endless": "4002", "fault-10mb": "4002", "fault-gzip-bomb": "4002", "fault-503": "4002", "fault-401": "4002",
    "fault-404": "2000", "fault-404-html": "2000", "fault-429": "2000", "fault-context-length": "2000", "fault-content-filter": "2000",
    "fault-error-in-200": "2000", "fault-nothing": "2000",
}  # fmt: skip


@pytest.mark.parametrize("model", FAULTS)
def test_whatever_the_upstream_does_is_a_code(world: Served, hurried: Served, model: str) -> None:
    world = hurried if FAULTS[model] == "4017" else world
    balance = world.balance()
    args = {"prompt": "x" * 600, "model": model}  # a long answer, so that one that drips takes longer than the call
    answer = world.call(args=args).envelope
    row = world.record(answer)
    assert row is not None
    assert (answer.error_code, row.code, row.state) == (FAULTS[model], FAULTS[model], "settled")
    is_paid = model in ("fault-slow-first", "fault-nothing")
    assert (row.billing, row.charge > 0) == ("charged" if is_paid else "free", is_paid)
    assert world.balance() == balance - row.charge


@pytest.mark.parametrize("result_type", list(ResultType))
def test_an_answer_of_10_mb_comes_in_each_format(tmp_path: Path, result_type: ResultType) -> None:
    with served(tmp_path) as world:
        got = world.call(args={**PROMPT, "model": "fault-10mb"}, result_type=result_type)
        row = world.record(got.envelope)
        assert row is not None
        assert (row.code, got.code) == ("0000", "0000")
        assert len(got.envelope.response["choices"][0]["text"]) == 10_000_000


def test_an_upstream_that_is_not_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with served(tmp_path, upstreams=[{"name": "gone", "address": f"http://127.0.0.1:{port}"}], retries=2) as world:
        answer = world.call().envelope
        row = world.record(answer)
        assert row is not None
        assert (answer.error_code, row.attempts, world.balance()) == ("4001", 3, 100_000_000)


def test_the_store_is_locked_before_the_call(tmp_path: Path) -> None:
    with served(tmp_path, timeout=0.3) as world:
        before, asked = world.records(), len(world.upstream.served)
        body = json.dumps({"method": "v1/completions", "_o_args": PROMPT}).encode()
        with world.locked():
            calls: list[dict[str, Any]] = [{}, {"cache": "yes"}, {"idempotency_key": "locked"}]
            for params in calls:
                got = world.call(**params)
                assert (got.code, got.status, got.headers["retry-after"]) == ("4000", 503, "1")
            target = f"/openai/custom/?key=demo&secret={SECRET}"
            assert world.send("POST", target, body, {"Content-Type": "application/json"}).code == "4000"
        assert (world.records(), len(world.upstream.served)) == (before, asked)
        assert world.call(idempotency_key="locked").code == "0000"


def test_the_store_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else is wrong with the call, and before any of a large body is read."""
    with served(tmp_path) as world:
        assert world.gateway is not None

        def fails() -> Any:
            raise StoreUnavailable("the store's disk cannot be read or written")

        monkeypatch.setattr(world.gateway._store, "read_now", lambda steps: fails())
        calls: list[dict[str, Any]] = [{}, {"result_type": "yaml"}, {"lang": "xx"}, {"result_type": "xml"}]
        for params in calls:
            got = world.call(**params)
            assert (got.code, got.status) == ("4000", 503)
        for headers in ("Content-Length: 100000", "Transfer-Encoding: chunked"):
            assert b'"error_code":"4000"' in sent(world, head(world, headers))
            assert b'"error_code":"4000"' in sent(world, head(world, headers, "&result_type=yaml"))


def begun(world: Served, **params: Any) -> Callable[[], Got]:
    """A call that has reached the upstream, which takes its time; what returns its answer."""
    asked = len(world.upstream.served)
    got: list[Got] = []
    args = {**PROMPT, "model": "fault-slow-first"}
    caller = threading.Thread(target=lambda: got.append(world.call(args=args, **params)))
    caller.start()
    wait_until(lambda: len(world.upstream.served) > asked)

    def ended() -> Got:
        caller.join()
        return got[0]

    return ended


def test_the_store_is_locked_when_the_call_ends(tmp_path: Path) -> None:
    """The caller is told of a failure and pays nothing; what was held is released, and the key is free."""
    with served(tmp_path, timeout=0.3) as world:
        for _ in range(2):
            ended = begun(world, idempotency_key="late")
            with world.locked():
                got = ended()
            assert (got.code, got.status) == ("4000", 503)
            world.lost += 1
            wait_until(lambda: world.records()[0].state == "closed")
            assert world.balance() == 100_000_000
        assert world.call(idempotency_key="late").code == "0000"


@pytest.mark.parametrize("method", ["v1/completions", "images/submit"])
def test_a_call_that_was_closed_meanwhile_is_a_free_timeout(tmp_path: Path, method: str) -> None:
    """Between its admission and its settling, another process closes it."""
    with served(tmp_path, receipts=True) as world:
        assert world.gateway is not None
        write = world.gateway._store.write

        def closing(steps: Any, **options: Any) -> Any:
            row = next(iter(world.records()), None)
            if row is not None and row.state == "open":
                world.store.write_now(lambda db: close_call(db, row.id, "4017"))
            return write(steps, **options)

        world.gateway._store.write = closing  # type: ignore[method-assign]
        for key in ("", "once"):
            got = world.call(method, idempotency_key=key)
            assert (got.code, got.status, got.envelope.extras) == ("4017", 504, {})
            row = world.record(got.envelope)
            assert row is not None
            assert (row.state, row.charge, str(row.id)) == ("closed", 0, got.envelope.last_id)
        world.lost = 2 if method == "v1/completions" else 0
        assert world.balance() == 100_000_000
        assert world.store.read_now(lambda db: db.execute("SELECT id FROM job")) == []


def list_calls(store: Store) -> list[CallRecord]:
    return store.read_now(lambda db: find_calls(db, limit=10**6, since=0, until=2**62, before=2**62))


def held(release: threading.Event) -> Callable[[Received], Reply]:
    def reply(received: Received) -> Reply:
        release.wait(20)
        yield http(200, b'{"id": "x"}')

    return reply


def test_a_server_that_is_told_to_end_answers_what_it_took(tmp_path: Path) -> None:
    release = threading.Event()
    with serving(held(release)) as stub:
        settings = write_settings(tmp_path, stub.url, "")
        with open_store(settings.store) as store:
            add_account(settings, store, "demo", 1000)
            with gateway_process(tmp_path) as (port, process):
                caller = Caller(port)
                caller.send()
                wait_until(lambda: stub.received)
                process.terminate()
                release.set()
                assert caller.receive().error_code == "0000"
                caller.close()
                assert process.wait(30) in (0, -signal.SIGTERM)
            assert [row.state for row in list_calls(store)] == ["settled"]
            assert store.read_now(audit) == []


def test_a_process_that_is_killed_in_a_call_leaves_no_hold(tmp_path: Path) -> None:
    release = threading.Event()
    with serving(held(release)) as stub:
        settings = write_settings(tmp_path, stub.url, '[[prices]]\ncall = "0.001"')
        with open_store(settings.store) as store:
            add_account(settings, store, "demo", 1000)
            with gateway_process(tmp_path) as (port, process):
                lost = Caller(port)
                lost.send(header="once")
                wait_until(lambda: stub.received)
                process.kill()
                process.wait()
                lost.close()
            release.set()
            with gateway_process(tmp_path) as (port, _):
                caller = Caller(port)
                wait_until(lambda: [row.state for row in list_calls(store)] == ["closed"])
                answers = [caller.call(header=header) for header in ("once", "once", "again")]
                assert [answer.error_code for answer in answers] == ["0000", "0000", "4016"]
                assert answers[0] == answers[1]
                caller.close()
            assert [row.charge for row in list_calls(store)] == [1000, 0]
            assert store.read_now(audit) == []


@pytest.mark.parametrize("step", [-30 * 86_400, -1, 1, 30 * 86_400], ids=lambda step: f"{step:+} s")
def test_the_clock_is_set_between_admission_and_settling(tmp_path: Path, step: int) -> None:
    offset = [0]

    def clock() -> int:
        return system_clock() + offset[0] * 1_000_000

    with served(tmp_path, opened=partial(SqliteStore, clock=clock), receipts=True) as world:
        ended = begun(world, idempotency_key="k", cache="yes")
        offset[0] = step
        got = ended()
        assert got.code == "0000"
        row = world.record(got.envelope)
        assert row is not None
        assert (row.state, world.balance()) == ("settled", 100_000_000 - row.charge)
        again = world.call(args={**PROMPT, "model": "fault-slow-first"}, idempotency_key="k")
        # What is kept for a day is kept by the clock.
        assert (again.envelope.last_id == str(row.id)) == (step < 86_400)
        offset[0] = 0
        assert world.call().code == "0000"


def test_the_disk_is_full(tmp_path: Path) -> None:
    """What was answered is on the books, and what is on the books was answered, or its caller was told of a failure."""

    def reply(received: Received) -> Reply:
        yield http(200, json.dumps({"id": "x" * 3000}).encode())

    with serving(reply) as stub:
        settings = write_settings(tmp_path, stub.url, '[[prices]]\ncall = "0.001"')
        with open_store(settings.store) as store:
            add_account(settings, store, "demo", 10**9)
        answered: list[str] = []
        refused = 0
        with gateway_process(tmp_path, max_file=600_000) as (port, _):
            caller = Caller(port)
            for number in itertools.count():
                answer = caller.call(q=str(number), cache="yes", header=str(number))
                assert answer.error_code in ("0000", "4000")
                if answer.error_code == "0000":
                    answered.append(answer.last_id)
                else:
                    refused += 1
                if refused == 20:
                    break
            caller.close()
        with open_store(settings.store) as store:
            seconds = iter([0.0, 1e9])
            for _ in range(2):  # what it could not settle is closed, as its process is gone
                store.write_now(lambda db: recover(db, store.is_gone, Watch(lambda: next(seconds))))
            rows = list_calls(store)
            assert {row.state for row in rows} <= {"settled", "closed"}
            assert [str(row.id) for row in reversed(rows) if row.state == "settled"] == answered
            assert answered
            [account] = store.read_now(list_accounts)
            assert (account.balance, account.held) == (10**9 - 1000 * len(answered), 0)
            assert store.read_now(audit) == []
