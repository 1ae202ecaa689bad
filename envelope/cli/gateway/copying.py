"""What `move` and `backup` share: how far they are, and what was copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

from envelope.cli.gateway.common import show_table
from envelope.gateway.money import shown_amount

if TYPE_CHECKING:
    from envelope.gateway.stores.copying import Figures

__all__ = ["progress", "show_figures"]


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, if that is a terminal; it is told how many rows are done, and how many there are."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("rows"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done, rows: shown.update(task, completed=done, total=rows)


def show_figures(figures: Figures) -> None:
    """Rows of each table, and sums of money."""
    rows = [(name, str(figure), "") for name, figure in figures.items() if "." not in name]
    sums = [(name.replace(".", " "), "", shown_amount(figure)) for name, figure in figures.items() if "." in name]
    show_table(("what", "rows", "units"), rows + sums)
