"""Callers who sign: the Python client in each carrier, and PHP as the gateway's own client does."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from envelope import ResultType
from envelope.client import GatewayClient
from envelope.testing import php
from tests.adapters.test_servers import CLIENT
from tests.gateway.served import PROMPT, SECRET, Served, served


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("signed")) as world:
        world.account("mine")
        yield world


@pytest.mark.parametrize("result_type", list(ResultType))
@pytest.mark.parametrize("carrier", ["query", "form", "json"])
def test_the_client_signs_in_each_carrier(world: Served, carrier: Any, result_type: ResultType) -> None:
    options: dict[str, Any] = {"carrier": carrier, "result_type": result_type, "retries": 0}
    with GatewayClient([world.address], key="demo", secret=SECRET, sign="md5", **options) as client:
        assert client.call("v1/completions", PROMPT).verdict.ok
        assert client.call("v1/completions", PROMPT).attempts == 1
    with GatewayClient([world.address], key="demo", secret="wrong", sign="md5", **options) as client:
        assert client.call("v1/completions", PROMPT, check=False).error_code == "4005"


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_signature_is_of_now(world: Served, seconds: int) -> None:
    options: dict[str, Any] = {"retries": 0, "clock": lambda: time.time_ns() + seconds * 10**9}
    with GatewayClient([world.address], key="demo", secret=SECRET, sign="md5", **options) as client:
        assert client.call("v1/models", check=False).error_code == "4005"


@pytest.mark.php
@pytest.mark.parametrize(("secret", "code"), [(SECRET, "0000"), ("wrong", "4005")])
def test_php_signs_posts_and_unserializes(world: Served, secret: str, code: str) -> None:
    if why := php.missing():
        pytest.skip(why)
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 8 * 3600))
    url = f"{world.address}/openai/api_call.php"
    command = ["php", "-d", "display_errors=stderr", "-r", CLIENT.strip(), url, secret, now]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    answer = orjson.loads(done.stdout)
    assert answer["error_code"] == code
    assert (answer["response"] != []) == (code == "0000")
