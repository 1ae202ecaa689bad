"""Several gateways on one store behind a proxy, an upstream that counts, and callers who do not give up.

What must hold whatever happened to a node or to the store is in `Nodes.check`: each call that its caller was told of is
on the books and paid once, nothing else is paid, nothing is held, and the upstream's own log agrees.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlencode, urlsplit

import pytest

from envelope import decode
from envelope.calls.media import format_of_content_type
from envelope.gateway.books import CallRecord, audit, find_calls, list_accounts
from envelope.gateway.stores import Store
from tests import haproxy
from tests.client.servers import Received, Reply, http, serving
from tests.gateway.child import add_account, books, gateway_process, write_settings
from tests.gateway.served import SECRET, wait_until
from tests.relay import Relay

PRICE = 1000
UNITS = 10**9
CLEAN = "4000 with 503 and Retry-After"


requires_proxy = pytest.mark.skipif(bool(haproxy.missing()), reason=haproxy.missing())


class Upstream:
    """It says to each call what that asked, and counts; what is held back waits for `release`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[str] = set()
        self._released = threading.Event()
        self.asked: Counter[str] = Counter()

    def hold(self, q: str) -> None:
        self._released.clear()
        self._held.add(q)

    def release(self) -> None:
        self._held.clear()
        self._released.set()

    def reply(self, received: Received) -> Reply:
        q = json.loads(received.body)["q"]
        with self._lock:
            self.asked[q] += 1
        if q in self._held:
            self._released.wait(60)
        yield 0.002
        yield http(200, json.dumps({"id": q}).encode())


class Heard(NamedTuple):
    """What a caller heard: a code or what came instead of one, what it says, and the seconds that it took."""

    what: str
    last_id: str
    id: str
    seconds: float


class Client:
    """One caller's connection, which it opens again if it breaks."""

    def __init__(self, port: int, timeout: float = 180) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=timeout)

    def call(self, q: str, key: str = "") -> Heard:
        began = time.monotonic()
        what, last_id, id = self._call(q, key)
        return Heard(what, last_id, id, time.monotonic() - began)

    def close(self) -> None:
        self._connection.close()

    def _call(self, q: str, key: str) -> tuple[str, str, str]:
        params = {"key": "demo", "secret": SECRET, "method": "v1/completions", "cache": "no", "q": q}
        try:
            self._connection.request(
                "GET", f"/openai/custom/?{urlencode(params)}", headers={"Idempotency-Key": key} if key else {}
            )
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            return f"hung up: {type(error).__name__}", "", ""
        kind = response.headers["content-type"] or ""
        if kind.startswith("text/html"):
            return f"proxy's {response.status}", "", ""
        answer = decode(body, format_of_content_type(kind))
        if answer.error_code == "4000":
            is_clean = response.status == 503 and response.headers["retry-after"]
            return CLEAN if is_clean else f"4000 with {response.status}", answer.last_id, ""
        id = answer.response["id"] if answer.error_code == "0000" else ""
        return answer.error_code, answer.last_id, id


def call(port: int, q: str, key: str = "") -> Heard:
    """One call on a connection of its own."""
    with closing(Client(port)) as client:
        return client.call(q, key)


class Load:
    """Callers who repeat each call with its key until it is answered, until they are told to make no new ones."""

    def __init__(self, ports: Sequence[int], callers: int) -> None:
        self._ports = ports
        self._is_over = threading.Event()
        self._lock = threading.Lock()
        self.heard: Counter[str] = Counter()
        self.told: dict[str, str] = {}  # a key and the call that it got
        self.longest = 0.0
        self._threads = [threading.Thread(target=self._call, args=(number,), daemon=True) for number in range(callers)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join(300)
        assert not any(thread.is_alive() for thread in self._threads), self.heard

    def wait(self, more: int) -> None:
        """Until so many more calls are answered."""
        wanted = len(self.told) + more
        wait_until(lambda: len(self.told) >= wanted, 120)

    def refused(self) -> str:
        """What else than an answer was heard, and how often."""
        return ", ".join(f"{count} × {what}" for what, count in self.heard.most_common() if what != "0000") or "nothing"

    def _call(self, number: int) -> None:
        clients = [Client(port) for port in self._ports]
        try:
            calls = 0
            while not self._is_over.is_set():
                key = f"{number}-{calls}"
                client = clients[calls % len(clients)]
                while not self._note(key, client.call(key, key)):
                    time.sleep(0.05)
                calls += 1
        finally:
            for each in clients:
                each.close()

    def _note(self, key: str, heard: Heard) -> bool:
        with self._lock:
            self.heard[heard.what] += 1
            self.longest = max(self.longest, heard.seconds)
            if heard.what != "0000":
                return False
            assert heard.id == key
            self.told[key] = heard.last_id
            return True


class Node:
    """One gateway, in a process and a folder of its own."""

    def __init__(self, folder: Path, relay: Relay | None, grace: float | None) -> None:
        self._folder = folder
        self._relay = relay
        self._grace = grace
        self._stack = ExitStack()
        self.port = 0
        self.start()

    def start(self) -> None:
        """Start it, at the same port as before."""
        self.port, self.process = self._stack.enter_context(
            gateway_process(self._folder, port=self.port, grace=self._grace)
        )

    def kill(self) -> None:
        self.process.kill()
        self._stack.close()

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def cut(self) -> None:
        """Cut it off from its store."""
        assert self._relay is not None
        self._relay.cut()

    def mend(self) -> None:
        assert self._relay is not None
        self._relay.mend()

    def close(self) -> None:
        if self._relay is not None:
            self.mend()
        self.resume()
        self._stack.close()


class Nodes:
    """*count* gateways on the store at *address*, their files below *folder*, and a proxy before them at ``port``.

    Each call may take *seconds*; it is closed *grace* seconds after that, by default a minute. If they are *cuttable*,
    each can be cut off from a PostgreSQL. The books have one account, ``demo``. The upstream answers with *reply*, by
    default as an `Upstream` does.
    """

    def __init__(
        self,
        folder: Path,
        address: str,
        *,
        count: int = 2,
        seconds: float = 20,
        grace: float | None = None,
        cuttable: bool = False,
        settings: str = "",
        reply: Callable[[Received], Reply] | None = None,
        account: Mapping[str, int] | None = None,
    ) -> None:
        self._folder = folder
        self._address = address
        self._count = count
        self._grace = grace
        self._cuttable = cuttable
        self._settings = f'seconds = {seconds}\n{settings}\n[[prices]]\ncall = "0.001"'
        self._account = {"units": UNITS, **(account or {})}
        self._stack = ExitStack()
        self.upstream = Upstream()
        self._reply = reply or self.upstream.reply
        self.nodes: list[Node] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._open(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open(self, stack: ExitStack) -> None:
        served = stack.enter_context(serving(self._reply))
        stack.callback(self.upstream.release)
        key = f'key_file = "{self._folder / "gateway.key"}"\n{self._settings}'
        own = write_settings(self._folder, served.url, f'store = "{self._address}"\n{key}')
        self.store: Store = stack.enter_context(books(own))
        add_account(own, self.store, "demo", **self._account)
        for number in range(self._count):
            folder = self._folder / f"node{number}"
            folder.mkdir()
            relay, address = None, self._address
            if self._cuttable:
                relay = stack.enter_context(Relay(urlsplit(address).port or 0))
                address = urlsplit(address)._replace(netloc=f"postgres@127.0.0.1:{relay.port}").geturl()
            write_settings(folder, served.url, f'store = "{address}"\n{key}')
            self.nodes.append(Node(folder, relay, self._grace))
            stack.callback(self.nodes[-1].close)
        self.port = stack.enter_context(haproxy.proxy(self._folder, [node.port for node in self.nodes]))

    def records(self) -> list[CallRecord]:
        return self.store.read_now(lambda db: find_calls(db, limit=10**6, since=0, until=2**62, before=2**62))

    def closed_after(self, call: str) -> float:
        """The seconds between a call's deadline and its end, by the store's clock, once it is closed."""
        found = "SELECT ended, deadline FROM call WHERE id = :call AND state = 'closed'"
        rows: list[tuple[int, int]] = []

        def is_closed() -> bool:
            rows[:] = self.store.read_now(lambda db: db.execute(found, call=int(call)))
            return bool(rows)

        wait_until(is_closed, 120)
        return (rows[0][0] - rows[0][1]) / 1_000_000

    def begin(self, q: str, pool: ThreadPoolExecutor) -> Future[Heard]:
        """A call to the first node that its upstream holds back, with its name as key."""
        self.upstream.hold(q)
        heard = pool.submit(call, self.nodes[0].port, q, q)
        wait_until(lambda: self.upstream.asked[q])
        return heard

    def number_of(self, key: str) -> str:
        """The number of the call with that key."""
        [(number,)] = self.store.read_now(lambda db: db.execute("SELECT call FROM repeat WHERE key = :key", key=key))
        return str(number)

    def serve_again(self) -> None:
        """Each node serves, without having been started again: it may be a moment until it knows that it can."""
        for node in self.nodes:
            with closing(Client(node.port)) as client:
                wait_until(lambda client=client: client.call("after").what == "0000", 30)  # type: ignore[misc]
                assert [client.call("after").what for _ in range(10)] == ["0000"] * 10

    def check(self, told: Iterable[tuple[str, str]], *, lost: int = 0) -> None:
        """What must hold. *told* are keys, and the calls that their callers were told; there were others without a key,
        which the upstream knows as "after". The store may have lost so many admissions, which are not synced."""
        wait_until(lambda: not any(row.state == "open" for row in self.records()), 90)
        keys = dict(told)
        assert self.store.read_now(audit) == []
        [account] = self.store.read_now(list_accounts)
        assert account.held == 0
        rows = {str(row.id): row for row in self.records()}
        # What a caller was told that it failed is given back, if it was recorded after all.
        paid = {number for number, row in rows.items() if row.charge - row.refunded}
        after = self.upstream.asked["after"]
        assert len({*keys.values()}) == len(keys)
        unpaid = [rows.get(number, number) for number in keys.values() if number not in paid]
        assert not unpaid, unpaid
        assert all(rows[number].charge - rows[number].refunded == PRICE for number in paid)
        assert account.balance == self._account["units"] - PRICE * len(paid)
        # Nobody paid without being told; calls without a key may have been lost on the way.
        assert len(keys) <= len(paid) <= len(keys) + after
        # What the upstream was asked is on the books, but for calls that were closed before it was.
        asked = sum(self.upstream.asked.values())
        closed = sum(row.state == "closed" for row in rows.values())
        attempts = sum(row.attempts for row in rows.values())
        assert attempts <= asked <= attempts + closed + lost
        assert all(self.upstream.asked[key] >= 1 for key in keys)
