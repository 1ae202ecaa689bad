"""A worker: one of several processes that serve on one port, started and replaced by a supervisor."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Final

from envelope.gateway.operation.server import Server, made_server
from envelope.gateway.operation.sharing import forget_rests, share

__all__ = ["Worker"]

_BEAT: Final = 1.0  # seconds between two signs of life
_SILENT: Final = 60.0  # seconds, after which a worker is given up; importing may take long on a busy machine
_SPAWN: Final = multiprocessing.get_context("spawn")


class Worker:
    """The process in a *slot*, as its supervisor sees it."""

    def __init__(self, path: Path, listener: socket.socket, drain: float, folder: Path, slot: int) -> None:
        self._folder = folder
        self._slot = slot
        self._heard, told = _SPAWN.Pipe(duplex=False)
        self._last = time.monotonic()
        self.has_served = False
        self.process = _SPAWN.Process(target=_work, args=(path, listener, drain, folder, slot, told))
        with _without_signals():
            self.process.start()
        told.close()

    @property
    def is_alive(self) -> bool:
        """Whether it lives, and says so."""
        with suppress(EOFError, OSError):
            while self._heard.poll():
                self.has_served = self._heard.recv() or self.has_served
                self._last = time.monotonic()
        return self.process.is_alive() and time.monotonic() - self._last < _SILENT

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it lives."""
        if self.process.is_alive() and self.process.pid is not None:
            os.kill(self.process.pid, number)

    def end(self) -> int | None:
        """Kill it if it lives; its exit code."""
        self.process.kill()
        self.process.join()
        self._heard.close()
        forget_rests(self._folder, self._slot)
        return self.process.exitcode


@contextmanager
def _without_signals() -> Iterator[None]:
    """Processes that are started in the block never see Ctrl-C, which waits for this one; they would show a traceback
    while they import. They see SIGHUP, which would end them, when they are ready for it."""
    resource_tracker.ensure_running()  # multiprocessing's own process, after whose start it unblocks the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGHUP])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(path: Path, listener: socket.socket, drain: float, folder: Path, slot: int, told: Connection) -> None:
    """What a worker does."""
    share(folder, slot)
    server = made_server(path, listener, drain, is_alone=False)
    server.told = partial(told.send, True)  # noqa: FBT003  # that it serves
    threading.Thread(target=_live, args=(server, told, folder), daemon=True).start()
    server.run(sockets=[listener])


def _live(server: Server, told: Connection, folder: Path) -> None:
    """Give signs of life, which say whether it has begun to serve; end when the supervisor does, however it did."""
    parent = parent_process()
    while parent is not None and not wait([parent.sentinel], _BEAT):
        with suppress(OSError):
            told.send(server.started)
    shutil.rmtree(folder, ignore_errors=True)  # nobody else would
    os.kill(os.getpid(), signal.SIGTERM)
