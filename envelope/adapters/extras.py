"""What an adapter says if the package that it needs is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["extra"]


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Imports of packages that the extra *name* installs: `ModuleNotFoundError` with the command if one is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        command = f"pip install 'envelope-engine[{name}]'"
        raise ModuleNotFoundError(f"{error.name} is not installed: {command}", name=error.name) from error
