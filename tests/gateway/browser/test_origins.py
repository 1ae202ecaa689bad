"""Cross-origin rules: exactly the listed origins, for calls alone, and nothing at all without the setting."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.gateway.served import SECRET, Served, served

SHOP = "https://shop.example"
TARGET = f"/openai/custom/?key=demo&secret={SECRET}&method=v1/models&lang=en"
STREAM = '{"prompt":"hello","max_tokens":20,"stream":true}'
STRANGERS = [
    "https://shop.example.evil.test", "https://shop.example:8443", "http://shop.example", "https://SHOP.example",
    "https://shop.example/", "null", "*", "", f"{SHOP} {SHOP}",
]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("origins")
    with served(folder, origins=[SHOP, "http://127.0.0.1:9"], admin_token="t" * 16, metrics="open") as world:
        yield world


def rules(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("access-control")}


def test_a_listed_origin_may_read(world: Served) -> None:
    got = world.send("GET", TARGET, headers={"Origin": SHOP})
    assert got.code == "0000"
    assert rules(got.headers) == {
        "access-control-allow-origin": SHOP,
        "access-control-expose-headers": "Retry-After",
    }


@pytest.mark.parametrize("origin", STRANGERS)
def test_no_other_may(world: Served, origin: str) -> None:
    for verb in ("GET", "OPTIONS", "PUT"):
        got = world.send(verb, TARGET, headers={"Origin": origin})
        assert rules(got.headers) == {}
        assert "Origin" in got.headers["vary"]


def test_a_listed_origin_may_read_a_stream(world: Served) -> None:
    got = world.send(
        "GET", f"{TARGET.replace('models', 'completions')}&_o_args={quote(STREAM)}", headers={"Origin": SHOP}
    )
    assert got.headers["content-type"].startswith("text/event-stream")
    assert rules(got.headers)["access-control-allow-origin"] == SHOP


def test_a_refusal_is_as_readable_as_an_answer(world: Served) -> None:
    for verb, target in (("GET", "/openai/custom/"), ("PUT", TARGET), ("GET", "/nothing"), ("POST", "/openai/custom/")):
        got = world.send(verb, target, b"x" if verb == "POST" else None, headers={"Origin": SHOP})
        assert got.status >= 400
        assert rules(got.headers)["access-control-allow-origin"] == SHOP


def test_caches_keep_them_apart(world: Served) -> None:
    """Also who says no origin is told that others might get another answer."""
    given: list[dict[str, str]] = [{}, {"Origin": SHOP}]
    for headers in given:
        with closing(http.client.HTTPConnection("127.0.0.1", world.port)) as connection:
            connection.request("GET", TARGET, headers=headers)
            varies = connection.getresponse().getheader("vary", "")
        assert {"Accept", "Accept-Language", "Origin"} <= {part.strip() for part in varies.split(",")}


def test_a_preflight(world: Served) -> None:
    asked = {"Origin": SHOP, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    got = world.send("OPTIONS", TARGET, headers=asked)
    assert got.status == 204
    assert rules(got.headers) == {
        "access-control-allow-origin": SHOP,
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "Content-Type, Idempotency-Key",
        "access-control-max-age": "7200",
    }


@pytest.mark.parametrize(
    "path",
    [
        "/admin/accounts",
        "/admin/",
        "/metrics",
        "/health",
        "/ready",
        "/js/obapi.js",
        "/",
        "/docs",
        "/console",
        "/playground",
        "/v1/models",
    ],
)
@pytest.mark.parametrize("verb", ["GET", "OPTIONS"])
def test_the_rules_are_for_calls_alone(world: Served, path: str, verb: str) -> None:
    got = world.send(verb, path, headers={"Origin": SHOP, "Authorization": "Bearer " + "t" * 16})
    assert rules(got.headers) == {}


def test_without_the_setting_there_are_none(tmp_path: Path) -> None:
    with served(tmp_path) as world:
        for verb in ("GET", "OPTIONS"):
            got = world.send(verb, TARGET, headers={"Origin": SHOP})
            assert rules(got.headers) == {}
            assert "Origin" not in got.headers.get("vary", "")
