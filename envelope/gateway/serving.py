"""Serving: the gateway on a port, by uvicorn, in one process or in several that share the books."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from multiprocessing import parent_process, resource_tracker
from multiprocessing.connection import wait
from pathlib import Path
from typing import Final

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors import Multiprocess

from envelope.gateway.app import GatewayApp
from envelope.gateway.gateway import Gateway
from envelope.gateway.running import running
from envelope.gateway.settings import read_settings

__all__ = ["app", "listen", "serve"]

_FILE: Final = "ENVELOPE_GATEWAY_FILE"
_BACKLOG: Final = 2048
_NEW_OBJECTS: Final = 20_000  # that are made before garbage is looked for: those of a few hundred calls
_ON_ITS_WAY: Final = 0.5  # seconds
_DRAIN: Final = 30  # seconds that calls have to end when the server is told to
_SILENT: Final = 60  # seconds, after which a worker is replaced; importing may take long on a busy machine


def app() -> GatewayApp:
    """The application of one process, which reads the settings itself when its server starts."""
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=[parent.sentinel], daemon=True).start()

    def made() -> AbstractAsyncContextManager[Gateway]:
        return running(read_settings(Path(os.environ[_FILE])))

    # What is there by now stays: looking through it for garbage, as Python does after every few calls, finds none.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    return GatewayApp(made)


def _end_with(parent: int) -> None:
    """End this worker when its parent, of that sentinel, is gone: it was killed, and nobody else would end it."""
    wait([parent])
    os.kill(os.getpid(), signal.SIGTERM)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; 0 is any free port. `OSError` if it cannot be had."""
    # asyncio turns Nagle's algorithm off only where a socket says that it is TCP.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except UnicodeError:
        listener.close()
        raise OSError(None, "not a host") from None
    except OSError:
        listener.close()
        raise
    return listener


def serve(path: Path, listener: socket.socket, *, workers: int = 1) -> None:
    """Serve the gateway of the settings in *path* until the process gets SIGINT or SIGTERM; calls have 30 s to finish.

    `SystemExit` if it cannot start; standard error says why.
    """
    os.environ[_FILE] = str(path)
    config = uvicorn.Config(
        "envelope.gateway.serving:app",
        factory=True,
        http=Connection,
        workers=workers,
        log_level="warning",
        access_log=False,  # it would have the URL, and so the secret
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_DRAIN,
        timeout_worker_healthcheck=_SILENT,
    )
    if workers == 1:
        _Server(config).run(sockets=[listener])
        return
    supervisor = _Supervisor(config, [listener])
    supervisor.run()
    if any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes):
        sys.exit(STARTUP_FAILURE)


class Connection(HttpToolsProtocol):
    """A caller's connection, which is not closed under a request that is on its way when the server ends."""

    def shutdown(self) -> None:
        """Close it, a moment later: whoever connected or was answered just now may have sent a request already."""
        self.loop.call_later(_ON_ITS_WAY, super().shutdown)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Processes that are started in the block never see Ctrl-C, which waits for this one; they would show a traceback
    while they import."""
    resource_tracker.ensure_running()  # multiprocessing's own process, after whose start it unblocks the signal
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


class _Supervisor(Multiprocess):
    """Starts the workers, replaces those that die, and all of them on SIGHUP. It alone hears Ctrl-C, and tells them."""

    def init_processes(self) -> None:
        with _without_interrupts():
            super().init_processes()

    def restart_all(self) -> None:
        with _without_interrupts():
            super().restart_all()

    def keep_subprocess_alive(self) -> None:
        with _without_interrupts():
            super().keep_subprocess_alive()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals end the server, but not the process, which has more to close."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
