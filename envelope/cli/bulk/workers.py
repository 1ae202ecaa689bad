"""Run a task over chunks in several processes; the outcomes come in the order of the chunks.

On Linux the processes are forked and get their data in shared memory, because sending a document through a pipe takes
longer than converting it; lines of a plain file they read themselves. On other systems, data goes through pipes.
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
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkContext, SpawnContext
    from types import TracebackType

    from envelope.cli.bulk.chunks import Chunk, Outcome, Record, SetAside, Task

__all__ = ["WorkerDied", "Workers"]

_SLOT: Final = 2 * CHUNK  # in bytes: fits any normal chunk and most outputs; the rest goes through pipes


class WorkerDied(Exception):
    """A worker process ended before its work did: it was killed, or ran out of memory."""


class _Bad(NamedTuple):
    """Records of a chunk that were set aside or repaired; its outcome follows."""

    records: Sequence[Record]


class _Made(NamedTuple):
    """An outcome; if ``size`` is not 0, its output is that many bytes of the slot, and empty in the outcome itself."""

    outcome: Outcome
    size: int


class _Pending(NamedTuple):
    size: int
    slot: int


class _Worker:
    """A process that converts chunk after chunk. Its methods raise `WorkerDied` if it has ended."""

    def __init__(self, context: SpawnContext | ForkContext, memory: mmap.mmap | None) -> None:
        # Only the process holds the other end: if it is killed, even amid a reply, nobody waits for the rest.
        self.connection, other_end = context.Pipe()
        self.process = context.Process(target=_work, args=(other_end, memory), daemon=True)
        self.process.start()
        other_end.close()

    def submit(self, task: Task, chunk: Chunk, slot: int, size: int) -> None:
        """Send a chunk for `_convert`."""
        try:
            self.connection.send((task, chunk, slot, size))
        except OSError:
            raise WorkerDied from None

    def result(self, set_aside: SetAside) -> _Made:
        """The result of the earliest chunk not yet collected; raises what its task raised."""
        while True:
            try:
                made: _Made | _Bad | Exception = self.connection.recv()
            except (EOFError, OSError):
                raise WorkerDied from None
            if isinstance(made, Exception):
                raise made
            if isinstance(made, _Made):
                return made
            set_aside(made.records)


class Workers:
    """Processes that wait for work; one job runs in this process. Start them before any thread."""

    def __init__(self, jobs: int) -> None:
        # After one large allocation, the C library (in forked processes too) stops returning smaller blocks to the
        # system. Without it, each chunk's memory was sometimes returned, and had to be cleared again for the next.
        bytes(16 * CHUNK)
        self.share_files = sys.platform == "linux"  # whether workers inherit the files opened before they started
        # Enough that no worker has to wait for a slow one.
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

    def in_order(self, task: Task, chunks: Iterable[Chunk], set_aside: SetAside) -> Generator[Outcome]:
        """The outcome of each chunk; its output is valid until the next one is requested.

        A chunk's bad records go to *set_aside* before that. Raises `WorkerDied`. Closing the generator early ends the
        processes.
        """
        if not self._workers:
            for chunk in chunks:
                yield task(chunk, set_aside)
            return
        pending: deque[_Pending] = deque()
        held = 0
        try:
            for slot, chunk in zip(cycle(range(self._slots)), chunks):
                size = len(chunk.data or b"")
                # Bounded in bytes as well as number: a chunk may be one record as long as the limit.
                while len(pending) == self._slots or (pending and held + size > self._slots * CHUNK):
                    held -= pending[0].size
                    yield from self._outcome(pending.popleft().slot, set_aside)
                self._submit(task, chunk, slot)
                pending.append(_Pending(size, slot))
                held += size
            for done in pending:
                yield from self._outcome(done.slot, set_aside)
        except BaseException:
            self._terminate()  # their remaining results are not needed
            raise

    def _submit(self, task: Task, chunk: Chunk, slot: int) -> None:
        size = 0
        if self._memory and chunk.data and len(chunk.data) <= _SLOT:
            size = len(chunk.data)
            at = slot * _SLOT
            self._memory[at : at + size] = chunk.data
            chunk = chunk._replace(data=b"")
        self._worker(slot).submit(task, chunk, slot, size)

    def _outcome(self, slot: int, set_aside: SetAside) -> Iterator[Outcome]:
        outcome, size = self._worker(slot).result(set_aside)
        if self._memory and size:
            at = slot * _SLOT
            with memoryview(self._memory) as memory, memory[at : at + size] as output:
                yield outcome._replace(output=output)
        else:
            yield outcome

    def _worker(self, slot: int) -> _Worker:
        # Round-robin, like the slots, so that each worker's outcomes come in order.
        return self._workers[slot % len(self._workers)]

    def _terminate(self) -> None:
        for worker in self._workers:
            worker.process.terminate()


def _work(connection: Connection, memory: mmap.mmap | None) -> None:
    """Convert chunks in a worker process until the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    received: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
    threading.Thread(target=_receive, args=(connection, received), daemon=True).start()
    with contextlib.suppress(OSError):  # the parent is gone
        while True:
            connection.send(_made_or_raised(connection, memory, *received.get()))


def _end_with_parent() -> None:
    """Exit when the parent does: if it is killed, it cannot end its workers, and they would wait forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _receive(connection: Connection, received: SimpleQueue[tuple[Any, ...]]) -> None:
    """Take work off the connection before its turn, so that its two ends never wait for each other."""
    with contextlib.suppress(EOFError, OSError):  # the parent is gone
        while True:
            received.put(connection.recv())


def _made_or_raised(connection: Connection, memory: mmap.mmap | None, *work: Any) -> _Made | Exception:
    """What `_convert` returns, or the exception that it raises, with its traceback as a note."""
    try:
        return _convert(connection, memory, *work)
    except Exception as exc:
        exc.add_note(traceback.format_exc())  # pickling loses the traceback
        return exc


def _convert(connection: Connection, memory: mmap.mmap | None, task: Task, chunk: Chunk, slot: int, size: int) -> _Made:
    """The outcome, with its output in the slot if it fits; records set aside are sent at once.

    *size* bytes of the chunk's data are in the slot, if not 0.
    """
    at = slot * _SLOT
    if memory and size:
        chunk = chunk._replace(data=memory[at : at + size])
    outcome = task(chunk, lambda records: connection.send(_Bad(records)))
    size = len(outcome.output)
    if memory is None or not 0 < size <= _SLOT:
        return _Made(outcome, 0)
    memory[at : at + size] = outcome.output
    return _Made(outcome._replace(output=b""), size)


@contextlib.contextmanager
def _no_interrupt() -> Iterator[None]:
    """Start processes that never see SIGINT; the parent gets it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
