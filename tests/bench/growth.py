"""Does time grow with size and no faster, and how much memory does reading take?"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import envelope
from tests.bench.documents import shop_page
from tests.bench.peers import FORMATS
from tests.bench.processes import worker

MIB: Final = 1 << 20
FIVE: Final = tuple(format for format in FORMATS if format != "xml plain")


def growth(folder: Path, builds: Iterable[str], largest: int, progress: Callable[[str], None]) -> dict[str, Any]:
    """For each build, format and direction: seconds by size, from 1 MiB to *largest* MiB in doublings.

    The best of four rounds; a fresh process for each format. orjson is there to show what of it is Python's own:
    memory, and collections of garbage.
    """
    result: dict[str, Any] = {}
    page = shop_page(random.Random(1), 1000)["items"]["item"]
    sizes = [1 << power for power in range(largest.bit_length())]
    for name, peer, formats in _measured(builds):
        for format in formats:
            progress(f"{name}, {format}")
            per_mib = MIB * len(page) // len(envelope.dumps(page, format))
            records = [size * per_mib for size in sizes]
            with worker(folder, name, peer) as process:
                times = process.ask("grow", peer=peer, format=format, records=records, repeats=4)
            result.setdefault(name, {})[format] = {
                direction: dict(zip(map(str, sizes), seconds, strict=True)) for direction, seconds in times.items()
            }
    return result


def _measured(builds: Iterable[str]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """orjson and each build: its name, the peer in its process, its formats."""
    yield "orjson", "orjson", ("jsonu",)
    for build in builds:
        yield build, "envelope", FIVE


def memory(folder: Path, builds: Iterable[str], size: int, progress: Callable[[str], None]) -> dict[str, Any]:
    """For orjson (reading jsonu) and each build and format: the peak of memory while a document is read, in bytes.

    The document is *size* MiB as jsonu; its own bytes are not counted. A fresh process for each measurement.
    """
    page = shop_page(random.Random(1), 1000)
    records = MIB * size * 1000 // len(envelope.dumps(page, "jsonu"))
    page = shop_page(random.Random(1), records)
    for format in FIVE:
        (folder / f"large.{format}").write_bytes(envelope.dumps(page, format, limits=envelope.Limits.unlimited()))
    del page
    peaks: dict[str, dict[str, int]] = {}
    for name, peer, formats in _measured(builds):
        for format in formats:
            progress(f"{name}, {format}")
            with worker(folder, name, peer) as process:
                answer = process.ask("memory", peer=peer, format=format, file=f"large.{format}")
            peaks.setdefault(name, {})[format] = answer["bytes"]
    return {"mib": size, "peaks": peaks}
