"""Blocking work within a time: it runs in a thread of its own, and whoever waits for it can stop waiting.

Nothing else ends a blocking call in time: sockets have time-outs for each read, not for all of them, and looking up a
name has none. Threads are kept for the next call, because waking one is ten times as fast as starting one.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any, Final, TypeVar

__all__ = ["run_within"]

_IDLE_SECONDS: Final = 60.0

T = TypeVar("T")


class _Job:
    """A function, and in time what it returned; ``done`` is held until then."""

    def __init__(self, function: Callable[[], Any]) -> None:
        context = copy_context()
        self.run: Callable[[], Any] = lambda: context.run(function)
        self.result: Any = None
        self.done = threading.Lock()
        self.done.acquire()


_idle: deque[_Worker] = deque()


class _Worker:
    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        # A daemon: whatever it still waits for must not keep the process alive.
        threading.Thread(target=self._work, name="envelope.client", daemon=True).start()

    def take(self, job: _Job) -> None:
        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                with suppress(ValueError):  # somebody has just taken it from there, and a job is coming
                    _idle.remove(self)
                    return
                continue
            job.result = job.run()
            _idle.append(self)
            job.done.release()
            del job  # or it would be kept until the next one


# The threads do not exist in a child process.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)


def run_within(seconds: float, function: Callable[[], T]) -> T | None:
    """What *function* returns; None if it takes longer than *seconds*. It must not raise, and ends on its own."""
    job = _Job(function)
    try:
        worker = _idle.pop()
    except IndexError:
        worker = _Worker()
    worker.take(job)
    job.done.acquire(timeout=max(seconds, 0.0))
    result: T | None = job.result
    return result
