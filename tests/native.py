"""The compiled codecs, for tests: loaded, skipped with a reason, or reported as missing."""

from __future__ import annotations

import inspect
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from envelope.errors import DecodeError, EncodeError
from envelope.formats import native
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.options import ReadOptions, WriteOptions
from tests.effort import THOROUGH

HAS_COMPILER = shutil.which(os.environ.get("CXX", "c++").split()[0]) is not None
WHY_NOT = "the extensions are not built, and there is no C++ compiler here"
MODULES = native.load({})  # even if ENVELOPE_PURE keeps them out of use

# If they could have been built, their absence is a failure: nothing else would show that only Python was tested.
requires_native = pytest.mark.skipif(not MODULES and not HAS_COMPILER, reason=WHY_NOT)


def extension(name: str) -> ModuleType:
    """The extension module of this name; skips the whole calling module if it cannot be built."""
    if not MODULES and not HAS_COMPILER:
        pytest.skip(WHY_NOT, allow_module_level=True)
    assert bool(MODULES), "a C++ compiler is here, but the extensions are not built: pip install -e ."
    return MODULES[name]


def pick_pure(format: str, side: str) -> ModuleType:
    """The Python codec."""
    return import_module(f"envelope.formats.{format}.{side}")


def pick_compiled(format: str, side: str) -> ModuleType:
    """The compiled codec."""
    return MODULES[f"{format}._{side}"]


def by_words(codec: Callable[..., Any]) -> Callable[..., Any]:
    """A codec's `dumps` or `loads` that takes its options one by one, as the five functions do."""
    is_writer = "default" in inspect.signature(codec).parameters

    def write(
        value: object,
        values: Any = "portable",
        maps: Any = "array",
        dialect: Any = "typed",
        default: Any = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Any:
        return codec(value, WriteOptions(values=values, maps=maps, dialect=dialect, limits=limits), default)

    def read(data: object, values: Any = "portable", dialect: Any = "typed", limits: Limits = DEFAULT_LIMITS) -> Any:
        return codec(data, ReadOptions(values=values, dialect=dialect, limits=limits))

    return write if is_writer else read


def resident() -> int:
    """The memory that this process uses, in bytes; skips the calling test if the system does not report it."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        pytest.skip("no /proc here to read the resident set from")
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def quick_refusals(twin: ModuleType, name: str) -> Iterator[None]:
    """Within it, the Python codec *twin* refuses whatever the compiled one leaves to it, at once.

    For tests that call the compiled codec many thousand times, and would wait for its twin nearly all the time. The
    thorough profile leaves the twin as it is.
    """
    error = EncodeError if name == "dumps" else DecodeError

    def refuse(*_: object, **__: object) -> None:
        raise error("refused at once")

    with pytest.MonkeyPatch.context() as patch:
        if not THOROUGH:
            patch.setattr(twin, name, refuse)
        yield
