"""The supervisor of several workers: replaces those that die, and passes on what it is told by signals."""

from __future__ import annotations

import logging
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Final

from uvicorn.config import STARTUP_FAILURE

from envelope.gateway.operation.listening import let_nobody_in
from envelope.gateway.operation.workers import Worker

__all__ = ["Supervisor"]

_PAUSE: Final = 1.0  # seconds between two starts of workers that died
_TICK: Final = 0.1
_LATE: Final = 5.0  # seconds that a worker has beside those for its calls, before it is killed

_log = logging.getLogger("uvicorn.error")


class Supervisor:
    """Keeps *count* workers alive, which *start* starts in their slots; calls have *drain* seconds to end."""

    def __init__(self, start: Callable[[int], Worker], count: int, listener: socket.socket, drain: float) -> None:
        self._start = start
        self._count = count
        self._listener = listener
        self._drain = drain
        self._workers: dict[int, Worker] = {}
        self._has_served = False
        self._is_reload_wanted = False
        self._ends = 0  # how often it was told to end
        self._last = signal.SIGTERM
        self._started = 0.0

    def run(self) -> int:
        """Serve until a signal ends it; the exit status. A second signal ends it at once."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle_end)
        signal.signal(signal.SIGHUP, self._handle_reload)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP])
        self._fill()
        while not self._ends:
            wait([worker.process.sentinel for worker in self._workers.values()], _TICK)
            if self._is_reload_wanted:
                self._is_reload_wanted = False
                self._send(signal.SIGHUP)
            if not self._is_well():
                self._end_all()
                return STARTUP_FAILURE
            if len(self._workers) < self._count and time.monotonic() - self._started >= _PAUSE:
                self._fill()
        return self._finish()

    def _fill(self) -> None:
        """Start a worker in each slot that has none."""
        self._started = time.monotonic()
        for slot in range(self._count):
            if slot not in self._workers and not self._ends:
                self._workers[slot] = self._start(slot)

    def _is_well(self) -> bool:
        """Take out who died. False if nobody ever served, and that will not change: the settings will not do."""
        for slot, worker in list(self._workers.items()):
            is_alive = worker.is_alive
            self._has_served = self._has_served or worker.has_served
            if is_alive:
                continue
            del self._workers[slot]
            code = worker.end()
            if code == STARTUP_FAILURE and not self._has_served:
                return False
            _log.error("worker %d ended (%s); another is started", slot, code)
        return True

    def _finish(self) -> int:
        """Have all workers answer what they took."""
        self._send(signal.SIGTERM)
        self._listener.close()  # the last worker that does so lets nobody wait for an answer
        until = time.monotonic() + self._drain + _LATE
        while self._ends == 1 and time.monotonic() < until:
            living = [worker.process.sentinel for worker in self._workers.values() if worker.process.is_alive()]
            if not living:
                break
            wait(living, _TICK)
        self._end_all()
        if self._ends > 1:
            return 128 + self._last
        return 0

    def _end_all(self) -> None:
        for worker in self._workers.values():
            worker.end()

    def _send(self, number: signal.Signals) -> None:
        for worker in self._workers.values():
            worker.send(number)

    def _handle_end(self, number: int, *_: object) -> None:
        self._ends += 1
        self._last = signal.Signals(number)
        let_nobody_in(self._listener)

    def _handle_reload(self, *_: object) -> None:
        self._is_reload_wanted = True
