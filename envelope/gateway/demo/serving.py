"""`demo_upstream`: the demo on a loopback port, for as long as a context lasts."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from envelope.gateway.demo.app import Demo
from envelope.gateway.demo.log import Served
from envelope.gateway.upstreams.settings import UpstreamSettings

__all__ = ["DemoUpstream", "demo_upstream"]


@dataclass(frozen=True, slots=True)
class DemoUpstream:
    """A demo that is served: its address, its key, what it served."""

    address: str
    key: str
    served: deque[Served]

    def settings(self, name: str = "demo", **settings: Any) -> UpstreamSettings:
        """The settings of an upstream that is this demo."""
        return UpstreamSettings.model_validate(
            {"name": name, "address": self.address, "key": self.key or None, **settings}
        )


@asynccontextmanager
async def demo_upstream(
    *,
    key: str = "demo-key",
    scale: float = 1.0,
    faults: bool = True,
    clock: Callable[[], int] | None = None,
    new_id: Callable[[str], str] | None = None,
    port: int = 0,
) -> AsyncIterator[DemoUpstream]:
    """A `Demo` with these settings on 127.0.0.1, in this event loop; port 0 is a free one."""
    demo = Demo(key=key, scale=scale, faults=faults, new_id=new_id, **({} if clock is None else {"clock": clock}))
    # It listens before the server runs: whoever connects at once waits for it.
    with socket.create_server(("127.0.0.1", port), backlog=1024) as listener:
        # Inherited by each connection; asyncio does it by itself only for sockets that name their protocol.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = _Server(
            uvicorn.Config(
                demo,
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield DemoUpstream(address, key, demo.served)
        finally:
            server.should_exit = True
            await serving


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are for the process, which is more than this server."""
        yield
