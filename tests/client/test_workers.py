"""Blocking work that is given up, and threads that are used again."""

from __future__ import annotations

import contextvars
import os
import threading
import time

import pytest

from envelope.client import workers
from envelope.client.workers import run_within


def test_a_thread_is_used_again() -> None:
    assert {run_within(5, threading.get_ident) for _ in range(20)} != {threading.get_ident()}
    before = threading.active_count()
    for _ in range(20):
        run_within(5, int)
    assert threading.active_count() == before


def test_whoever_waits_too_long_stops_waiting() -> None:
    release = threading.Event()
    started = time.monotonic()
    assert run_within(0.05, lambda: release.wait(60)) is None
    assert time.monotonic() - started < 30
    # The thread is busy: this is another one.
    assert run_within(5, threading.get_ident) is not None
    release.set()


def test_the_context_is_the_callers() -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable")
    variable.set(7)
    assert run_within(5, variable.get) == 7


def test_an_idle_thread_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_IDLE_SECONDS", 0.01)
    while workers._idle:
        workers._idle.pop()
    name = run_within(5, threading.current_thread)
    assert name is not None
    name.join(30)
    assert not name.is_alive()
    assert not workers._idle
    assert run_within(5, lambda: 1) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_process_has_threads_of_its_own() -> None:
    assert run_within(5, lambda: 1) == 1
    child = os.fork()
    if not child:
        os._exit(0 if run_within(5, lambda: 1) == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
