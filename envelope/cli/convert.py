"""`envelope convert`: convert a document, or an archive of documents, to another format."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

import click

from envelope.cli.bulk.options import BulkOptions, bulk_options
from envelope.cli.common.detect import detect
from envelope.cli.common.files import check_size, write_output
from envelope.cli.common.report import (
    loss_lines,
    show_decode_error,
    show_encode_error,
    show_losses,
    show_note,
    show_refused_losses,
    title_of,
)
from envelope.cli.common.source import (
    DIALECTS,
    NAMES,
    check_dialect,
    dialect_option,
    limits_option,
    read_source,
    reading_of,
    source_option,
    values_option,
)
from envelope.conversion.documents import Conversion
from envelope.conversion.kernel import convert_and_compare
from envelope.errors import DecodeError, EncodeError
from envelope.formats import ResultType, get_format
from envelope.hints import Hint
from envelope.limits import Limits
from envelope.options import MAPS

if TYPE_CHECKING:
    from envelope.options import Dialect, Maps, Values

__all__ = ["convert"]

_EXAMPLES = """\b
Examples:
  printf '{"id": 7, "tags": []}' | envelope convert --to serialize -o page.ser
  envelope convert page.ser --to json --pretty
  envelope convert page.ser --from serialize --to xml -o page.xml
  printf 'i:1;\\nN;\\n' | envelope convert --lines --from serialize --to jsonu
"""


@click.command(epilog=_EXAMPLES)
@click.argument("file", default="-", metavar="[FILE|-]")
@source_option("--from", "source", "FILE")
@click.option("--to", "target", type=click.Choice(NAMES), required=True, help="Format to write.")
@click.option("-o", "--output", default="-", metavar="FILE", help="Replace FILE once the conversion has succeeded.")
@click.option("--pretty", is_flag=True, help="Indent json, jsonu and xml (var_export always is).")
@click.option("--strict", is_flag=True, help="Write nothing if the target cannot hold the whole value.")
@values_option
@click.option(
    "--maps",
    type=click.Choice(MAPS),
    default="array",
    show_default=True,
    help="How the PHP formats write {} and maps with keys 0 to n-1.",
)
@dialect_option
@click.option(
    "--to-dialect",
    type=DIALECTS,
    default="typed",
    show_default=True,
    help="php: json and jsonu as json_encode writes them; plain: xml without types; "
    "file: var_export as a PHP file; short: with [ ]; session: serialize as sessions.",
)
@limits_option
@bulk_options
def convert(
    *,
    file: str,
    source: str,
    target: str,
    output: str,
    pretty: bool,
    strict: bool,
    values: Values,
    maps: Maps,
    from_dialect: Dialect | None,
    to_dialect: Dialect,
    no_limits: bool,
    bulk: BulkOptions,
) -> None:
    """Convert a document, from FILE or standard input, to another format.

    Warnings on standard error say what the target cannot hold. The exit status is 0 if the document was written, 1 if
    it could not be, and 2 for a mistake in the command line.

    --lines, --csv and --parquet convert an archive of any size, compressed if its suffix says so (.gz, .zst). Records
    that cannot be converted are set aside, and the exit status is then 1.
    """
    limits = Limits.unlimited() if no_limits else Limits()
    check_dialect("--to-dialect", target, to_dialect)
    writing = get_format(target).writing(values, maps, to_dialect, limits)
    if pretty:
        _check_pretty(target, to_dialect, bulk)
    if bulk.is_asked_for:
        # Importing processes and progress bars takes longer than converting one document.
        from envelope.cli.bulk.archive import convert_archive

        source = _named(file) if source == "auto" else source
        conversion = Conversion(
            source=source,
            target=target,
            reading=reading_of(source, values, from_dialect, limits),
            writing=writing,
            on_loss="error" if strict else "warn",
        )
        raise click.exceptions.Exit(convert_archive(file, output, conversion, bulk))
    data, source = read_source(file, source, limits, may_wait=True)
    reading = reading_of(source, values, from_dialect, limits, data)

    try:
        check_size(data, source, limits.max_bytes, hint=Hint("raise-limit", "max_bytes"))
        reader, writer = get_format(source), get_format(target)
        body, lost = convert_and_compare(data, reader, reading, writer, writing, in_parts=True)
        losses = loss_lines(lost)
        if losses and strict:
            show_refused_losses(losses, target)
            raise click.exceptions.Exit(1)
        if pretty:
            # Imported here: it pulls in the Python codec of json, which most conversions do not need.
            from envelope.cli.common.pretty import pretty as indent

            body = indent(body, target, limits)
    except EncodeError as exc:
        show_encode_error(exc)
    except DecodeError as exc:
        if exc.format == source:
            show_decode_error(exc, file, data)
        else:  # the output was read back to find losses; its offsets do not apply to the input
            show_encode_error(exc)
    else:
        write_output(output, body)
        with contextlib.suppress(OSError):  # the output is written, even if a warning cannot be shown
            show_losses(losses, target)
            if _is_printed(output, target, to_dialect):
                show_note(f"PHP prints {title_of(output)}: --to-dialect file writes a file that include gives back")
        return
    raise click.exceptions.Exit(1)


def _is_printed(output: str, target: str, dialect: str) -> bool:
    """Whether *output* looks like code to include, and is none: a body's own suffix says that it is none."""
    is_code = output.endswith(".php") and not output.endswith(get_format(target).suffix)
    return is_code and target == ResultType.VAR_EXPORT and dialect != "file"


def _named(file: str) -> str:
    """The format of an archive's documents, by file name only: one document's content says nothing about the rest."""
    format = detect(re.sub(r"(?i)\.(gz|zst)$", "", file), b"")
    if format is None:
        raise click.UsageError("cannot tell the documents' format from the file name: give it with --from")
    return format


def _check_pretty(format: str, dialect: str, bulk: BulkOptions) -> None:
    if bulk.is_asked_for:
        raise click.UsageError("--pretty: the documents of an archive are not indented")
    if format == ResultType.SERIALIZE:
        raise click.UsageError("--pretty: serialize has no white space, so it cannot be indented")
    if dialect == "php":
        raise click.UsageError("--pretty: --to-dialect php is what json_encode writes, which does not indent")
