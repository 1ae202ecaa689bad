"""`envelope convert`: convert a document, or an archive of documents, to another format."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from envelope.cli.bulk.options import BulkOptions, bulk_options
from envelope.cli.common.detect import detect
from envelope.cli.common.files import check_size, write_output
from envelope.cli.common.report import (
    loss_lines,
    printable,
    show_decode_error,
    show_encode_error,
    show_losses,
    show_note,
    show_refused_losses,
    title_of,
)
from envelope.cli.common.source import SourceOptions, check_dialect
from envelope.cli.common.source_options import DIALECTS, NAMES, source_option, source_options
from envelope.conversion.documents import Conversion
from envelope.conversion.kernel import convert_and_compare, holds_tags
from envelope.errors import DecodeError, EncodeError
from envelope.formats import ResultType, get_format
from envelope.hints import Hint
from envelope.options import DECODE_FLAGS, ENCODE_FLAGS, MAPS, OBJECTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envelope.options import Dialect, Flag, Maps, Objects, WriteOptions

__all__ = ["convert"]

_EXAMPLES = """\b
Examples:
  printf '{"id": 7, "tags": []}' | envelope convert --to serialize -o page.ser
  envelope convert page.ser --to json --pretty
  envelope convert page.ser --from serialize --to xml -o page.xml
  printf 'a:0:{}\\n19.90\\n' | envelope convert --lines --mixed --from serialize --to jsonu
  printf '{"command": "a:1:{i:0;i:7;}"}' | envelope convert --at '$.command' --to json
  printf 'YToxOntpOjA7aTo3O30=' | envelope convert --unwrap auto --to json
"""


def _read_flags(_: click.Context, __: click.Parameter, given: Sequence[str]) -> tuple[str, ...]:
    flags = tuple(flag for text in given for flag in text.split(",") if flag)
    for flag in flags:
        if flag not in DECODE_FLAGS + ENCODE_FLAGS:
            raise click.BadParameter(f"{printable(flag)} is not one of {', '.join(DECODE_FLAGS + ENCODE_FLAGS)}")
    return flags


@click.command(epilog=_EXAMPLES)
@click.argument("file", default="-", metavar="[FILE|-]")
@source_option("--from", "source", "FILE")
@click.option("--to", "target", type=click.Choice(NAMES), required=True, help="Format to write.")
@click.option("-o", "--output", default="-", metavar="FILE", help="Replace FILE once the conversion has succeeded.")
@click.option("--pretty", is_flag=True, help="Indent json, jsonu and xml (var_export always is).")
@click.option("--strict", is_flag=True, help="Write nothing if the target cannot hold the whole value.")
@click.option(
    "--maps",
    type=click.Choice(MAPS),
    default="array",
    show_default=True,
    help="How the PHP formats write {} and maps with keys 0 to n-1.",
)
@click.option(
    "--objects",
    type=click.Choice(OBJECTS),
    default="public",
    show_default=True,
    help="What json and xml show of PHP's objects; all also non-public properties; "
    "tagged loses nothing and converts back (docs/how-to/tagged-json.md). Both imply --values php.",
)
@click.option(
    "--to-dialect",
    type=DIALECTS,
    default="typed",
    show_default=True,
    help="php: json and jsonu as json_encode writes them; plain: xml without types; "
    "file: var_export as a PHP file; short: with [ ]; session: serialize as sessions.",
)
@click.option(
    "--flags",
    metavar="FLAG,…",
    multiple=True,
    callback=_read_flags,
    help="PHP's names of flags: of json_encode (with --to-dialect php), and JSON_BIGINT_AS_STRING.",
)
@source_options(all=True)
@bulk_options
def convert(
    *,
    file: str,
    source: str,
    target: str,
    output: str,
    pretty: bool,
    strict: bool,
    maps: Maps,
    objects: Objects,
    to_dialect: Dialect,
    flags: tuple[Flag, ...],
    reading: SourceOptions,
    bulk: BulkOptions,
) -> None:
    """Convert a document, from FILE or standard input, to another format.

    Warnings on standard error say what the target cannot hold. The exit status is 0 if the document was written, 1 if
    it could not be, and 2 for a mistake in the command line.

    --lines, --csv and --parquet convert an archive of any size, compressed if its suffix says so (.gz, .zst). Records
    that cannot be converted are set aside, and the exit status is then 1. --mixed, --unwrap and --repair convert more
    of them, and --keep-rows keeps the rows of all.
    """
    limits = reading.limits
    values = reading.values if objects == "public" else "php"
    reading = replace(reading, values=values, flags=tuple(flag for flag in flags if flag in DECODE_FLAGS))
    flags = tuple(flag for flag in flags if flag in ENCODE_FLAGS)
    check_dialect("--to-dialect", target, to_dialect)
    if flags and not (get_format(target).is_json and to_dialect == "php"):
        raise click.UsageError(f"--flags {flags[0]}: it is for json and jsonu with --to-dialect php")
    writing = get_format(target).writing(reading.values, maps, to_dialect, limits, flags=flags)
    if pretty:
        _check_pretty(target, to_dialect, bulk)
    if bulk.is_asked_for:
        # Importing processes and progress bars takes longer than converting one document.
        from envelope.cli.bulk.archive import convert_archive

        if reading.at is not None:
            raise click.UsageError("--at is for single documents")
        source = _named(file) if source == "auto" else source
        _check_objects(objects, source, target)
        conversion = _of_records(source, target, reading, writing, bulk, strict=strict, objects=objects)
        raise click.exceptions.Exit(convert_archive(file, output, conversion, bulk))
    document = reading.read(file, source, may_wait=True)
    data, source = document.data, document.format
    _check_objects(objects, source, target)

    try:
        check_size(data, source, limits.max_bytes, hint=Hint("raise-limit", "max_bytes"))
        reader, writer = get_format(source), get_format(target)
        body, lost = convert_and_compare(
            data, reader, document.options, writer, writing, in_parts=True, objects=objects
        )
        losses = loss_lines(lost)
        if losses and strict:
            show_refused_losses(losses, target)
            _show_hint(losses, target)
            raise click.exceptions.Exit(1)
        if pretty:
            # Imported here: it pulls in the Python codec of json, which most conversions do not need.
            from envelope.cli.common.pretty import pretty as indent

            body = indent(body, target, limits)
    except EncodeError as exc:
        show_encode_error(exc)
    except DecodeError as exc:
        if exc.format == source:
            show_decode_error(exc, document.name, data)
        else:  # the output was read back to find losses; its offsets do not apply to the input
            show_encode_error(exc)
    else:
        write_output(output, body)
        with contextlib.suppress(OSError):  # the output is written, even if a warning cannot be shown
            show_losses(losses, target)
            _show_hint(losses, target)
            if _is_printed(output, target, to_dialect):
                show_note(f"PHP prints {title_of(output)}: --to-dialect file writes a file that include gives back")
        return
    raise click.exceptions.Exit(1)


def _show_hint(lines: Sequence[str], target: str) -> None:
    """Name the option that keeps references, if some are among the lost: only serialize has them."""
    from envelope.values.php_types import NO_REFERENCE  # few conversions lose anything

    if target == ResultType.SERIALIZE and any(line.endswith(f"({NO_REFERENCE})") for line in lines):
        show_note("--references keep writes value references as they were read")


def _of_records(
    source: str,
    target: str,
    reading: SourceOptions,
    writing: WriteOptions,
    bulk: BulkOptions,
    *,
    strict: bool,
    objects: Objects,
) -> Conversion:
    options = reading.reading(source)
    for option, is_given in (("--mixed", bulk.mixed), ("--repair", bulk.repair)):
        if is_given and (source, options.dialect) != (ResultType.SERIALIZE, "typed"):
            raise click.UsageError(f"{option} is for --from serialize")
    return Conversion(
        source=source,
        target=target,
        reading=options,
        writing=writing,
        on_loss="error" if strict else "warn",
        objects=objects,
        mixed=bulk.mixed,
        unwrap=reading.unwrap,
        repair=bulk.repair,
        keep_rows=bulk.keep_rows,
    )


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


def _check_objects(objects: Objects, source: str, target: str) -> None:
    if objects == "tagged" and not holds_tags(get_format(source), get_format(target)):
        raise click.UsageError("--objects tagged: it is between serialize or var_export and json or jsonu")


def _check_pretty(format: str, dialect: str, bulk: BulkOptions) -> None:
    if bulk.is_asked_for:
        raise click.UsageError("--pretty: the documents of an archive are not indented")
    if format == ResultType.SERIALIZE:
        raise click.UsageError("--pretty: serialize has no white space, so it cannot be indented")
    if dialect == "php":
        raise click.UsageError("--pretty: --to-dialect php is what json_encode writes, which does not indent")
