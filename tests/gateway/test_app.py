"""The gateway over HTTP: verbs, compression, paths, and how it starts."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from envelope.gateway.app import GatewayApp
from envelope.gateway.operation import server
from tests.gateway.served import SECRET, Served, served, wait_until


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("app")) as world:
        yield world


TARGET = f"/openai/custom/?key=demo&secret={SECRET}&method=v1/models&lang=en"


@pytest.mark.parametrize("verb", ["PUT", "DELETE", "PATCH", "HEAD", "TRACE", "PROPFIND"])
def test_another_verb_is_405_in_an_envelope(world: Served, verb: str) -> None:
    got = world.send(verb, TARGET + "&result_type=xml")
    assert (got.status, got.headers["allow"]) == (405, "GET, POST, OPTIONS")
    assert got.body == b"" if verb == "HEAD" else got.code == "4010"


def test_options(world: Served) -> None:
    got = world.send("OPTIONS", TARGET)
    assert (got.status, got.headers["allow"], got.body) == (204, "GET, POST, OPTIONS", b"")


@pytest.mark.parametrize(
    "path",
    [
        "/openai",
        "/openai/",
        "//",
        "/openai/custom/x/y/",
        "/../openai/none/",
        "/%2e%2e/x/",
        "/openai/a%2fb/",
        "/" + "a" * 5000,
    ],
)
def test_any_other_path_is_an_envelope(world: Served, path: str) -> None:
    got = world.send("GET", f"{path}?key=demo&secret={SECRET}&method=v1/models&lang=en")
    assert got.code in ("4010", "4014")


@pytest.mark.parametrize(
    ("accepted", "is_zipped"),
    [
        ("gzip", True), ("x-gzip", True), ("*", True), ("br, gzip;q=0.5", True), ("GZIP; q=1.0", True), ("*;q=0, gzip", True),
        ("", False), ("identity", False), ("gzip;q=0", False), ("gzip; q=0.000", False), ("*;q=0", False), ("gzip;q=0, *", False), ("br", False),
    ],
)  # fmt: skip
def test_long_answers_are_compressed_for_who_takes_that(world: Served, accepted: str, is_zipped: bool) -> None:
    args = {"prompt": "x" * 3000}
    got = world.call(args=args, headers={"Accept-Encoding": accepted})
    assert (got.headers.get("content-encoding") == "gzip") == is_zipped
    assert ("Accept-Encoding" in got.headers["vary"]) or not is_zipped
    assert b"xxx" in (gzip.decompress(got.body) if is_zipped else got.body)
    assert "content-encoding" not in world.call(headers={"Accept-Encoding": accepted}).headers


def test_a_server_that_ends_answers_what_is_on_its_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever connected, or was answered, just before may have sent a request that the server has not read."""
    monkeypatch.setattr(server, "_ON_ITS_WAY", 1.0)
    with served(tmp_path) as world, socket.create_connection(("127.0.0.1", world.port), timeout=20) as fresh:
        assert world.call().code == "0000"
        assert world.server is not None
        connections = world.server.server_state.connections
        wait_until(lambda: len(connections) == 2)

        def end() -> None:
            for connection in list(connections):
                connection.shutdown()

        world.loop.call_soon_threadsafe(end)
        assert world.call().code == "0000"
        fresh.sendall(f"GET {TARGET} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert fresh.recv(65536).startswith(b"HTTP/1.1 200")
        wait_until(lambda: not connections)


def test_a_gateway_that_cannot_be_opened_does_not_start() -> None:
    def fails() -> Any:
        raise ValueError("no key file")

    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(GatewayApp(fails)({"type": "lifespan"}, receive, send))
    assert sent == [{"type": "lifespan.startup.failed", "message": "no key file"}]


def test_a_server_without_lifespan_is_told_so() -> None:
    never: Any = None
    with pytest.raises(RuntimeError, match="lifespan"):
        asyncio.run(GatewayApp(never)({"type": "http", "method": "GET"}, never, never))
