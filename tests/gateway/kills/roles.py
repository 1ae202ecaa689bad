"""What a child of the nursery can be: a node, which is a whole gateway, or the upstream that all nodes ask."""

from __future__ import annotations

import asyncio
import gc
import importlib
import socket
from collections import deque
from pathlib import Path

import uvicorn

from envelope.gateway.demo import Demo
from envelope.gateway.serving import listen, serve
from tests.gateway.kills.points import arm

# What a process imports only when it starts to serve.
_LATER = (
    "alembic.config",
    "alembic.runtime.environment",
    "alembic.script",
    "envelope.gateway.stores.tables",
    "sqlalchemy.dialects.sqlite",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.auto",
)


def warm_up() -> None:
    """Import it all; what is there then is never collected, nor copied for that."""
    for name in _LATER:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def node(folder: str, port: int, point: str = "") -> None:
    """The gateway with the settings in *folder*, on *port*, which kills itself at *point*."""
    if point:
        arm(point, Path(folder))
    serve(Path(folder) / "gateway.toml", listen("127.0.0.1", port))


def demo(port: int) -> None:
    """The demo's upstream, which forgets nothing of what it was asked."""
    served = Demo(key="", scale=0.01)
    served.served = deque()
    config = uvicorn.Config(served, lifespan="off", log_config=None, access_log=False)
    with socket.create_server(("127.0.0.1", port), backlog=1024) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))
