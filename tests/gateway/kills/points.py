"""Where a process kills itself. The gateway knows nothing of it: its parts are wrapped, in that process alone.

A point is a step and a moment, as in ``settle within``. The moments of a transaction are ``before`` (it has begun, and
nothing is written), ``within`` (all is written, and not committed) and ``after`` (it is committed, and nobody knows).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from envelope.adapters.asgi_wire import send_rendered
from envelope.gateway.books import Served, admit, finish_job, forget, recover, serve_cached, settle, take_job
from envelope.gateway.stores import Store, Transaction, migrating, open_store
from envelope.gateway.upstreams.http import Connections
from envelope.gateway.vault import Vault

__all__ = ["ARMED", "arm"]

ARMED: Final = "armed"
"""The file in the gateway's folder without which nothing happens."""

_TRANSACTIONS: Final[dict[str, Callable[..., Any]]] = {
    "admission": admit,
    "cached": serve_cached,
    "forgetting": forget,
    "job finished": finish_job,
    "job taken": take_job,
    "recovery": recover,
    "settle": settle,
}
_MIDDLE: Final = 5  # how many of a migration's changes are made before a kill in the middle of it


def arm(point: str, folder: Path) -> None:
    """Have this process kill itself at *point*, once the file `ARMED` is in *folder*."""
    step, moment = point.rsplit(" ", 1)
    armed = folder / ARMED

    def die() -> None:
        if armed.exists():
            os.kill(os.getpid(), signal.SIGKILL)
            signal.pause()

    if step in _TRANSACTIONS:
        _arm_transaction(_TRANSACTIONS[step], moment, die)
    elif step == "upstream":
        _arm_upstream(moment, die)
    elif step == "answer":
        _arm_answer(moment, die)
    elif step == "migration":
        _arm_migration(moment, die)
    elif step == "key file":
        _arm_key_file(moment, die)
    else:
        raise ValueError(point)


def _replace(old: Any, new: Any) -> None:
    """Put *new* wherever a module of the gateway has *old*."""
    for name, module in list(sys.modules.items()):
        if name.startswith("envelope.gateway"):
            for attribute, value in list(vars(module).items()):
                if value is old:
                    setattr(module, attribute, new)


def _arm_transaction(function: Callable[..., Any], moment: str, die: Callable[[], None]) -> None:
    here = threading.local()  # a store may have several threads

    def wrapped(*args: Any, **options: Any) -> Any:
        if moment == "before":
            die()
        value = function(*args, **options)
        # Else it found nothing to do, or refused.
        here.is_reached = isinstance(value, Served) if function is serve_cached else bool(value)
        if moment == "within" and here.is_reached:
            die()
        return value

    _replace(function, wrapped)
    if moment == "after":
        _after_commit(here, die)


def _after_commit(here: threading.local, die: Callable[[], None]) -> None:
    def opened(*args: Any, **options: Any) -> Store:
        store = open_store(*args, **options)
        write = store.write

        async def told(steps: Callable[[Transaction], Any], **options: Any) -> Any:
            reached: list[bool] = []

            def noted(db: Transaction) -> Any:
                here.is_reached = False
                value = steps(db)
                reached.append(here.is_reached)
                return value

            value = await write(noted, **options)
            if reached[-1]:
                die()
            return value

        store.write = told  # type: ignore[method-assign]
        return store

    _replace(open_store, opened)


def _arm_upstream(moment: str, die: Callable[[], None]) -> None:
    exchange = Connections.exchange

    async def wrapped(self: Connections, *args: Any) -> Any:
        if moment == "before":
            die()
        if moment == "sent":
            # The upstream has it; whether it has answered is not looked at.
            address = self._doors[0]._base
            before = await asyncio.to_thread(_served, address)
            asking = asyncio.ensure_future(exchange(self, *args))
            while not asking.done() and await asyncio.to_thread(_served, address) == before:
                pass
            die()
        reply = await exchange(self, *args)
        if moment == "answered":
            die()
        return reply

    setattr(Connections, "exchange", wrapped)  # noqa: B010  # it takes any arguments


def _served(address: str) -> int:
    with urllib.request.urlopen(f"{address}/_log.json") as log:
        return len(json.load(log))


def _arm_answer(moment: str, die: Callable[[], None]) -> None:
    async def wrapped(send: Any, scope: Any, rendered: Any, given: Any = None) -> None:
        async def half(message: Any) -> None:
            body = message.get("body", b"")
            if body:
                message = {**message, "body": body[: len(body) // 2], "more_body": True}
            await send(message)
            if body:
                await _flushed()
                die()

        if moment == "before":
            die()
        await send_rendered(half if moment == "half" else send, scope, rendered, given)
        await _flushed()
        die()

    _replace(send_rendered, wrapped)


async def _flushed() -> None:
    """Until the loop has written what it was given."""
    for _ in range(10):
        await asyncio.sleep(0.001)


def _arm_key_file(moment: str, die: Callable[[], None]) -> None:
    new_key, from_file = Vault.new_key, Vault.from_file

    def made() -> str:
        if moment == "within":  # the file is there, and empty
            die()
        return new_key()

    def read(path: Path) -> Vault:
        die()
        return from_file(path)

    Vault.new_key = staticmethod(made)  # type: ignore[method-assign]
    if moment == "after":
        Vault.from_file = staticmethod(read)  # type: ignore[assignment,method-assign]


def _arm_migration(moment: str, die: Callable[[], None]) -> None:
    from sqlalchemy import event

    upgrade = migrating.upgrade
    changes = 0

    def counted(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        nonlocal changes
        changes += statement.lstrip().startswith(("CREATE", "ALTER"))
        if changes == _MIDDLE:
            die()

    def wrapped(begun: Any) -> None:
        if moment == "before":
            die()
        if moment == "middle":
            event.listen(begun, "after_cursor_execute", counted)
        upgrade(begun)
        if moment == "within":
            die()

    def opened(*args: Any, **options: Any) -> Store:
        store = open_store(*args, **options)
        die()
        return store

    _replace(upgrade, wrapped)
    if moment == "after":
        _replace(open_store, opened)
