"""The options of `envelope convert` that are about archives."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import click

from envelope.conversion.documents import KEEP_ROWS, KeepRows

__all__ = ["BulkOptions", "bulk_options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOptions:
    """The archive options as given."""

    lines: bool
    csv: str | None
    parquet: str | None
    delimiter: bytes | None
    jobs: int
    errors: str | None
    max_errors: int | None
    resume: bool
    mixed: bool
    keep_rows: KeepRows | None
    repair: bool
    repairs: str | None

    @property
    def is_asked_for(self) -> bool:
        """Whether FILE is an archive; `click.UsageError` for options that only apply to one."""
        kinds = [self.lines, self.csv is not None, self.parquet is not None]
        if sum(kinds) > 1:
            raise click.UsageError("--lines, --csv and --parquet are mutually exclusive")
        given = {
            "--delimiter": self.delimiter is not None,
            "--jobs": self.jobs != 1,
            "--errors": self.errors is not None,
            "--max-errors": self.max_errors is not None,
            "--resume": self.resume,
            "--mixed": self.mixed,
            "--keep-rows": self.keep_rows is not None,
            "--repair": self.repair,
            "--repairs": self.repairs is not None,
        }
        if not any(kinds) and any(given.values()):
            option = next(option for option, is_given in given.items() if is_given)
            raise click.UsageError(f"{option} needs --lines, --csv or --parquet")
        if self.repairs is not None and not self.repair:
            raise click.UsageError("--repairs needs --repair")
        return any(kinds)


def _delimiter(_: click.Context, __: click.Parameter, text: str | None) -> bytes | None:
    r"""The bytes of *text*, which may have Python's escapes: `\0`, `\t`, `\r\n`, `\x1e`."""
    if text is None:
        return None
    try:
        delimiter = text.encode().decode("unicode_escape").encode("latin-1")
    except ValueError:
        raise click.BadParameter("not text with Python's escapes") from None
    if not delimiter:
        raise click.BadParameter("it is empty")
    return delimiter


_OPTIONS = (
    click.option("--lines", is_flag=True, help="FILE has one document per line."),
    click.option("--csv", metavar="COLUMN", help="FILE is CSV with a header row, and COLUMN holds the documents."),
    click.option("--parquet", metavar="COLUMN", help="FILE is Parquet, and COLUMN holds the documents."),
    click.option(
        "--delimiter",
        metavar="TEXT",
        callback=_delimiter,
        help=r"What ends a document (--lines) or separates cells (--csv), in the output too; \0, \t, \x1e work.",
    ),
    click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Number of processes."),
    click.option("--errors", metavar="FILE", help="Write records that cannot be converted to FILE, as JSON lines."),
    click.option("--max-errors", type=click.IntRange(0), metavar="N", help="Stop after more than N bad records."),
    click.option(
        "--mixed", is_flag=True, help="What is not serialized, by WordPress's rule, is a text; --from serialize only."
    ),
    click.option(
        "--keep-rows",
        type=click.Choice(KEEP_ROWS),
        help="Records that cannot be converted keep their rows, with nothing in their place or what was there.",
    ),
    click.option(
        "--repair", is_flag=True, help="Repair records that can then be read in one way only; --from serialize only."
    ),
    click.option("--repairs", metavar="FILE", help="Write what was repaired to FILE, as JSON lines."),
    click.option("--resume", is_flag=True, help="Continue where the same command stopped."),
)


def bulk_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the archive options; *command* gets them as one argument ``bulk``."""

    @functools.wraps(command)
    def wrapped(**given: Any) -> None:
        bulk = BulkOptions(**{field.name: given.pop(field.name) for field in fields(BulkOptions)})
        command(**given, bulk=bulk)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
