"""`envelope codes`: the table of error codes, for people and for programs."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
import orjson
import tomli_w
from rich.console import Console
from rich.table import Table
from rich.text import Text

from envelope.cli.files import check_size, read_input, write_output
from envelope.cli.report import escaped, printable, show_decode_error, show_validation_error
from envelope.codes import REGISTRY, Billing, CodeRegistry
from envelope.errors import DecodeError, ValidationError
from envelope.lang import Lang

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["codes"]

_MAX_BYTES = 1024 * 1024  # of an operator's file

_EXAMPLES = """\b
Examples:
  envelope codes
  envelope codes --lang ru --format markdown > codes.md
  envelope codes --format json > codes.json
  printf '[[overrides]]\\ncode = "4003"\\nbilling = "free"\\n' | envelope codes --with -
"""


class _LangType(click.ParamType[Lang]):
    name = "language"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Lang:
        try:
            return Lang(value)
        except ValueError:
            self.fail(f"{printable(value)!r} is none of {', '.join(Lang)}", param, ctx)


@click.command(epilog=_EXAMPLES)
@click.option(
    "--lang",
    type=_LangType(),
    default=str(Lang.EN),
    show_default=True,
    metavar="[cn|en|ru]",
    help="Language of the descriptions; json and toml have all three.",
)
@click.option(
    "--format",
    type=click.Choice(["table", "markdown", "json", "toml"]),
    default="table",
    show_default=True,
    help="json and toml are lists of records: all fields, all languages.",
)
@click.option("--with", "added", metavar="FILE", help="An operator's own file: codes to add, and overrides.")
def codes(*, lang: Lang, format: str, added: str | None) -> None:
    """Show the error codes: what each means, who pays for the call, who must act.

    What the gateway's documents leave blank about billing is marked as inferred. A FILE has tables of two kinds:
    [[codes]] with all the fields that --format toml shows, and [[overrides]] with a code and the fields that change.
    """
    registry = REGISTRY if added is None else _with_file(added)
    if format == "table":
        text = _table(registry, lang)
    elif format == "markdown":
        text = _markdown(registry, lang)
    elif format == "json":
        body = orjson.dumps(_records(registry), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        text = _escaped(body.decode(), lambda char: json.dumps(char)[1:-1])
    else:
        toml = tomli_w.dumps({"codes": _records(registry)})
        text = _escaped(toml, lambda char: f"\\U{ord(char):08x}")
    # As UTF-8, whatever the terminal says that it takes.
    write_output("-", text.encode("utf-8", "backslashreplace"))


def _with_file(name: str) -> CodeRegistry:
    data = read_input(name, _MAX_BYTES)
    try:
        check_size(data, "toml", _MAX_BYTES)
        return REGISTRY.with_toml(data)
    except DecodeError as error:
        show_decode_error(error, name, data)
    except ValidationError as error:
        show_validation_error(error, name)
    raise click.exceptions.Exit(1)


def _escaped(text: str, escape: Callable[[str], str]) -> str:
    """*text* without what a file may hold to act on the terminal; the format reads it back all the same."""
    return "".join(char if char.isprintable() or char == "\n" else escape(char) for char in text)


def _records(registry: CodeRegistry) -> list[dict[str, Any]]:
    return [asdict(row) for row in registry]


_COLUMNS = ("code", "name", "message", "description", "billing", "HTTP", "retry", "who acts")
_STYLES = {Billing.CHARGED: "yellow", Billing.FREE: "green", Billing.IGNORED: "", Billing.UNKNOWN: "red"}


def _table(registry: CodeRegistry, lang: Lang) -> str:
    # Without the message: the name says it too, and a terminal is narrow.
    caption = "* inferred: the gateway's documents leave it blank"
    table = Table(box=None, pad_edge=False, header_style="bold", caption=caption, caption_justify="left")
    for column in ("code", "name", "description", "billing", "HTTP", "retry", "who acts"):
        wraps = column in ("name", "description")
        table.add_column(column, no_wrap=not wraps, overflow="fold", min_width=12 if wraps else None)
    for row in registry:
        billing = Text(f"{row.billing}{'*' * (row.billing_source == 'inferred')}", _STYLES[row.billing])
        description = printable(row.text(lang))
        status, retry = str(row.http_status), _yes_or_no(row.retryable)
        table.add_row(row.code, row.name, description, billing, status, retry, row.actor)
    console = Console(markup=False, emoji=False, highlight=False)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def _markdown(registry: CodeRegistry, lang: Lang) -> str:
    lines = [_COLUMNS, ("---",) * len(_COLUMNS)]
    for row in registry:
        billing = f"{row.billing} (inferred)" if row.billing_source == "inferred" else str(row.billing)
        status, retry = str(row.http_status), _yes_or_no(row.retryable)
        lines.append((row.code, row.name, row.message, row.text(lang), billing, status, retry, row.actor))
    return "".join(f"| {' | '.join(map(_markdown_cell, line))} |\n" for line in lines)


def _yes_or_no(value: bool) -> str:  # noqa: FBT001
    return "yes" if value else "no"


def _markdown_cell(text: str) -> str:
    return re.sub(r"[\\|<\[`]", r"\\\g<0>", escaped(text))
