"""A gateway that runs: its store, upstreams and workers, opened together and closed together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from envelope.gateway.books.forgetting import forget
from envelope.gateway.books.recovery import Watch, recover
from envelope.gateway.gateway import Gateway
from envelope.gateway.jobs import JobWorker
from envelope.gateway.logs import CallLog
from envelope.gateway.settings import GatewaySettings
from envelope.gateway.stores.opening import open_store
from envelope.gateway.stores.store import Store
from envelope.gateway.upstreams.pool import Upstreams
from envelope.gateway.vault import Vault, VaultError
from envelope.registry.codes import REGISTRY, CodeRegistry
from envelope.registry.messages import Messages

__all__ = ["open_vault", "registry_of", "running"]

_KEYS: Final = "ENVELOPE_GATEWAY_KEYS"
_RECOVERY: Final = 5.0  # seconds between two looks for calls that cannot end, and for what is to be forgotten
_ANY_SECRET: Final = "SELECT secret FROM account ORDER BY id LIMIT 1"


@asynccontextmanager
async def running(settings: GatewaySettings, *, log: CallLog | None = None) -> AsyncIterator[Gateway]:
    """The gateway of these settings, with its job worker and its recovery, until the context ends.

    Raises `StoreError`, `VaultError` or what the codes' file raises if it cannot be opened.
    """
    log = log or CallLog(settings.log)
    registry = registry_of(settings)
    with open_store(settings.store) as store:
        vault = open_vault(settings.key_file, store)
        async with Upstreams(
            settings.upstreams, retries=settings.retries, max_bytes=settings.limits.answer, registry=registry
        ) as upstreams:
            gateway = Gateway(settings, store, upstreams, vault, messages=Messages(registry), log=log)
            worker = JobWorker(store, upstreams, log=log, seconds=settings.seconds)
            beside = (worker.run(), _recover(store, log), gateway.unsettled.run())
            tasks = [asyncio.create_task(work) for work in beside]
            try:
                yield gateway
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await gateway.unsettled.free(is_last=True)


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
            vault = Vault.make_file(path)
        for (secret,) in sealed:
            _check_opens(vault, secret)
    except VaultError as error:
        raise VaultError(f"{_KEYS if keys else path}: {error.reason}") from None
    return vault


def _check_opens(vault: Vault, sealed: str) -> None:
    try:
        vault.open(sealed)
    except VaultError:
        raise VaultError("the key of the accounts' secrets is not among its keys: add it as the last") from None


async def _recover(store: Store, log: CallLog) -> None:
    watch = Watch()
    while True:
        try:
            for closed in await store.write(lambda db: recover(db, store.is_gone, watch)):
                log.note("closed", call=closed.call, code=closed.code)
            while await store.write(forget):
                pass
        except Exception as error:  # mostly the store's; whatever it is, holds are to be released
            log.fault(error)
        await asyncio.sleep(_RECOVERY)
