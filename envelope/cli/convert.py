"""`envelope convert`: a document from one format to another."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from envelope.api import convert_and_compare
from envelope.cli.detect import detect
from envelope.cli.files import check_size, read_input, write_output
from envelope.cli.pretty import pretty as indent
from envelope.cli.report import show_decode_error, show_encode_error, show_loss_error, show_losses
from envelope.errors import DecodeError, EncodeError, LossError
from envelope.formats import FORMATS, ResultType, get_format
from envelope.limits import Limits

if TYPE_CHECKING:
    from envelope.api import Dialect, Maps, Values

__all__ = ["convert"]

_EXAMPLES = """\b
Examples:
  printf '{"id": 7, "tags": []}' | envelope convert --to serialize -o page.ser
  envelope convert page.ser --to json --pretty
  envelope convert page.ser --from serialize --to xml -o page.xml
  envelope convert page.xml --to var_export --maps object --strict
"""

_NAMES = [str(name) for name in FORMATS]
_DIALECTS = click.Choice(["typed", "php", "plain"])


@click.command(epilog=_EXAMPLES)
@click.argument("file", default="-", metavar="[FILE|-]")
@click.option(
    "--from",
    "source",
    type=click.Choice(["auto", *_NAMES]),
    default="auto",
    show_default=True,
    help="Format of FILE; auto goes by its name, else by how it begins.",
)
@click.option("--to", "target", type=click.Choice(_NAMES), required=True, help="Format to write.")
@click.option("-o", "--output", default="-", metavar="FILE", help="Replace FILE, once the conversion has succeeded.")
@click.option("--pretty", is_flag=True, help="Indent json, jsonu and xml (var_export always is).")
@click.option("--strict", is_flag=True, help="Write nothing where the target cannot hold the whole value.")
@click.option(
    "--values",
    type=click.Choice(["portable", "php"]),
    default="portable",
    show_default=True,
    help="php also reads objects, enums and bytes, as data.",
)
@click.option(
    "--maps",
    type=click.Choice(["array", "object"]),
    default="array",
    show_default=True,
    help="How the PHP formats write {} and maps with keys 0 to n-1.",
)
@click.option("--from-dialect", type=_DIALECTS, default="typed", show_default=True, help="Dialect of FILE.")
@click.option(
    "--to-dialect",
    type=_DIALECTS,
    default="typed",
    show_default=True,
    help="php: json and jsonu as json_encode writes them; plain: xml without types.",
)
@click.option("--no-limits", is_flag=True, help="Read and write documents of any size, depth and count.")
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
    from_dialect: Dialect,
    to_dialect: Dialect,
    no_limits: bool,
) -> None:
    """Convert a document, from FILE or standard input, to another format.

    What the target cannot hold is warned of on standard error. The exit status is 0 when the document was written, 1
    when it cannot be, and 2 for a mistake in the command line.
    """
    limits = Limits.unlimited() if no_limits else Limits()
    _check_dialect("--to-dialect", target, to_dialect)
    if pretty:
        _check_pretty(target, to_dialect)
    data = read_input(file, limits.max_bytes)
    if source == "auto":
        source = _detected(file, data)
    _check_dialect("--from-dialect", source, from_dialect)

    try:
        check_size(data, source, limits.max_bytes)
        body, losses = convert_and_compare(
            data,
            source,
            target,
            values=values,
            maps=maps,
            source_dialect=from_dialect,
            target_dialect=to_dialect,
            limits=limits,
        )
        if losses and strict:
            raise LossError(losses, target)
        if pretty:
            body = indent(body, target, limits)
    except LossError as exc:
        show_loss_error(exc)
    except EncodeError as exc:
        show_encode_error(exc)
    except DecodeError as exc:
        if exc.format == source:
            show_decode_error(exc, file, data)
        else:  # the output, which is read to see what it lost; its offsets are none of the input's
            show_encode_error(exc)
    else:
        write_output(output, body)
        with contextlib.suppress(OSError):  # a warning that cannot be shown takes nothing from what was written
            show_losses(losses, target)
        return
    raise click.exceptions.Exit(1)


def _detected(file: str, data: bytes) -> str:
    format = detect(file, data)
    if format is None:
        raise click.UsageError("cannot tell the format of the input: give it with --from")
    return format


def _check_dialect(option: str, format: str, dialect: str) -> None:
    dialects = get_format(format).dialects
    if dialect not in dialects:
        raise click.UsageError(f"{option} {dialect}: {format} has {' and '.join(dialects)} only")


def _check_pretty(format: str, dialect: str) -> None:
    if format == ResultType.SERIALIZE:
        raise click.UsageError("--pretty: serialize has no white space, so it cannot be indented")
    if dialect == "php":
        raise click.UsageError("--pretty: --to-dialect php is what json_encode writes, which does not indent")
