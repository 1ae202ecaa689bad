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
import traceback
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

_SLOT: Final = 2 * CHUNK  # in bytes: a chunk fits, and what becomes of most; what does not fit travels


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
    """A process that converts chunk after chunk. Raises `WorkerDied` where it is no more."""

    def __init__(self, context: SpawnContext | ForkContext, memory: mmap.mmap | None) -> None:
        # Its other end is the process's alone: where that is killed, be it amid an answer, no one waits for the rest.
        self.connection, other_end = context.Pipe()
        self.process = context.Process(target=_work, args=(other_end, memory), daemon=True)
        self.process.start()
        other_end.close()

    def submit(self, task: Callable[[Chunk], Outcome], chunk: Chunk, slot: int, size: int) -> None:
        """Hand over a chunk, for `_convert`."""
        try:
            self.connection.send((task, chunk, slot, size))
        except OSError:
            raise WorkerDied from None

    def result(self) -> _Made:
        """What became of the first chunk that is not asked for yet; raises what its task did."""
        try:
            made: _Made | Exception = self.connection.recv()
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
        self._slots = 4 * jobs
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
            for slot, chunk in zip(cycle(range(self._slots)), chunks):
                size = len(chunk.data or b"")
                # Bounded in bytes as in number: a chunk may be one record as long as the limit.
                while len(pending) == self._slots or (pending and held + size > self._slots * CHUNK):
                    held -= pending[0].size
                    yield from self._outcome(pending.popleft().slot)
                self._submit(task, chunk, slot)
                pending.append(_Pending(size, slot))
                held += size
            for done in pending:
                yield from self._outcome(done.slot)
        except BaseException:
            self._terminate()  # what they would still finish is of no use
            raise

    def _submit(self, task: Callable[[Chunk], Outcome], chunk: Chunk, slot: int) -> None:
        size = 0
        if self._memory and chunk.data and len(chunk.data) <= _SLOT:
            size = len(chunk.data)
            at = slot * _SLOT
            self._memory[at : at + size] = chunk.data
            chunk = chunk._replace(data=b"")
        self._worker(slot).submit(task, chunk, slot, size)

    def _outcome(self, slot: int) -> Iterator[Outcome]:
        outcome, size = self._worker(slot).result()
        if self._memory and size:
            at = slot * _SLOT
            with memoryview(self._memory) as memory, memory[at : at + size] as output:
                yield outcome._replace(output=output)
        else:
            yield outcome

    def _worker(self, slot: int) -> _Worker:
        # Each in its turn, as the slots are: so the outcomes of each come in order.
        return self._workers[slot % len(self._workers)]

    def _terminate(self) -> None:
        for worker in self._workers:
            worker.process.terminate()


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


def _made_or_raised(memory: mmap.mmap | None, *work: Any) -> _Made | Exception:
    """What `_convert` answers, or raises: to be raised where the outcome is asked for, with a note of where it was."""
    try:
        return _convert(memory, *work)
    except Exception as exc:
        exc.add_note(traceback.format_exc())  # which does not travel
        return exc


def _convert(memory: mmap.mmap | None, task: Callable[[Chunk], Outcome], chunk: Chunk, slot: int, size: int) -> _Made:
    """The outcome; its output stands in the slot where it fits, as *size* bytes of data did that the chunk has not."""
    at = slot * _SLOT
    if memory and size:
        chunk = chunk._replace(data=memory[at : at + size])
    outcome = task(chunk)
    size = len(outcome.output)
    if memory is None or not 0 < size <= _SLOT:
        return _Made(outcome, 0)
    memory[at : at + size] = outcome.output
    return _Made(outcome._replace(output=b""), size)


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
