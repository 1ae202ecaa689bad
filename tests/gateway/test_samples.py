"""The documents' two samples, as the gateway answers where ids and clocks are pinned."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
import pytest

from envelope import ResultType
from envelope.gateway.running import Running, running
from envelope.gateway.settings import GatewaySettings
from envelope.testing.php import Php, tagged
from tests.gateway.served import Got, served

SAMPLES: dict[str, Any] = orjson.loads((files("envelope.calls") / "samples.json").read_bytes())
SUCCESS = SAMPLES["sample-success"]
CALLS: dict[str, Any] = {
    "sample-success": {"prompt": "中国最有钱的人是谁", "model": "text-davinci-003"},
    "sample-upstream-error": {"prompt": "x", "model": "default-text-davinci-003"},
}


def pinned(request_id: str) -> Callable[[GatewaySettings], AbstractAsyncContextManager[Running]]:
    @asynccontextmanager
    async def made(settings: GatewaySettings) -> AsyncIterator[Running]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("envelope.gateway.running.new_request_ids", lambda _: lambda: request_id)
            async with running(settings) as node:
                yield node

    return made


@contextmanager
def answered(folder: Path, name: str, result_type: ResultType) -> Iterator[Got]:
    """The answer to the sample's call, whose record is the one after the last that there was."""
    sample = SAMPLES[name]
    demo = {"clock": lambda: SUCCESS["response"]["created"], "new_id": lambda prefix: SUCCESS["response"]["id"]}
    with served(folder, made=pinned(sample["request_id"]), demo=demo) as world:
        last = int(sample["last_id"]) - 1
        world.store.write_now(lambda db: db.execute("INSERT INTO sqlite_sequence VALUES ('call', :last)", last=last))
        yield world.call(args=CALLS[name], result_type=result_type)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("result_type", list(ResultType))
def test_a_sample_is_what_the_documents_show(tmp_path: Path, name: str, result_type: ResultType) -> None:
    with answered(tmp_path, name, result_type) as got:
        assert got.envelope.to_value() == SAMPLES[name]


@pytest.mark.php
@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("result_type", ["json", "jsonu", "serialize", "var_export"])
def test_it_has_the_bytes_that_php_writes(tmp_path: Path, php: Php, name: str, result_type: ResultType) -> None:
    with answered(tmp_path, name, result_type) as got:
        [theirs] = php.ask(f"array {result_type}", [tagged(got.envelope.to_value())])
        assert got.body == theirs
