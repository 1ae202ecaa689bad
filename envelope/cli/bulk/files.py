"""The files that a run writes, and their checkpoints while it runs."""

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
    """The output, the bad records, the repairs, and the checkpoint, which is None if a run cannot be resumed.

    Syncing to disk may take seconds, so the run only waits for a checkpoint at its end.
    """

    sink: Sink
    errors: GrowingFile | None
    repairs: GrowingFile | None
    checkpoint: Path | None
    identity: dict[str, Any]
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _begun: Future[None] | None = None

    def begin_save(self, progress: Progress) -> None:
        """Write a checkpoint in the background, unless one is still being written. Raises the last one's error."""
        if self._begun and not self._begun.done():
            return
        self._wait()
        self._begun = self._thread.submit(self._save, progress)

    def save(self, progress: Progress) -> None:
        """Write the checkpoint, unless the last one failed: the system reports lost writes only once."""
        self._wait()
        self._save(progress)

    def sync(self) -> None:
        """Ensure that everything written is on disk."""
        self._wait()
        self._sync()

    def close(self) -> None:
        """Wait until no checkpoint is being written."""
        self._thread.shutdown()

    def _wait(self) -> None:
        if self._begun:
            self._begun.result()

    def _save(self, progress: Progress) -> None:
        """Write the checkpoint once everything it counts is on disk."""
        if self.checkpoint:
            self._sync()
            write_checkpoint(self.checkpoint, self.identity, progress)

    def _sync(self) -> None:
        self.sink.sync()
        for file in (self.errors, self.repairs):
            if file:
                file.sync()
