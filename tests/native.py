"""The compiled codecs, for tests: there, skipped with a reason, or missed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from envelope.formats import _native

HAS_COMPILER = shutil.which(os.environ.get("CXX", "c++").split()[0]) is not None
WHY_NOT = "the extensions are not built, and there is no C++ compiler here"
MODULES = _native.load({})  # also where ENVELOPE_PURE keeps them out of use

# Where they could have been built, their absence is a failure: nothing else would tell that Python alone was tested.
requires_native = pytest.mark.skipif(not MODULES and not HAS_COMPILER, reason=WHY_NOT)


def extension(name: str) -> ModuleType:
    """The extension module of this name; skips all of the calling module where there can be none."""
    if not MODULES and not HAS_COMPILER:
        pytest.skip(WHY_NOT, allow_module_level=True)
    assert bool(MODULES), "a C++ compiler is here, but the extensions are not built: pip install -e ."
    return MODULES[name]


def pick_pure(module: str, twin: str, function: str) -> Callable[..., Any]:
    """The Python codec."""
    codec: Callable[..., Any] = getattr(import_module(f"envelope.formats.{twin}"), function)
    return codec


def pick_compiled(module: str, twin: str, function: str) -> Callable[..., Any]:
    """The compiled codec."""
    codec: Callable[..., Any] = getattr(MODULES[module], function)
    return codec


def resident() -> int:
    """The memory that this process holds, in bytes; skips the calling test where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        pytest.skip("no /proc here to read the resident set from")
    return pages * os.sysconf("SC_PAGE_SIZE")
