"""A task over chunks in several processes; the outcomes come in the order of the chunks.

On Linux the processes are forked, and what they convert lies in memory that all of them share: through pipes, a
document would take longer to travel than to convert; lines of a plain file they read themselves. Elsewhere it travels.
"""

from __future__ import annotations

import contextlib
import mmap
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from envelope.cli.bulk.chunks import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from types import TracebackType

    from envelope.cli.bulk.chunks import Chunk, Outcome

__all__ = ["WorkerDied", "Workers"]

_SLOT: Final = 2 * CHUNK  # a chunk and what becomes of it both fit, or travel


class WorkerDied(Exception):
    """A worker's process ended before its work did: it was killed, or the memory was not enough."""


class _Pending(NamedTuple):
    size: int
    slot: int
    future: Future[tuple[Outcome, int]]


class Workers:
    """Processes that wait for work; one job needs none but this. They should begin before any thread does."""

    def __init__(self, jobs: int) -> None:
        self._pool: ProcessPoolExecutor | None = None
        # What was allocated once as a whole, the C library (and what is forked) does not give back to the system in
        # smaller pieces: now and then, all memory of each chunk was given back, to be cleared for the next one.
        bytes(16 * CHUNK)
        self.share_files = sys.platform == "linux"  # whether they have the files that were open before they began
        # Enough that no worker waits for a slow one before it.
        self._slots = 4 * jobs
        self._memory: mmap.mmap | None = None
        if jobs == 1:
            return
        others = set(multiprocessing.active_children())
        method = "spawn"
        if sys.platform == "linux":
            method, self._memory = "fork", mmap.mmap(-1, self._slots * _SLOT)
        context = multiprocessing.get_context(method)
        self._pool = ProcessPoolExecutor(jobs, context, _begin_worker, (self._memory,))
        with _no_interrupt():
            for ready in [self._pool.submit(int) for _ in range(jobs)]:
                ready.result()
        self._processes = set(multiprocessing.active_children()) - others

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
        if self._memory:
            self._memory.close()

    def in_order(self, task: Callable[[Chunk], Outcome], chunks: Iterable[Chunk]) -> Generator[Outcome]:
        """The outcome of each chunk, whose output stands until the next one is asked for.

        Raises `WorkerDied`; to close it early ends the processes.
        """
        if self._pool is None:
            yield from map(task, chunks)
            return
        pending: deque[_Pending] = deque()
        free = list(range(self._slots))
        held = 0
        try:
            for chunk in chunks:
                size = len(chunk.data or b"")
                # Bounded in bytes as in number: a chunk may be one record as long as the limit.
                while not free or (pending and held + size > self._slots * CHUNK):
                    done = pending.popleft()
                    yield from self._outcome(done)
                    free.append(done.slot)
                    held -= done.size
                slot = free.pop()
                pending.append(_Pending(size, slot, self._submit(task, chunk, slot)))
                held += size
            for done in pending:
                yield from self._outcome(done)
        except BaseException as exc:
            for process in self._processes:
                process.terminate()  # what they would still finish is of no use
            if isinstance(exc, BrokenProcessPool):
                raise WorkerDied from None
            raise

    def _submit(self, task: Callable[[Chunk], Outcome], chunk: Chunk, slot: int) -> Future[tuple[Outcome, int]]:
        assert self._pool is not None  # noqa: S101  # for the type checker
        size = len(chunk.data or b"")
        if self._memory and chunk.data and size <= _SLOT:
            self._memory[slot * _SLOT : slot * _SLOT + size] = chunk.data
            return self._pool.submit(_convert, task, chunk._replace(data=b""), slot, size)
        return self._pool.submit(_convert, task, chunk, slot, 0)

    def _outcome(self, done: _Pending) -> Iterator[Outcome]:
        outcome, size = done.future.result()
        if self._memory and size:
            start = done.slot * _SLOT
            with memoryview(self._memory) as memory, memory[start : start + size] as output:
                yield outcome._replace(output=output)
        else:
            yield outcome


_shared: mmap.mmap | None = None


def _begin_worker(memory: mmap.mmap | None) -> None:
    global _shared
    _shared = memory
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers, and they would wait for work forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _convert(task: Callable[[Chunk], Outcome], chunk: Chunk, slot: int, size: int) -> tuple[Outcome, int]:
    """The outcome, its output in the slot where it fits there, and how long that is."""
    if _shared is None:
        return task(chunk), 0
    start = slot * _SLOT
    if size:
        chunk = chunk._replace(data=_shared[start : start + size])
    outcome = task(chunk)
    output = outcome.output
    if len(output) > _SLOT:
        return outcome, 0
    _shared[start : start + len(output)] = output
    return outcome._replace(output=b""), len(output)


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
