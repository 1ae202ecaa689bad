"""`envelope gateway export`: the records of all calls that have ended."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Literal

import click

from envelope.adapters.extras import extra
from envelope.cli.common.files import replacing
from envelope.cli.common.report import printable
from envelope.cli.gateway.common import opened, store_option

if TYPE_CHECKING:
    from typing import BinaryIO

    from envelope.gateway.stores.store import Store

__all__ = ["export"]

_EXAMPLES = """\b
Examples:
  envelope gateway export > calls.jsonl
  envelope gateway export --format csv -o calls.csv
  envelope gateway export --format parquet -o calls.parquet --after 1593583206
"""

_FORMATS = ("jsonl", "csv", "parquet")


@click.command(epilog=_EXAMPLES)
@click.option("--format", type=click.Choice(_FORMATS), default="jsonl", show_default=True)
@click.option("-o", "--output", metavar="FILE", default="-", help="Replace FILE. [default: standard output]")
@click.option(
    "--after", type=click.IntRange(0, 2**63 - 1), default=0, metavar="CALL", help="Only calls with a higher number."
)
@store_option
def export(*, format: Literal["jsonl", "csv", "parquet"], output: str, after: int, store: str) -> None:
    """Write the records of all calls that have ended, oldest first. Amounts are in millionths of a unit."""
    with opened(store) as books:
        try:
            if output == "-":
                _write(books, format, after, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            else:
                with replacing(os.path.realpath(output)) as file:
                    _write(books, format, after, file)
        except ModuleNotFoundError as error:
            raise click.ClickException(str(error)) from None
        except BrokenPipeError:
            raise
        except OSError as error:
            raise click.ClickException(f"cannot write {printable(output)}: {error.strerror}") from None


def _write(books: Store, format: str, after: int, output: BinaryIO) -> None:
    # Here, because these need the extra gateway, and help does not.
    from envelope.gateway.books.export import export_calls, write_csv, write_jsonl, write_parquet

    writers = {"jsonl": write_jsonl, "csv": write_csv, "parquet": write_parquet}
    with extra("parquet"):
        writers[format](export_calls(books, after), output)
