"""Who may come in, and what is refused: in one form, and without a word of what was sent."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

for package in ("aiohttp", "alembic", "cryptography", "fastapi", "pydantic_settings", "sqlalchemy", "structlog", "uvicorn"):  # fmt: skip
    pytest.importorskip(package)

from tests.gateway.admin.desk import AUTH, TOKEN, ask, desk, refused, told  # noqa: E402
from tests.gateway.served import Served, served  # noqa: E402

ROUTES = [
    ("GET", "/accounts"),
    ("POST", "/accounts"),
    ("GET", "/accounts/demo"),
    ("PATCH", "/accounts/demo"),
    ("POST", "/accounts/demo/secret"),
    ("PUT", "/accounts/demo/grants/custom"),
    ("POST", "/accounts/demo/deposits"),
    ("GET", "/accounts/demo/spending"),
    ("GET", "/calls"),
    ("POST", "/refunds"),
    ("GET", "/apis"),
    ("PUT", "/apis/custom"),
    ("GET", "/audit"),
    ("GET", "/openapi.json"),
    ("GET", "/"),
    ("GET", "/docs"),
    ("OPTIONS", "/accounts"),
    ("HEAD", "/accounts"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with desk(tmp_path_factory.mktemp("admin")) as served:
        yield served


@pytest.fixture(autouse=True)
def unchanged(world: Served) -> Iterator[None]:
    """Whatever was refused changed nothing."""
    before = told(world, "GET", "/accounts"), told(world, "GET", "/apis")
    yield
    assert (told(world, "GET", "/accounts"), told(world, "GET", "/apis")) == before
    assert told(world, "GET", "/audit")["is_right"]


WRONG = ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer \xff", f"Token {TOKEN}"]  # fmt: skip


@pytest.mark.parametrize(("verb", "path"), ROUTES)
def test_nobody_comes_in_without_the_token(world: Served, verb: str, path: str) -> None:
    for wrong in WRONG:
        got = ask(world, verb, path, headers={"Authorization": wrong})
        assert got.status == 401
        assert got.headers["www-authenticate"].startswith("Bearer")
        assert verb == "HEAD" or json.loads(got.body)["error"]["kind"] == "unauthorized"


def test_the_scheme_may_be_in_any_case(world: Served) -> None:
    assert ask(world, "GET", "/apis", headers={"Authorization": f"bearer {TOKEN}"}).status == 200


@pytest.mark.parametrize(
    "path",
    ["/%61dmin/apis", "/admin%2Fapis", "/%6Detrics", "/metric%73", "/%63onsole", "/consol%65/calls", "//admin/apis", "/./admin/apis"],
)  # fmt: skip
def test_what_a_proxy_keeps_for_operators_is_not_there_in_other_letters(world: Served, path: str) -> None:
    got = world.send("GET", path, None, AUTH)
    assert got.code in ("4004", "4014"), got


def test_two_tokens_are_none(world: Served) -> None:
    with socket.create_connection(("127.0.0.1", world.port)) as connection:
        header = f"Authorization: Bearer {TOKEN}\r\n"
        connection.sendall(f"GET /admin/apis HTTP/1.1\r\nHost: a\r\n{header}{header}Connection: close\r\n\r\n".encode())
        assert connection.makefile("rb").readline().split()[1] == b"401"


@pytest.mark.parametrize(("verb", "path"), ROUTES)
def test_there_is_nothing_without_a_token_in_the_settings(tmp_path: Path, verb: str, path: str) -> None:
    with served(tmp_path, upstreams=[{"name": "none", "address": "http://127.0.0.1:9"}]) as other:
        got = ask(other, verb, path)
        assert got.status == 404
        assert verb == "HEAD" or json.loads(got.body)["error"]["kind"] == "not_found"
        assert verb == "HEAD" or b"admin_token in gateway.toml" in got.body


def test_what_is_not_there(world: Served) -> None:
    assert refused(world, "GET", "/none") == (404, "not_found", None)
    assert refused(world, "GET", "/docs") == (404, "not_found", None)
    assert refused(world, "GET", "/accounts/") == (404, "not_found", None)
    for name in ("nobody", "%00", "%ff", "a%0Ab", "%F0%9F%8C%8D", "..%2f", "x" * 3000):
        assert refused(world, "GET", f"/accounts/{name}")[:2] == (404, "not_found"), name
    got = ask(world, "DELETE", "/accounts/demo")
    assert (got.status, json.loads(got.body)["error"]["kind"]) == (405, "method_not_allowed")
    assert {*got.headers["allow"].split(", ")} >= {"GET"}
    assert ask(world, "OPTIONS", "/accounts").status == 405
    assert ask(world, "HEAD", "/accounts").status == 405


MARK = "marked-4f9c1d"
HOSTILE: list[bytes] = [
    b"{",
    b"\xff",
    b"[" * 16_000,
    b'{"name":' * 2000,
    b'{"name":"a","name":"b"}',
    b'{"name":"a","concurrency":{"a":1,"a":2}}',
    b'{"name":NaN}',
    b'{"name":-Infinity}',
    b'{"name":' + b"9" * 5000 + b"}",
    "{}".encode("utf-16"),
    b"\xef\xbb\xbf{}",
    b'{"name":"a\x00"}',
    b'{"name":"' + MARK.encode() + b'"} x',
]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: repr(body[:20]))
def test_what_is_not_json(world: Served, body: bytes) -> None:
    for verb, path in ROUTES:
        if verb in ("POST", "PUT", "PATCH"):
            got = ask(world, verb, path, body)
            assert (got.status, json.loads(got.body)["error"]["kind"]) == (400, "bad_request"), path
            assert MARK.encode() not in got.body


def test_a_body_is_short_and_said_to_be_json(world: Served) -> None:
    assert ask(world, "POST", "/accounts", b" " * 16_384 + b"{}").status == 413
    assert ask(world, "POST", "/accounts", b'{"name": "a"}', {"Content-Type": "text/plain"}).status == 415
    assert ask(world, "POST", "/accounts", b'{"name": "a"}', {"Content-Type": "application/x-www-form-urlencoded"}).status == 415  # fmt: skip
    assert ask(world, "POST", "/accounts", b'{"other": "a"}', {"Content-Type": "application/json; charset=utf-8"}).status == 422  # fmt: skip


NAMES = ["", ".", "..", "a/b", "x" * 201, "a\0", "a\n", "\x1b[2J", "\ud800", "\u202e", 5, None, True, ["a"], {"a": 1}]
FIELDS: list[tuple[str, str, str, list[Any]]] = [
    ("POST", "/accounts", "name", NAMES),
    ("POST", "/accounts", "concurrency", [-1, 2**31, 10**400, 1.5, 1.0, "3", True, [], {}]),
    ("POST", "/accounts", "strict_signature", [0, 1, "true", None]),
    ("PATCH", "/accounts/demo", "state", ["gone", "", None, 1, ["active"], {}]),
    ("PATCH", "/accounts/demo", "concurrency", [-1, 2**31, "unlimited", 0.5]),
    ("PATCH", "/accounts/demo", "strict_signature", [None, 1, "false"]),
    ("PUT", "/accounts/demo/grants/custom", "quota", [-1, 2**63, 10**30, 1e300, "5", False]),
    ("PUT", "/accounts/demo/grants/custom", "state", ["open", None]),
    ("POST", "/accounts/demo/deposits", "amount", [1, 0.5, "0", "0.000000", "-1", "1e3", "1.2345678", "9000000000.000001", "10000000000", "٣", "", " 1", "1 ", "+1", "NaN", None, True, [], {}]),
    ("POST", "/accounts/demo/deposits", "note", ["a\0", "\ud800", "\x1b", "x" * 201, 5, None]),
    ("POST", "/accounts/demo/deposits", "reference", ["a\0", "\ud800", "x" * 201, 5, None]),
    ("POST", "/refunds", "last_id", ["", "0", "-1", "1.5", "01", "9" * 19, "١", "1\n", 1, None, []]),
    ("POST", "/refunds", "note", ["\0", 5]),
    ("PUT", "/apis/custom", "state", ["stopped", "", None, 5]),
]  # fmt: skip
GOOD: dict[str, Any] = {
    "/accounts": {"name": "new"},
    "/accounts/demo/deposits": {"amount": "1"},
    "/refunds": {"last_id": "999"},
    "/apis/custom": {"state": "active"},
}


@pytest.mark.parametrize(
    ("verb", "path", "field", "values"), FIELDS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_wrong_field_is_named_and_its_value_is_not_shown(world: Served, verb: str, path: str, field: str, values: list[Any]) -> None:  # fmt: skip
    for value in values:
        body = {**GOOD.get(path, {}), field: value}
        got = ask(world, verb, path, body)
        assert got.status == 422, (value, got)
        error = json.loads(got.body)["error"]
        assert (error["kind"], error["path"]) == ("invalid", f"$.{field}"), value
    got = ask(world, verb, path, {**GOOD.get(path, {}), field: {MARK: MARK}})
    assert got.status == 422
    assert MARK.encode() not in got.body


@pytest.mark.parametrize(("verb", "path"), [row[:2] for row in FIELDS])
def test_an_unknown_field_is_refused(world: Served, verb: str, path: str) -> None:
    for name in ("balance", "Amount", "a\0", "\ud800", "__class__"):
        status, kind, where = refused(world, verb, path, {**GOOD.get(path, {}), name: MARK})
        assert (status, kind) == (422, "invalid")
        assert where is not None
        assert where.startswith("$")
    for body in ([], [1], 5, "text", None, True):
        assert refused(world, verb, path, json.dumps(body).encode())[0] == 422
    if GOOD.get(path):
        assert refused(world, verb, path)[0] == 422


@pytest.mark.parametrize(
    ("path", "field", "values"),
    [
        ("/accounts", "limit", ["0", "-1", "1001", "x", "1.5", "9" * 30]),
        ("/accounts", "after", ["-1", "9" * 30, "x"]),
        ("/calls", "before", ["0", "9" * 30, ""]),
        ("/calls", "since", ["yesterday", "2026-13-01", "1700000000", "", "9" * 300]),
        ("/calls", "until", ["2026-11-01T12:30+00:00x"]),
        ("/calls", "account", ["%00", "x" * 300, "%0a"]),
        ("/calls", "acount", ["demo"]),
        ("/accounts/demo/spending", "since", ["x"]),
        ("/accounts/demo/spending", "code", ["0000"]),
    ],
)
def test_a_wrong_query(world: Served, path: str, field: str, values: list[str]) -> None:
    for value in values:
        assert refused(world, "GET", f"{path}?{field}={value}") == (422, "invalid", f"?{field}"), value


WORDS = st.text(max_size=5) | st.integers() | st.none() | st.floats() | st.booleans()
JSONS = st.recursive(WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "state", "quota"]), inner))  # fmt: skip


@given(JSONS)
def test_whatever_is_sent_there_is_an_answer(world: Served, body: Any) -> None:
    before = told(world, "GET", "/accounts/nobody", status=404)
    got = ask(world, "PUT", "/accounts/nobody/grants/custom", body)
    assert got.status in (400, 404, 422)
    assert told(world, "GET", "/accounts/nobody", status=404) == before


def test_a_store_that_is_locked_is_503(tmp_path: Path) -> None:
    with desk(tmp_path, timeout=0.2) as world:
        with world.locked():
            got = ask(world, "POST", "/accounts", {"name": "new"})
            assert (got.status, json.loads(got.body)["error"]["kind"]) == (503, "unavailable")
            assert int(got.headers["retry-after"]) > 0
            assert ask(world, "GET", "/accounts").status == 200
        assert told(world, "POST", "/accounts", {"name": "new"}, 201)["name"] == "new"


def test_a_fault_of_ours_tells_nothing(world: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    from envelope.gateway.admin import operation

    def fail(*_: object) -> None:
        raise RuntimeError(MARK)

    with monkeypatch.context() as patch:
        patch.setattr(operation, "audit", fail)
        got = ask(world, "GET", "/audit")
    assert (got.status, json.loads(got.body)["error"]["kind"]) == (500, "fault")
    assert MARK.encode() not in got.body


def test_whoever_drips_or_hangs_up_is_not_waited_for(world: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("envelope.gateway.admin.bodies._SECONDS", 0.2)
    head = f"POST /accounts HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 9\r\n\r\n"
    with socket.create_connection(("127.0.0.1", world.port)) as connection:
        connection.sendall(head.encode() + b"{")
        assert connection.makefile("rb").readline().split()[1] == b"408"
    with socket.create_connection(("127.0.0.1", world.port)) as connection:
        connection.sendall(head.encode() + b"{")
    assert told(world, "GET", "/apis")


def test_calls_go_on_while_the_books_are_audited(world: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes long is done in a thread."""
    from envelope.gateway.admin import operation
    from envelope.gateway.books import auditing

    called, is_right = threading.Event(), auditing.audit

    def slow(db: Any, registry: Any) -> Any:
        assert called.wait(60)
        return is_right(db, registry)

    with monkeypatch.context() as patch:
        patch.setattr(operation, "audit", slow)
        audits: list[Any] = []
        thread = threading.Thread(target=lambda: audits.append(told(world, "GET", "/audit")))
        thread.start()
        assert world.call(args={"prompt": "a", "model": "fault-404"}).code == "2000"
        called.set()
        thread.join()
    assert audits[0]["is_right"]


def test_what_was_changed_is_in_the_log_without_secrets(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with desk(tmp_path, log="json") as world:
        new = told(world, "POST", "/accounts", {"name": "new"}, 201)
        told(world, "POST", "/accounts/new/deposits", {"amount": "7", "note": MARK})
        refused(world, "POST", "/accounts/new/deposits", {"amount": MARK})
        told(world, "GET", "/accounts")
    said = capfd.readouterr().err
    lines = [json.loads(line) for line in said.splitlines()]
    assert [(line["did"], line["of"]) for line in lines if line["event"] == "admin"] == [
        ("POST /accounts", []),
        ("POST /accounts/{name}/deposits", ["new"]),
    ]
    assert not [secret for secret in (TOKEN, MARK, new["secret"], new["key"]) if secret in said]
