"""The key of callers' secrets is changed while gateways run, step by step, and no call fails."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from envelope import Envelope, decode
from envelope.calls.http import HttpRequest, Rendered
from envelope.errors import RequestError
from envelope.gateway.books import account_named, change_account, create_account, deposit, grant, list_accounts
from envelope.gateway.gateway import Gateway
from envelope.gateway.known import KnownAccounts
from envelope.gateway.logs import CallLog
from envelope.gateway.page_tokens import PURPOSE, PageTokens
from envelope.gateway.rotation import Rotated, rotate
from envelope.gateway.running import open_vault
from envelope.gateway.settings import GatewaySettings, made_settings
from envelope.gateway.stores import Store, Transaction
from envelope.gateway.upstreams.pool import Upstreams
from envelope.gateway.vault import Vault, VaultError
from envelope.registry.codes import REGISTRY
from envelope.registry.messages import Messages
from tests.client.servers import Received, Reply, http, serving
from tests.gateway.child import Caller, Popen, add_account, books, gateway_process, write_settings
from tests.gateway.kinds import Kind
from tests.gateway.ledger import breaches
from tests.gateway.served import SECRET, wait_until

OLD, NEW = Vault.new_key(), Vault.new_key()
NAMES = ("alice", "bob")


def add(store: Store, vault: Vault, *names: str) -> None:
    def steps(db: Transaction) -> None:
        for name in names:
            number = create_account(db, name=name, key=name, secret=vault.seal(f"{SECRET} of {name}"))
            grant(db, number, "custom", quota=None)
            deposit(db, number, 10**9)

    store.write_now(steps)


def secrets(store: Store, *keys: str) -> list[str]:
    vault = Vault(keys)
    return [vault.open(account.secret) for account in store.read_now(list_accounts)]


def test_every_secret_is_sealed_with_the_newest_key(store: Store) -> None:
    names = [f"n{number:03}" for number in range(250)]
    add(store, Vault([OLD]), *names)
    told = secrets(store, OLD)
    seen: list[int] = []
    assert rotate(store, Vault([NEW, OLD]), seen.append) == Rotated(250, ())
    assert sum(seen) == 2 * 250
    assert max(seen) <= 100
    assert secrets(store, NEW) == told == [f"{SECRET} of {name}" for name in names]
    assert rotate(store, Vault([NEW, OLD])) == Rotated(0, ())
    assert rotate(store, Vault([NEW])) == Rotated(0, ())
    assert breaches(store) == []


def test_one_that_was_interrupted_is_run_again(store: Store) -> None:
    add(store, Vault([OLD]), *(f"n{number}" for number in range(150)))
    told = secrets(store, OLD)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(store, Vault([NEW, OLD]), interrupt)
    assert secrets(store, NEW, OLD) == told
    assert rotate(store, Vault([NEW, OLD])) == Rotated(50, ())
    assert secrets(store, NEW) == told


@pytest.mark.parametrize("key", [OLD, NEW], ids=["old", "new"])
def test_a_secret_that_is_renewed_meanwhile_is_not_lost(store: Store, key: str) -> None:
    """Also if the command that renews it still has the old key first: then it is sealed anew as well."""
    add(store, Vault([OLD]), *NAMES)

    class Renewed(Vault):
        def reseal(self, sealed: str) -> str:
            if self.open(sealed) == f"{SECRET} of bob":
                account = store.read_now(lambda db: account_named(db, "bob"))
                assert account is not None
                store.write_now(lambda db: change_account(db, account.id, secret=Vault([key]).seal("renewed")))
            return super().reseal(sealed)

    assert rotate(store, Renewed([NEW, OLD])) == Rotated(1 + (key == OLD), ())
    assert secrets(store, NEW) == [f"{SECRET} of alice", "renewed"]


def test_a_secret_that_no_key_opens_is_named(store: Store) -> None:
    add(store, Vault([OLD]), "alice")
    add(store, Vault([Vault.new_key()]), "bob")
    add(store, Vault([OLD]), "carol")
    assert rotate(store, Vault([NEW, OLD])) == Rotated(2, ("bob",))


def test_a_known_account_survives(store: Store) -> None:
    add(store, Vault([OLD]), "alice")
    time = [0.0]
    nodes = {keys: KnownAccounts(store, Vault(keys), lambda: time[0]) for keys in ((OLD,), (NEW, OLD), (NEW,))}

    async def steps() -> None:
        before = [await nodes[keys].of("alice") for keys in ((OLD,), (NEW, OLD))]
        assert before[0] == before[1]
        rotate(store, Vault([NEW, OLD]))
        for keys in ((OLD,), (NEW, OLD)):  # for a second, even where the new key is not known
            assert await nodes[keys].of("alice") in before
        time[0] = 1.0
        after = [await nodes[keys].of("alice") for keys in ((NEW, OLD), (NEW,))]
        assert after[0] == after[1]
        assert after[0] is not None
        assert before[0] is not None
        assert (after[0].secret, before[0].secret) == (f"{SECRET} of alice",) * 2
        assert after[0].page_key != before[0].page_key
        with pytest.raises(VaultError):
            await nodes[OLD,].of("alice")

    asyncio.run(steps())


class Node:
    """A gateway on one of several machines, whose key file is its own."""

    def __init__(self, kind: Kind, key_file: Path, settings: GatewaySettings, upstreams: Upstreams) -> None:
        self.store = kind.open()
        self.key_file = key_file
        self._with = settings, upstreams
        self.calls = 0
        self.reload(OLD)

    def reload(self, *keys: str) -> None:
        """What SIGHUP does with other keys in the file."""
        self.key_file.write_text("\n".join(keys))
        self.key_file.chmod(0o600)
        settings, upstreams = self._with
        vault = open_vault(self.key_file, self.store)
        messages = Messages(REGISTRY)
        self.gateway = Gateway(settings, self.store, upstreams, vault, messages=messages, log=CallLog("none"))

    async def call(self, name: str, token: str = "") -> Envelope[Any]:
        sent = {"key": name, "secret": f"{SECRET} of {name}", "method": "v1/things", "cache": "no", "pageToken": token}
        query = urlencode({name: text for name, text in sent.items() if text})
        got = await self.gateway.answer(HttpRequest(path="/openai/custom/", query=query))
        assert isinstance(got, Rendered)
        self.calls += 1
        return decode(got.body, "json")


def a_page(_: Received) -> Reply:
    yield http(200, json.dumps({"object": "list", "data": [], "has_more": True, "last_id": "row-7"}).encode())


@pytest.fixture
def upstream() -> Iterator[str]:
    with serving(a_page) as stub:
        yield stub.url


@asynccontextmanager
async def two_nodes(kind: Kind, folder: Path, upstream: str) -> AsyncIterator[list[Node]]:
    settings = made_settings({"log": "none", "upstreams": [{"name": "u", "address": upstream}]})
    async with Upstreams(settings.upstreams, retries=0, max_bytes=10**6, registry=REGISTRY) as upstreams:
        nodes = [Node(kind, folder / f"{name}.key", settings, upstreams) for name in ("a", "b")]
        try:
            yield nodes
        finally:
            for node in nodes:
                node.store.close()


def test_no_call_fails_while_the_key_is_changed_on_two_nodes(
    kind: Kind, tmp_path: Path, upstream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envelope.gateway.known._SECONDS", 0.05)
    latest = dict.fromkeys(NAMES, "")

    async def call(nodes: list[Node], name: str) -> None:
        """Turn pages for ever, each on the other node than the one before."""
        while True:
            for node in nodes:
                answer = await node.call(name, latest[name])
                assert answer.error_code == "0000", answer
                latest[name] = answer.extras["pageToken"]

    async def steps() -> None:
        async with two_nodes(kind, tmp_path, upstream) as nodes:
            first = nodes[0]
            add(first.store, Vault([OLD]), *NAMES)
            callers = [asyncio.create_task(call(nodes, name)) for name in NAMES]

            async def watch() -> None:
                """Until each node answered a while longer."""
                until = [node.calls + 10 for node in nodes]
                await asyncio.sleep(0.1)
                while any(node.calls < number for node, number in zip(nodes, until, strict=True)):
                    assert not any(caller.done() for caller in callers), [caller.exception() for caller in callers]
                    await asyncio.sleep(0.01)

            await watch()
            token = latest["alice"]
            for node in nodes:
                node.reload(NEW, OLD)
                await watch()
            vault = open_vault(first.key_file, first.store)
            assert await asyncio.to_thread(rotate, first.store, vault) == Rotated(2, ())
            await watch()
            # A caller who got a page before turns it now, as long as the old key is there.
            assert [(await node.call("alice", token)).error_code for node in nodes] == ["0000", "0000"]
            for node in nodes:
                node.reload(NEW)
                await watch()
                assert (await node.call("alice", token)).error_code == "4015"
            for caller in callers:
                assert not caller.done()
                caller.cancel()
                with suppress(asyncio.CancelledError):
                    await caller
            assert breaches(first.store) == []

    asyncio.run(steps())


class Machine:
    """A gateway in a process and a folder of its own; all of them have the same books."""

    def __init__(self, folder: Path, upstream: str, store: str) -> None:
        self.folder, self._upstream, self._store = folder, upstream, store
        folder.mkdir()
        self._write(OLD)
        self.settings = self._set("")
        self.process: Popen | None = None
        self.port = 0

    def _write(self, *keys: str) -> None:
        file = self.folder / "gateway.key"
        file.write_text("\n".join(keys))
        file.chmod(0o600)

    def _set(self, codes: str) -> GatewaySettings:
        """Settings in which *codes* say which reading of them it was."""
        (self.folder / "codes.toml").write_text(codes)
        return write_settings(self.folder, self._upstream, f'store = "{self._store}"\ncodes = "codes.toml"')

    def reload(self, *keys: str) -> None:
        """Other keys, a SIGHUP, and the proof that they were read."""
        self._write(*keys)
        self._set(f'[[overrides]]\ncode = "4004"\nmessage = "reading {len(keys)}"\n')
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)
        caller = Caller(self.port)
        wait_until(lambda: caller.call(key="nobody", lang="en").error == f"reading {len(keys)}")
        caller.close()


def test_the_same_with_processes_signals_and_the_command(tmp_path: Path, upstream: str) -> None:
    machines = [Machine(tmp_path / name, upstream, str(tmp_path / "gateway.db")) for name in ("a", "b")]
    tokens = ["", ""]  # the newest of each machine
    failed: list[Envelope[Any]] = []
    count = [0, 0]
    ends = threading.Event()

    def turn_pages() -> None:
        callers = [Caller(machine.port) for machine in machines]
        while not ends.is_set():
            for place, caller in enumerate(callers):
                other = tokens[1 - place]
                answer = caller.call("v1/things", **({"pageToken": other} if other else {}))
                if answer.error_code != "0000":
                    failed.append(answer)
                    return
                tokens[place] = answer.extras["pageToken"]
                count[place] += 1
        for caller in callers:
            caller.close()

    def watch() -> None:
        until = [number + 10 for number in count]
        wait_until(lambda: failed or all(number >= end for number, end in zip(count, until, strict=True)))
        assert failed == []

    with books(machines[0].settings) as store, ExitStack() as stack:
        add_account(machines[0].settings, store, "demo", 10**9)
        for machine in machines:
            machine.port, machine.process = stack.enter_context(gateway_process(machine.folder))
        thread = threading.Thread(target=turn_pages)
        thread.start()
        try:
            watch()
            for machine in machines:
                machine.reload(NEW, OLD)
                watch()
            command = [sys.executable, "-m", "envelope", "gateway", "rotate"]
            ended = subprocess.run(command, cwd=machines[0].folder, capture_output=True, text=True, timeout=60)
            assert (ended.returncode, ended.stderr) == (0, "")
            assert "1 of 1 secrets were encrypted anew" in ended.stdout
            [account] = store.read_now(list_accounts)
            # It is seen within a second.
            wait_until(lambda: failed or all(is_of(NEW, token, account.id) for token in tokens))
            watch()
            for machine in machines:
                machine.reload(NEW)
                watch()
        finally:
            ends.set()
            thread.join(60)
        assert failed == []
        assert breaches(store) == []


def is_of(key: str, token: str, account: int) -> bool:
    """Whether the page token *token* was made with this *key* of the vault."""
    with suppress(RequestError):
        return bool(PageTokens(Vault([key]).derive_all(PURPOSE)).after(token, account, "v1/things"))
    return False
