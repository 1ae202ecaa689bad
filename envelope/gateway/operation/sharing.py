"""Metrics of several workers: prometheus_client keeps them in files, in a folder that they share.

A worker has a *slot*, and its files are named after that: the one that takes its place counts on where it ended.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from prometheus_client import values

__all__ = ["folder_of_metrics", "forget_rests", "keep_apart", "share"]

_NAMES: Final = ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir")


@contextmanager
def folder_of_metrics() -> Iterator[Path]:
    """A private folder for the metrics of workers that are started in the block."""
    with TemporaryDirectory(prefix="envelope-gateway-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def share(folder: Path, slot: int) -> None:
    """Keep this process's metrics there. To be called before any is made."""
    os.environ[_NAMES[0]] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: slot)  # type: ignore[no-untyped-call]


def keep_apart() -> None:
    """Keep this process's metrics in it, whatever the environment says. To be called before any is made."""
    for name in _NAMES:
        os.environ.pop(name, None)
    values.ValueClass = values.MutexValue


def forget_rests(folder: Path, slot: int) -> None:
    """Forget what the worker of a slot, which has ended, knew of upstreams."""
    for file in folder.glob(f"gauge_live*_{slot}.db"):
        file.unlink(missing_ok=True)
