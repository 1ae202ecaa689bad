"""A task over chunks in several processes; the outcomes come in the order of the chunks."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from envelope.cli.bulk.chunks import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from envelope.cli.bulk.chunks import Chunk, Outcome, Position

__all__ = ["WorkerDied", "in_order"]


class WorkerDied(Exception):
    """A worker's process ended before its work did: it was killed, or the memory was not enough."""


def in_order(
    task: Callable[[Chunk], Outcome], chunks: Iterable[Chunk], jobs: int
) -> Generator[tuple[Position, Outcome]]:
    """Each chunk's end and outcome. One job needs no process but this one."""
    if jobs == 1:
        for chunk in chunks:
            yield chunk.end, task(chunk)
        return
    # Not by forking: the threads of a progress bar would not be there in the copy, but what they lock would.
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _begin_worker)
    others = set(multiprocessing.active_children())
    pending: deque[tuple[Position, int, Future[Outcome]]] = deque()
    held = 0
    try:
        for chunk in chunks:
            with _no_interrupt():
                pending.append((chunk.end, len(chunk.data), pool.submit(task, chunk)))
            held += len(chunk.data)
            # Enough that no worker waits for a slow one before it, and bounded in bytes as in number.
            while len(pending) > 4 * jobs or (held > 4 * jobs * CHUNK and len(pending) > 1):
                end, size, future = pending.popleft()
                yield end, future.result()
                held -= size
        while pending:
            end, _, future = pending.popleft()
            yield end, future.result()
    except BaseException as exc:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()  # what they would still finish is of no use
        if isinstance(exc, BrokenProcessPool):
            raise WorkerDied from None
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the workers
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers, and they would wait for work forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextlib.contextmanager
def _no_interrupt() -> Iterator[None]:
    """A process that begins in here is deaf to SIGINT from its first moment; the parent gets it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
