"""What a run writes to, and checkpoints of it while it goes on."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from envelope.cli.bulk.checkpoint import Progress, write_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

    from envelope.cli.bulk.output import GrowingFile, Sink

__all__ = ["Files"]


@dataclass
class Files:
    """The output, the bad records, and the checkpoint, which is None where a run cannot be gone on with.

    A disk may take seconds for what was written; so the run waits for a checkpoint at its end only.
    """

    sink: Sink
    errors: GrowingFile | None
    checkpoint: Path | None
    identity: dict[str, Any]
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _begun: Future[None] | None = None

    def begin_save(self, progress: Progress) -> None:
        """Write a checkpoint meanwhile, unless one is still being written. Raises what the last one met."""
        if self._begun and not self._begun.done():
            return
        self._wait()
        self._begun = self._thread.submit(self._save, progress)

    def save(self, progress: Progress) -> None:
        """Write the checkpoint; not where the last one failed, for the disk tells of what it lost but once."""
        self._wait()
        self._save(progress)

    def sync(self) -> None:
        """See to it that all that was written is on the disk."""
        self._wait()
        self._sync()

    def close(self) -> None:
        """No checkpoint is being written any more."""
        self._thread.shutdown()

    def _wait(self) -> None:
        if self._begun:
            self._begun.result()

    def _save(self, progress: Progress) -> None:
        """Write the checkpoint, once all that it counts is on the disk."""
        if self.checkpoint:
            self._sync()
            write_checkpoint(self.checkpoint, self.identity, progress)

    def _sync(self) -> None:
        self.sink.sync()
        if self.errors:
            self.errors.sync()
