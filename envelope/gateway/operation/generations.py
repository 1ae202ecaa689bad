"""Generations: each reading of the settings makes a gateway of its own, which ends when its last call has."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envelope.gateway.gateway import Gateway
    from envelope.gateway.jobs import JobWorker
    from envelope.gateway.logs import CallLog
    from envelope.gateway.settings import GatewaySettings
    from envelope.gateway.upstreams.pool import Upstreams

__all__ = ["Generation"]


class Generation:
    """A gateway of some *settings*, and how many callers it is answering. It is made in a running event loop."""

    def __init__(
        self, settings: GatewaySettings, gateway: Gateway, upstreams: Upstreams, worker: JobWorker, log: CallLog
    ) -> None:
        self.settings = settings
        self.gateway = gateway
        self.upstreams = upstreams
        self.log = log
        self._worker = worker
        self._jobs = asyncio.create_task(worker.run())
        self._callers = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    def __enter__(self) -> Gateway:
        """The gateway, which stays as it is until the block ends."""
        self._callers += 1
        self._is_idle.clear()
        return self.gateway

    def __exit__(self, *_: object) -> None:
        self._callers -= 1
        if not self._callers:
            self._is_idle.set()

    def stop(self) -> None:
        """Take no further image job; the one that is being done is finished."""
        self._worker.stop()

    async def finish(self, opened: AbstractAsyncContextManager[object]) -> None:
        """End, once nobody uses it: *opened* is what is closed then."""
        self.stop()
        try:
            await asyncio.wait([self._jobs])
            await self._is_idle.wait()
        finally:
            self._jobs.cancel()
            await asyncio.gather(self._jobs, return_exceptions=True)
            await opened.__aexit__(None, None, None)
