"""The progress bar: bytes, records, rate and time left, on a terminal only.

rich is imported only for one: that takes longer than converting a small archive.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from rich.console import Console

    Bar: TypeAlias = AbstractContextManager[Callable[[int, int], None]]

__all__ = ["bar_on", "progress_bar"]


def progress_bar(total: int | None, done: int) -> Bar:
    """The bar of `bar_on` on standard error; nothing if that is not a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        return contextlib.nullcontext(lambda *_: None)
    from rich.console import Console

    return bar_on(Console(stderr=True), total, done)


@contextlib.contextmanager
def bar_on(console: Console, total: int | None, done: int) -> Iterator[Callable[[int, int], None]]:
    """A bar for *total* bytes of the input, *done* of them read by an earlier run, shown while the context is open.

    Call what it yields with the bytes read, and the records converted or set aside.
    """
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    with Progress(
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[records]:,} records"),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,  # rich lets the environment overrule isatty
    ) as bar:
        task = bar.add_task("", total=total, completed=done, records=0)
        yield lambda done, records: bar.update(task, completed=done, records=records)
