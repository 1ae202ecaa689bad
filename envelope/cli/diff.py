"""`envelope diff`: what differs between two documents, whatever their formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from envelope.cli.common.options import ignore_option
from envelope.cli.common.report import printable, show_decode_error
from envelope.cli.common.shown import write_shown
from envelope.cli.common.source import SourceOptions, load_source
from envelope.cli.common.source_options import source_option, source_options
from envelope.errors import DecodeError
from envelope.values.comparison import Change, changes
from envelope.values.ignored import without

if TYPE_CHECKING:
    from collections.abc import Sequence

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
@source_options(all=True)
@ignore_option
def diff(
    *,
    first: str,
    second: str,
    first_format: str,
    second_format: str,
    max_lines: int,
    reading: SourceOptions,
    ignore: Sequence[str],
) -> None:
    """Show where the values of two documents differ: - only in A, + only in B, ~ in both.

    Types, the order of keys and the sign of zero count; spelling and format do not. A or B may be -, for standard
    input. The exit status is 0 if the values are the same, 1 if they differ, and 2 for a mistake in the command line
    or a document that cannot be read.
    """
    if first == second == "-":
        raise click.UsageError("only one of A and B can be standard input")
    before = _read(first, first_format, "--from-a", reading)
    after = _read(second, second_format, "--from-b", reading)
    before, after = without(before, ignore), without(after, ignore)
    lines, count = [], 0
    for count, change in enumerate(changes(before, after, is_tree=reading.values == "portable"), 1):
        if count <= max_lines:
            lines.append(_line(change))
    if not count:
        return
    if count > max_lines:
        lines.append(Text(f"… and {count - max_lines:,} more", "dim"))
    write_shown(lines, width=_WIDE)
    raise click.exceptions.Exit(1)


def _read(file: str, format: str, flag: str, reading: SourceOptions) -> Any:
    # Options that this format does not have are meant for the other document.
    source = reading.read(file, format, flag=flag, exact=False, status=2)
    try:
        return load_source(source.data, source.format, source.options)
    except DecodeError as exc:
        show_decode_error(exc, source.name, source.data)
    raise click.exceptions.Exit(2)


def _line(change: Change) -> Text:
    return Text(printable(str(change)), _STYLES[change.sign])
