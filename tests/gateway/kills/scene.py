"""A gateway that is killed and started again, in front of an upstream that outlives it."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from envelope import Envelope, decode
from envelope.calls.media import format_of_content_type
from envelope.gateway.books import CallRecord, account_named, audit, find_calls
from envelope.gateway.settings import GatewaySettings
from envelope.gateway.stores import Store
from envelope.registry import REGISTRY
from tests.gateway.child import add_account, write_settings
from tests.gateway.kills.nursery import Nursery
from tests.gateway.kills.points import ARMED
from tests.gateway.kinds import Kind
from tests.gateway.served import SECRET, wait_until

DEPOSIT = 100_000_000
CALL, CACHED, JOB = 1000, 400, 40_000
SETTINGS = """
store = "{store}"
seconds = 10
receipts = true
[[prices]]
method = "v1/models"
[[prices]]
method = "images/get"
[[prices]]
method = "images/submit"
call = "0.04"
[[prices]]
call = "0.001"
cached = "0.0004"
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def is_listening(port: int) -> bool:
    with socket.socket() as peer:
        return peer.connect_ex(("127.0.0.1", port)) == 0


class Upstream(NamedTuple):
    """The demo, in a process of its own."""

    address: str

    def served(self, model: str | None = None) -> list[dict[str, Any]]:
        """Its log: the requests for this model, else all."""
        with urllib.request.urlopen(f"{self.address}/_log.json") as log:
            rows: list[dict[str, Any]] = json.load(log)
        return [row for row in rows if model is None or row["model"] == model]


@contextmanager
def upstream_of(nursery: Nursery) -> Iterator[Upstream]:
    port = free_port()
    child = nursery.fork("demo", port)
    wait_until(lambda: is_listening(port))
    yield Upstream(f"http://127.0.0.1:{port}")
    nursery.kill(child)


class Cut(Exception):
    """No whole answer came; what came of its body."""

    def __init__(self, part: bytes) -> None:
        super().__init__()
        self.part = part


class Scene:
    """Books of some kind, one account, and at most one node."""

    def __init__(
        self, folder: Path, kind: Callable[..., Kind], nursery: Nursery, upstream: Upstream, *, empty: bool = False
    ) -> None:
        self.folder = folder
        self.kind = kind(folder, empty=empty)
        self.nursery = nursery
        self.upstream = upstream
        self.settings: GatewaySettings = write_settings(
            folder, upstream.address, SETTINGS.format(store=self.kind.address)
        )
        self.port = free_port()
        self.node = 0
        if not empty:
            with self.kind.open() as store:
                self.add_account(store)

    def add_account(self, store: Store) -> None:
        add_account(self.settings, store, "demo", DEPOSIT)

    def start(self, point: str = "") -> None:
        """Start the node, which kills itself at *point* once it is armed."""
        self.node = self.nursery.fork("node", str(self.folder), self.port, point)

    def arm(self) -> None:
        (self.folder / ARMED).touch()

    def has_killed_itself(self) -> bool:
        child, self.node = self.node, 0
        return self.nursery.wait(child) == -9

    def kill(self) -> None:
        if self.node:
            self.nursery.kill(self.node)
            self.node = 0

    def call(self, method: str, key: str, args: dict[str, Any], *, cache: str = "no") -> Envelope[Any]:
        """The answer to a call of the running node; `Cut` if it is killed meanwhile."""
        wait_until(lambda: is_listening(self.port))
        named = {"key": "demo", "secret": SECRET, "method": method, "cache": cache, "_o_args": json.dumps(args)}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        body = b""
        try:
            headers = {"Idempotency-Key": key} if key else {}
            connection.request("GET", f"/openai/custom/?{urlencode(named)}", headers=headers)
            response = connection.getresponse()
            while chunk := response.read1():
                body += chunk
            if len(body) < int(response.headers["content-length"]):
                raise Cut(body)
        except OSError:
            raise Cut(body) from None
        finally:
            connection.close()
        return decode(body, format_of_content_type(response.headers["content-type"]))

    def answered(self, *call: Any, **options: Any) -> Envelope[Any]:
        """The answer of a caller who repeats his call until it has one; while the killed one is open, it is 4008."""
        got: list[Envelope[Any]] = []

        def is_answered() -> bool:
            try:
                got.append(self.call(*call, **options))
            except Cut:
                return False
            return got[-1].error_code != "4008"

        wait_until(is_answered)
        return got[-1]

    def check(self, store: Store, charged: int) -> list[CallRecord]:
        """What holds after every kill: the audit, no open call, no hold, *charged* micro-units; all calls, newest first."""
        account = store.read_now(lambda db: account_named(db, "demo"))
        assert account is not None
        assert (account.held, account.balance) == (0, DEPOSIT - charged)
        assert store.read_now(lambda db: audit(db, REGISTRY)) == []
        rows = store.read_now(lambda db: find_calls(db, limit=100))
        assert [row for row in rows if row.state == "open"] == []
        return rows
