"""The progress bar: bytes, records, rate and time left, on a terminal only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["ProgressBar"]


class ProgressBar:
    """A bar on standard error while it is open; nothing where that is no terminal."""

    def __init__(self, total: int | None, done: int) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[records]:,} records"),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=total, completed=done, records=0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, done: int, records: int) -> None:
        """*done* bytes of the input were read, and *records* converted or set aside."""
        self._bar.update(self._task, completed=done, records=records)
