"""What is drawn for people, on standard output: in colour where that is a terminal, and only there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from envelope.cli.common.files import write_output

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

__all__ = ["write_shown"]


def write_shown(parts: Iterable[RenderableType], width: int) -> None:
    """Write each of *parts* on lines of its own; those longer than *width* cells are broken."""
    console = Console(markup=False, emoji=False, highlight=False, width=width)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    # As UTF-8, whatever the terminal says that it takes.
    write_output("-", capture.get().encode())
