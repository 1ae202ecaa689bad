"""The SDK in PHP: its addresses, its cache and its signature, beyond what every program is asked."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.clients.programs import FOLDER, PROGRAMS
from tests.gateway.served import SECRET, served

[SDK] = [program for program in PROGRAMS if program.name == "PHP, an SDK"]

pytestmark = [pytest.mark.php, pytest.mark.skipif(bool(SDK.missing()), reason=SDK.missing())]

NOBODY = "http://127.0.0.1:1/openai/custom/"


def ask(address: str, cache: Path, args: str = '{"prompt":"地球"}') -> dict[str, object]:
    command = ["php", str(FOLDER / SDK.source), address, "demo", SECRET, "v1/completions", args, "json", "ru"]
    ran = subprocess.run(command, capture_output=True, check=True, env={**os.environ, "CACHE": str(cache)})
    value: dict[str, object] = json.loads(ran.stdout.splitlines()[0])
    return value


def test_it_fails_over_and_keeps_successes_for_a_day(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    with served(tmp_path) as world:
        addresses = f"{NOBODY},{world.address}/openai/custom/"
        first = ask(addresses, cache)
        assert first["error_code"] == "0000"
        assert ask(addresses, cache) == first
        assert len(world.records()) == 1
        [kept] = cache.iterdir()
        assert SECRET not in kept.read_text()
        yesterday = time.time() - 86_401
        os.utime(kept, (yesterday, yesterday))
        assert ask(addresses, cache)["request_id"] != first["request_id"]
        # A failure is not kept.
        failing = '{"prompt":"x","model":"fault-404"}'
        assert ask(addresses, cache, failing)["error_code"] == "2000"
        assert ask(addresses, cache, failing)["error_code"] == "2000"
        assert len(world.records()) == 4
        # An old answer is better than none.
        [kept] = cache.iterdir()
        last = json.loads(kept.read_text())
        os.utime(kept, (yesterday, yesterday))
        assert ask(NOBODY, cache) == last
        with pytest.raises(subprocess.CalledProcessError):
            ask(NOBODY, cache, '{"prompt":"new"}')
