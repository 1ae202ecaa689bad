"""`envelope gateway serve` in processes of its own, in front of an upstream of the test's."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlencode

from envelope import Envelope, decode
from envelope.calls.media import format_of_content_type
from envelope.gateway.books import create_account, deposit, grant
from envelope.gateway.running import open_vault
from envelope.gateway.settings import GatewaySettings, read_settings
from envelope.gateway.stores import Store, Transaction, open_store
from tests.gateway.served import SECRET

T = TypeVar("T")
Popen: TypeAlias = "subprocess.Popen[str]"
ROOT = Path(__file__).parents[2]


def write_settings(folder: Path, upstream: str, text: str) -> GatewaySettings:
    """The settings in *folder*, with *text* of its own before the upstream."""
    file = folder / "gateway.toml"
    file.write_text(f'log = "none"\nretries = 0\n{text}\n[[upstreams]]\nname = "u"\naddress = "{upstream}"\n')
    return read_settings(file)


def add_account(settings: GatewaySettings, store: Store, name: str, units: int, **bounds: Any) -> None:
    quota = bounds.pop("quota", None)
    sealed = open_vault(settings.key_file, store).seal(SECRET)

    def steps(db: Transaction) -> None:
        number = create_account(db, name=name, key=name, secret=sealed, **bounds)
        grant(db, number, "custom", quota=quota)
        deposit(db, number, units)

    store.write_now(steps)


@contextmanager
def books(settings: GatewaySettings) -> Iterator[Store]:
    with open_store(settings.store, timeout=60) as store:
        yield store


@contextmanager
def gateway_process(
    folder: Path, *arguments: str, workers: int = 1, max_file: int = 0, port: int = 0, grace: float | None = None
) -> Iterator[tuple[int, Popen]]:
    """The port and the process of a gateway with the settings in *folder*; its files may have at most *max_file* bytes.

    It closes overdue calls after *grace* seconds, if that is given.
    """

    def limit() -> None:
        if max_file:
            resource.setrlimit(resource.RLIMIT_FSIZE, (max_file, max_file))

    module = "envelope" if grace is None else "tests.gateway.hurried"
    command = [sys.executable, "-m", module, "gateway", "serve", "--port", str(port), "--workers", str(workers)]
    command += arguments
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=limit,
        env={**os.environ, "PYTHONPATH": str(ROOT), "GRACE": str(grace)},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r":([0-9]+)$", line.strip())
        assert found is not None, line + process.stdout.read()
        yield int(found[1]), process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


class Caller:
    """One connection of one caller."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, method: str = "v1/completions", key: str = "demo", header: str = "", **params: str) -> Envelope[Any]:
        self.send(method, key, header, **params)
        return self.receive()

    def send(self, method: str = "v1/completions", key: str = "demo", header: str = "", **params: str) -> None:
        named = {"key": key, "secret": SECRET, "method": method, "cache": "no", **params}
        headers = {"Idempotency-Key": header} if header else {}
        self._connection.request("GET", f"/openai/custom/?{urlencode(named)}", headers=headers)

    def receive(self) -> Envelope[Any]:
        response = self._connection.getresponse()
        return decode(response.read(), format_of_content_type(response.headers["content-type"]))

    def close(self) -> None:
        self._connection.close()


def at_once(port: int, callers: int, work: Callable[[Caller, int], Sequence[T]]) -> list[T]:
    """What *callers* do at the same time, each on its own connection."""

    def one(number: int) -> Sequence[T]:
        caller = Caller(port)
        try:
            return work(caller, number)
        finally:
            caller.close()

    with ThreadPoolExecutor(callers) as pool:
        return [result for results in pool.map(one, range(callers)) for result in results]
