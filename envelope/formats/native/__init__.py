"""The compiled codecs: all of them are in use or none, which is decided here.

Each extension module (`_read`, `_write`) does the same as the Python module beside it, its twin, but faster; that of
``native._query`` is in `envelope.calls.php_query`. The twin is the specification: the compiled function leaves
irregular input, and every error, to it. The twins are most of the code, so each is imported when it is first needed.
The extensions are not in use if they were not built (see ``setup.py``), or if the environment has ``ENVELOPE_PURE=1``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Final

__all__ = ["MODULES", "NATIVE", "compiled", "extension", "load"]

MODULES: Final = (
    "json._read",
    "json._write",
    "native._calls",
    "native._query",
    "serialize._read",
    "serialize._to_json",
    "serialize._write",
    "var_export._read",
    "var_export._write",
    "xml._read",
    "xml._write",
)
"""The extension modules, by their places in `envelope.formats`."""


def load(environ: Mapping[str, str]) -> dict[str, ModuleType]:
    """Return the extension modules by name; none if they are not wanted, or if one of them is missing."""
    if environ.get("ENVELOPE_PURE", "0") not in ("", "0"):
        return {}
    try:
        return {name: import_module(f"envelope.formats.{name}") for name in MODULES}
    except ImportError:
        return {}


_LOADED: Final = load(os.environ)

NATIVE: Final = bool(_LOADED)
"""Whether the compiled codecs are in use."""


def extension(name: str) -> ModuleType | None:
    """Return the extension module of this name; None if the codecs are not in use."""
    return _LOADED.get(name)


def compiled(format: str, side: str) -> ModuleType:
    """Return the ``read`` or ``write`` of a format's folder: the extension, or its Python twin if none is in use."""
    return extension(f"{format}._{side}") or import_module(f"envelope.formats.{format}.{side}")
