"""`envelope inspect`: show what a document holds and where, as far as it can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.text import Text

from envelope.cli.common.report import printable, show_decode_error, title_of
from envelope.cli.common.shown import write_shown
from envelope.cli.common.source import SourceOptions, load_source
from envelope.cli.common.source_options import source_option, source_options
from envelope.cli.inspection.outline import Outline
from envelope.cli.inspection.selection import Selection
from envelope.cli.inspection.spans import walk
from envelope.cli.inspection.stats import Stats
from envelope.cli.inspection.tree import show_outline, show_stats
from envelope.errors import DecodeError
from envelope.path import parse_path

if TYPE_CHECKING:
    from envelope.options import ReadOptions

__all__ = ["inspect"]

_EXAMPLES = """\b
Examples:
  printf '{"id": 7, "tags": ["a", "b"]}' | envelope inspect
  printf 'a:1:{s:4:"tags";a:2:{i:0;i:7;i:1;N;}}' | envelope inspect --path '$.tags[0]'
  printf '["a", [null, 1.5]]' | envelope convert --to xml | envelope inspect --stats
"""

_WIDE = 2000  # cells for a label: the terminal wraps longer ones


def _read_path(_: click.Context, __: click.Parameter, text: str) -> list[str | int | None]:
    try:
        return parse_path(text)
    except ValueError as exc:
        raise click.BadParameter(printable(str(exc))) from None


@click.command(epilog=_EXAMPLES)
@click.argument("file", default="-", metavar="[FILE|-]")
@source_option("--from", "source", "FILE")
@click.option(
    "--path",
    "wanted",
    default="$",
    show_default=True,
    callback=_read_path,
    help="Show only this part; [*] is all members.",
)
@click.option("--stats", "wants_stats", is_flag=True, help="Show counts instead: types, depth, largest parts.")
@click.option("--depth", type=click.IntRange(min=0), default=6, show_default=True, help="Levels to show.")
@click.option(
    "--max-items", type=click.IntRange(min=1), default=20, show_default=True, help="Members to show of each container."
)
@click.option("--max-lines", type=click.IntRange(min=1), default=1000, show_default=True, help="Values to show in all.")
@source_options(all=False)
def inspect(
    *,
    file: str,
    source: str,
    wanted: list[str | int | None],
    wants_stats: bool,
    depth: int,
    max_items: int,
    max_lines: int,
    reading: SourceOptions,
) -> None:
    """Show what a document holds: the type, size, path and byte range of each value.

    Offsets count from 0. A broken document is shown as far as it can be read, with the place of the fault. The exit
    status is 0 if it was read, 1 if it cannot be read or nothing is at the path, and 2 for a mistake in the command
    line.
    """
    limits = reading.limits
    document = reading.read(file, source)
    data, source, options = document.data, document.format, document.options
    if options.dialect in ("file", "short"):
        raise click.UsageError("a PHP file as people write it is not inspected: convert it first")
    if options.dialect.startswith("session"):
        raise click.UsageError(f"--from-dialect {options.dialect}: inspect shows single values; convert reads sessions")
    fault = _fault(data, source, options)
    # A document that is too large was not parsed at all.
    readable = data if fault is None else data[: fault.offset] if len(data) <= limits.max_bytes else b""
    stats = Stats(len(readable))
    outline = Outline(depth=depth, max_items=max_items, max_nodes=max_lines)
    selection = Selection(wanted, stats if wants_stats else outline)
    walk(readable, source, selection, php=options.php, plain=options.dialect == "plain")

    if selection.found or not wanted:
        head = Text().append(title_of(document.name), "bold")
        size = f"{len(data):,} bytes" if len(data) <= limits.max_bytes else f"more than {limits.max_bytes:,} bytes"
        shown = show_stats(stats, php=options.php) if wants_stats else show_outline(outline, fault, php=options.php)
        write_shown([head.append(f": {source}, {size}"), *shown], width=_WIDE + 4 * min(depth, max_lines))
    if fault is not None:
        show_decode_error(fault, document.name, data)
        raise click.exceptions.Exit(1)
    if not selection.found:
        nearest = printable(selection.nearest_path)
        raise click.ClickException(f"nothing at that path; the last value on the way is {nearest}")


def _fault(data: bytes, format: str, options: ReadOptions) -> DecodeError | None:
    """The error of the document's reader, or None if it can be read."""
    try:
        load_source(data, format, options)
    except DecodeError as exc:
        return exc
    return None
