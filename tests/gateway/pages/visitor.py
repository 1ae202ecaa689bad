"""Somebody who looks at pages without a browser: what is sent, and what is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from tests.gateway.admin.desk import TOKEN
from tests.gateway.served import Got, Served

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_PROOF = re.compile(r'name="proof" value="([0-9a-f]{64})"')


def get(world: Served, path: str, **headers: str) -> Got:
    return world.send("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def post(world: Served, path: str, fields: Mapping[str, str], **headers: str) -> Got:
    given = {"Origin": world.address, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return world.send("POST", path, urlencode(fields, errors="surrogateescape").encode(), {**FORM, **given})


def text(got: Got) -> str:
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    return got.body.decode()


class Operator:
    """One who has signed in."""

    def __init__(self, world: Served) -> None:
        self.world = world
        got = post(world, "/console/login", {"token": TOKEN})
        assert (got.status, got.headers["location"]) == (303, "/console")
        self.cookie = got.headers["set-cookie"].split(";")[0]
        self.proof = _PROOF.findall(text(self.get("/console")))[0]

    def get(self, path: str) -> Got:
        return get(self.world, path, Cookie=self.cookie)

    def do(self, action: str, **fields: str) -> Got:
        return post(self.world, f"/console/{action}", {"proof": self.proof, **fields}, Cookie=self.cookie)
