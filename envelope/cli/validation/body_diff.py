"""What changed in a body, by lines: one-line bodies are split where their values end."""

from __future__ import annotations

import re
from difflib import unified_diff
from typing import Final

from rich.text import Text

from envelope.cli.common.report import printable

__all__ = ["body_diff"]

_ENDS: Final = re.compile(rb"(?<=[,;{}\[\]>\n])")
_MAX_COMPARED: Final = 2000  # lines on either side: difflib's time is quadratic
_MAX_SHOWN: Final = 60
_STYLES: Final = {"+": "green", "-": "red", "@": "cyan"}


def body_diff(name: str, before: bytes | None, after: bytes) -> Text:
    """How the body in the file *name* changed; *before* is None if it is new."""
    if before is None:
        return Text(f"new {printable(name)}, {len(after)} bytes", "bold")
    diff = Text(f"changed {printable(name)}, {len(before)} to {len(after)} bytes", "bold")
    old, new = _ENDS.split(before), _ENDS.split(after)
    if max(len(old), len(new)) > _MAX_COMPARED:
        return diff
    lines = list(unified_diff([*map(_line, old)], [*map(_line, new)], n=1, lineterm=""))[2:]  # without the two names
    for line in lines[:_MAX_SHOWN]:
        diff.append("\n  ").append(printable(line), _STYLES.get(line[0], ""))
    if len(lines) > _MAX_SHOWN:
        diff.append(f"\n  and {len(lines) - _MAX_SHOWN} more lines")
    return diff


def _line(part: bytes) -> str:
    return part.rstrip(b"\n").decode("utf-8", "backslashreplace")
