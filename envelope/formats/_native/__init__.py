"""The codecs once more, compiled: all of them or none, decided here.

Each extension module holds the same function as its Python twin, faster. The twin is the specification: what is
irregular, and every error, the compiled function leaves to it. The twins are most of the library's code, so each is
imported when it is first needed. Not in use where the extensions were not built (see ``setup.py``), or where the
environment has ``ENVELOPE_PURE=1``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, Final

__all__ = ["MODULES", "NATIVE", "compiled", "extension", "load"]

MODULES: Final = (
    "_calls",
    "_json_scan",
    "_json_write",
    "_serialize_read",
    "_serialize_to_json",
    "_serialize_write",
    "_var_export_read",
    "_var_export_write",
    "_xml_read",
    "_xml_write",
)


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


def extension(name: str) -> ModuleType | None:
    """The extension module of this name; None where the codecs are not in use."""
    return _LOADED.get(name)


def compiled(module: str, twin: str, function: str) -> Callable[..., Any]:
    """The *function* of an extension module; that of its *twin* in `envelope.formats` where there is none in use."""
    codec: Callable[..., Any] = getattr(extension(module) or import_module(f"envelope.formats.{twin}"), function)
    return codec
