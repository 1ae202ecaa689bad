"""`--at`: the document that is a string of another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from envelope.cli.common.report import printable
from envelope.path import short_path, step_text
from envelope.values.glimpse import glimpse
from envelope.values.php_types import PhpObject, referred

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envelope.path import Step

__all__ = ["inner_document"]


def inner_document(value: Any, steps: Sequence[str | int | None]) -> str | bytes:
    """The string at *steps*; `click.ClickException` if there is none."""
    done: list[Step] = []
    for step in steps:
        name = _member(value, step)
        if name is None:
            nearest = printable(short_path(done))
            raise click.ClickException(f"nothing at that path; the last value on the way is {nearest}")
        value = referred(value[name])
        done.append(name)
    if isinstance(value, PhpObject) and value.payload is not None:
        value = value.payload
    if not isinstance(value, str | bytes):
        what = printable(glimpse(value))
        raise click.ClickException(f"no document at {printable(short_path(done))}: it is {what}, not a string")
    return value


def _member(value: Any, step: str | int | None) -> Any:
    """What *value* itself calls the member that *step* means; None if there is none."""
    if isinstance(value, list):
        text = str(step)
        index = int(text) if text.isdecimal() else len(value)
        return index if index < len(value) else None
    names = value if isinstance(value, dict | PhpObject) else ()
    return next((name for name in names if step_text(name) == str(step)), None)
