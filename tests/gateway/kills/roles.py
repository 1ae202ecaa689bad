"""What a child of the nursery can be: a node, which is a whole gateway, or the upstream that all nodes ask."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import socket
import sqlite3
from collections import deque
from functools import partial
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import uvicorn

from envelope.gateway import stores
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
    for name in (*_LATER, *(module.name for module in iter_modules(stores.__path__, f"{stores.__name__}."))):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def node(folder: str, port: int, point: str = "") -> None:
    """The gateway with the settings in *folder*, on *port*, which kills itself at *point*."""
    if point:
        arm(point, Path(folder))
    serve(Path(folder) / "gateway.toml", listen("127.0.0.1", port), workers=1, drain=30)


def forgetful_node(folder: str, port: int, database: str, part: int, is_careless: bool) -> None:
    """A node with a disk that forgets (`unsynced.c`), and if it is careless, one that does not sync."""
    os.environ["UNSYNCED"] = database
    os.environ["UNSYNCED_PART"] = str(part)
    if is_careless:
        sqlite3.connect = partial(sqlite3.connect, factory=_Careless)  # type: ignore[assignment]
    node(folder, port)


class _Careless(sqlite3.Connection):
    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        return super().execute("PRAGMA synchronous = OFF" if "PRAGMA synchronous" in sql else sql, *parameters)


def demo(port: int) -> None:
    """The demo's upstream, which forgets nothing of what it was asked."""
    served = Demo(key="", scale=0.01)
    served.served = deque()
    config = uvicorn.Config(served, lifespan="off", log_config=None, access_log=False)
    with socket.create_server(("127.0.0.1", port), backlog=1024) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))
