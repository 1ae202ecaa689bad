"""Measuring one case in a process of its own: the peak of its memory, its time, and the steps that Python takes."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

import orjson

from envelope.errors import EnvelopeError
from tests.cost.cases import Case

__all__ = ["MOST_PER_BYTE", "MOST_RATIO", "MOST_SPARE", "Cost", "cost", "steps"]

MOST_PER_BYTE: Final = 40
MOST_SPARE: Final = 16 << 20
MOST_RATIO: Final = 2.5

_WARM: Final = 2048


@dataclass(frozen=True, slots=True)
class Cost:
    """``bytes`` is by how much the process grew at its largest, the input not counted; ``seconds`` its own time."""

    bytes: int
    seconds: float

    def is_too_large(self, size: int) -> bool:
        """Whether an input of *size* may not take so much memory."""
        return self.bytes > MOST_PER_BYTE * size + MOST_SPARE


def cost(case: Case, size: int, *, repeats: int = 1) -> Cost:
    """What *case* costs for an input of *size* bytes: the most memory and the least time of the repeats.

    A child of this process does the work, so nothing is kept from one measurement to the next.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _in_child(case, size, repeats, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as answers:
        answer = answers.read()
    _, status = os.waitpid(child, 0)
    if not answer or status:
        raise RuntimeError(f"{case.group}, {case.name}, {size} bytes: the process ended with {status}")
    found = orjson.loads(answer)
    if "error" in found:
        raise RuntimeError(f"{case.group}, {case.name}, {size} bytes: {found['error']}")
    return Cost(**found)


def _in_child(case: Case, size: int, repeats: int, writer: int) -> None:
    """Measure, answer, and end this process."""
    try:
        silence = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(silence, descriptor)
        with tempfile.TemporaryDirectory() as folder:
            answer: dict[str, Any] = _measured(case, size, repeats, Path(folder))
    except BaseException:
        answer = {"error": traceback.format_exc()}
    os.write(writer, orjson.dumps(answer))
    os._exit(0)


def _measured(case: Case, size: int, repeats: int, folder: Path) -> dict[str, Any]:
    _run(case.prepare(_WARM, folder))  # so that what is imported on first use is there
    job = case.prepare(size, folder)
    gc.collect()
    with suppress(OSError, AttributeError):  # where the C library has no such function
        ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
    before = _resident("VmRSS")
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        _run(job)
        seconds.append(time.process_time() - started)
    return {"bytes": max(0, _resident("VmHWM") - before), "seconds": min(seconds)}


def _run(job: Callable[[], object]) -> None:
    with suppress(EnvelopeError):
        job()


def steps(case: Case, size: int, folder: Path) -> int:
    """How many lines of Python run for an input of *size* bytes."""
    job = case.prepare(size, folder)
    count = 0

    def trace(_: FrameType, event: str, __: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        _run(job)
    finally:
        sys.settrace(before)
    return count


def _resident(field: str) -> int:
    """The bytes of memory that this process has (VmRSS), or had at most (VmHWM)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {field} in /proc/self/status")
