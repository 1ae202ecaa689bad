"""The codecs once more, compiled: all of them or none, decided here.

Each extension module holds the same function as its Python twin, faster. The twin is the specification: what is
irregular, and every error, the compiled function leaves to it. Not in use where the extensions were not built (see
``setup.py``), or where the environment has ``ENVELOPE_PURE=1``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, Final, TypeVar

__all__ = ["MODULES", "NATIVE", "compiled", "load"]

MODULES: Final = (
    "_json_scan",
    "_json_write",
    "_serialize_read",
    "_serialize_write",
    "_var_export_read",
    "_var_export_write",
    "_xml_read",
    "_xml_write",
)

_Codec = TypeVar("_Codec", bound=Callable[..., Any])


def load(environ: Mapping[str, str]) -> dict[str, ModuleType]:
    """The extension modules by name; none where they are not wanted, or one of them is not there."""
    if environ.get("ENVELOPE_PURE", "0") not in ("", "0"):
        return {}
    try:
        return {name: import_module(f"{__name__}.{name}") for name in MODULES}
    except ImportError:
        return {}


_LOADED: Final = load(os.environ)

NATIVE: Final = bool(_LOADED)
"""Whether the compiled codecs are in use."""


def compiled(module: str, twin: _Codec) -> _Codec:
    """The function of *twin*'s name in the extension *module*, or *twin* where the codecs are not in use."""
    codec: _Codec = getattr(_LOADED[module], twin.__name__) if NATIVE else twin
    return codec
