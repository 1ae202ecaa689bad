"""A value in a few characters, for people: a scalar itself, and a container's kind and size."""

from __future__ import annotations

import json
from typing import Any, Final

from envelope.values.php_types import PhpEnum, PhpObject, PhpReference

__all__ = ["glimpse", "kind_of"]

ROOM: Final = 60  # how many characters of a text are shown

_KINDS: Final = {
    type(None): "null", bool: "bool", int: "int", float: "float", str: "str", bytes: "bytes",
    list: "list", dict: "map", PhpObject: "object", PhpEnum: "enum", PhpReference: "reference",
}  # fmt: skip


def kind_of(value: object) -> str:
    """Return the kind of a value, in the words of the command and of losses: ``map``, ``str``, ``null``."""
    return _KINDS.get(type(value), type(value).__name__)


def glimpse(value: Any, start: int = 0) -> str:
    """Return *value* on one line that none of its characters can break or act on; a text from *start* on."""
    match value:
        case str() | bytes():
            part = value[start : start + ROOM]
            more = "…" if len(value) > start + ROOM else ""
            return ("…" if start else "") + (_quoted(part) if isinstance(part, str) else repr(part)) + more
        case None | bool():
            return json.dumps(value)
        case list() | dict():
            return f"{kind_of(value)} of {len(value)}"
        case PhpObject():
            inside = f"of {len(value.properties)}" if value.payload is None else f"with {glimpse(value.payload)}"
            return f"object {_safe(value.class_name[:ROOM])} {inside}"
        case PhpReference():
            return f"reference to {glimpse(value.value)}"
        case PhpEnum():
            return _safe(f"{value.class_name[:ROOM]}::{value.case[:ROOM]}")
    return repr(value) if type(value) in _KINDS else type(value).__name__


def _quoted(text: str) -> str:
    return _safe(json.dumps(text, ensure_ascii=False))


def _safe(text: str) -> str:
    """*text* with JSON's escapes also for characters that JSON keeps but a terminal might act on."""
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)
