"""/health and /ready: what a load balancer asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from envelope.gateway.operation import glances
from envelope.gateway.stores import StoreUnavailable
from tests.gateway.served import KEY, SECRET, Served, served


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(glances, "_FRESH", 0.0)
    with served(tmp_path) as world:
        yield world


def told(world: Served) -> tuple[int, Any]:
    got = world.send("GET", "/ready")
    return got.status, json.loads(got.body)


def test_a_gateway_that_serves(world: Served) -> None:
    got = world.send("GET", "/health")
    assert (got.status, got.body, got.headers["content-type"]) == (200, b'{"serving":true}', "application/json")
    assert told(world) == (200, {"ready": True, "store": True, "upstreams": True, "draining": False})


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_verbs(world: Served, path: str) -> None:
    got = world.send("HEAD", path)
    assert (got.status, got.body) == (200, b"")
    assert int(got.headers["content-length"]) == len(world.send("GET", path).body)
    for verb in ("POST", "PUT", "OPTIONS"):
        got = world.send(verb, path)
        assert (got.status, got.headers["allow"]) == (405, "GET, HEAD")


def test_probes_are_no_calls(world: Served, capfd: pytest.CaptureFixture[str]) -> None:
    for path in ("/health", "/ready", "/metrics"):
        world.send("GET", f"{path}?key=demo&secret={SECRET}")
    assert world.records() == []
    assert capfd.readouterr().err == ""
    # A path of two segments is an API's.
    assert world.call(path="/health/custom/").code == "0000"


@pytest.mark.parametrize("hangs", [True, False])
def test_a_store_that_cannot_be_read(world: Served, hangs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glances, "_PATIENCE", 0.05)
    read = world.gateway._store.read_now
    import threading

    end = threading.Event()

    def fails(steps: Any) -> Any:
        if hangs:
            end.wait(20)
            return read(steps)
        raise StoreUnavailable(f"it is at {SECRET}")

    monkeypatch.setattr(world.gateway._store, "read_now", fails)
    status, body = told(world)
    assert (status, body["ready"], body["store"]) == (503, False, False)
    assert world.send("GET", "/health").status == 200
    end.set()
    monkeypatch.setattr(world.gateway._store, "read_now", read)
    while told(world)[0] != 200:
        pass


def test_no_upstream_that_is_awake(tmp_path: Path) -> None:
    upstreams = [{"name": "gone", "address": "http://127.0.0.1:9", "key": KEY}]
    with served(tmp_path, upstreams=upstreams) as world:
        assert world.call().code == "4001"
        got = world.send("GET", "/ready")
        assert (got.status, json.loads(got.body)["upstreams"]) == (503, False)
        for secret in (KEY, "127.0.0.1", "gone"):
            assert secret.encode() not in got.body


def test_a_gateway_that_ends(world: Served) -> None:
    assert world.node is not None
    world.node.drain(5)
    assert told(world) == (503, {"ready": False, "store": True, "upstreams": True, "draining": True})
