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

from envelope.cli.common.files import write_output
from envelope.cli.common.options import lang_option, registry_option
from envelope.cli.common.report import escaped, printable
from envelope.registry.codes import Billing

if TYPE_CHECKING:
    from collections.abc import Callable

    from envelope.registry.codes import CodeRegistry
    from envelope.registry.languages import Lang

__all__ = ["codes"]

_EXAMPLES = """\b
Examples:
  envelope codes
  envelope codes --lang ru --format markdown > codes.md
  envelope codes --format json > codes.json
  printf '[[overrides]]\\ncode = "4003"\\nbilling = "free"\\n' | envelope codes --with -
"""


@click.command(epilog=_EXAMPLES)
@lang_option("Language of the descriptions; json and toml have all three.")
@click.option(
    "--format",
    type=click.Choice(["table", "markdown", "json", "toml"]),
    default="table",
    show_default=True,
    help="json and toml are lists of records: all fields, all languages.",
)
@registry_option
def codes(*, lang: Lang, format: str, registry: CodeRegistry) -> None:
    """Show the error codes: what each means, who pays for the call, who must act.

    Billing that the gateway's documents leave blank is marked as inferred. FILE has two kinds of tables: [[codes]] with
    all the fields that --format toml shows, and [[overrides]] with a code and the fields that change.
    """
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
    # Always UTF-8, whatever encoding the terminal claims.
    write_output("-", text.encode("utf-8", "backslashreplace"))


def _escaped(text: str, escape: Callable[[str], str]) -> str:
    """*text* with the characters escaped that could act on the terminal; it still parses to the same value."""
    return "".join(char if char.isprintable() or char == "\n" else escape(char) for char in text)


def _records(registry: CodeRegistry) -> list[dict[str, Any]]:
    return [asdict(row) for row in registry]


_COLUMNS = ("code", "name", "message", "description", "billing", "HTTP", "retry", "who acts")
_STYLES = {Billing.CHARGED: "yellow", Billing.FREE: "green", Billing.IGNORED: "", Billing.UNKNOWN: "red"}


def _table(registry: CodeRegistry, lang: Lang) -> str:
    # No message column: the name says the same, and a terminal is narrow.
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


def _yes_or_no(value: bool) -> str:  # noqa: FBT001  # its only argument
    return "yes" if value else "no"


def _markdown_cell(text: str) -> str:
    return re.sub(r"[\\|<\[`]", r"\\\g<0>", escaped(text))
