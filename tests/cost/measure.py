"""Measuring one case: the peak of its memory and its time, in a process of its own, and the steps that Python takes."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from envelope.errors import EnvelopeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from tests.cost.cases import Case

__all__ = ["Cost", "cost", "run", "steps"]

# Before anything is measured, the case runs once with so few bytes, so that what is imported on first use is there.
_WARM: Final = 2048


@dataclass(frozen=True, slots=True)
class Cost:
    """``bytes`` is by how much the process grew at its largest, the input not counted; ``seconds`` its own time.

    ``outcome`` is the kind of the error that it ended in, if it did.
    """

    bytes: int
    seconds: float
    outcome: str


def cost(case: Case, size: int, *, at_least: float = 0) -> Cost:
    """What *case* costs for an input of *size* bytes; repeated for *at_least* so many seconds, of which the best counts."""
    return Cost(**_in_child(lambda folder: _cost(case, size, at_least, folder)))


def steps(case: Case, size: int) -> int:
    """How many lines of Python run for an input of *size* bytes."""
    return int(_in_child(lambda folder: {"steps": _steps(case, size, folder)})["steps"])


def _in_child(work: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """What *work* returns in a silent child of this process, so that nothing is kept from one measurement to the next."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            silence = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(silence, descriptor)
            with tempfile.TemporaryDirectory() as folder:
                answer = work(Path(folder))
        except BaseException:
            answer = {"error": traceback.format_exc()}
        os.write(writer, orjson.dumps(answer))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answers:
        text = answers.read()
    _, status = os.waitpid(child, 0)
    found: dict[str, Any] = orjson.loads(text) if text else {"error": f"the process ended with {status}"}
    if "error" in found:
        raise RuntimeError(found["error"])
    return found


def _cost(case: Case, size: int, at_least: float, folder: Path) -> dict[str, Any]:
    run(case.prepare(_WARM, folder))
    job = case.prepare(size, folder)
    gc.collect()
    with suppress(OSError, AttributeError):  # where the C library has no such function
        ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
    before = _resident("VmRSS")
    seconds: list[float] = []
    while not seconds or sum(seconds) < at_least:
        started = time.process_time()
        outcome = run(job)
        seconds.append(time.process_time() - started)
    return {"bytes": max(0, _resident("VmHWM") - before), "seconds": min(seconds), "outcome": outcome}


def _steps(case: Case, size: int, folder: Path) -> int:
    run(case.prepare(_WARM, folder))
    job = case.prepare(size, folder)
    count = 0

    def trace(_: FrameType, event: str, __: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    sys.settrace(trace)
    run(job)
    sys.settrace(None)
    return count


def run(job: Callable[[], object]) -> str:
    """Do the *job*, which may end in an error of the library; return the kind of that.

    A command says itself how it ended.
    """
    try:
        found = job()
    except EnvelopeError as error:
        return str(getattr(error, "kind", type(error).__name__))
    return found if found == "limit" else ""


def _resident(field: str) -> int:
    """The bytes of memory that this process has (VmRSS), or had at most (VmHWM)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {field} in /proc/self/status")
