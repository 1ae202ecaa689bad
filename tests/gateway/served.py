"""A gateway that really runs: the demo, the books in SQLite, uvicorn on a loopback port, all in one thread."""

from __future__ import annotations

import asyncio
import http.client
import json
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

import pytest
import uvicorn

from envelope import Envelope, decode
from envelope.calls.media import format_of_content_type
from envelope.gateway import running as gateway_running
from envelope.gateway.app import GatewayApp
from envelope.gateway.books import (
    Breach,
    CallRecord,
    Watch,
    account_named,
    audit,
    create_account,
    deposit,
    find_calls,
    grant,
    recover,
)
from envelope.gateway.demo import DemoUpstream, demo_upstream
from envelope.gateway.demo.serving import _Server
from envelope.gateway.gateway import Gateway
from envelope.gateway.operation.server import Connection
from envelope.gateway.running import Running, open_vault, registry_of, running
from envelope.gateway.settings import GatewaySettings, made_settings
from envelope.gateway.stores import Store, StoreUnavailable, Transaction, open_store
from envelope.registry.codes import CodeRegistry

T = TypeVar("T")

KEY = "sk-upstream-4f9c1d7e2b"
SECRET = "caller-secret-77aa41"
PRICES = [
    {"method": "v1/models"},
    {"method": "images/get"},
    {"method": "images/submit", "call": "0.04"},
    {"call": "0.0001", "cached": "0.00005", "prompt": "0.001", "completion": "0.002"},
]
PROMPT = {"prompt": "hello", "max_tokens": 20}


class Got(NamedTuple):
    """An answer over HTTP; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def envelope(self) -> Envelope[Any]:
        return decode(self.body, format_of_content_type(self.headers["content-type"]))

    @property
    def code(self) -> str:
        return self.envelope.error_code


@dataclass
class Served:
    """What a test has of it. ``jobs`` and ``lost`` are requests to the demo that no call's attempts count: those of
    jobs, and those of calls that their process could not settle."""

    settings: GatewaySettings
    folder: Path
    registry: CodeRegistry
    store: Store
    loop: asyncio.AbstractEventLoop
    port: int = 0
    demo: DemoUpstream | None = None
    second: DemoUpstream | None = None
    node: Running | None = None
    server: uvicorn.Server | None = None
    jobs: int = 0
    lost: int = 0
    _local: threading.local = field(default_factory=threading.local)
    _connections: list[http.client.HTTPConnection] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def gateway(self) -> Gateway:
        """That which answers calls now."""
        assert self.node is not None
        return self.node.gateway

    @property
    def upstream(self) -> DemoUpstream:
        assert self.demo is not None
        return self.demo

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Have the gateway's own loop do *work*."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def account(
        self,
        name: str,
        *,
        units: int = 100_000_000,
        quota: int | None = None,
        api: str | None = "custom",
        concurrency: int | None = None,
    ) -> int:
        """A new account with that name and key, and this balance in micro-units."""
        sealed = open_vault(self.settings.key_file, self.store).seal(SECRET)

        def steps(db: Transaction) -> int:
            number = create_account(db, name=name, key=name, secret=sealed, concurrency=concurrency)
            if api is not None:
                grant(db, number, api, quota=quota)
            if units:
                deposit(db, number, units)
            return number

        return self.store.write_now(steps)

    def send(self, verb: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Got:
        """One request as it is given, on this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            self._connections.append(connection)
        try:
            connection.request(verb, target, body, dict(headers or {}))
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Got(response.status, named, response.read())
        except BaseException:
            connection.close()
            self._local.connection = None
            raise

    def call(
        self,
        method: str = "v1/completions",
        args: Any = PROMPT,
        *,
        key: str = "demo",
        path: str = "/openai/custom/",
        headers: Mapping[str, str] | None = None,
        secret: str = SECRET,
        **params: str,
    ) -> Got:
        """A call by GET; in English unless it says otherwise, without the cache unless it says so."""
        named = {"key": key, "secret": secret, "method": method, "lang": "en", "cache": "no", **params}
        if args is not None:
            named["_o_args"] = args if isinstance(args, str) else json.dumps(args)
        return self.send("GET", f"{path}?{urlencode(named)}", headers=headers)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Somebody else writes, for longer than the gateway waits."""
        with closing(sqlite3.connect(self.settings.store, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        wait_until(self._can_write)

    def _can_write(self) -> bool:
        try:
            self.run(self.gateway._store.write(lambda db: None))
        except StoreUnavailable:  # it waits no longer, and has not tried again
            return False
        return True

    def records(self, **found: Any) -> list[CallRecord]:
        return self.store.read_now(
            lambda db: find_calls(db, limit=100_000, since=0, until=2**62, before=2**62, **found)
        )

    def record(self, answer: Envelope[Any]) -> CallRecord | None:
        """The call's row on the books, if it has one."""
        rows = [row for row in self.records() if row.request_id == answer.request_id]
        assert len(rows) <= 1
        return rows[0] if rows else None

    def balance(self, name: str = "demo") -> int:
        account = self.store.read_now(lambda db: account_named(db, name))
        assert account is not None
        return account.balance

    def breaches(self) -> list[Breach]:
        return self.store.read_now(lambda db: audit(db, self.registry))

    def close_lost(self) -> int:
        """Recovery as it is long after every deadline; how many calls it closed."""
        seconds = iter([0.0, 1e9])
        watch = Watch(lambda: next(seconds))
        closed = [self.store.write_now(lambda db: recover(db, self.store.is_gone, watch)) for _ in range(2)]
        return sum(map(len, closed))

    def hang_up(self) -> None:
        """Close the connections of every thread."""
        for connection in self._connections:
            connection.close()

    def check(self) -> None:
        """What must hold after every test."""
        assert self.breaches() == []
        assert [row for row in self.records() if row.state == "open"] == []
        assert no_secret_in(self.folder)
        if self.demo is not None:
            asked = [*self.demo.served, *(self.second.served if self.second is not None else ())]
            records = self.records()
            attempts = sum(row.attempts for row in records)
            assert len(asked) == attempts + self.jobs + self.lost, f"asked {len(asked)} times, {attempts} by the books"
            # What was delivered is what is on the books.
            told = [row for row in records if row.code == "0000" and not row.is_cached]
            assert sum(row.completion_tokens for row in told) <= sum(row.completion_tokens for row in asked)


def no_secret_in(folder: Path) -> bool:
    """Whether neither the callers' secret nor the upstream's key is in any file but the settings, which has the key."""
    for file in folder.rglob("*"):
        if file.is_file() and file.suffix != ".toml":
            data = file.read_bytes()
            assert SECRET.encode() not in data, file
            assert KEY.encode() not in data, file
    return True


async def _serve(
    world: Served,
    made: Callable[[GatewaySettings], Any],
    demo: dict[str, Any] | None,
    times: dict[str, Any],
    second: dict[str, Any] | None,
    stack: AsyncExitStack,
) -> None:
    if demo is not None:
        world.demo = await stack.enter_async_context(demo_upstream(**{"key": KEY, "scale": 0.01, **demo}))
        upstreams = [world.demo.settings(**{"rest": 0, **times})]
        if second is not None:
            world.second = await stack.enter_async_context(demo_upstream(key=KEY, faults=False))
            upstreams.append(world.second.settings("second", **{"order": 1, "rest": 0, **times, **second}))
        world.settings = world.settings.model_copy(update={"upstreams": tuple(upstreams)})

    @asynccontextmanager
    async def kept() -> AsyncIterator[Running]:
        async with made(world.settings) as node:
            world.node = node
            yield node

    config = uvicorn.Config(
        GatewayApp(kept), http=Connection, port=0, log_config=None, access_log=False, timeout_keep_alive=60,
        timeout_graceful_shutdown=5,
    )  # fmt: skip
    world.server = server = _Server(config)
    serving = asyncio.create_task(server.serve())

    async def end() -> None:
        server.should_exit = True
        await serving

    stack.push_async_callback(end)
    while not server.started:
        assert not serving.done()
        await asyncio.sleep(0.005)
    world.port = server.servers[0].sockets[0].getsockname()[1]


@contextmanager
def served(
    folder: Path,
    *,
    made: Callable[[GatewaySettings], Any] = running,
    upstreams: list[dict[str, Any]] | None = None,
    demo: dict[str, Any] | None = None,
    times: dict[str, Any] | None = None,
    second: dict[str, Any] | None = None,
    timeout: float = 10.0,
    opened: Callable[..., Store] = open_store,
    **settings: Any,
) -> Iterator[Served]:
    """A gateway with *settings*, its files in *folder*, in front of the demo or of *upstreams*; checked at its end.

    *times* are the settings of the demo as an upstream. *second* are more of those of another, which is asked after it,
    and has no faults. *opened* opens the store, for which it waits *timeout* seconds. There is an account ``demo``.
    """
    table: dict[str, Any] = {
        "seconds": 5.0,
        "retries": 0,
        "log": "none",
        "prices": PRICES,
        "upstreams": upstreams or [{"name": "none", "address": "http://127.0.0.1:9"}],
        **settings,
    }
    read = made_settings(table).beside(folder)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    with pytest.MonkeyPatch.context() as patch, opened(read.store) as store:
        patch.setattr(gateway_running, "open_store", partial(opened, timeout=timeout))
        world = Served(read, folder, registry_of(read), store, loop)
        world.account("demo")
        stack = AsyncExitStack()
        try:
            world.run(_serve(world, made, (demo or {}) if upstreams is None else None, times or {}, second, stack))
            yield world
            world.check()
        finally:
            world.hang_up()
            world.run(stack.aclose())
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            loop.close()


def wait_until(is_so: Callable[[], Any], seconds: float = 20.0) -> None:
    """Until *is_so* is true; the time is only there to end a test that fails."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)
