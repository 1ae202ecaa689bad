"""One call: what is told first, what is held and charged, what is repeated, cached and recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from envelope import ResultType
from envelope.gateway.books import CallRecord
from envelope.gateway.receipts import is_receipt
from tests.client.servers import Received, Reply, Server, http, serving
from tests.gateway.served import PROMPT, SECRET, Got, Served, served, wait_until


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("calls"), seconds=2) as world:
        yield world


def row_of(world: Served, got: Got) -> CallRecord:
    row = world.record(got.envelope)
    assert row is not None
    return row


def post_json(world: Served, params: dict[str, Any]) -> Got:
    body = json.dumps({"secret": SECRET, "lang": "en", "cache": "no", **params}).encode()
    return world.send("POST", "/openai/custom/?key=demo", body, {"Content-Type": "application/json"})


def post_form(world: Served, params: dict[str, Any]) -> Got:
    body = urlencode({"secret": SECRET, "lang": "en", "cache": "no", **params}).encode()
    return world.send("POST", "/openai/custom/?key=demo", body, {"Content-Type": "application/x-www-form-urlencoded"})


# Prices of the fixture: 100 a call, 1 a token of prompt, 2 a token of completion, in micro-units.


def test_arguments_cost_the_same_in_every_carrier(world: Served) -> None:
    args: dict[str, Any] = {"prompt": "hello " * 50, "max_tokens": 2000, "n": 5}
    calls = [
        world.call(args=args),
        world.call(args=None, **args),
        post_json(world, {"method": "v1/completions", "_o_args": args}),
        post_json(world, {"method": "v1/completions", **args}),
        post_form(world, {"method": "v1/completions", "_o_args": json.dumps(args)}),
        post_form(world, {"method": "v1/completions", **args}),
    ]
    rows = [row_of(world, got) for got in calls]
    assert {row.code for row in rows} == {"0000"}
    assert len({row.charge for row in rows}) == 1
    for row in rows:
        assert row.charge == 100 + row.prompt_tokens + 2 * row.completion_tokens
        assert row.hold >= 100 + len(args["prompt"]) + 2 * 10_000


@pytest.mark.parametrize("most", [200, "200", 200.0, 199.5, "+200", " 200 "])
def test_whatever_a_maximum_is_written_like_it_is_held(world: Served, most: Any) -> None:
    rows = [
        row_of(world, world.call(args={"prompt": "x", name: most})) for name in ("max_tokens", "max_completion_tokens")
    ]
    both = row_of(world, world.call(args={"prompt": "x", "max_tokens": most, "max_completion_tokens": 1}))
    for row in (*rows, both):
        assert 100 + 400 <= row.hold <= 100 + 400 + 100


@pytest.mark.parametrize("count", [10**18, 2**63 - 1, "9" * 18, 1e300])
def test_more_than_anybody_can_pay_is_refused(world: Served, count: Any) -> None:
    assert world.call(args={"prompt": "x", "max_tokens": count, "n": count}).code == "4016"


def test_what_is_wrong_first_is_told_first(tmp_path: Path) -> None:
    """Of two faults the one that is earlier in the documents' order is told, and neither is on the books."""
    faults: list[tuple[str, dict[str, Any]]] = [
        ("4004", {"key": "nobody"}),
        ("4005", {"secret": "wrong"}),
        ("4010", {"path": "/openai/none/"}),
        ("4010", {"method": ".."}),
        ("4003", {"method": "images/submit", "args": None, "q": "\udc80"}),
        ("4015", {"pageToken": "x"}),
        ("4013", {"key": "used"}),
    ]
    with served(tmp_path) as world:
        world.account("used", quota=0)
        for index, (code, fault) in enumerate(faults):
            assert _call(world, fault).code == code
            for _, later in faults[index + 1 :]:
                if not fault.keys() & later.keys():
                    assert _call(world, {**later, **fault}).code == code
        assert world.records() == []


def _call(world: Served, fault: dict[str, Any]) -> Got:
    """A call by GET in which lone surrogates are bytes that are not UTF-8."""
    given = {
        "key": "demo",
        "secret": SECRET,
        "method": "v1/completions",
        "args": PROMPT,
        "path": "/openai/custom/",
        **fault,
    }
    path, args = given.pop("path"), given.pop("args")
    if args is not None:
        given["_o_args"] = json.dumps(args)
    return world.send("GET", f"{path}?{urlencode(given, errors='surrogateescape')}")


@pytest.mark.parametrize("method", ["v1/completions", "v1/models", "images/submit", "v1/audio/transcriptions"])
def test_what_no_upstream_can_be_asked_with_is_refused_before_it_is_admitted(world: Served, method: str) -> None:
    before = len(world.records())
    got = world.send("GET", f"/openai/custom/?key=demo&secret={SECRET}&method={method}&cache=no&q=%ff")
    assert got.code == "4003"
    assert len(world.records()) == before


def test_what_is_no_wish_for_a_stream(world: Served) -> None:
    unasked: list[Any] = [False, 0, None, "false"]
    for stream in unasked:
        assert world.call(args={**PROMPT, "stream": stream}).code == "0000"


def test_a_job_that_is_not_named_is_refused_before_it_is_admitted(world: Served) -> None:
    before = len(world.records())
    codes = [
        world.call("images/get", args).code for args in (None, {}, {"imgid": "x"}, {"imgid": "9" * 19}, {"imgid": 5})
    ]
    assert codes == ["4014", "4014", "4003", "4003", "4003"]
    assert len(world.records()) == before


def test_a_job_takes_its_arguments_in_every_carrier(world: Served) -> None:
    answers = [
        world.call("images/submit", {"prompt": "向日葵"}),
        world.call("images/submit", None, prompt="向日葵"),
        post_json(world, {"method": "images/submit", "prompt": "向日葵"}),
    ]
    world.jobs += 3
    pictures = []
    for got in answers:
        row = row_of(world, got)
        assert (row.code, row.charge) == ("0000", 40_000)
        job = got.envelope.response["imgid"]
        wait_until(partial(has_status, world, job, "done"))
        pictures.append(told(world, job)["data"])
    assert pictures[0] == pictures[1] == pictures[2]


def has_status(world: Served, job: str, status: str) -> bool:
    return bool(told(world, job)["status"] == status)


def told(world: Served, job: str) -> Any:
    return world.call("images/get", {"imgid": job}).envelope.response


def test_a_job_of_which_nothing_comes_is_given_back(world: Served) -> None:
    before = world.balance()
    for model in ("fault-503", "fault-html", "fault-content-filter", "fault-nothing"):
        job = world.call("images/submit", {"prompt": "x", "model": model}).envelope.response["imgid"]
        world.jobs += 1
        wait_until(partial(has_status, world, job, "failed"))
        got = world.call("images/get", {"imgid": job})
        assert (got.code, "error" in got.envelope.response) == ("2000", model != "fault-nothing")
    assert world.balance() == before


@pytest.mark.parametrize("by", ["header", "parameter"])
def test_a_repeat_gets_the_first_answer_in_the_format_of_now(world: Served, by: str) -> None:
    def call(**params: Any) -> Got:
        headers = {"Idempotency-Key": f"key-{by}"} if by == "header" else {}
        if by == "parameter":
            params["idempotency_key"] = f"key-{by}"
        return world.call(headers=headers, **params)

    first = call()
    asked, balance = len(world.upstream.served), world.balance()
    for result_type in ResultType:
        for lang in ("cn", "en", "ru"):
            again = call(result_type=result_type, lang=lang)
            assert again.envelope == first.envelope
    assert call(args={**PROMPT, "n": 2}).code == "4003"
    assert call(args={**PROMPT, "n": 2}, cache="yes").code == "4003"
    assert (len(world.upstream.served), world.balance()) == (asked, balance)
    assert "idempotency_key" not in str(world.upstream.served)


@pytest.mark.parametrize("key", ["x" * 256, "a\tb", "é\x85"])
def test_what_is_no_idempotency_key(world: Served, key: str) -> None:
    got = world.call(headers={"Idempotency-Key": key.encode("latin-1")})  # type: ignore[dict-item]
    assert (got.code, got.envelope.reason.rpartition(": ")[2]) == ("4003", "idempotency_key")
    assert world.call(idempotency_key=key).code == "4003"


def test_a_failure_frees_the_key(world: Served) -> None:
    for model, code in (("fault-500-once", "4002"), ("fault-429-retry-after", "2000")):
        args = {**PROMPT, "model": model}
        headers = {"Idempotency-Key": model}
        assert world.call(args=args, headers=headers).code == code
        got = world.call(args=args, headers=headers)
        assert got.code == "0000"
        assert world.call(args=args, headers=headers).envelope == got.envelope


def test_one_cached_answer_serves_five_formats(world: Served) -> None:
    args = {"prompt": "cached?", "max_tokens": 9}
    first = world.call(args=args, cache="yes")
    asked, balance = len(world.upstream.served), world.balance()
    for result_type in ResultType:
        got = world.call(args=args, cache="yes", result_type=result_type, lang="ru")
        assert got.envelope.response == first.envelope.response
        row = row_of(world, got)
        assert (row.is_cached, row.charge, row.attempts) == (True, 50, 0)
    assert (len(world.upstream.served), world.balance()) == (asked, balance - 5 * 50)
    assert not row_of(world, world.call(args=args, cache="no")).is_cached
    assert not row_of(world, world.call(args={**args, "n": 1}, cache="yes")).is_cached
    assert not row_of(world, world.call(args=args, cache="yes", version="2")).is_cached


@pytest.mark.parametrize("model", ["fault-503", "fault-context-length", "fault-reset"])
def test_failures_are_not_cached(world: Served, model: str) -> None:
    for _ in range(2):
        got = world.call(args={**PROMPT, "model": model}, cache="yes")
        assert not row_of(world, got).is_cached


def test_files_and_jobs_are_not_cached(world: Served) -> None:
    for method, args in (("v1/files", None), ("images/submit", {"prompt": "x"})):
        rows = [row_of(world, world.call(method, args, cache="yes")) for _ in range(2)]
        assert [row.is_cached for row in rows] == [False, False]
    world.jobs += 2
    wait_until(
        lambda: (
            told(world, "1")
            and not world.store.read_now(
                lambda db: db.execute("SELECT 1 FROM job WHERE state IN ('queued', 'running')")
            )
        )
    )


def test_a_cached_answer_is_shared_only_where_accounts_share(tmp_path: Path) -> None:
    with served(tmp_path, cache={"shared": True, "methods": {"v1/chat/completions": 0}}) as world:
        world.account("other")
        world.account("poor", units=0)
        rows = [row_of(world, world.call(key=key, cache="yes")) for key in ("demo", "other")]
        assert [row.is_cached for row in rows] == [False, True]
        assert world.call(key="poor", cache="yes").code == "4016"
        chat = {"messages": [{"role": "user", "content": "hi"}]}
        chats = [row_of(world, world.call("v1/chat/completions", chat, cache="yes")) for _ in range(2)]
        assert [row.is_cached for row in chats] == [False, False]


def test_receipts_say_what_the_books_say(tmp_path: Path) -> None:
    with served(tmp_path, receipts=True, seconds=0.5) as world:
        for args in (PROMPT, {**PROMPT, "model": "fault-503"}, {**PROMPT, "model": "fault-nothing"}, PROMPT):
            for cache in ("no", "yes"):
                for result_type in ResultType:
                    answer = world.call(args=args, cache=cache, result_type=result_type).envelope
                    told = answer.extras["receipt"]
                    row = world.record(answer)
                    assert row is not None
                    assert is_receipt(told, SECRET)
                    assert not is_receipt(told, SECRET + "x")
                    assert (told["request_id"], told["last_id"]) == (answer.request_id, answer.last_id)
                    assert (told["charge"], told["billing"]) == (row.charge, row.billing)
                    assert told["balance"] == world.balance()


@contextmanager
def in_front_of(folder: Path, *bodies: bytes, **settings: Any) -> Iterator[tuple[Served, Server]]:
    """A gateway whose upstream answers these in turn."""
    pending = list(bodies)

    def reply(received: Received) -> Reply:
        yield http(200, pending.pop(0))

    with serving(reply) as stub, served(folder, upstreams=[{"name": "s", "address": stub.url}], **settings) as world:
        yield world, stub


def test_usage_that_cannot_be_is_charged_within_the_hold(tmp_path: Path) -> None:
    usages = [
        {"prompt_tokens": 2**53, "completion_tokens": 2**53},
        {"prompt_tokens": -1},
        {"prompt_tokens": 1e9},
        None,
        5,
        {"prompt_tokens": 2**63},
    ]
    bodies = [json.dumps({"id": "x", "usage": usage}).encode() for usage in usages]
    prices = [{"call": "1", "prompt": "9000000", "completion": "9000000", "max_completion": 1}]
    with in_front_of(tmp_path, *bodies, prices=prices) as (world, _):
        world.store.write_now(lambda db: db.execute("UPDATE account SET balance = :most", most=9 * 10**15))
        world.store.write_now(lambda db: db.execute("UPDATE entry SET amount = :most", most=9 * 10**15))
        for _ in usages:
            row = row_of(world, world.call(args={"max_tokens": 1}))
            assert row.code in ("0000", "4002")
            assert row.charge == (row.hold if row.code == "0000" else 0)


def test_an_answer_that_cannot_be_written_is_free(tmp_path: Path) -> None:
    items = b"[" + b"0," * 1_999_998 + b"0]"
    with in_front_of(tmp_path, *[items] * 4) as (world, _):
        for result_type in ("json", "serialize"):
            for headers in ({}, {"Idempotency-Key": "once"}):
                got = world.call(result_type=result_type, headers=headers, cache="yes")
                row = row_of(world, got)
                assert (got.code, row.code, row.billing, row.charge, row.attempts) == ("4000", "4000", "free", 0, 1)
        assert world.balance() == 100_000_000


def test_a_long_answer_is_not_cached_but_repeated(tmp_path: Path) -> None:
    """It might not fit into another format's limits, which would be known only after it is charged for."""
    body = json.dumps({"text": "x" * 2_000_000}).encode()
    with in_front_of(tmp_path, body, body) as (world, stub):
        for _ in range(2):
            assert not row_of(world, world.call(cache="yes", headers={"Idempotency-Key": "k"})).is_cached
        assert len(stub.received) == 1
        assert not row_of(world, world.call(cache="yes")).is_cached
        assert len(stub.received) == 2


@pytest.mark.parametrize("last", ["\\ud800", "x" * 257, "中" * 256, ""])
def test_a_last_row_that_no_token_can_hold(tmp_path: Path, last: str) -> None:
    body = f'{{"has_more": true, "last_id": "{last}", "data": [1]}}'.encode()
    with in_front_of(tmp_path, body) as (world, _):
        got = world.call("v1/things", None)
        assert got.code == ("4002" if "ud8" in last else "0000")
        assert got.envelope.extras == {}
