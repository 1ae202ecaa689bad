"""No kind of input costs out of proportion: memory, and steps of Python. `python -m tests.cost` is the long form."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.processes import environment
from tests.effort import some
from tests.native import HAS_COMPILER, MODULES, WHY_NOT

pytest.importorskip("rich")

# After importorskip: without the extra cli they cannot be imported.
from tests.cost.cases import CASES, Case
from tests.cost.measure import run

LIBRARY = [case for case in CASES if case.group.startswith(("read", "write", "a call", "unwrap"))]


@pytest.mark.parametrize("build", ["pure", "compiled"])
def test_memory_and_steps_are_in_proportion(build: str) -> None:
    if build == "compiled" and not MODULES and not HAS_COMPILER:
        pytest.skip(WHY_NOT)
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("no /proc here to measure memory with")
    program = [sys.executable, "-m", "tests.cost", "--short", "--build", build]
    done = subprocess.run(program, env=environment(build), capture_output=True, text=True, timeout=600, check=False)
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


@pytest.mark.parametrize("case", some(LIBRARY, 60), ids=str)
def test_nothing_is_left_to_the_garbage_collector(case: Case, tmp_path: Path) -> None:
    """A document, or the error about it, is freed as soon as the caller drops it: there are no cycles."""
    run(case.prepare(600, tmp_path))
    job = case.prepare(600, tmp_path)
    gc.freeze()  # what other tests left is not looked through
    gc.disable()
    try:
        run(job)
        assert gc.collect() == 0
    finally:
        gc.enable()
