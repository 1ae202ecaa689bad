"""Serving: the gateway on a port, by uvicorn, in one process or in several that share the books."""

from __future__ import annotations

import gc
import os
import socket
from pathlib import Path
from typing import Final

import uvicorn
from uvicorn.supervisors import Multiprocess

from envelope.gateway.app import GatewayApp
from envelope.gateway.running import running
from envelope.gateway.settings import read_settings

__all__ = ["app", "listen", "serve"]

_FILE: Final = "ENVELOPE_GATEWAY_FILE"
_BACKLOG: Final = 2048
_NEW_OBJECTS: Final = 20_000  # that are made before garbage is looked for: those of a few hundred calls
_DRAIN: Final = 30  # seconds that calls have to end when the server is told to


def app() -> GatewayApp:
    """The application of one worker process, which reads the settings itself."""
    settings = read_settings(Path(os.environ[_FILE]))
    # What is there by now stays: looking through it for garbage, as Python does after every few calls, finds none.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    return GatewayApp(lambda: running(settings))


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; 0 is any free port. `OSError` if it cannot be had."""
    # asyncio turns Nagle's algorithm off only where a socket says that it is TCP.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def serve(path: Path, listener: socket.socket, *, workers: int = 1) -> None:
    """Serve the gateway of the settings in *path* until the process is told to end; calls have 30 s to finish."""
    os.environ[_FILE] = str(path)
    config = uvicorn.Config(
        "envelope.gateway.serving:app",
        factory=True,
        workers=workers,
        log_level="warning",
        access_log=False,  # it would have the URL, and so the secret
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_DRAIN,
    )
    server = uvicorn.Server(config)
    if workers == 1:
        server.run(sockets=[listener])
    else:
        Multiprocess(config, [listener]).run()
