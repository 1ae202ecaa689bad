"""A gateway that runs: its store, upstreams and workers, opened together and closed together."""

from __future__ import annotations

import asyncio
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
from envelope.gateway.vault import Vault
from envelope.registry.codes import REGISTRY, CodeRegistry
from envelope.registry.messages import Messages

__all__ = ["open_vault", "registry_of", "running"]

_RECOVERY: Final = 5.0  # seconds between two looks for calls that cannot end, and for what is to be forgotten


@asynccontextmanager
async def running(settings: GatewaySettings, *, log: CallLog | None = None) -> AsyncIterator[Gateway]:
    """The gateway of these settings, with its job worker and its recovery, until the context ends.

    Raises `StoreError`, `VaultError` or what the codes' file raises if it cannot be opened.
    """
    log = log or CallLog(settings.log)
    registry = registry_of(settings)
    vault = open_vault(settings.key_file)
    with open_store(settings.store) as store:
        async with Upstreams(
            settings.upstreams, retries=settings.retries, max_bytes=settings.limits.answer, registry=registry
        ) as upstreams:
            worker = JobWorker(store, upstreams, log=log, seconds=settings.seconds)
            tasks = [asyncio.create_task(worker.run()), asyncio.create_task(_recover(store, log))]
            try:
                yield Gateway(settings, store, upstreams, vault, messages=Messages(registry), log=log)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


def registry_of(settings: GatewaySettings) -> CodeRegistry:
    """The gateway's codes, with the operator's own; errors are those of `CodeRegistry.with_toml`, or `OSError`."""
    return REGISTRY.with_toml(settings.codes.read_bytes()) if settings.codes is not None else REGISTRY


def open_vault(path: Path) -> Vault:
    """The vault whose keys are in the file at *path*, which is made if it is not there. Raises `VaultError`."""
    return Vault.from_file(path) if path.exists() else Vault.make_file(path)


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
