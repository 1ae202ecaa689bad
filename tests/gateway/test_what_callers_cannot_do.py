"""What a caller cannot do, whatever is sent."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from envelope.gateway.books import change_account
from envelope.gateway.books.texts import is_storable
from envelope.gateway.logs import CallLog
from envelope.gateway.running import Running, running
from envelope.gateway.settings import GatewaySettings
from envelope.gateway.stores.sqlite.transaction import SqliteTransaction
from tests.client.servers import Received, Reply, http, serving
from tests.gateway.served import KEY, PROMPT, SECRET, Served, served, wait_until


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("doors"), seconds=0.5) as world:
        world.account("other")
        yield world


METHODS = [
    "..", ".", "../v1/models", "v1/../../admin", "v1/..", "v1/./models", "/v1/models", "//evil.test/x", "v1//models", "v1/models/",
    "http://evil.test/", "https:evil", "v1%2fmodels", "%2e%2e", "v1/%2e%2e/x", "v1/models%0d%0aX: y", "v1/models\r\nHost: evil.test",
    "v1/models\n", "\nv1/models", "v1/models\0", "v1/models?limit=1", "v1/models#x", "v1/models;x", "v1\\models", "v1/mod els", " v1/models",
    "@evil.test", "user:secret@evil.test", "evil.test:80", "127.0.0.1", "[::1]", "v1/модели", "v1/ｍodels", "v1/models\u2028", "v1/x..png",
    "a/b/c/d/e/f/g/h/i", "a" * 129, "v1/" + "a/" * 8 + "a", "*", "v1/models&x=1", "v1/models\x7f", "v1/models\u00ad",
]  # fmt: skip


@pytest.mark.parametrize("method", METHODS, ids=ascii)
def test_a_method_leaves_its_grammar(world: Served, method: str) -> None:
    before = len(world.upstream.served)
    for name in ("method", "api"):
        named = {"key": "demo", "secret": SECRET, "lang": "en", name: method, "_o_args": "{}"}
        assert world.send("GET", f"/openai/custom/?{urlencode(named)}").code == "4010"
        body = json.dumps({**named, "_o_args": {}}).encode()
        answer = world.send("POST", "/openai/custom/?key=demo", body, {"Content-Type": "application/json"}).envelope
        assert (answer.error_code, answer.reason.rpartition(" ")[2]) == ("4010", "method")
    assert len(world.upstream.served) == before


def test_a_method_that_is_not_a_text(world: Served) -> None:
    for method in (["v1/models"], {"a": "b"}, 5, True):
        body = json.dumps({"secret": SECRET, "method": method}).encode()
        got = world.send("POST", "/openai/custom/?key=demo", body, {"Content-Type": "application/json"})
        assert got.code == "4003"


def test_an_upstreams_address_comes_from_the_configuration_alone(world: Served) -> None:
    before = len(world.upstream.served)
    evil = dict.fromkeys(("address", "base_url", "url", "api_base", "upstream", "host"), "http://127.0.0.1:9/")
    headers = {
        "X-Forwarded-Host": "127.0.0.1:9",
        "X-Original-URL": "http://127.0.0.1:9/",
        "Forwarded": "host=127.0.0.1:9",
    }
    got = world.call(args={**PROMPT, **evil}, headers=headers, **evil)
    assert got.code == "0000"
    assert len(world.upstream.served) == before + 1


def test_callers_choose_no_header_of_the_upstreams_request(tmp_path: Path) -> None:
    def reply(received: Received) -> Reply:
        yield http(200, b'{"id": "x"}')

    with serving(reply) as stub, served(tmp_path, upstreams=[{"name": "s", "address": stub.url, "key": KEY}]) as world:
        headers = {"Authorization": "Bearer mine", "Cookie": "a=b", "X-Api-Key": "mine", "User-Agent": "mine"}
        assert world.call(headers=headers).code == "0000"
        [received] = stub.received
        assert received.headers["authorization"] == f"Bearer {KEY}"
        assert "mine" not in "".join(received.headers.values())
        assert "cookie" not in received.headers
        assert SECRET.encode() not in received.body
        for name in (b"secret", b"key", b"lang", b"cache"):
            assert b'"%b"' % name not in received.body


def test_redirects_are_not_followed(world: Served) -> None:
    before = len(world.upstream.served)
    got = world.call(args={**PROMPT, "model": "fault-redirect"})
    assert got.code == "4002"
    assert len(world.upstream.served) == before + 1
    assert world.upstream.address.encode() not in got.body


@pytest.mark.parametrize("model", ["fault-leak", "fault-leak-in-success"])
def test_keys_and_addresses_of_upstreams_are_masked(world: Served, model: str) -> None:
    got = world.call(args={**PROMPT, "model": model})
    assert KEY.encode() not in got.body
    assert world.upstream.address.removeprefix("http://").encode() not in got.body.replace(b"\\/", b"/")
    assert b"***" in got.body


def raw(world: Served, head: str) -> bytes:
    """What comes before any of the body was sent."""
    with socket.create_connection(("127.0.0.1", world.port), timeout=10) as peer:
        peer.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        got = b""
        while not got.endswith(b"}"):
            got += peer.recv(65536)
        return got


@pytest.mark.parametrize(
    "length",
    ["Content-Length: 100000", "Content-Length: 000000000000000000000000100000", "Transfer-Encoding: chunked"],
)
@pytest.mark.parametrize("query", ["", "key=nobody&secret=x", f"key={'x' * 201}"])
def test_a_stranger_sends_no_large_body(world: Served, length: str, query: str) -> None:
    """The answer is there before any of the body is."""
    got = raw(world, f"POST /openai/custom/?{query} HTTP/1.1\nHost: x\n{length}")
    assert b'"error_code":"40' in got


@pytest.mark.parametrize("is_known", [True, False])
def test_a_body_over_the_limit(world: Served, is_known: bool) -> None:
    limit = world.settings.limits.body
    got = raw(
        world, f"POST /openai/custom/?key={'demo' if is_known else 'no'} HTTP/1.1\nHost: x\nContent-Length: {limit + 1}"
    )
    assert got.startswith(b"HTTP/1.1 413" if is_known else b"HTTP/1.1 401")
    assert b'"error_code":"4003"' in got or not is_known


def test_another_accounts_job(world: Served) -> None:
    submitted = world.call("images/submit", {"prompt": "向日葵"}).envelope
    job = submitted.response["imgid"]
    world.jobs += 1
    wait_until(lambda: world.call("images/get", {"imgid": job}).envelope.response["status"] == "done")
    theirs = world.call("images/get", {"imgid": job}, key="other").envelope
    none = world.call("images/get", {"imgid": "999999"}, key="other").envelope
    assert (theirs.error_code, theirs.error, theirs.reason) == (none.error_code, none.error, none.reason)
    assert theirs.error_code == "4003"


def a_list(received: Received) -> Reply:
    rows = [{"id": f"{received.target}-{received.body.decode()}"}]
    yield http(200, json.dumps({"object": "list", "data": rows, "has_more": True, "last_id": "row-7"}).encode())


@pytest.mark.parametrize("shared", [False, True])
def test_another_accounts_page_token(tmp_path: Path, shared: bool) -> None:
    with (
        serving(a_list) as stub,
        served(tmp_path, upstreams=[{"name": "s", "address": stub.url}], cache={"shared": shared}) as world,
    ):
        world.account("other")
        tokens = {}
        for key in ("demo", "other"):
            first = world.call("v1/things", None, key=key, cache="yes").envelope
            tokens[key] = first.extras["pageToken"]
            assert world.call("v1/things", None, key=key, cache="yes").envelope.extras == first.extras
        assert tokens["demo"] != tokens["other"]
        for key, token in tokens.items():
            next_page = world.call("v1/things", None, key=key, pageToken=token)
            assert next_page.code == "0000"
            assert stub.received[-1].target == "/v1/things?after=row-7"
            given = world.call("v1/things", {"after": "row-1"}, key=key, pageToken=token)
            assert (given.code, json.loads(stub.received[-1].body)) == ("0000", {"after": "row-7"})
        count = len(stub.received)
        for key, method, token in (
            ("demo", "v1/things", tokens["other"]),
            ("other", "v1/things", tokens["demo"]),
            ("demo", "v1/others", tokens["demo"]),
            ("demo", "v1/things", tokens["demo"][:-1]),
            ("demo", "v1/things", ""),
        ):
            assert world.call(method, None, key=key, pageToken=token).code == "4015"
        assert len(stub.received) == count


def test_another_accounts_idempotency_key_and_cached_answer(world: Served) -> None:
    headers = {"Idempotency-Key": "one-key"}
    answers = [world.call(key=key, headers=headers).envelope for key in ("demo", "other", "demo")]
    assert answers[0] == answers[2]
    assert answers[0].last_id != answers[1].last_id
    cached = [world.call(key=key, cache="yes").envelope for key in ("demo", "other", "other")]
    records = [world.record(answer) for answer in cached]
    assert [record is not None and record.is_cached for record in records] == [False, False, True]


def test_an_account_that_wants_strict_signatures_takes_nothing_less(world: Served) -> None:
    number = world.account("strict")
    world.store.write_now(lambda db: change_account(db, number, strict_signature=True))
    assert world.call(key="strict").code == "4005"


UNSTORABLE = ["demo\0", "\0", "de\ud800mo", "\udcff", "demo\0\0x"]


@pytest.mark.parametrize("text", UNSTORABLE, ids=ascii)
def test_a_text_that_no_database_takes_reaches_none(world: Served, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = SqliteTransaction.execute
    told: list[str] = []

    def checked(self: SqliteTransaction, sql: str, /, **values: object) -> list[tuple[Any, ...]]:
        told.extend(ascii(value) for value in values.values() if isinstance(value, str) and not is_storable(value))
        return execute(self, sql, **values)

    monkeypatch.setattr(SqliteTransaction, "execute", checked)
    named = {"key": "demo", "secret": SECRET, "method": "v1/completions", "lang": "en", "cache": "yes"}
    expected = {
        "key": "4004", "secret": "4005", "sign": "4005", "method": "4010", "api_name": "4010", "lang": "4003",
        "result_type": "4003", "idempotency_key": "4003", "cache": "4003", "dateline": "0000", "pageToken": "4015",
        "other": "0000",
    }  # fmt: skip
    for name, code in expected.items():
        sent = {**named, name: text, "_o_args": json.dumps(PROMPT)}
        path = "/openai/api_call.php" if name == "api_name" else "/openai/custom/"
        query = urlencode(sent, errors="surrogatepass")
        got = world.send("GET", f"{path}?{query}")
        codes = {code} if text.isascii() else {code, "4003"}  # a query that is not UTF-8 is not read
        assert got.code in codes, name
        body = json.dumps({**sent, "_o_args": {**PROMPT, "model": text}}).encode()
        url = f"{path}?{urlencode({'key': sent['key']}, errors='surrogatepass')}"
        assert world.send("POST", url, body, {"Content-Type": "application/json"}).code in {code, "4003"}, name
    assert told == []


@asynccontextmanager
async def logged(settings: GatewaySettings) -> AsyncIterator[Running]:
    async with running(settings, log=CallLog("json")) as node:
        gateway = node.gateway
        ask = gateway._upstreams.ask

        async def crash(call: Any, **options: Any) -> Any:
            if (call.args or {}).get("model") == "crash":
                raise ValueError(f"{SECRET} {KEY} {call.args}")
            return await ask(call, **options)

        gateway._upstreams.ask = crash  # type: ignore[method-assign]
        yield node


MARK = "marker-9f31"


def test_no_secret_is_written_anywhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with served(tmp_path, made=logged, seconds=0.5, receipts=True) as world:
        world.account(f"key-{MARK}")
        bodies = []
        for model in (
            "gpt",
            "crash",
            "fault-leak",
            "fault-leak-in-success",
            "fault-401",
            "fault-reset",
            "fault-silent",
            "fault-redirect",
            "fault-html",
        ):
            for secret in (SECRET, "wrong-" + MARK):
                got = world.call(args={"prompt": MARK, "model": model}, key=f"key-{MARK}", secret=secret)
                bodies.append(got.body)
        paths = ("/", "/openai/" + MARK, "/%00", "/docs")
        bodies += [world.call(path=path, args={"prompt": MARK}, key=f"key-{MARK}").body for path in paths]
        bodies.append(world.send("PUT", f"/openai/custom/?key=key-{MARK}&secret={SECRET}", b"x").body)
        bodies.append(
            world.send(
                "POST",
                f"/openai/custom/?key=key-{MARK}&secret={SECRET}",
                b"{" + MARK.encode(),
                {"Content-Type": "application/json"},
            ).body
        )
        with socket.create_connection(("127.0.0.1", world.port), timeout=10) as peer:
            peer.sendall(
                f"GET /openai/custom/?key={MARK}&secret={SECRET} HTTP/9.9\r\nnonsense {SECRET}\r\n\r\n".encode()
            )
            bodies.append(peer.recv(65536))
        address = world.upstream.address.removeprefix("http://")
        for body in bodies:
            assert SECRET.encode() not in body
            assert KEY.encode() not in body
            assert address.encode() not in body.replace(b"\\/", b"/")
        written = "".join(capfd.readouterr()) + "".join(
            record.getMessage() + str(record.exc_info or "") for record in caplog.records if record.name != "asyncio"
        )
        assert '"event": "call"' in written
        assert '"event": "fault"' in written
        for secret in (SECRET, KEY, MARK, address):
            assert secret not in written
