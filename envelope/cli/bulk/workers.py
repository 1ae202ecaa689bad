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
from itertools import cycle
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from envelope.cli.bulk.chunks import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkContext, SpawnContext
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


class _Worker:
    """A process that converts batch after batch. Raises `WorkerDied` where it is no more."""

    def __init__(self, context: SpawnContext | ForkContext, memory: mmap.mmap | None) -> None:
        # Its other end is the process's alone: where that is killed, be it amid an answer, no one waits for the rest.
        self.connection, other_end = context.Pipe()
        self.process = context.Process(target=_work, args=(other_end, memory), daemon=True)
        self.process.start()
        other_end.close()

    def submit(self, task: Callable[[Chunk], Outcome], batch: list[Chunk], slot: int, sizes: list[int]) -> None:
        """Hand over a batch, for `_convert`."""
        try:
            self.connection.send((task, batch, slot, sizes))
        except OSError:
            raise WorkerDied from None

    def result(self) -> list[_Made]:
        """What became of the first batch that is not asked for yet; raises what its task did."""
        try:
            made: list[_Made] | Exception = self.connection.recv()
        except (EOFError, OSError):
            raise WorkerDied from None
        if isinstance(made, Exception):
            raise made
        return made


class Workers:
    """Processes that wait for work; one job needs none but this. They should begin before any thread does."""

    def __init__(self, jobs: int) -> None:
        # What was allocated once as a whole, the C library (and what is forked) does not give back to the system in
        # smaller pieces: now and then, all memory of each chunk was given back, to be cleared for the next one.
        bytes(16 * CHUNK)
        self.share_files = sys.platform == "linux"  # whether they have the files that were open before they began
        # Enough that no worker waits for a slow one before it.
        self._slots = 3 * jobs
        self._memory: mmap.mmap | None = None
        self._workers: list[_Worker] = []
        if jobs == 1:
            return
        context: SpawnContext | ForkContext = multiprocessing.get_context("spawn")
        if sys.platform == "linux":
            context, self._memory = multiprocessing.get_context("fork"), mmap.mmap(-1, self._slots * _SLOT)
        with _no_interrupt():
            self._workers.extend(_Worker(context, self._memory) for _ in range(jobs))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._terminate()
        for worker in self._workers:
            worker.connection.close()
            worker.process.join()
        if self._memory:
            self._memory.close()

    def in_order(self, task: Callable[[Chunk], Outcome], chunks: Iterable[Chunk]) -> Generator[Outcome]:
        """The outcome of each chunk, whose output stands until the next one is asked for.

        Raises `WorkerDied`; to close it early ends the processes.
        """
        if not self._workers:
            yield from map(task, chunks)
            return
        pending: deque[_Pending] = deque()
        held = 0
        try:
            for slot, batch in zip(cycle(range(self._slots)), _batches(chunks)):
                size = sum(map(_size, batch))
                # Bounded in bytes as in number: a chunk may be one record as long as the limit.
                while len(pending) == self._slots or (pending and held + size > self._slots * _BATCH * CHUNK):
                    held -= pending[0].size
                    yield from self._outcomes(pending.popleft().slot)
                self._submit(task, batch, slot)
                pending.append(_Pending(size, slot))
                held += size
            for done in pending:
                yield from self._outcomes(done.slot)
        except BaseException:
            self._terminate()  # what they would still finish is of no use
            raise

    def _submit(self, task: Callable[[Chunk], Outcome], batch: list[Chunk], slot: int) -> None:
        sizes = [0] * len(batch)
        if self._memory and sum(map(_size, batch)) <= _SLOT:
            at = slot * _SLOT
            sizes = [_size(chunk) for chunk in batch]
            for place, (chunk, size) in enumerate(zip(batch, sizes, strict=True)):
                if size:
                    self._memory[at : at + size] = chunk.data or b""
                    batch[place] = chunk._replace(data=b"")
                at += size
        self._worker(slot).submit(task, batch, slot, sizes)

    def _outcomes(self, slot: int) -> Iterator[Outcome]:
        at = slot * _SLOT
        for outcome, size in self._worker(slot).result():
            if self._memory and size:
                with memoryview(self._memory) as memory, memory[at : at + size] as output:
                    yield outcome._replace(output=output)
            else:
                yield outcome
            at += size

    def _worker(self, slot: int) -> _Worker:
        return self._workers[slot % len(self._workers)]

    def _terminate(self) -> None:
        for worker in self._workers:
            worker.process.terminate()


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


def _work(connection: Connection, memory: mmap.mmap | None) -> None:
    """A worker's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    received: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
    threading.Thread(target=_receive, args=(connection, received), daemon=True).start()
    with contextlib.suppress(OSError):  # there is no parent any more
        while True:
            connection.send(_made_or_raised(memory, *received.get()))


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers, and they would wait for work forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _receive(connection: Connection, received: SimpleQueue[tuple[Any, ...]]) -> None:
    """Take what is handed over before its turn, lest both ends of the connection wait for each other."""
    with contextlib.suppress(EOFError, OSError):  # there is no parent any more
        while True:
            received.put(connection.recv())


def _made_or_raised(memory: mmap.mmap | None, *work: Any) -> list[_Made] | Exception:
    """What `_convert` answers, or raises: to be raised where the outcomes are asked for."""
    try:
        return _convert(memory, *work)
    except Exception as exc:
        return exc


def _convert(
    memory: mmap.mmap | None, task: Callable[[Chunk], Outcome], batch: list[Chunk], slot: int, sizes: list[int]
) -> list[_Made]:
    """The outcomes, and their output one behind the other in the slot, where it has room for it.

    So the data of the chunks stood there: as many bytes of each as *sizes* says.
    """
    if memory is None:
        return [_Made(task(chunk), 0) for chunk in batch]
    at = slot * _SLOT
    for place, size in enumerate(sizes):
        if size:
            batch[place] = batch[place]._replace(data=memory[at : at + size])
        at += size
    made = []
    at, end = slot * _SLOT, (slot + 1) * _SLOT
    for outcome in map(task, batch):
        size = len(outcome.output)
        if at + size > end:
            made.append(_Made(outcome, 0))
            continue
        memory[at : at + size] = outcome.output
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
