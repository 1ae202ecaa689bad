"""Output for people on standard output, in colour only if that is a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from envelope.cli.common.files import write_output

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

__all__ = ["write_shown"]


def write_shown(parts: Iterable[RenderableType], width: int) -> None:
    """Write each of *parts* on its own lines, broken at *width* cells."""
    console = Console(markup=False, emoji=False, highlight=False, width=width)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    # Always UTF-8, whatever encoding the terminal claims.
    write_output("-", capture.get().encode())
