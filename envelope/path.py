"""Paths into a value: `$`, `.name`, `[3]`, `["any key"]` (the key JSON-escaped)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

__all__ = [
    "MAX_NAME",
    "MAX_SHOWN",
    "ROOT",
    "Link",
    "Step",
    "format_link",
    "format_path",
    "link_steps",
    "parse_path",
    "short_path",
    "step_text",
]

Step = str | int | bytes
"""One step down: a map's key, or a list's index. Keys that are `bytes` or `int` exist only in PHP's domain."""

Link: TypeAlias = "tuple[Link, Step] | None"
"""A place as the place above it and the last step, so that its cost does not grow with depth."""

ROOT = "$"

MAX_NAME = 32
"""How many characters of a name in a document (a key, a class) an error repeats."""

MAX_SHOWN = 40
"""How many characters of a caller's own word (a format, a code, a path) an error repeats."""

_MAX_STEPS = 16


@cache
def _part() -> re.Pattern[str]:
    """.name [3] [*] ["any key"]; a name may also have letters and hyphens that `format_path` quotes."""
    return re.compile(
        r"""
        \.? (?P<name> [^\W\d][\w-]* )
        | \[ (?: (?P<index> 0 | [1-9][0-9]{0,18} ) | (?P<all> \* ) | (?P<key> "[^"\\]*+(?:\\.[^"\\]*+)*+" ) ) \]
        """,
        re.VERBOSE,
    )


def parse_path(text: str) -> list[str | int | None]:
    """Return the steps that *text* names, None for each ``[*]``; `ValueError` if it is not a path.

    A path is as `format_path` writes it, or relative: ``choices[*].text``.
    """
    steps: list[str | int | None] = []
    pos = len(ROOT) if text.startswith(ROOT) else 0
    is_relative = pos == 0
    while pos < len(text):
        match = _part().match(text, pos)
        if match is None or (match["name"] and (match[0][0] == ".") == (is_relative and pos == 0)):
            raise ValueError(f"not a path from character {pos} on: {text[:MAX_SHOWN]!r} (as in choices[*].text)")
        if match["name"]:
            steps.append(match["name"])
        elif match["index"]:
            steps.append(int(match["index"]))
        else:
            steps.append(None if match["all"] else _unescape(match["key"], text))
        pos = match.end()
    return steps


def _unescape(key: str, text: str) -> str:
    try:
        unescaped: str = json.loads(key)
    except ValueError:
        raise ValueError(f"not a JSON string in the path {text[:MAX_SHOWN]!r}") from None
    return unescaped


def format_path(steps: Sequence[Step]) -> str:
    """Return the whole path, every key in full."""
    return ROOT + "".join(map(_format_step, steps))


def format_link(link: Link) -> str:
    """Return the whole path to *link*."""
    return format_path(link_steps(link))


def link_steps(link: Link) -> list[Step]:
    """Return the steps to *link*, from the root."""
    steps: list[Step] = []
    while link is not None:
        link, step = link
        steps.append(step)
    return steps[::-1]


def short_path(steps: Sequence[Step]) -> str:
    """Return the path as errors carry it: keys cut at `MAX_NAME` characters, at most 16 steps (the first and last 8).

    An error may be logged far from the data, so it stays small whatever the input.
    """
    cut = [_cut(step) for step in steps]
    if len(cut) <= _MAX_STEPS:
        return format_path(cut)
    half = _MAX_STEPS // 2
    return format_path(cut[:half]) + "…" + format_path(cut[-half:]).removeprefix(ROOT)


def _cut(step: Step) -> str | int:
    if isinstance(step, int):
        return step
    text = step_text(step)
    return text if len(text) <= MAX_NAME else text[:MAX_NAME] + "…"


def step_text(step: Step) -> str:
    """Return the text of a step, the same for a list's index and for the key of a map that may stand in its place."""
    return step.decode("utf-8", "backslashreplace") if isinstance(step, bytes) else str(step)


def _format_step(step: Step) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    text = step_text(step)
    if text.isascii() and text.isidentifier():
        return f".{text}"
    # Lone surrogates (in keys that cannot be written) must not make the path unprintable.
    return f"[{json.dumps(text, ensure_ascii=not text.isprintable())}]"
