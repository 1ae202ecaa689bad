"""A gateway with an admin API, and whoever asks it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.gateway.served import Got, Served, served

TOKEN = "the-operators-token-5d3c1f"
AUTH = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Content-Type": "application/json"}


def desk(folder: Path, **options: Any) -> Any:
    """A gateway in front of the demo, which is asked with `ask`."""
    return served(folder, **{"admin_token": TOKEN, **options})


def ask(world: Served, verb: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Got:
    """One request to the admin API, which has the form of all its answers."""
    sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    given = {**AUTH, **(JSON if sent else {}), **(headers or {})}
    got = world.send(verb, f"/admin{path}", sent, given)
    assert got.headers["content-type"] == "application/json", got
    assert got.headers["cache-control"] == "no-store"
    assert not [name for name in got.headers if name.startswith("access-control")]
    if got.status >= 400 and verb != "HEAD":
        error = json.loads(got.body)
        assert [*error] == ["error"]
        assert [*error["error"]] == ["kind", "message", "path"]
    return got


def told(world: Served, verb: str, path: str, body: Any = None, status: int = 200) -> Any:
    """What it answers, with this status."""
    got = ask(world, verb, path, body)
    assert got.status == status, got
    return json.loads(got.body)


def refused(world: Served, verb: str, path: str, body: Any = None) -> tuple[int, str, str | None]:
    """The status, the kind and the path of its error."""
    got = ask(world, verb, path, body)
    error = json.loads(got.body)["error"]
    return got.status, error["kind"], error["path"]
