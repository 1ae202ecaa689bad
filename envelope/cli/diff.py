"""`envelope diff`: what differs between two documents, whatever their formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from envelope.cli.common.options import ignore_option
from envelope.cli.common.report import printable, show_decode_error
from envelope.cli.common.shown import write_shown
from envelope.cli.common.source import (
    dialect_of,
    dialect_option,
    limits_option,
    load_source,
    read_source,
    source_option,
    values_option,
)
from envelope.errors import DecodeError
from envelope.formats import get_format
from envelope.limits import Limits
from envelope.values.comparison import Change, changes
from envelope.values.ignored import without

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envelope.options import Dialect, Values

__all__ = ["diff"]

_EXAMPLES = """\b
Examples:
  printf '{"id": 7}' > a.json
  printf 'a:1:{s:2:"id";i:7;}' | envelope diff a.json - && echo same
  printf '{"id": 7.0}' | envelope diff a.json - || echo different
  printf '{"id": 8}' | envelope diff a.json - --ignore '$.id' && echo same
"""

_WIDE = 2000  # cells: more than any line that `printable` returns
_STYLES = {"-": "red", "+": "green", "~": "yellow"}


@click.command(epilog=_EXAMPLES)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@source_option("--from-a", "first_format", "A")
@source_option("--from-b", "second_format", "B")
@click.option("--max-lines", type=click.IntRange(min=1), default=100, show_default=True, help="Differences to show.")
@values_option
@dialect_option
@limits_option
@ignore_option
def diff(
    *,
    first: str,
    second: str,
    first_format: str,
    second_format: str,
    max_lines: int,
    values: Values,
    from_dialect: Dialect | None,
    no_limits: bool,
    ignore: Sequence[str],
) -> None:
    """Show where the values of two documents differ: - only in A, + only in B, ~ in both.

    Types, the order of keys and the sign of zero count; spelling and format do not. A or B may be -, for standard
    input. The exit status is 0 if the values are the same, 1 if they differ, and 2 for a mistake in the command line
    or a document that cannot be read.
    """
    if first == second == "-":
        raise click.UsageError("only one of A and B can be standard input")
    limits = Limits.unlimited() if no_limits else Limits()
    before = _read(first, first_format, "--from-a", values, from_dialect, limits)
    after = _read(second, second_format, "--from-b", values, from_dialect, limits)
    before, after = without(before, ignore), without(after, ignore)
    lines, count = [], 0
    for count, change in enumerate(changes(before, after, is_tree=values == "portable"), 1):
        if count <= max_lines:
            lines.append(_line(change))
    if not count:
        return
    if count > max_lines:
        lines.append(Text(f"… and {count - max_lines:,} more", "dim"))
    write_shown(lines, width=_WIDE)
    raise click.exceptions.Exit(1)


def _read(file: str, format: str, flag: str, values: Values, dialect: Dialect | None, limits: Limits) -> Any:
    data, format = read_source(file, format, limits, flag=flag)
    row = get_format(format)
    # A dialect that this format does not have is meant for the other document.
    options = row.reading(values, dialect if dialect in row.dialects else dialect_of(format, data), limits)
    try:
        return load_source(data, format, options)
    except DecodeError as exc:
        show_decode_error(exc, file, data)
    raise click.exceptions.Exit(2)


def _line(change: Change) -> Text:
    return Text(printable(str(change)), _STYLES[change.sign])
