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

_BATCH: Final = 4  # chunks that are handed over together, for that takes half as long as to convert one
_SLOT: Final = 2 * CHUNK * _BATCH  # in bytes: the chunks of a batch and what becomes of them both fit, or travel


class WorkerDied(Exception):
    """A worker's process ended before its work did: it was killed, or the memory was not enough."""


class _Made(NamedTuple):
    """An outcome; where its output is ``size`` bytes of the slot, it has none itself."""

    outcome: Outcome
    size: int


class _Pending(NamedTuple):
    size: int
    slot: int
    future: Future[list[_Made]]


class Workers:
    """Processes that wait for work; one job needs none but this. They should begin before any thread does."""

    def __init__(self, jobs: int) -> None:
        self._pool: ProcessPoolExecutor | None = None
        # What was allocated once as a whole, the C library (and what is forked) does not give back to the system in
        # smaller pieces: now and then, all memory of each chunk was given back, to be cleared for the next one.
        bytes(16 * CHUNK)
        self.share_files = sys.platform == "linux"  # whether they have the files that were open before they began
        # Enough that no worker waits for a slow one before it.
        self._slots = 3 * jobs
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
            for batch in _batches(chunks):
                size = sum(map(_size, batch))
                # Bounded in bytes as in number: a chunk may be one record as long as the limit.
                while not free or (pending and held + size > self._slots * _BATCH * CHUNK):
                    done = pending.popleft()
                    yield from self._outcomes(done)
                    free.append(done.slot)
                    held -= done.size
                slot = free.pop()
                pending.append(_Pending(size, slot, self._submit(task, batch, slot)))
                held += size
            for done in pending:
                yield from self._outcomes(done)
        except BaseException as exc:
            for process in self._processes:
                process.terminate()  # what they would still finish is of no use
            if isinstance(exc, BrokenProcessPool):
                raise WorkerDied from None
            raise

    def _submit(self, task: Callable[[Chunk], Outcome], batch: list[Chunk], slot: int) -> Future[list[_Made]]:
        assert self._pool is not None  # noqa: S101  # for the type checker
        sizes = [0] * len(batch)
        if self._memory and sum(map(_size, batch)) <= _SLOT:
            at = slot * _SLOT
            sizes = [_size(chunk) for chunk in batch]
            for place, (chunk, size) in enumerate(zip(batch, sizes, strict=True)):
                if size:
                    self._memory[at : at + size] = chunk.data or b""
                    batch[place] = chunk._replace(data=b"")
                at += size
        return self._pool.submit(_convert, task, batch, slot, sizes)

    def _outcomes(self, done: _Pending) -> Iterator[Outcome]:
        """What became of a batch, once it is done; output in the slot is read where it stands."""
        at = done.slot * _SLOT
        for outcome, size in done.future.result():
            if self._memory and size:
                with memoryview(self._memory) as memory, memory[at : at + size] as output:
                    yield outcome._replace(output=output)
            else:
                yield outcome
            at += size


def _batches(chunks: Iterable[Chunk]) -> Iterator[list[Chunk]]:
    """The chunks as they are handed over: so many together, or fewer where they are long."""
    batch: list[Chunk] = []
    for chunk in chunks:
        batch.append(chunk)
        if len(batch) == _BATCH or sum(map(_size, batch)) >= _BATCH * CHUNK:
            yield batch
            batch = []
    if batch:
        yield batch


def _size(chunk: Chunk) -> int:
    """The bytes that travel with it."""
    return len(chunk.data or b"")


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


def _convert(task: Callable[[Chunk], Outcome], batch: list[Chunk], slot: int, sizes: list[int]) -> list[_Made]:
    """The outcomes, and their output one behind the other in the slot, where it has room for it.

    So the data of the chunks stood there: as many bytes of each as *sizes* says.
    """
    if _shared is None:
        return [_Made(task(chunk), 0) for chunk in batch]
    at = slot * _SLOT
    for place, size in enumerate(sizes):
        if size:
            batch[place] = batch[place]._replace(data=_shared[at : at + size])
        at += size
    made = []
    at, end = slot * _SLOT, (slot + 1) * _SLOT
    for outcome in map(task, batch):
        size = len(outcome.output)
        if at + size > end:
            made.append(_Made(outcome, 0))
            continue
        _shared[at : at + size] = outcome.output
        made.append(_Made(outcome._replace(output=b""), size))
        at += size
    return made


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
