"""Strict signatures at the gateway: the whole call, once, whichever process gets it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, get_args
from urllib.parse import parse_qsl, urlencode

import orjson
import pytest

from envelope.calls import ApiRequest, HttpRequest, sign_strictly
from envelope.calls.request import Carrier
from envelope.client import GatewayClient
from envelope.gateway.books import change_account, forget
from tests.adapters.multipart_forms import TYPE, Part, written
from tests.gateway.served import PROMPT, SECRET, Got, Served, served

NONCES = iter(range(10**6))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("strict")) as world:
        number = world.account("strict")
        world.store.write_now(lambda db: change_account(db, number, strict_signature=True))
        yield world


def nonce() -> str:
    return f"nonce-{next(NONCES):010}"


def signed(
    method: str = "v1/models",
    args: Any = None,
    *,
    key: str = "demo",
    secret: str = SECRET,
    seconds: int = 0,
    **params: Any,
) -> ApiRequest:
    """A call without the cache, signed *seconds* after now."""
    call = ApiRequest(
        key=key, api_type="openai", api_name="custom", method=method, args=args, cache=False, params=params
    )
    return sign_strictly(call, secret, lambda: time.time_ns() + seconds * 10**9, nonce)


def send(world: Served, http: HttpRequest[str]) -> Got:
    headers = {"Content-Type": http.content_type} if http.content_type else {}
    return world.send("POST" if http.body else "GET", f"{http.path}?{http.query}", http.body or None, headers)


def kept(world: Served) -> int:
    return int(world.store.read_now(lambda db: db.execute("SELECT count(*) FROM nonce"))[0][0])


@pytest.mark.parametrize("key", ["demo", "strict"])
@pytest.mark.parametrize("carrier", get_args(Carrier))
def test_the_client_signs_strictly_in_each_carrier(world: Served, carrier: Any, key: str) -> None:
    options: dict[str, Any] = {"carrier": carrier, "retries": 0, "sign": "strict"}
    before = kept(world)
    with GatewayClient([world.address], key=key, secret=SECRET, **options) as client:
        assert client.call("v1/completions", PROMPT).verdict.ok
        assert client.call("v1/completions", PROMPT).attempts == 1
    assert kept(world) == before + 2
    with GatewayClient([world.address], key=key, secret="wrong", **options) as client:
        assert client.call("v1/completions", PROMPT, check=False).error_code == "4005"
    assert kept(world) == before + 2  # whoever knows no secret stores nothing


def test_with_files(world: Served) -> None:
    http = signed("v1/audio/transcriptions", {"model": "whisper-1"}, key="strict").write("form")
    parts = [
        Part(name.encode(), value.encode()) for name, value in parse_qsl(http.body.decode(), keep_blank_values=True)
    ]
    body = written([*parts, Part(b"file", b"sound", b"a.mp3", b"audio/mpeg")])
    answers = [
        send(world, HttpRequest(path=http.path, query=http.query, body=body, content_type=TYPE)) for _ in range(2)
    ]
    assert [answer.code for answer in answers] == ["0000", "4005"]


@pytest.mark.parametrize("carrier", get_args(Carrier))
def test_a_call_is_taken_once(world: Served, carrier: Any) -> None:
    http = signed("v1/completions", PROMPT).write(carrier)
    before = world.balance()
    assert [send(world, http).code for _ in range(3)] == ["0000", "4005", "4005"]
    assert world.balance() == before - world.records()[0].charge


def test_of_two_at_once_one_is_taken(world: Served) -> None:
    with ThreadPoolExecutor(8) as threads:
        for _ in range(5):
            http = signed().write("query")
            codes = sorted(got.code for got in threads.map(lambda http: send(world, http), [http] * 8))
            assert codes == ["0000"] + ["4005"] * 7


def test_of_other_arguments_under_the_same_nonce_none_is_taken(world: Served) -> None:
    first = signed()
    again = sign_strictly(first, SECRET, time.time_ns, lambda: first.sign.split(":")[1])
    assert [send(world, call.write("query")).code for call in (first, again)] == ["0000", "4005"]


def test_another_account_has_nonces_of_its_own(world: Served) -> None:
    one = signed()
    other = ApiRequest(key="strict", api_type="openai", api_name="custom", method="v1/models")
    other = sign_strictly(other, SECRET, time.time_ns, lambda: one.sign.split(":")[1])
    assert [send(world, call.write("query")).code for call in (one, other)] == ["0000", "0000"]


REMEMBER = """
import sys
from envelope.gateway.books import account_named, remember_nonce
from envelope.gateway.stores import open_store
with open_store(sys.argv[1]) as store:
    print(store.write_now(lambda db: remember_nonce(db, account_named(db, "demo").id, sys.argv[2])))
"""


def test_a_call_that_another_process_took_is_not_taken(world: Served) -> None:
    call = signed()

    def other() -> str:
        command = [sys.executable, "-c", REMEMBER, world.settings.store, call.sign.split(":")[1]]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()

    assert other() == "True"
    assert send(world, call.write("query")).code == "4005"
    assert other() == "False"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("q", "b"), ("qh", "a"), ("new", "@x"), ("cache", "yes"), ("lang", "ru"), ("result_type", "xml"),
        ("method", "v1/files"), ("dateline", "2023-03-05 10:03:24"), ("secret", SECRET),
    ],
)  # fmt: skip
def test_a_call_that_was_changed(world: Served, name: str, value: str) -> None:
    http = signed(q="a").write("query")
    before = kept(world)
    changed = urlencode({**dict(parse_qsl(http.query)), name: value})
    assert send(world, HttpRequest(path=http.path, query=changed)).code == "4005"
    assert send(world, HttpRequest(path="/azure/custom/", query=http.query)).code == "4005"
    assert kept(world) == before
    assert send(world, http).code == "0000"  # nothing of that used the nonce up


@pytest.mark.parametrize(
    "change",
    [
        lambda sign: sign[:-1] + ("0" if sign[-1] != "0" else "1"),
        lambda sign: sign.replace("nonce-", "nonce_"),
        lambda sign: sign.upper(),
        lambda sign: sign.rpartition(":")[0],
        lambda sign: "hmac-sha256:" + sign.rpartition(":")[2],
        lambda sign: "hmac-sha256",
        lambda sign: "hmac-sha256:short:" + sign.rpartition(":")[2],
        lambda sign: sign.rpartition(":")[2][:32].upper(),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["demo", "strict"])
def test_another_signature(world: Served, change: Any, key: str) -> None:
    http = signed(key=key).write("query")
    named = dict(parse_qsl(http.query))
    got = send(world, HttpRequest(path=http.path, query=urlencode({**named, "sign": change(named["sign"])})))
    assert got.code == "4005"


@pytest.mark.parametrize(("seconds", "code"), [(-301, "4005"), (-290, "0000"), (290, "0000"), (301, "4005")])
def test_a_signature_is_of_now(world: Served, seconds: int, code: str) -> None:
    assert send(world, signed(seconds=seconds).write("query")).code == code


@pytest.mark.parametrize("sign", ["md5", "secret"])
def test_where_strict_signatures_are_asked_for_nothing_less_will_do(world: Served, sign: Any) -> None:
    with GatewayClient([world.address], key="strict", secret=SECRET, sign=sign, retries=0) as client:
        assert client.call("v1/models", check=False).error_code == "4005"


def test_what_else_is_wrong_is_told_to_those_who_signed_alone(world: Served) -> None:
    wrong = [signed(key="strict", q="a").write("json"), signed("v1/../x", key="strict").write("query")]
    body = orjson.loads(wrong[0].body)
    for key in ("strict", "demo"):
        for name, value in {"result_type": "no", "_o_args": "{"}.items():
            changed = orjson.dumps({**body, name: value})
            http = HttpRequest(path="/openai/none/", query=f"key={key}", body=changed, content_type="application/json")
            assert send(world, http).code == "4005"
    assert [send(world, wrong[1]).code for _ in range(2)] == ["4010", "4005"]  # and once


def test_nonces_are_forgotten_when_no_call_could_come_again(tmp_path: Any) -> None:
    """Clocks of the processes may differ by 300 s, and a signature may be 300 s in the future."""
    with served(tmp_path) as world:
        call = signed(seconds=299)
        assert send(world, call.write("query")).code == "0000"
        for _ in range(3):
            send(world, signed().write("query"))
        [until] = world.store.read_now(lambda db: db.execute("SELECT max(until) FROM nonce"))[0]
        assert until - time.time_ns() // 1000 > 890_000_000
        world.store.write_now(lambda db: db.execute("UPDATE nonce SET until = until - 600000000"))
        world.store.write_now(forget)
        assert kept(world) == 4
        world.store.write_now(lambda db: db.execute("UPDATE nonce SET until = until - 300000000"))
        world.store.write_now(forget)
        assert kept(world) == 0
