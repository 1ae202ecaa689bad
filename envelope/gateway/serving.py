"""Serving: the gateway on a port, in one process or in several that share the books."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from envelope.gateway.operation.listening import listen
from envelope.gateway.operation.server import log_to_stderr, made_server
from envelope.gateway.operation.sharing import folder_of_metrics, keep_apart
from envelope.gateway.operation.supervisor import Supervisor
from envelope.gateway.operation.workers import Worker

__all__ = ["interrupts_wait", "listen", "reloads_wait", "serve"]


@contextmanager
def reloads_wait() -> Iterator[None]:
    """SIGHUP waits in the block until the gateway is ready for it: it would end the process."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Ctrl-C waits until the block ends. For what sets up logging: cut short there, Python keeps its lock for good, and
    another thread that logs its last words would wait for it."""
    came: list[object] = []
    before = signal.signal(signal.SIGINT, lambda *_: came.append(None))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)


def serve(path: Path, listener: socket.socket, *, workers: int, drain: float) -> None:
    """Serve the gateway of the settings in *path* until the process gets SIGINT or SIGTERM.

    Then no call is taken any more, and those that were have *drain* seconds to be answered; a second signal ends it at
    once. SIGHUP reads the settings again. `SystemExit` if it cannot start; standard error says why.
    """
    if workers == 1:
        keep_apart()
        with interrupts_wait():
            server = made_server(path, listener, drain, is_alone=True)
        server.run(sockets=[listener])
        return
    with interrupts_wait():
        log_to_stderr()
    with folder_of_metrics() as folder:
        start = partial(Worker, path, listener, drain, folder)
        status = Supervisor(start, workers, listener, drain).run()
    if status:
        sys.exit(status)
