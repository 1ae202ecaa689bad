"""`/js/obapi.js` over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import envelope.gateway.browser as package
from envelope.gateway.browser.script import SCRIPT
from tests.gateway.served import Served, served


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("script")) as world:
        yield world


def test_it_is_the_file_in_the_package(world: Served) -> None:
    got = world.send("GET", SCRIPT)
    assert got.status == 200
    assert got.headers["content-type"] == "text/javascript; charset=utf-8"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "max-age" in got.headers["cache-control"]
    assert got.body == (Path(package.__path__[0]) / "obapi.js").read_bytes()
    assert world.records() == []


def test_who_has_it_is_sent_nothing(world: Served) -> None:
    tag = world.send("GET", SCRIPT).headers["etag"]
    for asked in (tag, f"W/{tag}", f'"other", {tag}'):
        got = world.send("GET", SCRIPT, headers={"If-None-Match": asked})
        assert (got.status, got.body, got.headers["etag"]) == (304, b"", tag)
    assert world.send("GET", SCRIPT, headers={"If-None-Match": '"other"'}).status == 200


def test_other_verbs(world: Served) -> None:
    head = world.send("HEAD", SCRIPT)
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) == len(world.send("GET", SCRIPT).body)
    got = world.send("POST", SCRIPT, b"x")
    assert (got.status, got.headers["allow"]) == (405, "GET, HEAD")
