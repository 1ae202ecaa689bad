"""A gateway in processes of its own, in front of an upstream that counts, with what an operator does to it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from envelope.gateway.books import CallRecord, audit, find_calls
from envelope.gateway.settings import GatewaySettings
from envelope.gateway.stores import Store
from tests.client.servers import Received, Reply, http, serving
from tests.gateway.child import Caller, Popen, add_account, books, gateway_process, write_settings
from tests.gateway.operation.load import Load
from tests.gateway.served import Got, wait_until


class Slow:
    """An upstream that answers after some *seconds*, or when it is told to if there are none."""

    def __init__(self, seconds: float | None = 0.01) -> None:
        self.seconds = seconds
        self.asked = 0
        self.released = threading.Event()

    def reply(self, received: Received) -> Reply:
        self.asked += 1
        if self.seconds is None:
            while not self.released.is_set():
                yield 0.02
        else:
            yield self.seconds
        yield http(200, b'{"id": "x"}')


class Node:
    """What a test has of it."""

    def __init__(self, folder: Path, upstream: str, slow: Slow, settings: GatewaySettings, store: Store) -> None:
        self.folder = folder
        self.upstream = upstream
        self.slow = slow
        self.settings = settings
        self.store = store
        self.port = 0
        self.process: Popen | None = None
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)

    def begin(self, port: int, process: Popen) -> None:
        self.port, self.process = port, process
        self._reader.start()

    def _read(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        self.said.extend(self.process.stdout)

    def heard(self, text: str, times: int = 1) -> None:
        """Wait until it has said so."""
        wait_until(lambda: sum(text in line for line in self.said) >= times, 60)

    def write(self, text: str) -> None:
        write_settings(self.folder, self.upstream, text)

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def ended(self) -> int:
        assert self.process is not None
        return self.process.wait(60)

    @property
    def workers(self) -> list[int]:
        """The processes of its workers."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]

    @contextmanager
    def again(self) -> Iterator[int]:
        """The same gateway, started anew; its port."""
        with gateway_process(self.folder) as (port, _):
            yield port

    def kill_one(self) -> None:
        os.kill(self.workers[0], signal.SIGKILL)

    def call(self) -> str:
        caller = Caller(self.port)
        try:
            return caller.call().error_code
        finally:
            caller.close()

    def serving(self) -> None:
        """Wait until two workers answer calls."""
        seen = len(self.records())

        def both() -> bool:
            with Load(self.port, 6).running() as load:
                load.more(20)
            new = self.records()[: -seen or None]
            return len({row.request_id.partition(".")[0] for row in new}) == 2

        wait_until(both, 60)

    def page(self, target: str, verb: str = "GET", **headers: str) -> Got:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            return page(connection, target, verb, **headers)
        finally:
            connection.close()

    def records(self) -> list[CallRecord]:
        """The newest first."""
        return self.store.read_now(lambda db: find_calls(db, limit=10**6, since=0, until=2**62, before=2**62))


def page(connection: HTTPConnection, target: str, verb: str = "GET", **headers: str) -> Got:
    connection.request(verb, target, headers=headers)
    answer = connection.getresponse()
    return Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


@contextmanager
def node(
    folder: Path, *arguments: str, workers: int = 1, seconds: float | None = 0.01, text: str = "", units: int = 10**9
) -> Iterator[Node]:
    """A gateway whose books are right at its end."""
    slow = Slow(seconds)
    with serving(slow.reply) as upstream:
        settings = write_settings(folder, upstream.url, text)
        with books(settings) as store:
            add_account(settings, store, "demo", units)
            made = Node(folder, upstream.url, slow, settings, store)
            try:
                with gateway_process(folder, *arguments, workers=workers) as (port, process):
                    made.begin(port, process)
                    yield made
            finally:
                slow.released.set()
            assert store.read_now(audit) == []
