"""What type checkers see of the client, in the strictest mode: the documents' examples, and each kind of payload."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.client.test_docs import examples

CALLER = """
from typing import Any, TypedDict

import msgspec
import pydantic

from envelope import Envelope
from envelope.client import AsyncGatewayClient, GatewayClient, SqliteCache

class Model(pydantic.BaseModel):
    id: str

class Struct(msgspec.Struct):
    id: str

class Typed(TypedDict):
    id: str

def listed(client: GatewayClient) -> list[str]:
    untyped: list[str] = [page.response["id"] for page in client.pages("v1/files")]
    return untyped + [page.response.id for page in client.pages("v1/files", response=Struct)]

def calls(client: GatewayClient) -> list[str]:
    models: Envelope[list[Model]] = client.call("v1/models", response=list[Model], timeout=5)
    struct: Envelope[Struct] = client.call("v1/models", response=Struct, lang="en", result_type="xml")
    typed: Envelope[Typed] = client.call("v1/models", {"a": 1}, response=Typed)
    anything: Envelope[Any] = client.call("v1/models", params={"page": 2}, check=False)
    return [models.response[0].id, struct.response.id, typed.response["id"], anything.response]

async def awaited(client: AsyncGatewayClient) -> str:
    async for page in client.pages("v1/files"):
        print(page.verdict.ok, page.receipt)
    async for typed in client.pages("v1/files", response=Typed):
        return typed.response["id"]
    return (await client.call(response=Model)).response.id

GatewayClient(["https://a.example.com"], key="k", secret="s", sign="strict", cache=SqliteCache("answers.sqlite"))

def wrong(client: GatewayClient) -> None:
    client.call("v1/models", response=Model).response.name
    client.call("v1/models", result_type="yaml")
    client.call("v1/models", timeout="5")
    next(client.pages("v1/files", response=Model)).response.name
    GatewayClient(["https://a.example.com"], key="k", secret="s", failover="never")
"""


def test_a_caller_needs_no_casts(tmp_path: Path) -> None:
    api = pytest.importorskip("mypy.api", reason="mypy is not installed")
    sources = {name: "\n".join(source for source, _ in examples(f"{name}.md")) for name in ("README", "client")}
    paths = []
    for name, source in {**sources, "caller": CALLER}.items():
        path = tmp_path / f"{Path(name).name.lower()}.py"
        path.write_text(source, encoding="utf-8")
        paths.append(str(path))
    out, err, _ = api.run(["--strict", "--config-file=", f"--cache-dir={tmp_path / 'cache'}", *paths])
    errors = [line for line in out.splitlines() if ": error: " in line]
    wrong = CALLER.splitlines().index("def wrong(client: GatewayClient) -> None:") + 1
    places = {(Path(line.split(":")[0]).name, int(line.split(":")[1])) for line in errors}
    assert places == {("caller.py", wrong + number) for number in (1, 2, 3, 4, 5)}, out + err
