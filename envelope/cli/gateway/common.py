"""What the operator's commands share: the store, accounts by their names, tables and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import orjson
from rich.console import Console
from rich.table import Table

from envelope.cli.common.files import write_output
from envelope.cli.common.report import printable
from envelope.gateway.books.accounts import account_named
from envelope.gateway.books.errors import BooksError
from envelope.gateway.money import parse_amount
from envelope.gateway.stores.errors import StoreError
from envelope.gateway.stores.opening import open_store
from envelope.gateway.vault import VaultError

if TYPE_CHECKING:
    from envelope.gateway.books.accounts import Account
    from envelope.gateway.stores.store import Store, Transaction

__all__ = ["AMOUNT", "TIME", "json_option", "named", "opened", "show_json", "show_table", "shown_time", "store_option"]

C = TypeVar("C", bound=Callable[..., object])


def store_option(command: C) -> C:
    """The option `--store`, the path of the store's file."""
    text = "The store's file."
    option = click.option("--store", metavar="FILE", default="gateway.db", show_default=True, help=text)
    return option(command)


json_option = click.option("--json", "as_json", is_flag=True, help="JSON on standard output, amounts in millionths.")
"""The option `--json`."""


@contextmanager
def opened(path: str, *, is_new: bool = False) -> Iterator[Store]:
    """The store of *path*, which must be there unless it may be *new*; what it says goes to standard error."""
    if not is_new and not Path(path).exists():
        raise click.UsageError(f"there is no store {printable(path)}; envelope gateway account add makes one")
    try:
        with open_store(path) as store:
            yield store
    except (BooksError, StoreError, VaultError) as error:
        raise click.ClickException(printable(str(error))) from None


def named(db: Transaction, name: str) -> Account:
    """The account of that name, or a usage error."""
    account = account_named(db, name)
    if account is None:
        raise click.UsageError(f"there is no account {printable(name)}")
    return account


class _Amount(click.ParamType[int]):
    name = "units"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return parse_amount(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


AMOUNT = _Amount()
"""A number of units, passed in micro-units."""


class _Time(click.ParamType[int]):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            self.fail("not like 2026-11-01 or 2026-11-01T12:30+00:00", param, ctx)
        if time.tzinfo is None:
            time = time.replace(tzinfo=UTC)
        return round(time.timestamp() * 1_000_000)


TIME = _Time()
"""A time as ISO 8601 has it, UTC unless it says otherwise, passed in microseconds."""


def shown_time(time: int | None) -> str:
    """Microseconds as a date and a time of day, UTC."""
    return "" if time is None else datetime.fromtimestamp(time // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def show_json(value: object) -> None:
    """Show *value* as JSON, in which nothing can act on a terminal."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    safe = "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)
    write_output("-", safe.encode())


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Show *rows* under *columns*; numbers stand to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    numeric = [bool(rows) and all(isinstance(row[place], int) for row in rows) for place in range(len(columns))]
    for column, is_numeric in zip(columns, numeric, strict=True):
        table.add_column(column, justify="right" if is_numeric else "left", overflow="fold", no_wrap=column == "key")
    for row in rows:
        table.add_row(*("" if cell is None else printable(str(cell)) for cell in row))
    console = Console(markup=False, emoji=False, highlight=False)
    with console.capture() as capture:
        console.print(table)
    write_output("-", capture.get().encode("utf-8", "backslashreplace"))
