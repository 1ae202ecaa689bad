"""The table: each of the 20 codes by its real cause, as callers in each format and language see it, and on the books."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from envelope import Envelope, ResultType, dumps
from envelope.answers import judge
from envelope.calls.media import content_type_of
from envelope.client import CallFailed, GatewayClient
from envelope.gateway.books import Admission, Admitted, admit, change_account, grant, switch_api
from envelope.gateway.books.settling import close_call
from envelope.gateway.running import Running, running
from envelope.gateway.settings import GatewaySettings
from envelope.registry import REGISTRY, Lang
from envelope.testing.php import Php
from tests.gateway.served import PROMPT, SECRET, Got, Served, served
from tests.test_php import xml_tree


@asynccontextmanager
async def crashing(settings: GatewaySettings) -> AsyncIterator[Running]:
    """A gateway that crashes while it asks for the model "crash"."""
    async with running(settings) as node:
        gateway = node.gateway
        ask = gateway._upstreams.ask

        async def crash(call: Any, **options: Any) -> Any:
            if (call.args or {}).get("model") == "crash":
                raise ZeroDivisionError(SECRET)
            return await ask(call, **options)

        gateway._upstreams.ask = crash  # type: ignore[method-assign]
        yield node


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("codes")
    apis = ["custom", "item_search", "item_get"]
    with served(folder, made=crashing, timeout=0.3, seconds=0.5, apis=apis) as world:
        store = world.store
        world.account("poor", units=0)
        world.account("unlisted", api="item_search")
        world.account("used", quota=1)
        world.account("one", concurrency=1)
        number = world.account("stopped grant")
        store.write_now(partial(grant, account=number, api_name="custom", state="stopped", quota=None))
        number = world.account("stopped")
        store.write_now(partial(change_account, account=number, state="stopped"))
        world.account("item_search", api="item_search")
        store.write_now(lambda db: switch_api(db, "item_search", "maintenance"))
        assert world.call(key="used").code == "0000"
        yield world


@contextmanager
def busy(world: Served) -> Iterator[None]:
    """The account "one" has a call that is open."""
    numbers: list[int] = []

    def steps(db: Any) -> None:
        [(account,)] = db.execute("SELECT id FROM account WHERE key = :key", key="one")
        admission = Admission(
            account=account, api_type="openai", api_name="custom", method="v1/models", model="", hold=0,
            request_id=f"other-{db.now}", seconds=60, node=world.store.node,
        )  # fmt: skip
        admitted = admit(db, admission)
        assert isinstance(admitted, Admitted)
        numbers.append(admitted.call)

    world.store.write_now(steps)
    yield
    world.store.write_now(lambda db: close_call(db, numbers[0], "4000"))


@dataclass(frozen=True)
class Row:
    """A call and the code that it ends with. ``recorded``: a row of the books says so, with this billing."""

    name: str
    code: str
    method: str = "v1/completions"
    args: Any = field(default_factory=lambda: PROMPT)
    key: str = "demo"
    secret: str = SECRET
    path: str = "custom"
    params: dict[str, Any] = field(default_factory=dict)
    recorded: str = ""
    retry_after: bool = False
    within: Callable[[Served], AbstractContextManager[Any]] = lambda world: nullcontext()


def model(name: str) -> dict[str, Any]:
    return {**PROMPT, "model": name}


ROWS = [
    Row("an answer", "0000", recorded="charged"),
    Row("nothing found", "2000", args=model("fault-nothing"), recorded="charged"),
    Row("the upstream's error", "2000", args=model("fault-context-length"), recorded="free"),
    Row("the documents' rate limit", "2000", args=model("default-text-davinci-003"), recorded="free"),
    Row("the store is locked", "4000", within=Served.locked, retry_after=True),
    Row("the upstream resets", "4001", args=model("fault-reset"), recorded="free"),
    Row("the upstream is overloaded", "4002", args=model("fault-503"), recorded="free"),
    Row("the upstream sends HTML", "4002", args=model("fault-html"), recorded="free"),
    Row("arguments are no JSON", "4003", args="{"),
    Row("no such account", "4004", key="nobody"),
    Row("a wrong secret", "4005", secret="wrong"),
    Row("the grant is stopped", "4006", key="stopped grant"),
    Row("the account is stopped", "4007", key="stopped"),
    Row("a call is open", "4008", key="one", within=busy, retry_after=True),
    Row("the operator's switch", "4009", key="item_search", path="item_search"),
    Row("no such API", "4010", path="item_none"),
    Row("no such method", "4010", method="v1/../admin"),
    Row("no grant", "4012", key="unlisted"),
    Row("the quota is used", "4013", key="used"),
    Row("no method", "4014", method=""),
    Row("somebody's page token", "4015", params={"pageToken": "bm90IG91cnM"}),
    Row("no balance", "4016", key="poor"),
    Row("the upstream is silent", "4017", args=model("fault-silent"), recorded="free"),
    Row("a crash", "5000", args=model("crash"), recorded="free"),
]  # fmt: skip
assert {row.code for row in ROWS} == {row.code for row in REGISTRY}


def ask(world: Served, row: Row, result_type: str, lang: str = "en") -> Got:
    with row.within(world):
        return world.call(
            row.method,
            row.args,
            key=row.key,
            secret=row.secret,
            path=f"/openai/{row.path}/",
            result_type=result_type,
            lang=lang,
            **row.params,
        )


OPERATIONS = {"json": "json_decode", "jsonu": "json_decode", "serialize": "unserialize", "var_export": "eval"}


def check_books(world: Served, row: Row, answer: Envelope[Any]) -> None:
    record = world.record(answer)
    verdict = judge(answer, upstream_errors=world.settings.upstream_errors)
    if not row.recorded:
        assert record is None
        assert answer.last_id == ""
        return
    assert record is not None
    assert (record.state, record.code, record.verdict_ok) == ("settled", row.code, verdict.ok)
    assert record.billing == verdict.billing == row.recorded
    assert str(record.id) == answer.last_id
    assert (record.charge > 0) == (row.recorded == "charged")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.code} {row.name}")
def test_over_http_in_each_format(world: Served, row: Row) -> None:
    for result_type in ResultType:
        got = ask(world, row, result_type)
        answer = got.envelope
        assert got.status == REGISTRY[row.code].http_status or (row.code, got.status) == ("4000", 503)
        assert got.headers["content-type"] == content_type_of(result_type)
        assert ("retry-after" in got.headers) == row.retry_after
        assert answer.error_code == row.code
        if row.code not in ("0000", "2000"):
            assert answer.response == []
            assert answer.error == REGISTRY[row.code].message
            assert answer.reason.startswith(REGISTRY[row.code].en)
        check_books(world, row, answer)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.code} {row.name}")
def test_the_reason_is_in_the_callers_language(world: Served, row: Row) -> None:
    for lang in Lang:
        got = ask(world, row, "json", lang)
        assert got.headers["content-language"] == lang.tag
        is_told = row.code not in ("0000", "2000")
        assert got.envelope.reason.startswith(REGISTRY[row.code].text(lang) if is_told else "")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.code} {row.name}")
def test_the_python_client_reads_it_in_each_format(world: Served, row: Row) -> None:
    if row.params or row.method in ("", "v1/../admin") or not isinstance(row.args, dict):
        params = {**row.params, **({} if isinstance(row.args, dict) else {"_o_args": row.args})}
        if "_o_args" in params:
            pytest.skip("the client writes no such call")
    for result_type in ResultType:
        with GatewayClient(
            [world.address], key=row.key, secret=row.secret, result_type=result_type, retries=0, lang="en",
            api_type="openai", api_name=row.path, sign="secret",
        ) as client:  # fmt: skip
            with row.within(world):
                answer = client.call(row.method, row.args, params=row.params, check=False, cache=False)
            assert (answer.error_code, answer.format, answer.attempts) == (row.code, result_type, 1)
            verdict = judge(answer, answer.http_status)
            assert answer.verdict.ok == verdict.ok == (row.code in ("0000", "2000") and row.recorded == "charged")
            check_books(world, row, answer)
            if not verdict.ok and result_type == ResultType.JSON and row.code not in ("4000", "4008"):
                with pytest.raises(CallFailed) as info:
                    client.call(row.method, row.args, params=row.params, cache=False)
                assert (info.value.code, info.value.kind) == (row.code, "verdict")
                assert SECRET not in str(info.value)


@pytest.mark.php
def test_php_reads_each_row_in_each_format(world: Served, php: Php) -> None:
    for result_type in ResultType:
        answers = [ask(world, row, result_type) for row in ROWS]
        bodies = [answer.body for answer in answers]
        if result_type == "xml":
            for got, tree in zip(answers, php.ask("simplexml", bodies), strict=True):
                assert tree is not None
                assert json.loads(tree) == xml_tree(got.envelope.to_value())
        else:
            values = php.ask(OPERATIONS[result_type], bodies)
            for got, value in zip(answers, values, strict=True):
                assert value == dumps(got.envelope.to_value(), "serialize")


def test_an_operators_codes_change_billing_and_wording(tmp_path: Path) -> None:
    codes = """
        [[overrides]]
        code = "2000"
        billing = "free"
        [[overrides]]
        code = "4010"
        en = "Nothing of that name"
        [[overrides]]
        code = "4017"
        billing = "charged"
        message = "too slow"
        http_status = 408
    """
    (tmp_path / "codes.toml").write_text(codes)
    with served(tmp_path, seconds=0.3, codes="codes.toml") as world:
        found = world.call(args=model("fault-nothing")).envelope
        record = world.record(found)
        assert record is not None
        assert (record.code, record.billing, record.charge) == ("2000", "free", 0)
        silent = world.call(args=model("fault-silent"))
        assert (silent.status, silent.envelope.error) == (408, "too slow")
        record = world.record(silent.envelope)
        assert record is not None
        assert (record.code, record.billing) == ("4017", "charged")
        assert record.charge > 0
        assert world.call(method="v1/../x").envelope.reason.startswith("Nothing of that name")


def test_under_the_scripts_path_every_answer_is_200(world: Served) -> None:
    for row in ROWS:
        with row.within(world):
            got = world.call(
                row.method, row.args, key=row.key, secret=row.secret, path="/openai/api_call.php",
                api_name=row.path, **row.params,
            )  # fmt: skip
        assert (got.status, got.code) == (200, row.code)
