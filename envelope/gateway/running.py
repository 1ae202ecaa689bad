"""A gateway that runs: its store, upstreams and workers, opened together and closed together."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

from envelope.errors import EnvelopeError
from envelope.gateway.gateway import Gateway, new_request_ids
from envelope.gateway.jobs import JobWorker
from envelope.gateway.logs import CallLog
from envelope.gateway.operation.generations import Generation
from envelope.gateway.operation.glances import Glances
from envelope.gateway.operation.metrics import CountingLog, Metrics
from envelope.gateway.pages.console.attempts import Attempts
from envelope.gateway.settings import GatewaySettings
from envelope.gateway.stores.opening import open_store
from envelope.gateway.stores.store import Store
from envelope.gateway.upkeep import recover_for_ever, remove_for_ever
from envelope.gateway.upstreams.pool import Upstreams
from envelope.gateway.vault import Vault, VaultError
from envelope.registry.codes import REGISTRY, CodeRegistry
from envelope.registry.messages import Messages

__all__ = ["Running", "Unusable", "open_vault", "registry_of", "running"]

_KEYS: Final = "ENVELOPE_GATEWAY_KEYS"
_ANY_SECRET: Final = "SELECT secret FROM account ORDER BY id LIMIT 1"


class Unusable(EnvelopeError):
    """A file that the settings name will not do; ``path`` is the field that names it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"invalid at {path}: {reason}")
        self.path = path
        self.reason = reason


class Running:
    """A gateway that runs on *store*: the generation that answers calls now, and those that are ending."""

    def __init__(self, store: Store, log: CallLog | None) -> None:
        self.metrics = Metrics()
        self.glances = Glances(store)
        self.attempts = Attempts()
        self.is_draining = False
        self._store = store
        self._log = log
        self._request_ids = new_request_ids(store)
        self._current: Generation | None = None
        self._opened: AbstractAsyncContextManager[Generation] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._end = 0.0

    @property
    def current(self) -> Generation:
        """What answers the calls that come now."""
        if self._current is None:
            raise RuntimeError("no settings were read")
        return self._current

    @property
    def gateway(self) -> Gateway:
        """That of `current`."""
        return self.current.gateway

    async def renew(self, settings: GatewaySettings) -> None:
        """Answer calls by these settings from now on; what was begun ends by those before.

        `Unusable` if the codes or the key will not do, `StoreError` if the store cannot be read; then nothing changes.
        """
        opened = self._open(settings)
        generation = await opened.__aenter__()
        self._retire()
        self._current, self._opened = generation, opened

    def drain(self, seconds: float) -> None:
        """Say that the process ends, within so many seconds, and begin no further image job."""
        self.is_draining = True
        self._end = time.monotonic() + seconds
        self.current.stop()

    async def aclose(self) -> None:
        """End, once what was begun has; if `drain` left no time for that, at once."""
        self._retire()
        if self._ending:
            _, late = await asyncio.wait(self._ending, timeout=max(self._end - time.monotonic(), 0.0))
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _retire(self) -> None:
        if self._current is not None and self._opened is not None:
            task = asyncio.create_task(self._current.finish(self._opened))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    @asynccontextmanager
    async def _open(self, settings: GatewaySettings) -> AsyncIterator[Generation]:
        try:
            registry = registry_of(settings)
        except (EnvelopeError, OSError) as error:
            raise Unusable("$.codes", getattr(error, "strerror", None) or str(error)) from None
        try:
            vault = await asyncio.to_thread(open_vault, settings.key_file, self._store)
        except VaultError as error:
            raise Unusable("$.key_file", error.reason.removeprefix(f"{settings.key_file}: ")) from None
        log = self._log or CountingLog(settings, self.metrics)
        before = self._current
        async with Upstreams(
            settings.upstreams,
            retries=settings.retries,
            max_bytes=settings.limits.answer,
            registry=registry,
            told=self.metrics.attempted,
        ) as upstreams:
            gateway = Gateway(
                settings,
                self._store,
                upstreams,
                vault,
                messages=Messages(registry),
                log=log,
                request_ids=self._request_ids,
                unsettled=None if before is None else before.gateway.unsettled,
            )
            worker = JobWorker(self._store, upstreams, log=log, seconds=settings.seconds)
            yield Generation(settings, gateway, upstreams, worker, log)


@asynccontextmanager
async def running(settings: GatewaySettings, *, log: CallLog | None = None) -> AsyncIterator[Running]:
    """The gateway of these settings, with its job worker and its recovery, until the context ends.

    Raises `StoreError` if the store cannot be opened, and what `Running.renew` does.
    """
    with open_store(settings.store) as store:
        node = Running(store, log)
        await node.renew(settings)
        unsettled = node.gateway.unsettled
        beside = (recover_for_ever(store, node), remove_for_ever(store, node), unsettled.run())
        tasks = [asyncio.create_task(work) for work in beside]
        try:
            yield node
        finally:
            await node.aclose()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await unsettled.free(is_last=True)


def registry_of(settings: GatewaySettings) -> CodeRegistry:
    """The gateway's codes, with the operator's own; errors are those of `CodeRegistry.with_toml`, or `OSError`."""
    return REGISTRY.with_toml(settings.codes.read_bytes()) if settings.codes is not None else REGISTRY


def open_vault(path: Path, store: Store) -> Vault:
    """The vault of the accounts in *store*.

    Its keys are those of the environment (``ENVELOPE_GATEWAY_KEYS``, separated by commas), else those in the file at
    *path*, which is made if there are no accounts yet. Raises `VaultError` if they cannot be used, or are not those
    that the secrets were encrypted with.
    """
    keys = os.environ.get(_KEYS)
    sealed = store.read_now(lambda db: db.execute(_ANY_SECRET))
    try:
        if keys:
            vault = Vault(keys.split(","))
        elif path.exists():
            vault = Vault.from_file(path)
        elif sealed:
            raise VaultError("there is no such key file, and accounts' secrets are encrypted with its key: restore it")
        else:
            vault = _new_vault(path)
        for (secret,) in sealed:
            _check_opens(vault, secret)
    except VaultError as error:
        raise VaultError(f"{_KEYS if keys else path}: {error.reason}") from None
    return vault


def _new_vault(path: Path) -> Vault:
    """A vault with a new key, or with that of another process that made the file just before."""
    try:
        return Vault.make_file(path)
    except VaultError:
        if not path.exists():
            raise
        return Vault.from_file(path)


def _check_opens(vault: Vault, sealed: str) -> None:
    try:
        vault.open(sealed)
    except VaultError:
        raise VaultError("the key of the accounts' secrets is not among its keys: add it as the last") from None
